package shell

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// run runs script by bash in a sandbox of its own.
func run(t *testing.T, e *engine.Engine, script string) engine.Result {
	t.Helper()
	sb, err := e.Create(t.Context(), engine.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sb.Close(); err != nil {
			t.Error(err)
		}
	}()
	r, err := sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", script}})
	if err != nil {
		t.Fatalf("%v\n%s", err, r.Stderr)
	}
	return r
}

func newEngine(t *testing.T) *engine.Engine {
	t.Helper()
	user, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("without a cache every program would be compiled: %v", err)
	}
	e, err := engine.New(engine.Config{
		Images:   []engine.Image{Image()},
		CacheDir: filepath.Join(user, "belljar"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestScripts(t *testing.T) {
	e := newEngine(t)
	for _, test := range []struct {
		name, script, stdout string
		status               int
	}{
		{name: "echo", script: `echo hi`, stdout: "hi\n"},
		{name: "status", script: `f() { return 3; }; f`, status: 3},
		{name: "not found", script: `nosuch`, status: 127},
		{name: "substitution", script: `x=$(echo sub); echo "<$x>"`, stdout: "<sub>\n"},
		{name: "pipeline", script: `seq 10 | sort -rn | head -2 | paste -sd,`, stdout: "10,9\n"},
		{name: "pipefail", script: `set -o pipefail; false | true; echo "$? ${PIPESTATUS[@]}"`, stdout: "1 1 0\n"},
		{name: "subshell", script: `x=1; (x=2; echo $x); echo $x`, stdout: "2\n1\n"},
		{name: "error in arithmetic", script: "echo $((1/0)); echo skipped\necho after", stdout: "after\n"},
		{name: "error returns to the loop", script: `for i in 1 0 2; do (echo $((2/i))) 2>/dev/null; done`, stdout: "2\n1\n"},
		{name: "arrays", script: `a=(x y z); unset 'a[1]'; echo "${a[@]} ${!a[@]}"; declare -A m=([k]=v); echo ${m[k]}`,
			stdout: "x z 0 2\nv\n"},
		{name: "regular expression", script: `[[ ab12 =~ ([a-z]+)([0-9]+) ]] && echo ${BASH_REMATCH[2]}`, stdout: "12\n"},
		{name: "here document", script: "x=1\ncat <<E\n$x\nE\n", stdout: "1\n"},
		{name: "background", script: `sleep 0.01 & wait $!; echo $?`, stdout: "0\n"},
		{name: "trap", script: `trap 'echo term' TERM; trap 'echo bye' EXIT; kill -TERM $$; echo on`, stdout: "term\non\nbye\n"},
		{name: "killed", script: `bash -c 'kill -KILL $$'; echo $?`, stdout: "137\n"},
		{name: "killed about to be replaced", script: `for i in $(seq 500); do sleep 10 & kill $!; wait $! 2>/dev/null; echo $?; done | uniq`, stdout: "143\n"},
		{name: "timeout", script: `timeout 0.05 sleep 10; echo $?`, stdout: "124\n"},
		{name: "sed", script: `echo abc | sed -E 's/(a)(b)/\2\1/'`, stdout: "bac\n"},
		{name: "awk", script: `printf '1 2\n3 4\n' | awk '{s+=$2} END {print s}'`, stdout: "6\n"},
		{name: "grep", script: `printf 'a1\nb\nc2\n' | grep -c '[0-9]'`, stdout: "2\n"},
		{name: "find and xargs", script: `mkdir -p d/e; touch d/a d/e/b; find d -type f | sort | xargs -n1 basename`, stdout: "a\nb\n"},
		{name: "make", script: "printf 'all: a\\n\\t@echo all\\na:\\n\\t@echo one; touch a\\n' > Makefile; make; make", stdout: "one\nall\nall\n"},
		{name: "modes", script: `umask 027; touch f; stat -c %a f; chmod u+x f; stat -c %A f`, stdout: "640\n-rwxr-----\n"},
		{name: "script file", script: "printf '#!/bin/bash\\necho $0 $1\\n' > s; chmod +x s; ./s x", stdout: "./s x\n"},
		{name: "working directory", script: `mkdir -p a/b; ln -s a/b l; cd l; pwd; pwd -P; cd ..; pwd`,
			stdout: "/home/user/l\n/home/user/a/b\n/home/user\n"},
		{name: "jq", script: `echo '{"a":[1,{"b":"x"}]}' | jq -c '.a[1].b, (.a|length)'`, stdout: "\"x\"\n2\n"},
		{name: "sqlite3", script: `sqlite3 :memory: "select sum(1.5*2), group_concat('y')"`, stdout: "3.0|y\n"},
		{name: "grep by perl's rules", script: `echo foo123 | grep -oP 'o\K\d+'`, stdout: "123\n"},
		{name: "compressors", script: `for c in gzip bzip2 xz zstd; do echo $c | $c -q | $c -qdc; done`, stdout: "gzip\nbzip2\nxz\nzstd\n"},
		{name: "which", script: `which ls nosuch; echo $?; echo a.b | fgrep .`, stdout: "/usr/bin/ls\n1\na.b\n"},
		{name: "awk's pipes", script: `awk 'BEGIN { "echo in" | getline x; print x; print "b\na" | "sort"; close("sort"); c = "tr a-z A-Z"; print "two way" |& c; close(c, "to"); c |& getline y; print y; print system("exit 3") }'`,
			stdout: "in\na\nb\nTWO WAY\n3\n"},
		{name: "awk's numbers", script: `printf '0.1 1e3\n-7.25 12abc\n123456789012345678 .5\n' | awk '{ printf "%.17g %.17g\n", $1, $2; s += $1 } END { printf "%.0f\n", s }'`,
			stdout: "0.10000000000000001 1000\n-7.25 12\n1.2345678901234568e+17 0.5\n123456789012345680\n"},
		{name: "sort's compressor", script: `seq 200000 | sort -rn -S 100k --compress-program=gzip | head -1`, stdout: "200000\n"},
		{name: "tar by a compressor", script: `mkdir d; echo x > d/f; tar -czf a.tgz d; tar -cJf a.txz d; tar --use-compress-program=zstd -cf a.tzst d; rm -r d; tar -xf a.tgz; tar -tf a.txz; tar --zstd -tf a.tzst; cat d/f`,
			stdout: "d/\nd/f\nd/\nd/f\nx\n"},
		{name: "parallel", script: `seq 8 | xargs -P4 -n1 echo | sort | paste -sd,; find . -maxdepth 0 -exec echo {} + -exec sh -c 'echo $0' {} \;; printf 'all: a b\na b:\n\t@sleep 0.01; echo $@ >> out\n' > Makefile; make -j2; sort out | paste -sd,`,
			stdout: "1,2,3,4,5,6,7,8\n.\n.\na,b\n"},
		{name: "sed's commands", script: `echo 'echo hi' | sed e; echo a | sed 's/a/echo b/e'`, stdout: "hi\nb\n"},
		{name: "three versions", script: `echo a > a; echo a > o; echo b > b; diff3 -m a o b; sdiff -s a b | tr -s '\t ' ' '; echo`, stdout: "b\na | b\n\n"},
		{name: "processes", script: `sleep 50 & until pgrep -x sleep >/dev/null; do :; done; ps -ef | grep -c '[s]leep 50$'; ps aux | grep -c '[s]leep 50$'; kill %1; wait; pgrep sleep; echo $?; env kill -l 15`,
			stdout: "1\n1\n1\nTERM\n"},
		{name: "looking at files", script: `printf '#!/bin/sh\n' > s; file s; printf 'ab\0hello\0' | strings; printf 'A\0B' | hexdump -C; echo abc | rev; printf 'a\r\n' | dos2unix | od -c | head -1; stty size </dev/null 2>/dev/null; getopt ab: -a -b x y`,
			stdout: "s: POSIX shell script, ASCII text executable\nhello\n00000000  41 00 42                                          |A.B|\n00000003\ncba\n0000000   a  \\n\n -a -b x -- y\n"},
		{name: "files in compressed ones", script: `for c in gzip bzip2 xz zstd; do echo text > t; $c -qf t; file -bz t.* | sed 's/ (.*//'; rm -f t t.*; done`,
			stdout: "ASCII text\nASCII text\nASCII text\nASCII text\n"},
		{name: "stdbuf", script: `stdbuf -oL -i0 echo a; stdbuf --help | grep -c 'Usage: stdbuf'; stdbuf --output=x true; echo $?; stdbuf -o0 nosuch; echo $?`,
			stdout: "a\n1\n125\n127\n"},
		{name: "long command lines", script: `seq 20000 | xargs | wc -l; mkdir d; touch d/{1..3000}; find d -type f -exec sh -c 'echo $#' sh {} +`, stdout: "1\n3000\n"},
		{name: "waiting for input", script: `read -t 0.1 x < <(sleep 9); echo $(($? > 128)); read -t 9 x < <(sleep 0.1; echo in); echo $? $x`, stdout: "1\n0 in\n"},
		{name: "time zone", script: `TZ=EST5EDT,M3.2.0,M11.1.0 date -d @1720000000 '+%F %T %Z'`, stdout: "2024-07-03 05:46:40 EDT\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := run(t, e, test.script)
			if r.Stdout != test.stdout || r.ExitCode != test.status {
				t.Errorf("got status %d, output %q, errors %q; want %d, %q", r.ExitCode, r.Stdout, r.Stderr, test.status, test.stdout)
			}
		})
	}
}

// Every program of the image is there, and says something of itself.
func TestPrograms(t *testing.T) {
	im := Image()
	seen := map[string]bool{}
	for i := range im.Programs {
		p := &im.Programs[i]
		if p.Script != nil {
			if text, err := p.Script(); err != nil || !bytes.HasPrefix(text, []byte("#!")) {
				t.Errorf("%s: %.20q, %v", p.Path, text, err)
			}
		} else if _, err := p.Module(); err != nil {
			t.Errorf("%s: %v", p.Path, err)
		}
		for _, name := range append([]string{p.Path}, p.Links...) {
			if seen[name] {
				t.Errorf("two programs are called %s", name)
			}
			seen[name] = true
		}
	}
	for _, name := range strings.Fields("bash sh ls cat grep sed awk find xargs tar gzip make diff patch jq sqlite3 ps pgrep kill file strings hexdump which less column tput envsubst pstree zcat zgrep bzgrep xzgrep getopt rev") {
		if !seen["/usr/bin/"+name] || !seen["/bin/"+name] {
			t.Errorf("no %s in both /usr/bin and /bin", name)
		}
	}
}

func TestEval(t *testing.T) {
	e := newEngine(t)
	sb, err := e.Create(context.Background(), engine.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close() //nolint:errcheck // nothing is written
	r, err := sb.Eval(t.Context(), "bash", "echo $BASH_VERSION")
	if err != nil || !strings.HasPrefix(r.Stdout, Version) {
		t.Errorf("got %q, %v; want bash %s", r.Stdout, err, Version)
	}
}

// The image's files are those that its manifest describes, and every source has its digest and licence.
func TestManifest(t *testing.T) {
	b, err := os.ReadFile("image/MANIFEST.json")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Version string
		Outputs []struct {
			File   string
			Size   int
			SHA256 string
		}
		Sources []map[string]string
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	modules := 0
	for _, p := range Image().Programs {
		if p.Script == nil {
			modules++
		}
	}
	if m.Version != Version || len(m.Outputs) != modules+2+len(Image().Layers) { // the scripts are one file, and programs.txt is another
		t.Fatalf("version %s, %d outputs; the image is %s and has %d modules", m.Version, len(m.Outputs), Version, modules)
	}
	for _, o := range m.Outputs {
		content, err := os.ReadFile(filepath.Join("image", o.File))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != o.SHA256 || len(content) != o.Size {
			t.Errorf("%s is not what the manifest says", o.File)
		}
	}
	sums := map[string]string{}
	for _, o := range m.Outputs {
		sums[o.File] = o.SHA256
	}
	for line := range strings.Lines(programs) {
		if f := strings.Fields(line); len(f) < 3 || f[1] != "script" && f[1] != "data" && f[1] != sums[f[0]+".wasm.zst"] {
			t.Errorf("programs.txt: %q: the module's digest is %q", line, sums[f[0]+".wasm.zst"])
		}
	}
	for _, s := range m.Sources {
		for _, key := range []string{"package", "version", "sha256", "licence", "upstream"} {
			if s[key] == "" {
				t.Errorf("source %v has no %s", s, key)
			}
		}
	}
}
