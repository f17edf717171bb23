#!/bin/bash
# Fetches the test suites that this folder's tests run, from Debian's archive, and checks their SHA-256.
#
#   fetch.sh DIR      then: BELLJAR_CPYTHON_TESTS=DIR go test ./internal/conformance
#
# Needs a Debian 12 with apt, and no root. Does nothing when DIR is already what it would make.
set -euo pipefail

DIR=$(mkdir -p "${1:?usage: fetch.sh DIR}" && cd "$1" && pwd)

# package | version | sha256. The suite is split: its runner and support modules come with the standard library.
# The version is that of runtimes/python/build/sources.txt.
PACKAGES="
libpython3.13-testsuite 3.13.5-2+deb13u5 214ce20bfec92a4419d6f07ca61fb5b6a730b6a2b249d060fd2e1f4ec4b171f2
libpython3.13-stdlib 3.13.5-2+deb13u5 db161322a3481d2c0c3b9a3b9a03c3ab0e2b1718f54b88755fb4a3f939165b84
"

if cmp -s "$DIR/packages" <(echo -n "$PACKAGES"); then
	exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
# The archive is the one that the machine's own release comes from.
mirror() { apt-get indextargets --format '$(RELEASE) $(REPO_URI)' | awk -v release="$1" '$1 == release { print $2; exit }'; }
key=/usr/share/keyrings/debian-archive-keyring.gpg
cat >"$work/sources.list" <<END
deb [signed-by=$key] $(mirror bookworm) trixie main
deb [signed-by=$key] $(mirror bookworm-security) trixie-security main
END
# The machine's own apt sources and lists are not touched. The suite is the same on every architecture; the digest
# above is of amd64's package.
cat >"$work/apt.conf" <<END
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Architecture "amd64";
APT::Sandbox::User "$(id -un)";
END
export APT_CONFIG=$work/apt.conf
cd "$work"
apt-get update -qq
while read -r package version sum; do
	[ -n "$package" ] || continue
	apt-get download -qq "$package=$version"
	deb=$(echo "$package"_*.deb)
	echo "$sum  $deb" | sha256sum --check --strict --quiet
	dpkg -x "$deb" unpacked
done <<<"$PACKAGES"

# Last the file that says the folder is whole.
rm -rf "$DIR/packages" "$DIR/test"
cp -R unpacked/usr/lib/python3.13/test "$DIR/test"
echo -n "$PACKAGES" >"$DIR/packages"
