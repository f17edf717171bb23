package conformance

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

// badGuests are scripts that mean no good. says, unless empty, is what one has to have said on standard output.
var badGuests = []struct{ name, script, says string }{
	{"fork bomb", `b() { b | b & }; b; echo out`, "out"},
	{"fork bomb without end", `f() { f & f; }; f`, ""},
	{"forks beyond the limit", `mkfifo p; (for i in {1..60}; do sleep 60 & done) 2> p & read -r line < p; echo "${line##*: }"; kill -9 $!`, "Resource temporarily unavailable"},
	{"pipe bomb", `x=cat; for i in {1..200}; do x+="|cat"; done; echo a | eval "$x"; echo status $?`, "status"},
	{"descriptors without end", `i=0; while exec {fd}</dev/null && ((i++ < 5000)); do :; done 2>/dev/null; echo stopped`, ""},
	{"yes into head", `yes | head -1`, "y\n"},
	{"a file without end", `cat /dev/zero 2>&1 > f; echo $?; rm f; echo x > g && cat g`, "No space left on device\n1\nx\n"},
	{"files without end", `for ((i=0; i<3000; i++)); do : > f$i || break; done 2>/dev/null; echo at $((i > 900))`, "at 1"},
	{"a variable that doubles", `(x=x; while :; do x=$x$x; done); echo went $(( $? != 0 ))`, "went 1"},
	{"background jobs", `for ((i=0; i<2000; i++)); do sleep 60 & done 2>/dev/null; echo here`, ""},
	{"killing process 1", `kill -9 1 2>/dev/null; echo $?`, "1\n"},
	{"killing all", `sleep 50 & sleep 50 & kill -9 -1; wait; echo alive`, "alive"},
	{"killing itself", `kill -9 $$; echo no`, ""},
	{"killing the parent from a pipeline", `bash -c 'echo a | { kill -9 $PPID; cat; }'; echo $?`, ""},
	{"killing the shell of a pipeline", `bash -c 'echo a | { kill -9 $$; cat; }'; echo $?`, "137\n"},
	{"closing all descriptors", `for i in {0..255}; do eval "exec $i>&-"; done; echo lost`, ""},
	{"executing garbage", `head -c 4096 /dev/urandom > g; chmod +x g; ./g 2>/dev/null; echo $(( $? != 0 ))`, "1\n"},
	{"executing a broken module", `printf '\0asm\1\0\0\0garbage' > g; chmod +x g; ./g 2>/dev/null; echo $(( $? != 0 ))`, "1\n"},
	{"executing a forged program", `{ printf '\0asm\1\0\0\0\0\130\27belljar.program sha256:'; printf 0%.0s {1..64}; } > g; chmod +x g; ./g 2>/dev/null; echo $(( $? != 0 ))`, "1\n"},
	{"executing a folder", `mkdir d; ./d 2>/dev/null; echo $?; (exec ./d) 2>/dev/null; echo $?`, "126\n126\n"},
	{"executing a file of 1 GB", `truncate -s 1G g; printf '\0asm\1\0\0\0' | dd of=g conv=notrunc 2>/dev/null; stat -c %s g; chmod +x g; ./g 2>/dev/null; echo $(( $? != 0 ))`, "1073741824\n1\n"},
	{"interpreters in a ring", `printf '#!./b\n' > a; printf '#!./a\n' > b; chmod +x a b; ./a 2>/dev/null; echo $?`, "126\n"},
	{"an interpreter that is itself", `printf '#!./a\n' > a; chmod +x a; ./a 2>/dev/null; echo $(( $? != 0 ))`, "1\n"},
	{"links in a ring", `ln -s a b; ln -s b a; cat a 2>/dev/null; echo $?; PATH=$PWD/a:$PATH; ls > /dev/null; echo $?`, "1\n0\n"},
	{"a deep chain of links in PATH", `ln -s . l0; for ((i=1; i<60; i++)); do ln -s l$((i-1)) l$i; done; PATH=$PWD/l59:$PATH ls > /dev/null; echo $?`, "0\n"},
	{"a long argument list", `x=$(printf '%0100000d' 0); /bin/echo $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x > /dev/null 2>&1; echo $?`, ""},
	{"deep folders", `for ((i=0; i<60; i++)); do mkdir d && cd d || break; done 2>/dev/null; cd; rm -rf d; ls -d d 2>/dev/null; echo $?`, "2\n"},
	{"signals while it reads", `trap 'echo hit' USR1; (for i in 1 2 3; do sleep 0.05; kill -USR1 $$; done) & read -t 1 x < <(sleep 2); echo on`, "on"},
	{"a signal while it waits for input", `mkfifo p; exec 3<>p; trap 'echo hit' USR1; (sleep 0.1; kill -USR1 $$; sleep 0.1; echo in >&3) & read x <&3; echo $x`, "hit\nin\n"},
	{"a signal storm", `trap : USR1; for i in {1..20}; do (for j in {1..50}; do kill -USR1 $$; done) & done; wait; wait; echo calm`, ""},
	{"stopping itself", `(sleep 0.2; kill -CONT $$) & kill -STOP $$; echo on`, "on"},
	{"an endless loop", `while :; do :; done`, ""},
	{"output without end", `while :; do echo flood; done`, ""},
	{"recursion without end", `f() { f; }; f`, ""},
	{"source of itself", `echo '. ./s' > s; . ./s`, ""},
	{"substitutions without end", `f() { echo $(f); }; f`, ""},
	{"zombies", `for i in {1..40}; do (exit 0) & done; exec sleep 0.1`, ""},
	{"orphans", `(sleep 30 & sleep 30 & sleep 30 &) ; echo left`, "left"},
	{"a pipe that nobody reads", `(sleep 1) | head -c 1000000 /dev/zero; echo done`, "done"},
	{"a FIFO that nobody opens", `mkfifo p; timeout 0.3 cat p; echo $?`, "124\n"},
	{"limits of its own", `(ulimit -v 1000; x=$(printf '%01000000d' 0)) 2>/dev/null; echo on`, "on"},
	{"writing to /proc and /dev", `for f in /proc/self/status /proc/1/cmdline /dev/tty /dev/full; do echo x > $f; done 2>/dev/null; rm -rf /proc /dev /bin 2>/dev/null; ls -d /bin`, "/bin\n"},
	{"removing all it can", `rm -rf --no-preserve-root / 2>/dev/null; echo gone`, "gone"},
	{"a regular expression that explodes", `timeout 3 grep -E '^(a+)+(a+)+(a+)+$' <<< aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab; echo on`, "on"},
	{"braces that explode", `(echo {1..100}{1..100}{1..100}{1..10} | wc -c) > /dev/null 2>&1; echo on`, ""},
	{"a hundred thousand background jobs", `for ((i=0; i<100000; i++)); do : & done 2>/dev/null; echo here`, ""},
	{"replacing itself without end", `echo 'exec bash ./s' > s; exec bash ./s`, ""},
	{"ignoring all signals", `trap '' {1..64}; (trap '' {1..64}; while :; do :; done) & while :; do :; done`, ""},
	{"leaving its session", `setsid bash -c 'trap "" HUP TERM INT; while :; do sleep 1; done' & disown; nohup sleep 100 >/dev/null 2>&1 & echo left`, "left"},
	{"stopping all", `sleep 50 & sleep 50 & kill -STOP -1; kill -CONT -1; kill -KILL 0`, ""},
	{"killing its group", `sleep 50 & kill 0; echo no`, ""},
	{"reading all of /proc", `for i in 1 2 3; do sleep 5 & done; find /proc -type f 2>/dev/null | head -2000 | xargs -n50 timeout 2 cat 2>/dev/null | wc -c > n; [ -s n ] && echo read`, "read"},
	{"copying /proc", `timeout 2 cp -r /proc p 2>/dev/null; ls -R p 2>/dev/null | head -1 > /dev/null; echo on`, "on"},
	{"changing /proc", `mkdir /proc/x; rm -rf /proc/1 /proc/self; mv /proc/1 p; ln /proc/1/status l; ln -s x /proc/y; : > /proc/1/mem; chmod 777 /proc/1; touch /proc/self/fd/99; [ -d /proc/1 ] && echo there`, "there"},
	{"/proc in rings", `p=/proc/self/root; for i in {1..30}; do p+=/proc/self/cwd/proc/self/root; done; cd $p && pwd -P; ls $p/proc/self/fd > /dev/null; cat /proc/self/fd/0 < /proc/self/fd 2>/dev/null; echo on`, "on"},
	{"/proc of those who die", `for i in {1..30}; do (exit 0) & cat /proc/[0-9]*/{stat,status,cmdline,environ,comm,maps} /proc/[0-9]*/fd/* 2>/dev/null < /dev/null | wc -c >/dev/null; done; echo on`, "on"},
	{"descriptors of descriptors", `exec 3</dev/fd/0 4</dev/fd/3 5</proc/self/fd/4; for i in {1..300}; do exec {x}</dev/fd/5 || break; done 2>/dev/null; exec 1>&- 2>&-; echo x; exit 3`, ""},
	{"globs that explode", `mkdir {a..j}; for d in ?; do mkdir $d/{a..j}; done; echo */../*/../*/../*/../*/../*/.. | wc -c; echo on`, ""},
	{"a file's name of 300 bytes, and a path of 5,000", `: > $(printf %0300d 0); mkdir -p $(printf 'd/%.0s' {1..2500}); cat $(printf 'd/%.0s' {1..2500})f; echo on`, "on"},
	{"moving a folder into itself", `mkdir -p a/b; mv a a/b; mv a/b/../.. x; cd a/b; rm -rf ../../a; pwd; ls; mkdir c; echo on`, "on"},
	{"links without end", `: > f; for ((i=0; i<3000; i++)); do ln f l$i || break; done 2>/dev/null; echo at $((i > 500))`, "at 1"},
	{"a link that changes under way", `mkdir d; : > d/f; (while :; do ln -sfn /etc l; ln -sfn d l; done) & for i in {1..200}; do : < l/f; : > l/g; rm -rf l/h; done 2>/dev/null; kill $!; ls /etc/passwd`, "/etc/passwd\n"},
	{"locks that wait for each other", `: > a; : > b; (flock 3; sleep 0.1; timeout 1 flock b true; echo $?) 3< a & (flock 3; sleep 0.1; timeout 1 flock a true) 3< b; wait; echo on`, "on"},
	{"FIFOs that wait for each other", `mkfifo a b; cat a > b & timeout 1 bash -c 'cat b > a'; echo on`, "on"},
	{"a million variables", `for ((i=0; i<1000000; i++)); do export v$i=$i; done; /bin/true; echo $?`, ""},
	{"a width of two billion", `timeout 2 bash -c "printf '%2000000000d' 1" > /dev/null; (printf -v x '%2000000000s' y) 2>/dev/null; echo on`, "on"},
	{"arrays that end far away", `a[2147483647]=1; a[9223372036854775807]=2; for k in {1..20000}; do a[k*1000]=1; done; echo ${#a[@]}`, "2000"},
	{"lines without end", `timeout 1 bash -c 'read x < <(yes | tr -d "\n")'; timeout 1 bash -c 'mapfile < /dev/zero'; timeout 1 sort /dev/zero 2>/dev/null; echo on`, "on"},
	{"tools that grow", `timeout 1 awk 'BEGIN { while (1) a[i++] = i }'; echo a | timeout 1 sed ':a;s/.*/&&/;ba'; timeout 1 jq -n '[range(1e9)]'; echo on`, "on"},
	{"archives that grow", `head -c 100000000 /dev/zero | gzip > z.gz; gzip -dc z.gz > z; echo $?; ls -l z | awk '{print ($5 < 20000000)}'`, "1\n1\n"},
	{"archives that climb", `mkdir d; echo x > d/x; tar -cPf t.tar --transform 's,^d,../../../../tmp/climbed,' d; cd d; tar -xf ../t.tar 2>/dev/null; ls /tmp/climbed 2>/dev/null; echo on`, "on"},
	{"makefiles that call themselves", `printf 'all:\n\t@$(MAKE) -j4 all all2\nall2:\n\t@$(MAKE) all\n' > Makefile; make -j4 2>/dev/null; echo $(( $? != 0 ))`, ""},
	{"connections to itself", `for i in {1..300}; do exec {x}<>/dev/tcp/127.0.0.1/1 || exec {x}<>/dev/udp/127.0.0.1/9; done 2>/dev/null; echo on`, "on"},
	{"a chain of timeouts", `t=; for i in {1..60}; do t+='timeout 2 '; done; $t sleep 1; echo on`, "on"},
	{"sparse and huge", `truncate -s 100T f 2>/dev/null; dd if=/dev/zero of=g bs=1 count=1 seek=900G 2>/dev/null; echo on`, "on"},
}

// TestBadGuests runs each in a sandbox of its own: it ends, by itself or at a limit, the sandbox lives on, and nothing
// of it is left in the host afterwards.
func TestBadGuests(t *testing.T) {
	e, err := engine.New(engine.Config{Images: []engine.Image{shell.Image()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, g := range badGuests {
		t.Run(g.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			meet(t, e, g.script, g.says)
			settled(t, before)
		})
	}
}

func meet(t *testing.T, e *engine.Engine, script, says string) {
	t.Helper()
	wall := 10 * time.Second
	if says != "" {
		wall = time.Minute // bash waits up to 15 s for a process that it may not have
	}
	sb, err := e.Create(t.Context(), engine.Spec{Limits: engine.Limits{
		Wall: wall, Memory: 256 << 20, Disk: 16 << 20, Files: 1000, Processes: 40, Output: 1 << 20,
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close() //nolint:errcheck // the checks below count
	r, err := sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", script}})
	if errors.Is(err, engine.ErrInternal) {
		t.Fatal(err)
	}
	if says != "" && !strings.Contains(r.Stdout, says) {
		t.Errorf("said %.200q, not %q; %v %.300s", r.Stdout, says, err, r.Stderr)
	}
	for _, p := range sb.Processes() {
		_ = sb.Signal(p.PID, engine.SIGKILL) // it may have ended by now
	}
	for deadline := time.Now().Add(20 * time.Second); len(sb.Processes()) > 0 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	r, err = sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", "echo alive"}, Dir: "/"})
	if err != nil || r.Stdout != "alive\n" {
		t.Errorf("afterwards: %q, %v", r.Stdout, err)
	}
	if err := sb.Close(); err != nil {
		t.Error(err)
	}
}

// settled fails the test unless there are soon no more goroutines than before.
func settled(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines, %d before\n%s", n, before, buf[:runtime.Stack(buf, true)])
	}
}

// TestCloseEndsAll closes a sandbox of many live processes.
func TestCloseEndsAll(t *testing.T) {
	e, err := engine.New(engine.Config{Images: []engine.Image{shell.Image()}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close() //nolint:errcheck // sandboxes are closed before
	before := runtime.NumGoroutine()
	closeBusy(t, e)
	settled(t, before)
}

const manyProcesses = 100

// closeBusy makes a sandbox with manyProcesses processes, half of which wait, and answers how long its Close took.
func closeBusy(tb testing.TB, e *engine.Engine) time.Duration {
	tb.Helper()
	sb, err := e.Create(tb.Context(), engine.Spec{Limits: engine.Limits{Processes: manyProcesses + 10, Memory: 2 << 30}})
	if err != nil {
		tb.Fatal(err)
	}
	script := fmt.Sprintf("for ((i=0; i<%d; i++)); do sleep 100 & (while :; do :; done) & done; echo ready", manyProcesses/2)
	if r, err := sb.Run(tb.Context(), engine.Command{Args: []string{"bash", "-c", script}}); err != nil || r.Stdout != "ready\n" {
		tb.Fatal(r, err)
	}
	if n := len(sb.Processes()); n < manyProcesses {
		tb.Errorf("%d processes live", n)
	}
	start := time.Now()
	if err := sb.Close(); err != nil {
		tb.Error(err)
	}
	return time.Since(start)
}

// BenchmarkCloseBusy closes a sandbox with 100 live processes.
func BenchmarkCloseBusy(b *testing.B) {
	e, err := engine.New(engine.Config{Images: []engine.Image{shell.Image()}})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close() //nolint:errcheck // sandboxes are closed before
	var total time.Duration
	for b.Loop() {
		total += closeBusy(b, e)
	}
	b.ReportMetric(float64(total.Milliseconds())/float64(b.N), "ms/close")
}
