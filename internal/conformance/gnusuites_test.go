package conformance

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var gnuSuites = []gnuSuite{
	{"bash", "tests", matching(`^run-`, `^run-(all|gprof|minimal)$`), bashSuiteRun, "", 1},
	{"coreutils", ".", matching(`^tests/.*\.sh$`, `/init\.sh`), gnulibRun, coreutilsTools, 48},
	{"diffutils", "tests", matching(`^[a-z0-9-]+$`, `^(envvar-check|large-subopt.*)$`), gnulibRun, "diff cmp diff3 sdiff", 8},
	{"findutils", ".", matching(`^(tests/.*\.sh|(find|xargs)/testsuite/.*\.exp)$`, `/init\.sh|/config/`), findutilsRun, "find xargs", 16},
	{"gawk", "test", gawkTargets, gawkRun, "", 8},
	{"grep", "tests", matching(`^[a-z0-9][a-zA-Z0-9-]+$`, `^(envvar-check|no-perl)$`), gnulibRun, "grep egrep fgrep", 8},
	{"gzip", "tests", matching(`^[a-z-]+$`, `^gzip-env$`), gnulibRun, "gzip gunzip zcat zcmp zdiff zgrep", 8},
	{"patch", "tests", matching(`^[a-z-]+$`, ``), gnulibRun, "patch", 8},
	{"sed", ".", matching(`^testsuite/.*\.sh$`, `bsd-wrapper|init\.sh`), gnulibRun, "sed", 8},
	{"tar", "tests", tarGroups, tarRun, "", 24},
}

// coreutilsTools are those that the image has of coreutils.
const coreutilsTools = "arch b2sum base32 base64 basename basenc cat chcon chgrp chmod chown cksum comm cp csplit cut date dd df " +
	"dir dircolors dirname du echo env expand expr factor false fmt fold groups head hostid hostname id " +
	"install join link ln logname ls md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste " +
	"pathchk pr printenv printf ptx pwd readlink realpath rm rmdir runcon seq sha1sum sha224sum sha256sum " +
	"sha384sum sha512sum shred shuf sleep sort split stat sum sync tac tail tee test touch tr true truncate " +
	"tsort tty uname unexpand uniq unlink vdir wc whoami yes ["

// bashSuiteRun is what run-all does for one script. What a script says to standard error is for the reader alone.
const bashSuiteRun = `
export THIS_SH=/bin/bash BUILD_DIR=.. TMPDIR=/tmp BASH_TSTOUT=/tmp/output PATH=.:$PATH
export -n SHELLOPTS
sh ./$1 2>/dev/null >/tmp/differences
cat /tmp/differences
! grep -q . /tmp/differences`

// gnulibRun gives a script what the makefiles of gnulib's tests give it.
const gnulibRun = `
top=${PWD%/tests}
export abs_top_builddir=$top abs_top_srcdir=$top abs_srcdir=$PWD srcdir=. top_srcdir=. top_builddir=. SHELL=/bin/sh LC_ALL=C
[ $top = $PWD ] || export top_srcdir=..
export built_programs=$2 VERSION=$(${2%% *} --version | sed 's/.* //; q')
export PACKAGE_VERSION=$VERSION PACKAGE_BUGREPORT=bug-${top##*/}@gnu.org CONFIG_HEADER=/dev/null TMPDIR=/tmp
export AWK=gawk EGREP='grep -E' GREP=grep MAKE=make CC=false PERL=false host_os=linux-gnu host_triplet=wasm32-unknown-linux-gnu
export LOCALE_FR=none LOCALE_FR_UTF8=none LOCALE_JA=none LOCALE_ZH_CN=none
mkdir $top/src
ln -s /usr/bin/patch $top/src/patch
sh ./$1 9>&2 2>&1`

// gawkRun makes a target of gawk's makefile, which leaves the output in a file when it isn't as expected.
const gawkRun = `
ln -s /usr/bin/gawk ../gawk
make AWKPROG=/usr/bin/gawk $1 2>&1
for f in _*; do [ ! -e $f ] || { echo "$f:"; diff -a ${f#_}.ok $f; exit 1; }; done`

// findutilsRun runs a script of gnulib's kind, or one for DejaGnu, of which it understands what most are made of: commands
// after "exec", a variable of the environment, and a find or xargs whose status and output are told. Tcl reads quotes and
// backslashes as a shell does, and expands no patterns.
const findutilsRun = `
case $1 in *.exp) ;; *)` + gnulibRun + `
exit ;;
esac
export LC_ALL=C GNU_FINDUTILS_FD_LEAK_CHECK=1
base=$PWD/${1%.exp}
cd /tmp
unknown() { echo "$1: skipped test: Tcl: $2"; exit 77; }
status() { case $1 in [0-9]*) echo $1 ;; p*) echo 0 ;; f*) echo 1 ;; *) unknown "$base" "$1" ;; esac; }
find_start() {
	local want=$(status $1)
	set -f
	eval "find $2" </dev/null >out.unsorted
	[ $(( $? != 0 )) = $want ] || { echo "status, not $want: find $2"; exit 1; }
	set +f
	sort out.unsorted >out
	[ ! -e "$base.xo" ] || sort "$base.xo" | diff out - || exit 1
	[ -e "$base.xo" ] || [ ! -s out ] || { cat out; exit 1; }
}
xargs_start() {
	local want=$(status $1) input=/dev/null got
	[ -z "$3" ] || input=${base%/*/*}/inputs/$3
	set -f
	eval "xargs $2" <$input >out 2>err
	got=$?
	set +f
	[ $got = $want ] || { echo "status $got, not $want: xargs $2"; cat err; exit 1; }
	if [ -e "$base.xo" ]; then cmp out "$base.xo" || exit 1; else [ ! -s out ] || { cat out; exit 1; }; fi
	case $4 in s*) return ;; esac
	sed -i 's/^.*xargs:/xargs:/' err
	if [ -e "$base.xe" ]; then diff err "$base.xe" || exit 1; else [ ! -s err ] || { cat err; exit 1; }; fi
}
started='^(find|xargs)_start[[:space:]]+([a-z0-9]+)[[:space:]]+\{(.*)\}[[:space:]]*([^[:space:]{}]*|\{\})[[:space:]]*([^[:space:]{}]*)[[:space:]]*$'
while IFS= read -r line; do
	case $line in
	''|'#'*) ;;
	'set env('*) line=${line#set env(}; eval "export ${line%%)*}=${line#*) }" ;;
	*['[$']*) unknown "$1" "$line" ;;
	'exec '*) set -f; eval "${line#exec }" </dev/null; set +f ;;
	*) [[ $line =~ $started ]] || unknown "$1" "$line"
		input=${BASH_REMATCH[4]#\{\}}
		"${BASH_REMATCH[1]}_start" "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}" "$input" "${BASH_REMATCH[5]}" ;;
	esac
done <"$base.exp"`

// tarRun runs one group of tar's suite, by its number.
const tarRun = `
echo "at_testdir=tests abs_builddir=$PWD at_srcdir=. abs_srcdir=$PWD at_top_srcdir=.. abs_top_srcdir=${PWD%/*} at_top_build_prefix=../ abs_top_builddir=${PWD%/*} at_top_builddir=.." >atconfig
echo "SHELL=/bin/sh" >>atconfig
sed 's/@[A-Za-z_]*@/./g' atlocal.in >atlocal
sh ./testsuite -x -v "$((10#${1%%-*}))" 2>&1 | tee log
status=${PIPESTATUS[0]}
! grep -q '^ *[0-9]*\..*skipped' log || { echo "skipped test: $1"; exit 77; }
exit $status`

var tarGroup = regexp.MustCompile(`(?m)^(?:at_help_all=")?(\d+);([A-Za-z0-9_/.-]+)\.at:\d+;`)

// tarGroups reads the list of groups, which are numbered, and the files that they come from.
func tarGroups(dir fs.FS) (list []string, err error) {
	text, err := fs.ReadFile(dir, "testsuite")
	for _, m := range tarGroup.FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, err
		}
		list = append(list, fmt.Sprintf("%03d-%s", n, m[2]))
	}
	slices.Sort(list)
	return list, err
}

// matching lists files by names that match one expression and not the other, if there is one.
func matching(names, but string) func(fs.FS) ([]string, error) {
	is := regexp.MustCompile(names)
	isNot := regexp.MustCompile(but)
	return func(dir fs.FS) (list []string, err error) {
		err = fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || !is.MatchString(name) || but != "" && isNot.MatchString(name) {
				return err
			}
			list = append(list, name)
			return nil
		})
		return list, err
	}
}

var gawkLists = regexp.MustCompile(`(?m)^(?:BASIC|UNIX|GAWK_EXT|ARRAYDEBUG|MACHINE|LOCALE_CHARSET)_TESTS = ((?:.*\\\n)*.*)$`)

// gawkTargets reads the names of the tests from the makefile.
func gawkTargets(dir fs.FS) (list []string, err error) {
	text, err := fs.ReadFile(dir, "Makefile")
	for _, m := range gawkLists.FindAllStringSubmatch(string(text), -1) {
		list = append(list, strings.Fields(strings.ReplaceAll(m[1], "\\\n", " "))...)
	}
	slices.Sort(list)
	return slices.Compact(list), err
}
