#!/bin/bash
# Builds the JavaScript guest image: QuickJS-NG with Node's own library.
#
#   build.sh WORKDIR [OUTDIR]      OUTDIR defaults to ../image beside this script
#
# Needs a bare Debian 12 amd64, root, Debian's archive, crates.io and npm's registry. Every step leaves a stamp in
# WORKDIR and is skipped when the stamp is there: after changing a step, remove its stamp (or the whole WORKDIR).
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
OBJ=$WORK/obj
LIB=$WORK/lib
TOOLS=$WORK/tools
CC=js-cc
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
		ca-certificates clang-19 curl dpkg-dev libc++-19-dev-wasm32 libc++abi-19-dev-wasm32 libclang-rt-19-dev-wasm32 \
		lld-19 llvm-19 make patch perl python3 xz-utils zstd
	command -v npm >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends npm
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
		case $package:$file in
		crates.io:*) curl -sSfL -o "$file" "https://static.crates.io/crates/${version%/*}/$file" ;;
		*.deb) apt-get download "$package=$version" ;;
		# Other files of a package may be gone; the sums below decide.
		*) apt-get source --download-only "$package=$version" || [ -e "$file" ] ;;
		esac
	done
	pinned | while IFS=$'\t' read -r _ _ file sum _; do echo "$sum  $file"; done | sha256sum --check --strict
}

# unpack NAME ORIG [MEMBER...]: source archive into $SRC/NAME.
unpack() {
	local name=$1 file=$2
	shift 2
	rm -rf "${SRC:?}/$name"
	mkdir -p "$SRC/$name"
	tar -xf "$WORK/download/$file" -C "$SRC/$name" --strip-components=1 --no-same-owner "$@"
}

# own_patches NAME: applies patches/NAME-*.patch.
own_patches() {
	local p
	for p in "$HERE/patches/$1"-*.patch; do
		patch -d "$SRC/$1" -p1 --forward <"$p"
	done
}

unpack_all() {
	unpack quickjs rquickjs-sys-0.14.0.crate
	own_patches quickjs
	unpack node nodejs_20.19.2+dfsg.orig.tar.xz node-v20.19.2/lib node-v20.19.2/deps/llhttp node-v20.19.2/LICENSE
	own_patches node
	unpack ada nodejs_20.19.2+dfsg.orig-ada.tar.xz
	unpack zlib zlib_1.3.dfsg+really1.3.1.orig.tar.gz
	unpack brotli brotli_1.1.0.orig.tar.gz
	unpack openssl openssl_3.0.20.orig.tar.gz
	local dir=$WORK/debian/openssl p
	rm -rf "$dir"
	mkdir -p "$dir"
	tar -xf "$WORK/download/openssl_3.0.20-1~deb12u2.debian.tar.xz" -C "$dir"
	sed 's/[[:space:]].*//; /^#/d; /^$/d' "$dir/debian/patches/series" | while read -r p; do
		patch -d "$SRC/openssl" -p1 --forward <"$dir/debian/patches/$p"
	done
	own_patches openssl
}

# The compiler: Debian's clang with Debian's wasi-libc in a private sysroot, and runtimes/posix before it.
toolchain() {
	rm -rf "$WORK/sysroot" "$TOOLS"
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
		exec clang-19 --target=wasm32-wasip1 --sysroot=$WORK/sysroot/usr -resource-dir=$TOOLS/resource -B $TOOLS/bin \\
			-isystem $POSIX/include -D_GNU_SOURCE -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_GETPID \\
			-D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_MMAN -D_WASI_EMULATED_PTHREAD \\
			-Wno-unused-command-line-argument -ffile-prefix-map=$WORK=. -ffile-prefix-map=$HERE=js "\$@"
	END
	chmod +x "$TOOLS/bin/wasm-opt" "$TOOLS/$CC"
}

posix() {
	local f objs=()
	mkdir -p "$OBJ/posix"
	for f in "$POSIX"/src/*.c; do
		objs+=("$OBJ/posix/$(basename "${f%.c}").o")
		"$CC" -O2 -g0 -std=gnu17 -c "$f" -o "${objs[-1]}"
	done
	rm -f "$LIB/libposix.a"
	llvm-ar-19 rcsD "$LIB/libposix.a" "${objs[@]}"
}

# library NAME FLAGS FILE...: compiles into $LIB/libNAME.a.
library() {
	local name=$1 flags=$2 f objs=()
	shift 2
	mkdir -p "$OBJ/$name"
	for f; do
		objs+=("$OBJ/$name/$(basename "${f%.c}").o")
		"$CC" -O2 -g0 $flags -c "$f" -o "${objs[-1]}"
	done
	rm -f "$LIB/lib$name.a"
	llvm-ar-19 rcsD "$LIB/lib$name.a" "${objs[@]}"
}

zlib() {
	library z "-DHAVE_UNISTD_H -DHAVE_STDARG_H" "$SRC"/zlib/{adler32,compress,crc32,deflate,infback,inffast,inflate,inftrees,trees,uncompr,zutil}.c
}

brotli() {
	library brotli "-I$SRC/brotli/c/include" "$SRC"/brotli/c/common/*.c "$SRC"/brotli/c/dec/*.c "$SRC"/brotli/c/enc/*.c
}

llhttp() {
	library llhttp "-I$SRC/node/deps/llhttp/include" "$SRC"/node/deps/llhttp/src/*.c
}

openssl() {
	rm -rf "$WORK/openssl"
	mkdir "$WORK/openssl"
	cd "$WORK/openssl"
	cat >wasi.conf <<-END
		my %targets = (
		    "wasi" => {
		        inherit_from => [ "BASE_unix" ],
		        CC => "$CC", AR => "llvm-ar-19", RANLIB => "llvm-ranlib-19",
		        CFLAGS => "-O2 -g0",
		        cppflags => "-U_GNU_SOURCE -DL_ENDIAN -DNO_SYSLOG -DNO_CHMOD",
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
	cp libcrypto.a libssl.a "$LIB/"
	cp -r include/. "$SRC/openssl/include/"
}


# What Node's own tree has in deps/ and Debian's source package leaves out, by npm and its lock file.
deps() {
	mkdir -p "$WORK/npm"
	cp "$HERE/package.json" "$HERE/package-lock.json" "$WORK/npm/"
	cd "$WORK/npm"
	npm ci --ignore-scripts --no-audit --no-fund
	local bundle="node_modules/@esbuild/linux-x64/bin/esbuild --bundle --platform=node --format=cjs --log-level=error"
	cp "$HERE/undici-global.js" node_modules/undici/lib/global.js
	# Kept random bytes would be the same in every copy of a session.
	sed -i 's/^const BUFFER_SIZE = 16386$/const BUFFER_SIZE = 4/' node_modules/undici/lib/web/websocket/frame.js
	grep -q '^const BUFFER_SIZE = 4$' node_modules/undici/lib/web/websocket/frame.js
	cp "$HERE/fetch.js" .
	$bundle fetch.js --outfile=undici.js
	$bundle node_modules/minimatch/dist/commonjs/index.js --outfile=minimatch.js
}

# The library: Node's, what it takes from npm, and our bindings, without comments and spaces.
node_library() {
	local npm=$WORK/npm all=$WORK/library
	rm -rf "$all"
	mkdir -p "$all"
	cp -r "$SRC/node/lib/." "$all/"
	mkdir -p "$all"/internal/deps/{acorn/acorn/dist,acorn/acorn-walk/dist,cjs-module-lexer/dist,minimatch,undici} "$all/belljar"
	cp "$npm/node_modules/acorn/dist/acorn.js" "$all/internal/deps/acorn/acorn/dist/"
	cp "$npm/node_modules/acorn-walk/dist/walk.js" "$all/internal/deps/acorn/acorn-walk/dist/"
	cp "$npm/node_modules/cjs-module-lexer/lexer.js" "$all/internal/deps/cjs-module-lexer/"
	cp "$npm/node_modules/cjs-module-lexer/lexer.js" "$all/internal/deps/cjs-module-lexer/dist/"
	cp "$npm/minimatch.js" "$all/internal/deps/minimatch/index.js"
	cp "$npm/undici.js" "$all/internal/deps/undici/"
	cp "$HERE"/lib/*.js "$all/belljar/"
	python3 "$HERE/pack.py" "$WORK/library.bin" "=$all"
}

# Without NDEBUG the interpreter looks before each bytecode whether it is to be dumped.
# The interpreter is there twice: the second one, of the same text, is for deep recursion.
engine() {
	mkdir -p "$OBJ/engine"
	awk '/^static no_inline JSValue bj_interpret\(/ { on = 1 } on { print } on && /^}/ { exit }' "$SRC/quickjs/quickjs/quickjs.c" |
		sed 's/bj_interpret(/bj_interpret_deep(/' >"$OBJ/engine/deep.c"
	patch "$OBJ/engine/deep.c" <"$HERE/patches/deep-stack.patch"
	"$CC" -O2 -g0 -w -DNDEBUG -I"$SRC/quickjs/quickjs" -I"$OBJ/engine" -c "$HERE/src/engine.c" -o "$OBJ/engine/engine.o"
	local f
	for f in libregexp libunicode dtoa; do
		"$CC" -O2 -g0 -w -DNDEBUG -I"$SRC/quickjs/quickjs" -c "$SRC/quickjs/quickjs/$f.c" -o "$OBJ/engine/$f.o"
	done
}

ada() {
	mkdir -p "$OBJ/url"
	local cxx="$CC --driver-mode=g++ -std=c++20 -O2 -g0 -fno-exceptions -I$SRC/ada/include -I$SRC/ada/src -stdlib=libc++ -nostdinc++ -isystem /usr/lib/llvm-19/include/wasm32-wasi/c++/v1"
	$cxx -c "$SRC/ada/src/ada.cpp" -o "$OBJ/url/ada.o"
	$cxx -I"$HERE/src" -c "$HERE/src/url.cc" -o "$OBJ/url/url_cc.o"
}

# The module.
link() {
	local f objs=()
	mkdir -p "$OBJ/js"
	for f in "$HERE"/src/*.c; do
		[ "$(basename "$f")" = engine.c ] && continue
		objs+=("$OBJ/js/$(basename "${f%.c}").o")
		"$CC" -O2 -g0 -Wall -Wno-unused-function -I"$SRC/quickjs/quickjs" -I"$SRC/zlib" -I"$SRC/brotli/c/include" -I"$SRC/node/deps/llhttp/include" \
			-I"$SRC/openssl/include" -I"$WORK/openssl/include" --embed-dir="$WORK" -c "$f" -o "${objs[-1]}"
	done
	# The table's first 16 indices stay free: SIG_IGN and its like are small numbers that no function has.
	"$CC" -mexec-model=reactor -Wl,--table-base=16 -Wl,-z,stack-size=4194304 -Wl,--export=__stack_pointer -Wl,--strip-debug \
		-o "$WORK/node.wasm" "${objs[@]}" "$OBJ"/engine/*.o "$OBJ"/url/*.o -L"$LIB" -L/usr/lib/llvm-19/lib/wasm32-wasi \
		-lllhttp -lz -lbrotli -lssl -lcrypto -lposix -lc++ -lc++abi \
		-lwasi-emulated-pthread -lwasi-emulated-mman -lwasi-emulated-process-clocks -lwasi-emulated-getpid -lwasi-emulated-signal \
		-lc-printscan-long-double
}

# compress FILE: into OUT, whole or not at all. Matches reach 8 MiB back, which a decoder's default window allows.
compress() {
	zstd -q -f -19 --long=23 -T1 "$WORK/$1" -o "$WORK/$1.zst"
	install -m 644 "$WORK/$1.zst" "$OUT/$1.zst.new"
	mv "$OUT/$1.zst.new" "$OUT/$1.zst"
}

image() {
	compress node.wasm
	python3 "$HERE/manifest.py" "$HERE" "$WORK" "$OUT"
}

# Main. The order is that of dependence.
step install-tools install_tools
step fetch fetch
step unpack unpack_all
step toolchain toolchain
step posix posix
step zlib zlib
step brotli brotli
step llhttp llhttp
step openssl openssl
step deps deps
step library node_library
step ada ada
step engine engine
step link link
step image image
