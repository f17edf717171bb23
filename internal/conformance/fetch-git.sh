#!/bin/bash
# Fetches git's own test scripts from Debian's archive, and checks their SHA-256.
#
#   fetch-git.sh DIR      then: BELLJAR_GIT_TESTS=DIR go test -run TestGit ./internal/conformance
#
# Needs a Debian 12 with apt, and no root. Does nothing when DIR is already what it would make.
set -euo pipefail

DIR=$(mkdir -p "${1:?usage: fetch-git.sh DIR}" && cd "$1" && pwd)

# The version and the digest are those of runtimes/git/build/sources.txt.
VERSION=1:2.39.5-0+deb12u3
ORIG=git_2.39.5.orig.tar.xz
SUM=c58da92c378df4a986ca33266897a7397e86c22ee266a284d8c2432c39066b59

MADE="$SUM $(sha256sum <"${BASH_SOURCE[0]}")" # what DIR is made of, and by

if [ "$(cat "$DIR/version" 2>/dev/null)" = "$MADE" ]; then
	exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
# The archive is the one that the machine's own release comes from; the machine's own apt sources are not touched.
mirror() { apt-get indextargets --format '$(RELEASE) $(REPO_URI)' | awk -v release="$1" '$1 == release { print $2; exit }'; }
key=/usr/share/keyrings/debian-archive-keyring.gpg
cat >"$work/sources.list" <<END
deb-src [signed-by=$key] $(mirror bookworm) bookworm main
deb-src [signed-by=$key] $(mirror bookworm-security) bookworm-security main
END
cat >"$work/apt.conf" <<END
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "$(id -un)";
END
export APT_CONFIG=$work/apt.conf
cd "$work"
apt-get update -qq
apt-get source --download-only -qq "git=$VERSION"
echo "$SUM  $ORIG" | sha256sum --check --strict --quiet
mkdir source
tar -xf "$ORIG" -C source --strip-components=1 --no-same-owner

rm -rf "$DIR/version" "$DIR/t" "$DIR/templates"
mkdir -p "$DIR/templates/blt"
cp -R source/t "$DIR/t"
# The scripts look for it here; they call what is in PATH, which the test's image has.
printf '#!/bin/sh\nexec /usr/bin/test-tool "$@"\n' >"$DIR/t/helper/test-tool"
# The sandbox has no perl; of its programs these few are all that most scripts need.
cat >"$DIR/t/helper/perl" <<'END'
#!/bin/bash
case "$1 $2" in
'-pe y/\012/\000/') exec tr '\012' '\000' ;;
'-pe y/\000/Q/') exec tr '\000' Q ;;
'-pe y/Q/\000/') exec tr Q '\000' ;;
'-pe y/\000/\012/') exec tr '\000' '\012' ;;
'-pe s/^"//; s/\\//; s/"$//; tr/\n/\0/') shift 2; sed 's/^"//; s/\\//; s/"$//' "$@" | tr '\n' '\000' ;;
'-pe s/'$'\t''"/'$'\t''/; s/\\//; s/"$//; tr/:\t\n/\0/') shift 2; sed 's/\t"/\t/; s/\\//; s/"$//' "$@" | tr ':\t\n' '\000\000\000' ;;
'-lne /[0-9a-f]+/ and print $&') exec sed -n 's/^[^0-9a-f]*\([0-9a-f]\{1,\}\).*/\1/p' ;;
'-e '*'my %expect = (@ARGV)'*) # who wrote how many lines
	shift 2
	exec awk -F '\t' '
		BEGIN { for (i = 1; i < ARGC; i += 2) expected[ARGV[i]] = ARGV[i + 1]; ARGC = 1 }
		/^[0-9a-f]+\t\([^\t]+\t/ { sub(/^\( */, "", $2); sub(/ *$/, "", $2); count[$2]++ }
		END {
			for (name in expected) if (count[name] + 0 != expected[name]) bad = 1
			for (name in count) if (count[name] != expected[name] + 0) bad = 1
			exit bad
		}' "$@" ;;
'-e print reverse <>') exec tac ;;
'-i -pe')
	[ "$3" = 's{\./}{}' ] && exec sed -i 's,\./,,' "${@:4}"
	exit 127 ;;
'-ne printf "\\%03o", hex for /../g')
	while read -r line; do
		for ((i = 0; i < ${#line}; i += 2)); do printf '\\%03o' "0x${line:i:2}"; done
	done ;;
'-le print readlink($_) for @ARGV')
	shift 2
	for name; do readlink "$name" || echo; done ;;
*)
	# test_copy_bytes
	if [ "$1 $3" = "-e -" ]; then exec head -c "$4"; fi
	echo "no perl for: $*" >&2
	exit 127 ;;
esac
END
chmod +x "$DIR/t/helper/test-tool" "$DIR/t/helper/perl"
# What a build leaves for its tests.
for file in source/templates/*--*; do
	name=${file##*/}
	case $name in *--) continue ;; esac
	to=$DIR/templates/blt/${name//--//}
	mkdir -p "$(dirname "$to")"
	cp "$file" "$to"
done
cat >"$DIR/GIT-BUILD-OPTIONS" <<END
SHELL_PATH='/bin/sh'
TEST_SHELL_PATH='/bin/sh'
PERL_PATH='/git/t/helper/perl'
DIFF='diff'
PYTHON_PATH='/usr/bin/python3'
TAR='tar'
NO_CURL='1'
NO_EXPAT='1'
USE_LIBPCRE2='1'
NO_PERL='1'
NO_PTHREADS='1'
NO_PYTHON='1'
NO_UNIX_SOCKETS='1'
PAGER_ENV='LESS=FRX LV=-c'
X=''
FSMONITOR_DAEMON_BACKEND=''
END
echo "$MADE" >"$DIR/version"
