#!/bin/bash
# Makes bash.profdata.zst and gawk.profdata.zst anew: how often each branch of the two is taken while train.sh and
# train.awk run.
#
#   profile.sh WORKDIR      a WORKDIR in which build.sh has unpacked the sources
#
# Needs what build.sh needs, and libclang-rt-19-dev. The counts are kept, and not made by each build, which has to give
# the same image: of a few functions, those that look at addresses or at the time, they differ from run to run.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$(cd "${1:?usage: profile.sh WORKDIR}" && pwd)
FLAGS="-O1 -g0 -w -std=gnu17 -Wno-implicit-function-declaration -Wno-implicit-int -Wno-int-conversion -fprofile-instr-generate"

# counting NAME ARG...: configures this machine's own build of a program that counts, in $WORK/profile/NAME.
counting() {
	local name=$1
	shift
	rm -rf "$WORK/profile/$name"
	mkdir -p "$WORK/profile/$name"
	cd "$WORK/profile/$name"
	"../../src/$name/configure" --disable-nls CC=clang-19 CFLAGS="$FLAGS" LDFLAGS=-fprofile-instr-generate "$@"
}

# merge NAME: what all processes of the training have counted.
merge() {
	llvm-profdata-19 merge -o "$1.profdata" trained-*.profraw
	zstd -q -f -19 "$1.profdata" -o "$HERE/$1.profdata.zst"
}

# A session's functions, which patches/bash-session.patch calls, are of the guest alone. A child counts what it does itself.
counting bash --without-bash-malloc --without-curses
cat >session.c <<-END
	int pthread_atfork(void (*)(void), void (*)(void), void (*)(void));
	void __llvm_profile_reset_counters(void);
	int session_begins(void) { return 0; }
	int session_lives(void) { return 0; }
	int session_bore(void) { return 0; }
	int session_hears(const char *text) { return 0; }
	__attribute__((constructor)) static void begin(void) { pthread_atfork(0, 0, __llvm_profile_reset_counters); }
END
clang-19 -c session.c
make -j2 LOCAL_LIBS="$PWD/session.o"
rm -f ./*.profraw
mkdir home
(cd home && env -i LC_ALL=C.UTF-8 PATH=/usr/bin:/bin HOME="$PWD" LLVM_PROFILE_FILE="$WORK/profile/bash/trained-%m.profraw" \
	setarch -R ../bash --norc "$HERE/train.sh" >/dev/null)
merge bash

counting gawk --disable-mpfr --disable-extensions --disable-pma --without-readline
make -C support -j2
make -j2 gawk
rm -f ./*.profraw
seq 200000 | sed 's/\(.*\)\(.\)\(.\)/\1\2\3 word\3 \2.\3 a,b;c/' >rows
env -i LC_ALL=C.UTF-8 PATH=/usr/bin:/bin LLVM_PROFILE_FILE="$PWD/trained-%m.profraw" setarch -R ./gawk -f "$HERE/train.awk" rows >/dev/null
for program in '{ s += $1 } END { print s }' '{ n[$2]++ } END { for (k in n) print k, n[k] }' '/9 word/ { print $1 }' \
	'{ print $1, $3 }' 'NR % 2 { gsub(/[0-9]+/, "<&>"); print }'; do
	env -i LC_ALL=C.UTF-8 LLVM_PROFILE_FILE="$PWD/trained-%m.profraw" setarch -R ./gawk "$program" rows >/dev/null
done
merge gawk
