#!/bin/bash
# Builds the shell's guest image from Debian's sources.
#
#   build.sh WORKDIR [OUTDIR]      OUTDIR defaults to ../image beside this script
#
# Needs a bare Debian 12 amd64, root, and Debian's archive. Every step leaves a stamp in WORKDIR and is
# skipped when the stamp is there: after changing a step, remove its stamp (or the whole WORKDIR).
# Sources come from the archive that apt is configured for, whose configuration is not touched.
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

CFLAGS="-O2 -g0 -w -Wno-implicit-function-declaration -Wno-implicit-int -Wno-int-conversion"
# setjmp by calls that asyncify can unwind: posix/src/jump.c has the other half.
JUMPS="-mllvm -enable-emscripten-sjlj"

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

# lanes STEPS...: runs each list of steps beside the others, for configure scripts have use for one processor.
lanes() {
	local list name lane=() status=0
	for list; do
		(for name in $list; do step "$name" "build_$name"; done) &
		lane+=($!)
	done
	for name in "${lane[@]}"; do wait "$name" || status=1; done
	[ $status -eq 0 ] || exit 1
}

# pinned prints a list without comments, fields separated by tabs.
pinned() { sed -e '/^#/d' -e '/^$/d' -e 's/ *| */\t/g' "$HERE/$1"; }

install_tools() {
	apt-get -o DPkg::Lock::Timeout=600 update
	DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends \
		ca-certificates clang-19 dpkg-dev gcc libc6-dev libclang-rt-19-dev-wasm32 lld-19 llvm-19 \
		make patch python3 xz-utils zstd
}

# mirror prints where the machine's own release, or its security updates, come from: the same archive has the others.
mirror() { apt-get indextargets --format '$(RELEASE) $(REPO_URI)' | awk -v release="$1" '$1 == release { sub("/$", "", $2); print $2; exit }'; }

# fetch takes each file from the archive's pool, where it stays for longer than indices tell of its version.
fetch() {
	local main security package version file sum folder
	main=$(mirror bookworm)/pool/main security=$(mirror bookworm-security)/pool/updates/main
	mkdir -p "$WORK/download"
	cd "$WORK/download"
	while IFS=$'\t' read -r package version file sum _; do
		[ -e "$file" ] && continue
		case $package in
		lib*) folder=${package:0:4}/$package ;;
		*) folder=${package:0:1}/$package ;;
		esac
		/usr/lib/apt/apt-helper download-file "$main/$folder/$file" "$file" "SHA256:$sum" ||
			/usr/lib/apt/apt-helper download-file "$security/$folder/$file" "$file" "SHA256:$sum"
	done < <(pinned sources.txt)
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
	# Old copies don't know the target.
	find "$SRC/$1" -name config.sub -exec cp "$SRC/coreutils/build-aux/config.sub" {} \; 2>/dev/null || true
}

unpack_all() {
	unpack coreutils coreutils_9.7.orig.tar.xz
	unpack bash bash_5.2.37.orig.tar.xz bash_5.2.37-2.debian.tar.xz 'input-err|bash-aliases-repeat|fix-rl'
	unpack sed sed_4.9.orig.tar.xz
	unpack grep grep_3.12.orig.tar.xz
	unpack gawk gawk_5.2.1.orig.tar.xz
	unpack findutils findutils_4.9.0.orig.tar.xz
	unpack diffutils diffutils_3.12.orig.tar.xz
	unpack patch patch_2.7.6.orig.tar.xz patch_2.7.6-7.debian.tar.xz '.'
	unpack tar tar_1.35+dfsg.orig.tar.xz
	unpack gzip gzip_1.13.orig.tar.xz gzip_1.13-1+deb13u1.debian.tar.xz 'CVE-'
	unpack bzip2 bzip2_1.0.8.orig.tar.gz bzip2_1.0.8-6.debian.tar.bz2 '.'
	unpack zstd libzstd_1.5.7+dfsg.orig.tar.xz
	unpack zip zip_3.0.orig.tar.gz zip_3.0-16.debian.tar.xz '.'
	unpack unzip unzip_6.0.orig.tar.gz unzip_6.0-28.debian.tar.xz '.'
	unpack bc bc_1.07.1.orig.tar.gz
	unpack make make-dfsg_4.4.1.orig.tar.xz
	unpack tree tree_2.1.0.orig.tar.gz tree_2.1.0-1.debian.tar.xz '.'
	unpack ed ed_1.19.orig.tar.gz
	unpack diffstat diffstat_1.65.orig.tar.xz
	unpack vim vim_9.1.1230.orig.tar.xz
	unpack jq jq_1.7.1.orig.tar.gz jq_1.7.1-6+deb13u3.debian.tar.xz '.'
	unpack onig libonig_6.9.9.orig.tar.gz
	unpack sqlite sqlite3_3.46.1.orig.tar.xz sqlite3_3.46.1-7+deb13u2.debian.tar.xz '41-|5[0-9]-'
	unpack pcre2 pcre2_10.46.orig.tar.gz
	unpack less less_668.orig.tar.gz less_668-1.debian.tar.xz '.'
	unpack file file_5.46.orig.tar.gz
	unpack ncurses ncurses_6.5+20250216.orig.tar.gz
	unpack util-linux util-linux_2.41.5.orig.tar.xz
	unpack gettext gettext_0.23.1.orig.tar.xz
	unpack psmisc psmisc_23.6.orig.tar.xz
	unpack toybox toybox_0.8.9+dfsg.orig.tar.xz
	unpack xz xz-utils_5.8.1.orig.tar.xz xz-utils_5.8.1-1+deb13u1.debian.tar.xz '.'
	# Debian's archive is without its manual, which configure asks for.
	mkdir -p "$SRC/make/doc"
	touch "$SRC/make/doc/Makefile.in"
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
		# The stack lies below all else, so that one that is too deep traps rather than writes over data.
		link="-Wl,--table-base=16 -Wl,--stack-first -Wl,-z,stack-size=1048576 -Wl,--export=__belljar_cwd $LIB/libposix.a -lwasi-emulated-pthread -lc-printscan-long-double"
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

# configure NAME [ARG...]: in $BUILD/NAME, told by config.site what it can't find out by running programs.
configure() {
	local name=$1
	shift
	rm -rf "${BUILD:?}/$name"
	mkdir -p "$BUILD/$name"
	cd "$BUILD/$name"
	CONFIG_SITE=$HERE/config.site FORCE_UNSAFE_CONFIGURE=1 "../../src/$name/configure" --host=wasm32-unknown-wasi \
		--build=x86_64-linux-gnu --prefix=/usr --disable-nls CC="$CC" AR=llvm-ar-19 RANLIB=llvm-ranlib-19 \
		CC_FOR_BUILD=gcc CFLAGS="$CFLAGS" "$@"
}

# generated makes the sources that automake's makefiles make first for "all", and not for a program alone.
generated() { echo 'generated: $(BUILT_SOURCES)' | make -f Makefile -f - generated; }

# counts NAME: the compiler's options for a program whose branches profile.sh has counted.
counts() {
	zstd -q -d -f "$HERE/$1.profdata.zst" -o "$WORK/$1.profdata"
	echo "-fprofile-instr-use=$WORK/$1.profdata -Wno-profile-instr-unprofiled -Wno-profile-instr-out-of-date"
}

# made NAME FILE...: what the step made, by the names of programs.txt.
made() {
	local f
	mkdir -p "$WORK/linked"
	for f; do
		cp "$f" "$WORK/linked/$(basename "$f")"
	done
}

build_bash() {
	local counts
	counts=$(counts bash)
	configure bash --without-bash-malloc --enable-readline --enable-job-control bash_cv_termcap_lib=libtinfo \
		CFLAGS="$CFLAGS $JUMPS $counts -I$WORK/regex"
	sed -i -E 's/^#define (HAVE_DLOPEN|HAVE_DLSYM|HAVE_DLCLOSE) 1/#undef \1/' config.h
	make pathnames.h
	"$CC" -O2 -g0 $JUMPS -std=gnu17 -Wall -Wextra -Werror -isystem "$SRC/bash" -isystem "$SRC/bash/include" \
		-isystem "$SRC/bash/lib" -I. -I"$POSIX/src" -DSHELL -DHAVE_CONFIG_H -c "$HERE/session.c" -o session.o
	make -j"$JOBS" LOCAL_CFLAGS=-DNO_MAIN_ENV_ARG LOCAL_LIBS="$PWD/session.o -lregex"
	made bash
}

build_coreutils() {
	configure coreutils --enable-single-binary=symlinks --disable-acl --disable-xattr --disable-libcap \
		--disable-libsmack --without-selinux --without-libgmp --with-openssl=no --disable-threads \
		--enable-install-program=arch,hostname \
		--enable-no-install-program=stdbuf,pinky,uptime,users,who,chroot,kill,stty,timeout
	generated
	make -j"$JOBS" src/coreutils src/timeout
	made src/coreutils src/timeout
}

# wasi-libc's regular expressions are POSIX's alone: bash gets GNU's, as on a GNU system, which sed brings along.
build_sed() {
	local f
	configure sed
	make -j"$JOBS" sed/sed
	made sed/sed
	mkdir -p "$WORK/regex"
	for f in comp exec error free; do echo "#define reg$f rpl_reg$f"; done | cat - "$SRC/sed/lib/regex.h" >"$WORK/regex/regex.h"
	rm -f "$LIB/libregex.a"
	llvm-ar-19 rcsD "$LIB/libregex.a" lib/libsed_a-{regex,free,nl_langinfo}.o lib/malloc/libsed_a-dynarray_*.o
}
build_pcre2() {
	configure pcre2 --disable-shared --enable-unicode --disable-pcre2-16 --disable-pcre2-32
	make -j"$JOBS" libpcre2-8.la
	cp .libs/libpcre2-8.a "$LIB/"
	mkdir -p "$WORK/include"
	cp src/pcre2.h "$WORK/include/"
}

build_grep() { configure grep --enable-perl-regexp PCRE_CFLAGS="-I$WORK/include" PCRE_LIBS="-L$LIB -lpcre2-8"; make -j"$JOBS" -C lib; make -C src grep; made src/grep; }
build_gawk() {
	local counts
	counts=$(counts gawk)
	configure gawk --disable-mpfr --disable-extensions --disable-pma --without-readline CFLAGS="$CFLAGS $counts"
	make -C support -j"$JOBS"
	make -j"$JOBS" gawk
	made gawk
}
build_diff() { configure diffutils; make -j"$JOBS" -C lib; make -C src; made src/{diff,cmp,diff3,sdiff}; }
build_patch() { configure patch; make -j"$JOBS" -C lib; make -C src patch; made src/patch; }

build_gzip() {
	configure gzip
	make -j"$JOBS" -C lib
	generated
	make gzip
	made gzip
	make GREP=grep gzexe zcmp zdiff zegrep zfgrep zforce zgrep zless zmore znew
}

build_find() {
	configure findutils
	make -j"$JOBS" -C gl
	make -j"$JOBS" -C lib
	make -C find find
	make -C xargs xargs
	made find/find xargs/xargs
}

build_tar() {
	configure tar --without-posix-acls --without-selinux --without-xattrs
	make -j"$JOBS" -C gnu
	make -j"$JOBS" -C lib
	make -C src tar
	made src/tar
}

build_make() {
	configure make --disable-load --without-guile
	make -j"$JOBS" -C lib
	make -j"$JOBS" make
	made make
}

# bc's library is compiled by bc itself, on this machine.
build_bc() {
	rm -rf "$BUILD/bc-native"
	mkdir -p "$BUILD/bc-native"
	(cd "$BUILD/bc-native" && ../../src/bc/configure && make -C lib && make -C bc libmath.h)
	configure bc
	cp "$BUILD/bc-native/bc/libmath.h" bc/
	make -C lib
	make -C bc -o libmath.h -o fbc bc
	make -C dc dc
	made bc/bc dc/dc
}

# wasm has no thread whose signals could differ from the process's.
build_xz() {
	configure xz --disable-shared --enable-threads=no --disable-scripts --disable-doc CFLAGS="$CFLAGS -Dmythread_sigmask=sigprocmask"
	make -j"$JOBS"
	made src/xz/xz
}

# No threads and no shared memory.
build_sqlite() {
	rm -rf "$BUILD/sqlite"
	mkdir -p "$BUILD/sqlite"
	cd "$BUILD/sqlite"
	../../src/sqlite/configure --disable-tcl --disable-readline
	make sqlite3.c shell.c
	mkdir -p "$WORK/linked"
	"$CC" $CFLAGS -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL -DSQLITE_MAX_MMAP_SIZE=0 \
		-DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_FTS4 -DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_MATH_FUNCTIONS \
		-DSQLITE_ENABLE_COLUMN_METADATA -DSQLITE_ENABLE_DBSTAT_VTAB -DHAVE_USLEEP -DHAVE_ISNAN -DSQLITE_HAVE_ISNAN \
		sqlite3.c shell.c -o "$WORK/linked/sqlite3"
}

# Debian's archives of jq and its regular expressions come without what autoconf makes.
build_jq() {
	local f flags=()
	rm -rf "$BUILD/onig"
	mkdir -p "$BUILD/onig" "$WORK/linked"
	cd "$SRC/onig/src"
	for f in reg{parse,comp,exec,enc,error,ext,syntax,trav,version} st reggnu unicode unicode_{unfold_key,fold1_key,fold2_key,fold3_key} \
		ascii utf8 utf16_{be,le} utf32_{be,le} euc_{jp,jp_prop,tw,kr} sjis sjis_prop iso8859_{1,2,3,4,5,6,7,8,9,10,11,13,14,15,16} \
		big5 gb18030 koi8_r cp1251 onig_init; do
		"$CC" $CFLAGS -DHAVE_CONFIG_H -I"$HERE/onig" -I. -c "$f.c" -o "$BUILD/onig/$f.o"
	done
	rm -f "$LIB/libonig.a"
	llvm-ar-19 rcsD "$LIB/libonig.a" "$BUILD"/onig/*.o
	cd "$SRC/jq"
	sed -e 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$/\\n"/' src/builtin.jq >src/builtin.inc
	echo '#define JQ_CONFIG "(belljar)"' >src/config_opts.inc
	echo '#define JQ_VERSION "1.7.1"' >src/version.h
	for f in ACOS ACOSH ASIN ASINH ATAN2 ATAN ATANH CBRT CEIL COPYSIGN COS COSH ERF EXP10 EXP2 EXP EXPM1 FABS FDIM FLOOR FMA FMAX \
		FMIN FMOD FREXP HYPOT LDEXP LGAMMA LGAMMA_R LOG10 LOG1P LOG2 LOG LOGB MODF NEARBYINT NEXTAFTER NEXTTOWARD POW \
		REMAINDER RINT ROUND SCALB SCALBLN SIGNIFICAND SIN SINH SQRT TAN TANH TGAMMA TRUNC \
		MEMMEM TIMEGM STRPTIME STRFTIME GMTIME_R LOCALTIME_R MKTIME GETTIMEOFDAY SETLOCALE ISATTY TM_TM_GMT_OFF \
		ALLOCA_H PTHREAD_KEY_CREATE PTHREAD_ONCE LIBONIG; do
		flags+=("-DHAVE_$f")
	done
	"$CC" $CFLAGS -Isrc -I. -I"$SRC/onig/src" "${flags[@]}" -DIEEE_8087=1 -DUSE_DECNUM=1 -DDECUSE64=1 \
		src/{builtin,bytecode,compile,execute,jq_test,jv,jv_alloc,jv_aux,jv_dtoa,jv_file,jv_parse,jv_print,jv_unicode}.c \
		src/{linker,locfile,util,jv_dtoa_tsd,lexer,parser,main}.c src/decNumber/{decContext,decNumber}.c -lonig -o "$WORK/linked/jq"
}

# Terminals by name, of which a few are in the library: there is no database beside it.
build_ncurses() {
	configure ncurses --without-cxx --without-cxx-binding --without-ada --without-manpages --without-tests --without-debug \
		--without-shared --with-termlib --disable-database --disable-db-install --disable-home-terminfo --disable-widec \
		--disable-stripping --with-build-cc=gcc --with-tic-path=/usr/bin/tic --with-infocmp-path=/usr/bin/infocmp \
		--with-fallbacks=ansi,dumb,linux,rxvt,screen,screen-256color,tmux,tmux-256color,vt100,vt220,xterm,xterm-256color,xterm-color
	make -C include
	make -C ncurses -j"$JOBS" ../lib/libtinfo.a
	make -C progs tput
	cp lib/libtinfo.a "$LIB/"
	mkdir -p "$WORK/include"
	cp include/{term,curses,unctrl,ncurses_dll}.h "$WORK/include/"
	made progs/tput
}

build_less() {
	configure less --with-regex=posix CFLAGS="$CFLAGS $JUMPS -I$WORK/regex -I$WORK/include" LIBS="-L$LIB -lregex -ltinfo"
	make -j"$JOBS" less
	made less
}

# One program of many: each by its main, renamed, and the name that it is called by.
build_util_linux() {
	local name file sources
	configure util-linux --disable-all-programs --enable-libsmartcols --without-python --without-ncurses --without-ncursesw --without-tinfo
	mkdir -p commands
	echo '#include <errno.h>' >commands.c
	for file in text-utils/{col,colcrt,colrm,column,hexdump,line,rev} misc-utils/{cal,getopt,look,mcookie,namei,rename,whereis}; do
		name=${file##*/}
		"$CC" $CFLAGS -include config.h -I. -I"$SRC/util-linux/include" -I"$SRC/util-linux/libsmartcols/src" -Ilibsmartcols/src \
			-Dmain="${name}_main" -c "$SRC/util-linux/$file.c" -o "commands/$name.o"
		echo "extern int ${name}_main(int, char **);"
	done >commands.h
	cp "$HERE/commands.c" .
	sed -n 's/^extern int \(.*\)_main.*/{"\1", \1_main},/p' commands.h >commands.inc
	"$CC" $CFLAGS -include config.h -I. -I"$SRC/util-linux/include" -I"$SRC/util-linux/libsmartcols/src" -Ilibsmartcols/src \
		commands.c commands/*.o "$SRC"/util-linux/text-utils/hexdump-{conv,display,parse}.c \
		"$SRC"/util-linux/libsmartcols/src/{calculate,cell,column,filter,filter-expr,filter-param,filter-parser,filter-scanner,grouping,init,iter,line,print,print-api,symbols,table,version,walk}.c \
		"$SRC"/util-linux/lib/{buffer,c_strtod,canonicalize,color-names,colors,fileutils,idcache,jsonwrt,mbsalign,mbsedit,md5,randutils,strutils,strv,timeutils,ttyutils}.c \
		-lm -o util-linux
	"$CC" $CFLAGS -include config.h -I. -I"$SRC/util-linux/include" "$SRC"/util-linux/sys-utils/flock.c \
		"$SRC"/util-linux/lib/{monotonic,strutils,timer}.c -o flock
	made util-linux flock
}

# archive NAME: the files of $WORK/NAME, for the image.
archive() { python3 "$HERE/../../git/build/archive.py" "$WORK/$1" "$WORK/$1.zip"; }

# The zones of programs that know the time, as Python's image has them.
build_tzdata() {
	local region
	rm -rf "$SRC/tzdata" "$WORK/zoneinfo"
	mkdir -p "$SRC/tzdata" "$WORK/zoneinfo"
	tar -xf "$WORK/download/tzdata_2026b.orig.tar.gz" -C "$SRC/tzdata" --no-same-owner
	for region in africa antarctica asia australasia europe northamerica southamerica etcetera factory backward; do
		/usr/sbin/zic -b slim -d "$WORK/zoneinfo" "$SRC/tzdata/$region"
	done
	cp "$SRC"/tzdata/{iso3166.tab,zone.tab,zone1970.tab,leapseconds} "$WORK/zoneinfo/"
	archive zoneinfo
}

# What file knows is compiled by file itself, on this machine; the form is that of a little-endian one of any size of word.
build_file() {
	local without=(--disable-shared --disable-zlib --disable-bzlib --disable-xzlib --disable-zstdlib --disable-lzlib --disable-libseccomp)
	rm -rf "$BUILD/file-native"
	mkdir -p "$BUILD/file-native"
	(cd "$BUILD/file-native" && ../../src/file/configure "${without[@]}" && make -C src magic.h && make -C src -j"$JOBS" file && make -C magic)
	rm -rf "$WORK/magic"
	mkdir -p "$WORK/magic"
	cp "$BUILD/file-native/magic/magic.mgc" "$WORK/magic/"
	archive magic
	configure file --datadir=/usr/share/misc "${without[@]}" CFLAGS="$CFLAGS -I$WORK/regex" LIBS="-L$LIB -lregex"
	make -C src magic.h
	make -C src -j"$JOBS" pkgdatadir=/usr/share/misc file
	made src/file
}

# envsubst alone, without configuring what it is a part of.
build_gettext() {
	local header
	rm -rf "$BUILD/gettext"
	mkdir -p "$BUILD/gettext" "$WORK/linked"
	for header in config error closeout progname relocatable basename-lgpl xalloc propername string-buffer binary-io gettext attribute noreturn; do
		: >"$BUILD/gettext/$header.h"
	done
	"$CC" $CFLAGS -include "$HERE/gettext/envsubst.h" -I"$BUILD/gettext" \
		"$SRC/gettext/gettext-runtime/src/envsubst.c" -o "$WORK/linked/envsubst"
}

build_psmisc() {
	mkdir -p "$BUILD/psmisc" "$WORK/linked"
	"$CC" $CFLAGS '-DPACKAGE="psmisc"' '-DPACKAGE_NAME="psmisc"' '-DPACKAGE_VERSION="23.6"' '-DVERSION="23.6"' '-DCOPYRIGHT_YEAR="2022"' \
		-DHAVE_TERMIOS_H -I"$WORK/include" -include /dev/null -I"$HERE/psmisc" "$SRC/psmisc/src/pstree.c" -ltinfo -o "$WORK/linked/pstree"
}

# Only some of its commands: those for which the usual packages have no program that builds.
build_toybox() {
	local name files=()
	rm -rf "$BUILD/toybox"
	mkdir -p "$BUILD/toybox"
	cp -R "$SRC/toybox" "$BUILD/toybox/src"
	cd "$BUILD/toybox/src"
	# By file; some have several commands.
	for name in ps kill killall pidof free uptime strings stty time watch uuidgen dos2unix \
		count iconv getconf setsid pwdx cpio uudecode uuencode usleep ascii netcat fallocate mountpoint; do
		files+=(toys/*/"$name".c)
		sed -n 's/^USE_\([A-Z0-9_]*\)(\(NEW\|OLD\)TOY(.*/CONFIG_\1=y/p' "${files[-1]}"
	done >../config
	echo CONFIG_TOYBOX_FLOAT=y >>../config
	KCONFIG_ALLCONFIG=../config make allnoconfig HOSTCC=gcc CC="$CC"
	# fork is there, once binaryen has been over it; nothing that asks a compiler can know.
	sed -i 's/^# CONFIG_TOYBOX_FORK is not set/CONFIG_TOYBOX_FORK=y/' .config
	NOBUILD=1 CFLAGS="$CFLAGS" CC="$CC" HOSTCC=gcc scripts/make.sh
	"$CC" -O2 -g0 -std=gnu17 -Wall -Wextra -Werror -I"$HERE/toybox" -c "$HERE/toybox/stub.c" -o ../stub.o
	"$CC" $CFLAGS -funsigned-char -I"$HERE/toybox" -include "$HERE/toybox/stub.h" -I. lib/*.c main.c "${files[@]}" ../stub.o -o toybox
	made toybox
}

# Programs whose own makefiles know nothing of cross compiling.
build_plain() {
	local bz=("$SRC"/bzip2/{blocksort,huffman,crctable,randtable,compress,decompress,bzlib}.c) out=$WORK/linked
	mkdir -p "$out"
	"$CC" $CFLAGS -D_FILE_OFFSET_BITS=64 "${bz[@]}" "$SRC/bzip2/bzip2.c" -o "$out/bzip2"
	"$CC" $CFLAGS "$HERE/alias.c" -o "$out/alias"
	"$CC" $CFLAGS '-DPROGVERSION="1.19"' "$SRC"/ed/{buffer,carg_parser,global,io,main,main_loop,regex,signal}.c -o "$out/ed"
	"$CC" $CFLAGS -DHAVE_{OPENDIR,STDLIB_H,UNISTD_H,STRING_H,GETOPT_H,STRCHR,DIRENT_H,MKDTEMP,POPEN,POPEN_PROTOTYPE,TSEARCH,SEARCH_H,ALLOCA} \
		"$SRC/diffstat/diffstat.c" -o "$out/diffstat"
	"$CC" $CFLAGS -DUNIX "$SRC/vim/src/xxd/xxd.c" -o "$out/xxd"
	cd "$SRC/tree"
	"$CC" $CFLAGS -DLARGEFILE_SOURCE {tree,list,hash,color,file,filter,info,unix,xml,json,html,strverscmp}.c -o "$out/tree"
	cd "$SRC/zip"
	"$CC" $CFLAGS -I. -I"$SRC/bzip2" -DUNIX -DBZIP2_SUPPORT -DHAVE_DIRENT_H -DHAVE_TERMIOS_H -DHAVE_UNISTD_H \
		-DUIDGID_NOT_16BIT -DLARGE_FILE_SUPPORT -DUNICODE_SUPPORT -DZIP64_SUPPORT -DNO_ASM zip.c zipfile.c zipup.c \
		fileio.c util.c globals.c crypt.c ttyio.c unix/unix.c crc32.c zbz2err.c deflate.c trees.c "${bz[@]}" -o "$out/zip"
	cd "$SRC/unzip"
	"$CC" $CFLAGS -I. -Iunix -I"$SRC/bzip2" -DUNIX -DUNIX_SIZE_T_OK -DHAVE_DIRENT_H -DHAVE_UNISTD_H -DHAVE_TERMIOS_H \
		-DLARGE_FILE_SUPPORT -DUNICODE_SUPPORT -DUNICODE_WCHAR -DUTF8_MAYBE_NATIVE -DNO_LCHMOD -DDATE_FORMAT=DF_YMD \
		-DUSE_BZIP2 -DIZ_HAVE_UXUIDGID -DNOMEMCPY -DNO_WORKING_ISPRINT unzip.c crc32.c crypt.c envargs.c explode.c \
		extract.c fileio.c globals.c inflate.c list.c match.c process.c ttyio.c ubz2err.c unreduce.c unshrink.c zipinfo.c \
		unix/unix.c "${bz[@]}" -o "$out/unzip"
	cd "$SRC/zstd"
	"$CC" $CFLAGS -DZSTD_DISABLE_ASM=1 -DBACKTRACE_ENABLE=0 -DXXH_NAMESPACE=ZSTD_ -DZSTD_LEGACY_SUPPORT=0 -DDYNAMIC_BMI2=0 \
		-Ilib -Ilib/common lib/common/*.c lib/compress/*.c lib/decompress/*.c lib/dictBuilder/*.c \
		programs/{zstdcli,util,timefn,fileio,fileio_asyncio,benchzstd,benchfn,datagen,lorem,dibio,zstdcli_trace}.c -o "$out/zstd"
}

# Commands that are scripts of their packages', by the names of programs.txt.
build_scripts() {
	local name out=$WORK/scripts
	rm -rf "$out"
	mkdir -p "$out"
	cp "$BUILD"/gzip/{gzexe,zcmp,zdiff,zegrep,zfgrep,zforce,zgrep,zless,zmore,znew} "$SRC"/bzip2/bz{diff,grep,more} "$SRC"/zstd/programs/zstd{grep,less} "$out/"
	for name in xz{diff,grep,less,more}; do
		sed -e "s/@xz@/xz/" -e "s|@POSIX_SHELL@|/bin/sh|" -e "s/@enable_path_for_scripts@//" "$SRC/xz/src/scripts/$name.in" >"$out/$name"
	done
	sed -e 's/@PACKAGE@/gettext-runtime/' -e 's/@VERSION@/0.23.1/' "$SRC/gettext/gettext-runtime/src/gettext.sh.in" >"$out/gettext.sh"
	cp "$HERE/locale.sh" "$out/locale"
	cp "$HERE/stdbuf.sh" "$out/stdbuf"
	chmod 755 "$out"/*
}

# What asyncify must leave as they are, and whoever calls them must not swallow: see posix/src/jump.c.
JUMP_FUNCTIONS="invoke_* land emscripten_longjmp"
# Functions of bash's that nothing unwinds: they call what prints and ends the process, or what the C library writes to memory.
NEVER_UNWOUND=xmalloc,xrealloc,programming_error,sprintf,snprintf,vsnprintf,find_variable,find_variable_internal,find_variable_nameref,find_variable_last_nameref

# finish MODULE FORK: what comes after linking; see programs.txt.
finish() {
	local passes=() name
	case $2 in
	none) passes=(--strip-debug -O2) ;;
	asyncify) passes=(--strip-debug --asyncify --pass-arg=asyncify-imports@belljar.proc_fork -O2) ;;
	jumps)
		passes=(--fpcast-emu --pass-arg=max-func-params@9)
		for name in $JUMP_FUNCTIONS; do passes+=("--no-inline=$name"); done
		passes+=(-O3 --asyncify --pass-arg=asyncify-imports@belljar.proc_fork "--pass-arg=asyncify-removelist@$NEVER_UNWOUND" -O3 --strip-debug)
		;;
	*) echo "programs.txt: $1: fork is $2" >&2; return 1 ;;
	esac
	binaryen-opt "$WORK/linked/$1" "${passes[@]}" --strip-producers -o "$WORK/$1.wasm"
	zstd -q -f -19 --long=23 "$WORK/$1.wasm" -o "$WORK/$1.wasm.zst"
}

# The image is replaced whole.
image() {
	local module fork names sum
	pinned programs.txt | while IFS=$'\t' read -r module fork names; do
		if [ "$fork" = script ]; then
			[ -x "$WORK/scripts/$module" ]
			echo "$module script $names"
			continue
		fi
		if [ "$fork" = data ]; then
			zstd -q -f -19 --long=23 "$WORK/$module" -o "$WORK/$module.zst"
			echo "$module data $names"
			continue
		fi
		finish "$module" "$fork"
		sum=$(sha256sum <"$WORK/$module.wasm.zst")
		echo "$module ${sum%% *} $names"
	done >"$WORK/programs.txt"
	archive scripts
	zstd -q -f -19 "$WORK/scripts.zip" -o "$WORK/scripts.zip.zst"
	rm -f "$OUT"/*.zst
	install -m 644 "$WORK"/*.wasm.zst "$WORK"/*.zip.zst "$WORK/programs.txt" "$OUT/"
	python3 "$HERE/manifest.py" "$HERE" "$WORK" "$OUT"
}

# Main. The order is that of dependence.
step install-tools install_tools
step fetch fetch
step unpack unpack_all
step toolchain toolchain
step posix posix
lanes "sed ncurses bash patch make jq" "coreutils find gzip plain toybox" "pcre2 grep diff bc xz gettext file tzdata" "gawk tar sqlite util_linux psmisc"
lanes "less scripts"
step image image
