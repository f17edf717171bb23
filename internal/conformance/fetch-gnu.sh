#!/bin/bash
# Fetches the test suites of bash and GNU tools from Debian's archive: those of the very sources that the shell's image
# is built from, by the SHA-256 of its recipe.
#
#   fetch-gnu.sh DIR      then: BELLJAR_GNU_TESTS=DIR go test -run TestGNU ./internal/conformance
#
# Needs a Debian 12 with apt, and no root. Does nothing when DIR is already what it would make.
set -euo pipefail

SOURCES=$(cd "$(dirname "$0")/../../runtimes/shell/build" && pwd)/sources.txt
DIR=$(mkdir -p "${1:?usage: fetch-gnu.sh DIR}" && cd "$1" && pwd)

# package | what its tests read
SUITES="
bash tests y.tab.c
coreutils init.cfg tests
diffutils tests
findutils init.cfg tests find/testsuite xargs/testsuite build-aux
gawk test
grep tests
gzip tests
make-dfsg tests src/gnumake.h
patch tests build-aux
sed init.cfg testsuite
tar tests build-aux
"

rows=$(while read -r package _; do
	[ -z "$package" ] || sed -n "s/^$package | [^|]* | \([^|]*orig[^|]*\) | \([0-9a-f]*\) | .*/$package \1 \2/p" "$SOURCES"
done <<<"$SUITES")
version="$SUITES$rows
edits: 4"
if cmp -s "$DIR/version" <(echo "$version"); then
	exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Where the machine's own release comes from: the same archive's pool has the others.
mirror() { apt-get indextargets --format '$(RELEASE) $(REPO_URI)' | awk -v release="$1" '$1 == release && !n++ { sub("/$", "", $2); print $2 }'; }
main=$(mirror bookworm)/pool/main security=$(mirror bookworm-security)/pool/updates/main
# Unlike apt-get, the helper asks for no lists.
download() { /usr/lib/apt/apt-helper -q -o "APT::Sandbox::User=$(id -un)" download-file "$1" "$2" "SHA256:$3"; }

rm -f "$DIR/version"
while read -r package file sum; do
	download "$main/${package:0:1}/$package/$file" "$work/$file" "$sum" ||
		download "$security/${package:0:1}/$package/$file" "$work/$file" "$sum"
	echo "$sum  $work/$file" | sha256sum --check --strict --quiet
	mkdir "$work/$package"
	tar -xf "$work/$file" -C "$work/$package" --strip-components=1 --no-same-owner
	rm -rf "${DIR:?}/$package"
	mkdir "$DIR/$package"
	read -ra parts < <(sed -n "s/^$package //p" <<<"$SUITES")
	for part in "${parts[@]}"; do (cd "$work/$package" && cp -R --parents "$part" "$DIR/$package/"); done
done <<<"$rows"
# gawk's makefile as configure would write it for a gawk that is installed, but for what no test asks for.
sed -i -e 's/@srcdir@/./g' -e 's/@SHELL@/\/bin\/sh/g' -e 's/@AWK@/gawk/g' -e 's/@[A-Za-z_]*@//g' "$DIR/gawk/test/Makefile.in"
mv "$DIR/gawk/test/Makefile.in" "$DIR/gawk/test/Makefile"
# A build's files that bash's suite takes for long ones of text.
cp "$DIR/bash/y.tab.c" "$DIR/bash/config.h"
cp "$DIR/bash/y.tab.c" "$DIR/bash/version.h"
# A coprocess that ends at once may be gone, and its variable with it, before the next command shows that.
sed -i 's/{ :; }; declare -p RO_PID;/{ sleep 1; }; declare -p RO_PID;/' "$DIR/bash/tests/nameref11.sub"
sed -i 's/{ :; }; declare -p ${!ref}/{ sleep 1; }; declare -p ${!ref}/' "$DIR/bash/tests/nameref18.sub"
[ "$(grep -c '{ sleep 1; }; declare -p' "$DIR"/bash/tests/nameref1[18].sub)" = "$DIR/bash/tests/nameref11.sub:1
$DIR/bash/tests/nameref18.sub:1" ]
# A reader may take longer to be gone.
sed -i 's/sleep_amount=0.01/sleep_amount=0.5/' "$DIR/gzip/tests/pipe-output"
grep -q 'sleep_amount=0.5' "$DIR/gzip/tests/pipe-output"
# What make's suite asks of the configuration: it has nothing but defaults.
sed 's/@[A-Z_]*@//' "$DIR/make-dfsg/tests/config-flags.pm.in" >"$DIR/make-dfsg/tests/config-flags.pm"
echo "$version" >"$DIR/version"
