#!/bin/bash
# Builds the Python guest image from Debian's sources.
#
#   build.sh WORKDIR [OUTDIR]      OUTDIR defaults to ../image beside this script
#
# Needs a bare Debian 12 amd64, root, and Debian's archive. Every step leaves a stamp in WORKDIR and is
# skipped when the stamp is there: after changing a step, remove its stamp (or the whole WORKDIR).
# The machine's own apt sources are not touched: sources come through a private apt configuration.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
POSIX=$(cd "$HERE/../../posix" && pwd)
WORK=$(mkdir -p "${1:?usage: build.sh WORKDIR [OUTDIR]}" && cd "$1" && pwd)
OUT=$(mkdir -p "${2:-$HERE/../image}" && cd "${2:-$HERE/../image}" && pwd)
JOBS=$(nproc)

export SOURCE_DATE_EPOCH=1767225600 LC_ALL=C.UTF-8 TZ=UTC
umask 022

SRC=$WORK/src
ROOTDIR=$WORK/root      # cross-built libraries and headers
TOOLS=$WORK/tools
CC=wasi-cc             # in $TOOLS, by name: programs remember how they were compiled
POSIX_CC=posix-cc      # the same with runtimes/posix, for what makes processes, threads and locks
AR=llvm-ar-19 RANLIB=llvm-ranlib-19 NM=llvm-nm-19
HOST=wasm32-wasip1
export PATH=$TOOLS:$PATH

# step NAME FUNCTION: runs FUNCTION once, in $WORK, logging to log/NAME.
step() {
	local name=$1 log=$WORK/log/$1
	[ -e "$WORK/stamp/$name" ] && return
	mkdir -p "$WORK/stamp" "$WORK/log"
	echo "== $name"
	# Not a condition: there bash would ignore the subshell's set -e.
	set +e
	(set -euo pipefail; cd "$WORK"; "$2") >"$log" 2>&1
	local status=$?
	set -e
	if [ $status -ne 0 ]; then
		tail -n 40 "$log" >&2
		echo "build.sh: $name failed; see $log" >&2
		exit 1
	fi
	touch "$WORK/stamp/$name"
}

# pinned prints sources.txt without comments, fields separated by tabs.
pinned() { sed -e '/^#/d' -e '/^$/d' -e 's/ *| */\t/g' "$HERE/sources.txt"; }

install_tools() {
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
		ca-certificates clang-19 dpkg-dev gcc libc6-dev libclang-rt-19-dev-wasm32 lld-19 llvm-19 \
		make patch perl tcl xz-utils zstd
}

# mirror prints where the machine's own release, or its security updates, come from: the same archive has the others.
mirror() { apt-get indextargets --format '$(RELEASE) $(REPO_URI)' | awk -v release="$1" '$1 == release { print $2; exit }'; }

fetch() {
	local apt=$WORK/apt key=/usr/share/keyrings/debian-archive-keyring.gpg
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$WORK/download"
	local main security
	main=$(mirror bookworm) security=$(mirror bookworm-security)
	cat >"$apt/sources.list" <<-END
		deb [signed-by=$key] $main trixie main
		deb-src [signed-by=$key] $main trixie main
		deb-src [signed-by=$key] $security trixie-security main
		deb-src [signed-by=$key] $main bookworm main
		deb-src [signed-by=$key] $security bookworm-security main
	END
	cat >"$apt/apt.conf" <<-END
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::State::lists "$apt/lists";
		Dir::Cache "$apt/cache";
		APT::Sandbox::User "root";
	END
	export APT_CONFIG=$apt/apt.conf
	apt-get update
	cd "$WORK/download"
	pinned | while IFS=$'\t' read -r package version file _; do
		[ -e "$file" ] && continue
		case $file in
		*.deb) apt-get download "$package=$version" ;;
		*) apt-get source --download-only "$package=$version" ;;
		esac
	done
	# apt writes a .deb's epoch and '~' escaped in some versions; the pinned name is the plain one.
	pinned | while IFS=$'\t' read -r _ _ file sum _; do echo "$sum  $file"; done | sha256sum --check --strict
}

# unpack NAME ORIG: source archive into $SRC/NAME.
unpack() {
	rm -rf "${SRC:?}/$1"
	mkdir -p "$SRC/$1"
	tar -xf "$WORK/download/$2" -C "$SRC/$1" --strip-components=1 --no-same-owner
}

# debian_patches NAME DEBIAN_TAR REGEX: applies the patches of Debian's series whose names match.
# Debian also patches for its own file layout and packaging, which a guest must not have.
debian_patches() {
	local dir=$WORK/debian/$1 p
	rm -rf "$dir"
	mkdir -p "$dir"
	tar -xf "$WORK/download/$2" -C "$dir"
	grep -E "^($3)" "$dir/debian/patches/series" | sed 's/[[:space:]].*//' >"$dir/applied"
	while read -r p; do
		patch -d "$SRC/$1" -p1 --forward <"$dir/debian/patches/$p"
	done <"$dir/applied"
}

# own_patches NAME: applies patches/NAME-*.patch.
own_patches() {
	local p
	for p in "$HERE/patches/$1"-*.patch; do
		patch -d "$SRC/$1" -p1 --forward <"$p"
	done
}

unpack_all() {
	unpack zlib zlib_1.3.dfsg+really1.3.1.orig.tar.gz
	unpack bzip2 bzip2_1.0.8.orig.tar.gz
	unpack xz xz-utils_5.8.1.orig.tar.xz
	debian_patches xz xz-utils_5.8.1-1+deb13u1.debian.tar.xz '.'
	unpack sqlite sqlite3_3.46.1.orig.tar.xz
	debian_patches sqlite sqlite3_3.46.1-7+deb13u2.debian.tar.xz '41-|5[0-9]-'
	unpack openssl openssl_3.0.20.orig.tar.gz
	debian_patches openssl openssl_3.0.20-1~deb12u2.debian.tar.xz '.'
	unpack python python3.13_3.13.5.orig.tar.xz
	debian_patches python python3.13_3.13.5-2+deb13u5.debian.tar.xz 'CVE-|ssl-|dict-|traverse-|revert-logger-disable'
	own_patches openssl
	own_patches python
	rm -rf "$SRC/tzdata"
	mkdir -p "$SRC/tzdata"
	tar -xf "$WORK/download/tzdata_2026b.orig.tar.gz" -C "$SRC/tzdata" --no-same-owner
}

# The compiler: Debian's clang with Debian's wasi-libc in a private sysroot.
toolchain() {
	local deb
	deb=$(ls "$WORK"/download/wasi-libc_*.deb)
	rm -rf "$WORK/sysroot" "$TOOLS"
	dpkg -x "$deb" "$WORK/sysroot"
	# Debian's directories carry the target's old name.
	ln -s wasm32-wasi "$WORK/sysroot/usr/include/$HOST"
	ln -s wasm32-wasi "$WORK/sysroot/usr/lib/$HOST"
	mkdir -p "$TOOLS/resource/lib" "$TOOLS/bin"
	ln -s "$(clang-19 -print-resource-dir)/include" "$TOOLS/resource/include"
	ln -s /usr/lib/llvm-19/lib/clang/19/lib/wasi "$TOOLS/resource/lib/wasip1"
	ln -s /usr/lib/llvm-19/lib/clang/19/lib/wasi "$TOOLS/resource/lib/wasm32-unknown-wasip1"
	# clang -O runs any wasm-opt it finds after linking, which would make the output depend on the machine.
	printf '#!/bin/sh\nexit 0\n' >"$TOOLS/bin/wasm-opt"
	cat >"$TOOLS/$CC" <<-END
		#!/bin/sh
		exec clang-19 --target=$HOST --sysroot=$WORK/sysroot/usr -resource-dir=$TOOLS/resource -B $TOOLS/bin -Wno-unused-command-line-argument -ffile-prefix-map=$WORK=. "\$@"
	END
	# The libraries that emulate for wasi-libc what runtimes/posix has would come before it. The table's first 16 indices
	# stay free: SIG_IGN and its like are small numbers that no function has.
	cat >"$TOOLS/$POSIX_CC" <<-END
		#!/bin/sh
		link="-Wl,--table-base=16 $ROOTDIR/lib/libposix.a"
		for a; do
			shift
			case \$a in
			-c|-E|-S|-M|-MM) link= ;;
			-lwasi-emulated-*) continue ;;
			esac
			set -- "\$@" "\$a"
		done
		exec $CC -isystem $POSIX/include -D_GNU_SOURCE -D_REENTRANT -D_POSIX_SEMAPHORES=200809L -D_WASI_EMULATED_SIGNAL \
			-D_WASI_EMULATED_GETPID -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_MMAN -ffile-prefix-map=$POSIX=posix "\$@" \$link
	END
	chmod +x "$TOOLS/bin/wasm-opt" "$TOOLS/$CC" "$TOOLS/$POSIX_CC"
	mkdir -p "$ROOTDIR/lib" "$ROOTDIR/include"
}

# The library of POSIX, with threads.
posix() {
	local f objs=()
	rm -rf "$WORK/posix"
	mkdir "$WORK/posix"
	for f in "$POSIX"/src/*.c "$POSIX"/threads/*.c; do
		objs+=("$WORK/posix/$(basename "${f%.c}").o")
		"$POSIX_CC" -O2 -g0 -Wall -Wextra -Werror -std=gnu17 -c "$f" -o "${objs[-1]}"
	done
	rm -f "$ROOTDIR/lib/libposix.a"
	"$AR" rcsD "$ROOTDIR/lib/libposix.a" "${objs[@]}"
}

# archive LIB DIR FILE...: compiles FILEs of DIR into $ROOTDIR/lib/LIB; $DEFS are their extra flags.
archive() {
	local lib=$1 dir=$2 f objs=()
	shift 2
	for f in "$@"; do
		"$CC" -O3 -g0 $DEFS -I"$dir" -c "$dir/$f" -o "$dir/${f%.c}.o"
		objs+=("$dir/${f%.c}.o")
	done
	rm -f "$ROOTDIR/lib/$lib"
	"$AR" rcsD "$ROOTDIR/lib/$lib" "${objs[@]}"
}

zlib() {
	DEFS="-DHAVE_UNISTD_H -DHAVE_STDARG_H" archive libz.a "$SRC/zlib" adler32.c compress.c crc32.c deflate.c \
		gzclose.c gzlib.c gzread.c gzwrite.c infback.c inffast.c inflate.c inftrees.c trees.c uncompr.c zutil.c
	cp "$SRC/zlib/zlib.h" "$SRC/zlib/zconf.h" "$ROOTDIR/include/"
}

bzip2() {
	DEFS="-D_FILE_OFFSET_BITS=64" archive libbz2.a "$SRC/bzip2" blocksort.c huffman.c crctable.c randtable.c \
		compress.c decompress.c bzlib.c
	cp "$SRC/bzip2/bzlib.h" "$ROOTDIR/include/"
}

xz() {
	rm -rf "$WORK/xz"
	mkdir "$WORK/xz"
	cd "$WORK/xz"
	"$SRC/xz/configure" --host=wasm32-wasi --prefix="$ROOTDIR" --disable-shared --enable-threads=no --disable-nls \
		--disable-xz --disable-xzdec --disable-lzmadec --disable-lzmainfo --disable-lzma-links --disable-scripts \
		--disable-doc CC="$CC" AR="$AR" RANLIB="$RANLIB" NM="$NM" CFLAGS="-O3 -g0"
	make -j"$JOBS"
	make install
}

sqlite() {
	rm -rf "$WORK/sqlite"
	mkdir "$WORK/sqlite"
	cd "$WORK/sqlite"
	"$SRC/sqlite/configure" --disable-tcl --disable-readline
	make sqlite3.c
	# No shared memory between processes.
	CC=$POSIX_CC DEFS="-DSQLITE_THREADSAFE=1 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL -DSQLITE_MAX_MMAP_SIZE=0 \
		-DSQLITE_DEFAULT_UNIX_VFS=\"unix\" -DSQLITE_TEMP_STORE=2 -DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_FTS4 \
		-DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_MATH_FUNCTIONS -DSQLITE_ENABLE_COLUMN_METADATA \
		-DSQLITE_ENABLE_DBSTAT_VTAB -DHAVE_USLEEP -DHAVE_ISNAN -DHAVE_STRCHRNUL" \
		archive libsqlite3.a "$WORK/sqlite" sqlite3.c
	cp sqlite3.h "$ROOTDIR/include/"
}

# OpenSSL for hashlib and ssl. The host has no TLS to offer a guest, so algorithms that no Python module names and
# whole protocols around certificates are left out.
openssl() {
	rm -rf "$WORK/openssl"
	mkdir "$WORK/openssl"
	cd "$WORK/openssl"
	cat >wasi.conf <<-END
		my %targets = (
		    "wasi" => {
		        inherit_from => [ "BASE_unix" ],
		        CC => "$CC", AR => "$AR", RANLIB => "$RANLIB",
		        CFLAGS => "-O2 -g0",
		        cppflags => "-DL_ENDIAN -DNO_SYSLOG -DNO_CHMOD -D_WASI_EMULATED_GETPID -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_MMAN",
		        bn_ops => "BN_LLONG",
		        thread_scheme => "(unknown)",
		    },
		);
	END
	"$SRC/openssl/Configure" --config=wasi.conf wasi --prefix=/usr --libdir=lib --openssldir=/etc/ssl \
		no-shared no-asm no-threads no-sock no-ui-console no-dso no-engine no-afalgeng no-async no-tests \
		no-secure-memory no-module no-autoload-config no-ct no-cms no-cmp no-ts no-ocsp no-srp no-srtp \
		no-dtls no-psk no-nextprotoneg no-gost no-idea no-seed no-camellia no-aria no-cast no-bf no-rc2 no-rc4 \
		no-rc5 no-md2 no-mdc2 no-whirlpool no-sm2 no-sm3 no-sm4 no-ec2m no-siv no-ocb no-legacy no-rfc3779 \
		no-static-engine
	make -j"$JOBS" build_generated libcrypto.a libssl.a
	make install_dev DESTDIR="$PWD/installed"
	cp -r installed/usr/. "$ROOTDIR/"
}

native_python() {
	rm -rf "$WORK/native"
	mkdir "$WORK/native"
	cd "$WORK/native"
	"$SRC/python/configure" PKG_CONFIG=/bin/false CFLAGS="-O1 -g0" --disable-test-modules --without-ensurepip
	make -j"$JOBS"
}

cross_python() {
	rm -rf "$WORK/cross"
	mkdir "$WORK/cross"
	cd "$WORK/cross"
	# By a relative path, which getpath remembers.
	CONFIG_SITE=$HERE/config.site ../src/python/configure \
		--host=$HOST --build=x86_64-pc-linux-gnu --with-build-python="$WORK/native/python" --prefix=/usr \
		--disable-test-modules --without-ensurepip --with-system-libmpdec=no --disable-ipv6 --with-pymalloc \
		--with-openssl="$ROOTDIR" --with-openssl-rpath=no \
		CC="$POSIX_CC" AR="$AR" RANLIB="$RANLIB" READELF=true PKG_CONFIG=/bin/false \
		CFLAGS="-O3 -g0 -DTHREAD_STACK_SIZE=0x100000" \
		ZLIB_CFLAGS="-I$ROOTDIR/include" ZLIB_LIBS="-L$ROOTDIR/lib -lz" \
		BZIP2_CFLAGS="-I$ROOTDIR/include" BZIP2_LIBS="-L$ROOTDIR/lib -lbz2" \
		LIBLZMA_CFLAGS="-I$ROOTDIR/include" LIBLZMA_LIBS="-L$ROOTDIR/lib -llzma" \
		LIBSQLITE3_CFLAGS="-I$ROOTDIR/include" LIBSQLITE3_LIBS="-L$ROOTDIR/lib -lsqlite3"
	# Which branches programs take, as profile.sh has found: what is no part of the interpreter's loop, which python-speed.patch
	# changes, takes some 5 % less time.
	zstd -q -d -f "$HERE/python.profdata.zst" -o "$WORK/python.profdata"
	local profile="-fprofile-instr-use=$WORK/python.profdata -Wno-profile-instr-unprofiled -Wno-profile-instr-out-of-date"
	# Pointers that may not overflow let the interpreter's loop have offsets in its loads instead of sums before them.
	make Python/ceval.o EXTRA_CFLAGS="$profile -fstrict-overflow"
	make -j"$JOBS" libpython3.13.a EXTRA_CFLAGS="$profile"
	make pybuilddir.txt
}

# The module: everything but CPython's own main, with reactor.c in its place.
reactor() {
	cd "$WORK/cross"
	rm -f python-reactor.wasm
	make -f "$HERE/reactor.mk" HERE="$HERE" POSIX="$POSIX" LIBPOSIX="$ROOTDIR/lib/libposix.a" python-reactor.wasm
	cp python-reactor.wasm "$WORK/python.wasm"
}

# The archive's files: the standard library with its byte code, our own modules, and the time zones.
tree() {
	local lib=$WORK/tree/usr/lib/python3.13 zones=$WORK/tree/usr/share/zoneinfo config
	rm -rf "$WORK/tree"
	mkdir -p "$lib" "$zones"
	cp -r "$SRC/python/Lib/." "$lib/"
	mkdir -p "$lib/lib-dynload" "$lib/site-packages"
	"$WORK/native/python" -m zipfile -e "$lib"/ensurepip/_bundled/pip-*.whl "$lib/site-packages"
	# CPython's own tests, what needs Tk, pip a second time, and what can't be loaded here.
	rm -rf "$lib"/{test,idlelib,tkinter,turtledemo,turtle.py,ensurepip/_bundled}
	find "$lib" \( -name __pycache__ -o -name tests -o -name '*.exe' -o -name idle_test \) -prune -exec rm -rf {} +
	cp "$HERE"/{_belljar,_belljar_session,readline}.py "$lib/"
	config=$(cat "$WORK/cross/pybuilddir.txt")/_sysconfigdata__wasi_wasm32-wasi-threads.py
	sed -e "s#$WORK/src#/usr/src#g; s#$WORK#/usr/src#g" "$WORK/cross/$config" >"$lib/$(basename "$config")"
	"$WORK/native/python" -m compileall -q -j "$JOBS" --invalidation-mode unchecked-hash -s "$WORK/tree" -p / "$lib"
	local region
	for region in africa antarctica asia australasia europe northamerica southamerica etcetera factory backward; do
		zic -b slim -d "$zones" "$SRC/tzdata/$region"
	done
	cp "$SRC"/tzdata/{iso3166.tab,zone.tab,zone1970.tab,leapseconds} "$zones/"
}

# compress FILE: into OUT, whole or not at all. Matches reach 8 MiB back, which a decoder's default window allows.
compress() {
	zstd -q -f -19 --long=23 "$WORK/$1" -o "$WORK/$1.zst"
	install -m 644 "$WORK/$1.zst" "$OUT/$1.zst.new"
	mv "$OUT/$1.zst.new" "$OUT/$1.zst"
}

image() {
	"$WORK/native/python" "$HERE/archive.py" "$WORK/tree" "$WORK/stdlib.zip"
	compress python.wasm
	compress stdlib.zip
	cp "$HERE/preload.txt" "$OUT/preload.txt"
	"$WORK/native/python" "$HERE/manifest.py" "$HERE" "$WORK" "$OUT"
}

# Main. The order is that of dependence.
step install-tools install_tools
step fetch fetch
step unpack unpack_all
step toolchain toolchain
step posix posix
step zlib zlib
step bzip2 bzip2
step xz xz
step sqlite sqlite
step openssl openssl
step native-python native_python
step cross-python cross_python
step reactor reactor
step tree tree
step image image
