#!/bin/bash
# Builds git's guest image from Debian's sources.
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
BUILD=$WORK/build
LIB=$WORK/lib
TOOLS=$WORK/tools
CC=posix-cc
export PATH=$TOOLS:$PATH

CFLAGS="-O2 -g0 -w"

# step NAME COMMAND...: runs it once, in $WORK, logging to log/NAME.
step() {
	local name=$1 log=$WORK/log/$1
	shift
	[ -e "$WORK/stamp/$name" ] && return
	mkdir -p "$WORK/stamp" "$WORK/log"
	echo "== $name"
	# Not a condition: there bash would ignore the subshell's set -e.
	set +e
	(set -euo pipefail; cd "$WORK"; "$@") >"$log" 2>&1
	local status=$?
	set -e
	if [ $status -ne 0 ]; then
		tail -n 40 "$log" >&2
		echo "build.sh: $name failed; see $log" >&2
		exit 1
	fi
	touch "$WORK/stamp/$name"
}

# pinned prints a list without comments, fields separated by tabs.
pinned() { sed -e '/^#/d' -e '/^$/d' -e 's/ *| */\t/g' "$HERE/$1"; }

install_tools() {
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
		ca-certificates clang-19 dpkg-dev gcc libc6-dev libclang-rt-19-dev-wasm32 lld-19 llvm-19 \
		make patch python3 xz-utils zstd
}

# mirror prints where the machine's own release, or its security updates, come from: the same archive has the others.
mirror() { apt-get indextargets --format '$(RELEASE) $(REPO_URI)' | awk -v release="$1" '$1 == release { print $2; exit }'; }

fetch() {
	local apt=$WORK/apt key=/usr/share/keyrings/debian-archive-keyring.gpg
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$WORK/download"
	local main security release
	main=$(mirror bookworm) security=$(mirror bookworm-security)
	for release in bookworm trixie sid; do
		echo "deb [signed-by=$key] $main $release main"
		echo "deb-src [signed-by=$key] $main $release main"
	done >"$apt/sources.list"
	for release in bookworm trixie; do
		echo "deb-src [signed-by=$key] $security $release-security main"
	done >>"$apt/sources.list"
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
	pinned sources.txt | while IFS=$'\t' read -r package version file _; do
		[ -e "$file" ] && continue
		case $file in
		*.deb) apt-get download "$package=$version" ;;
		*) apt-get source --download-only "$package=$version" ;;
		esac
	done
	pinned sources.txt | while IFS=$'\t' read -r _ _ file sum _; do echo "$sum  $file"; done | sha256sum --check --strict
}

# unpack NAME ORIG [DEBIAN_TAR REGEX]: source archive into $SRC/NAME, then the patches of Debian's series whose names
# match, then patches/NAME-*.patch. Debian also patches for its own file layout and packaging.
unpack() {
	local dir=$WORK/debian/$1 p
	rm -rf "${SRC:?}/$1" "$dir"
	mkdir -p "$SRC/$1" "$dir"
	tar -xf "$WORK/download/$2" -C "$SRC/$1" --strip-components=1 --no-same-owner
	: >"$dir/applied"
	if [ $# -gt 2 ]; then
		tar -xf "$WORK/download/$3" -C "$dir"
		grep -E "^($4)" "$dir/debian/patches/series" | sed 's/[[:space:]].*//' >"$dir/applied"
		while read -r p; do
			patch -d "$SRC/$1" -p1 --forward <"$dir/debian/patches/$p"
		done <"$dir/applied"
	fi
	for p in "$HERE/patches/$1"-*.patch; do
		[ -e "$p" ] || continue
		patch -d "$SRC/$1" -p1 --forward <"$p"
	done
}

# The compiler: Debian's clang with Debian's wasi-libc in a private sysroot, and runtimes/posix before it.
toolchain() {
	local deb
	rm -rf "$WORK/sysroot" "$WORK/binaryen" "$TOOLS"
	dpkg -x "$WORK"/download/wasi-libc_*.deb "$WORK/sysroot"
	# Debian's directories carry the target's old name.
	ln -s wasm32-wasi "$WORK/sysroot/usr/include/wasm32-wasip1"
	ln -s wasm32-wasi "$WORK/sysroot/usr/lib/wasm32-wasip1"
	mkdir -p "$TOOLS/resource/lib" "$TOOLS/bin" "$LIB"
	ln -s "$(clang-19 -print-resource-dir)/include" "$TOOLS/resource/include"
	ln -s /usr/lib/llvm-19/lib/clang/19/lib/wasi "$TOOLS/resource/lib/wasip1"
	ln -s /usr/lib/llvm-19/lib/clang/19/lib/wasi "$TOOLS/resource/lib/wasm32-unknown-wasip1"
	# clang -O runs any wasm-opt it finds after linking, which would make the output depend on the machine.
	printf '#!/bin/sh\nexit 0\n' >"$TOOLS/bin/wasm-opt"
	cat >"$TOOLS/$CC" <<-END
		#!/bin/sh
		# The table's first 16 indices stay free: SIG_IGN and its like are small numbers that no function has.
		link="-Wl,--table-base=16 -Wl,--export=__belljar_cwd $LIB/libposix.a -lwasi-emulated-pthread -lc-printscan-long-double"
		for a; do case \$a in -c|-E|-S|-M|-MM) link=;; esac; done
		exec clang-19 --target=wasm32-wasip1 --sysroot=$WORK/sysroot/usr -resource-dir=$TOOLS/resource -B $TOOLS/bin \\
			-isystem $POSIX/include -D_GNU_SOURCE -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_GETPID \\
			-D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_MMAN -D_WASI_EMULATED_PTHREAD -L$LIB \\
			-Wno-unused-command-line-argument -ffile-prefix-map=$WORK=. "\$@" \$link
	END
	# binaryen is of a newer release than the machine, so it comes with its own C library.
	for deb in binaryen libc6 libstdc++6 libgcc-s1; do
		dpkg -x "$WORK/download/$deb"_*.deb "$WORK/binaryen"
	done
	cat >"$TOOLS/binaryen-opt" <<-END
		#!/bin/sh
		root=$WORK/binaryen/usr
		exec \$root/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 --library-path \$root/lib/x86_64-linux-gnu \$root/bin/wasm-opt "\$@"
	END
	chmod +x "$TOOLS/bin/wasm-opt" "$TOOLS/$CC" "$TOOLS/binaryen-opt"
}

# What git is linked with changes beside this recipe: its steps are of the sources that there are.
posix_sum() { cat "$POSIX"/src/*.c "$POSIX"/include/*.h "$POSIX"/include/*/*.h | sha256sum | cut -c 1-12; }

posix() {
	local f objs=()
	mkdir -p "$BUILD/posix"
	for f in "$POSIX"/src/*.c; do
		objs+=("$BUILD/posix/$(basename "${f%.c}").o")
		"$CC" -O2 -g0 -Wall -Wextra -Werror -std=gnu17 -c "$f" -o "${objs[-1]}"
	done
	rm -f "$LIB/libposix.a"
	llvm-ar-19 rcsD "$LIB/libposix.a" "${objs[@]}"
}

unpack_all() {
	unpack git git_2.39.5.orig.tar.xz git_2.39.5-0+deb12u3.debian.tar.xz '.'
	unpack zlib zlib_1.2.13.dfsg.orig.tar.bz2
	unpack libdeflate libdeflate_1.14.orig.tar.gz
	unpack pcre2 pcre2_10.42.orig.tar.gz
	echo 2.39.5 >"$SRC/git/version"
}

# The same releases as those that Debian's git is linked with, so that packs and patterns are the same.
build_zlib() {
	local f
	mkdir -p "$BUILD/zlib" "$WORK/include"
	cp "$SRC"/zlib/{zlib,zconf}.h "$WORK/include/"
	for f in adler32 compress crc32 deflate inffast inflate inftrees trees uncompr zutil; do
		"$CC" $CFLAGS -DHAVE_UNISTD_H -c "$SRC/zlib/$f.c" -o "$BUILD/zlib/$f.o"
	done
	rm -f "$LIB/libz.a"
	llvm-ar-19 rcsD "$LIB/libz.a" "$BUILD"/zlib/*.o
}

# What reads the objects of packs, which are small.
build_libdeflate() {
	local f
	mkdir -p "$BUILD/libdeflate" "$WORK/include"
	cp "$SRC/libdeflate/libdeflate.h" "$WORK/include/"
	for f in adler32 deflate_decompress utils zlib_decompress; do
		"$CC" $CFLAGS -I"$SRC/libdeflate" -c "$SRC/libdeflate/lib/$f.c" -o "$BUILD/libdeflate/$f.o"
	done
	rm -f "$LIB/libdeflate.a"
	llvm-ar-19 rcsD "$LIB/libdeflate.a" "$BUILD"/libdeflate/*.o
}

build_pcre2() {
	rm -rf "$BUILD/pcre2"
	mkdir -p "$BUILD/pcre2" "$WORK/include"
	cd "$BUILD/pcre2"
	"$SRC/pcre2/configure" --host=wasm32-unknown-wasi --build=x86_64-linux-gnu --disable-shared --enable-unicode \
		--disable-pcre2-16 --disable-pcre2-32 CC="$CC" AR=llvm-ar-19 RANLIB=llvm-ranlib-19 CFLAGS="$CFLAGS"
	make -j"$JOBS" libpcre2-8.la
	cp .libs/libpcre2-8.a "$LIB/"
	cp src/pcre2.h "$WORK/include/"
}

# makes TARGET...: by git's own makefile, which has no notion of this system: uname_S names none of those that it knows.
# The stack is what unpacking and merging deep trees needs.
makes() {
	make -C "$SRC/git" -j"$JOBS" uname_S=Belljar uname_O= uname_R= uname_M=wasm32 HOST_CPU=wasm32 CC="$CC" AR=llvm-ar-19 \
		CFLAGS="$CFLAGS -DNO_FORK -I$WORK/include" \
		LDFLAGS="-L$LIB -ldeflate -Wl,-z,stack-size=8388608 -Wl,--stack-first -Wl,-s" \
		prefix=/usr gitexecdir=/usr/lib/git-core sysconfdir=/etc SHELL_PATH=/bin/sh SANE_TOOL_PATH= \
		NO_FORK=1 NO_PTHREADS=1 NO_MMAP=1 NO_UNIX_SOCKETS=1 NO_REGEX=1 USE_LIBPCRE2=1 \
		NO_PERL=1 NO_PYTHON=1 NO_TCLTK=1 NO_GETTEXT=1 NO_OPENSSL=1 NO_CURL=1 NO_EXPAT=1 \
		HAVE_ALLOCA_H=1 HAVE_PATHS_H=1 HAVE_CLOCK_GETTIME=1 HAVE_CLOCK_MONOTONIC=1 HAVE_GETDELIM=1 HAVE_DEV_TTY=1 \
		DEFAULT_PAGER=cat DEFAULT_EDITOR=editor "$@"
}

SCRIPTS=(git-submodule git-bisect git-merge-octopus git-merge-one-file git-merge-resolve git-filter-branch
	git-quiltimport git-mergetool git-difftool--helper)
SOURCED=(git-sh-setup git-sh-i18n git-mergetool--lib)

build_git() {
	rm -f "$SRC/git/git" # make doesn't know of the libraries
	makes git "${SCRIPTS[@]}" "${SOURCED[@]}"
	makes -C templates boilerplates.made
}

# What is beside the program: scripts, templates, and links by the names that git's commands have as programs.
files() {
	local root=$WORK/root name
	local core=$root/usr/lib/git-core
	rm -rf "$root"
	mkdir -p "$core/mergetools" "$root/usr/share/git-core"
	cd "$SRC/git"
	install -m 755 "${SCRIPTS[@]}" "$core"
	install -m 644 "${SOURCED[@]}" "$core"
	install -m 644 mergetools/* "$core/mergetools"
	cp -r templates/blt "$root/usr/share/git-core/templates"
	for name in git git-sh-i18n--envsubst git-daemon git-http-backend \
		$(sed -n '/^static struct cmd_struct commands/,/^};/s/^\t{ "\([^"]*\)".*/git-\1/p' git.c); do
		ln -s /usr/bin/git "$core/$name"
	done
	for name in http https; do
		ln -s /usr/libexec/git-core/git-remote-http "$core/git-remote-$name"
	done
	python3 "$HERE/archive.py" "$root" "$WORK/files.zip"
}

# The image is replaced whole.
image() {
	files
	binaryen-opt "$SRC/git/git" --strip-debug -O2 --strip-producers -o "$WORK/git.wasm"
	zstd -q -f -19 --long=23 "$WORK/git.wasm" -o "$OUT/git.wasm.zst"
	zstd -q -f -19 "$WORK/files.zip" -o "$OUT/files.zip.zst"
	python3 "$HERE/manifest.py" "$HERE" "$WORK" "$OUT"
}

# Main. The order is that of dependence.
step install-tools install_tools
step fetch fetch
step unpack unpack_all
step toolchain toolchain
sum=$(posix_sum)
step "posix-$sum" posix
for name in zlib libdeflate pcre2; do
	step "$name" "build_$name"
done
step "git-$sum" build_git
step "image-$sum" image
