#!/bin/bash
# Makes python.profdata.zst anew: how often each branch of the interpreter is taken while train.py runs.
#
#   profile.sh WORKDIR      a WORKDIR in which build.sh has unpacked the sources
#
# Needs what build.sh needs, and libclang-rt-19-dev. Of a few hundred functions, those that look at addresses, the counts
# differ a little from run to run: so the profile is kept, and not made by each build, which has to give the same image.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$(cd "${1:?usage: profile.sh WORKDIR}" && pwd)

rm -rf "$WORK/profile"
mkdir "$WORK/profile"
cd "$WORK/profile"
# As the guest's: no computed gotos, no IPv6.
../src/python/configure CC=clang-19 PKG_CONFIG=/bin/false CFLAGS="-O1 -g0 -fprofile-instr-generate" \
	LDFLAGS=-fprofile-instr-generate --with-computed-gotos=no --disable-ipv6 --without-ensurepip --disable-test-modules
make -j"$(nproc)"
find . -name '*.profraw' -delete
env -i PYTHONHASHSEED=0 LC_ALL=C.UTF-8 LLVM_PROFILE_FILE="$PWD/trained.profraw" \
	setarch -R ./python -B -E -S "$HERE/train.py"
llvm-profdata-19 merge -o python.profdata trained.profraw
zstd -q -f -19 python.profdata -o "$HERE/python.profdata.zst"
