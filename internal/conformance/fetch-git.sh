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

if [ "$(cat "$DIR/version" 2>/dev/null)" = "$SUM" ]; then
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
chmod +x "$DIR/t/helper/test-tool"
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
PERL_PATH='/bin/true'
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
echo "$SUM" >"$DIR/version"
