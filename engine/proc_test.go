package engine_test

import (
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

func TestProcesses(t *testing.T) {
	var g unixGuest
	g.step(g.spawn("/bin/sleeper", 0, 1), g.print("ready\n"), g.sleepFor(forever))
	sb := unixSandbox(t, &g, engine.Limits{})
	said := make(chan struct{}, 1)
	p, err := sb.Start(t.Context(), engine.Command{Args: []string{"g", "an argument"}, Dir: "/tmp", Stdout: signalWriter(said)})
	if err != nil {
		t.Fatal(err)
	}
	<-said
	list := sb.Processes()
	if len(list) != 2 || list[0].PID != p.PID() || list[0].Parent != 1 || list[1].Parent != p.PID() ||
		list[1].Group != list[1].PID || list[1].Session != p.PID() || list[0].Dir != "/tmp" || list[0].Args[1] != "an argument" ||
		list[0].Memory != 128<<10 {
		t.Fatalf("got %+v", list)
	}
	dir := "/proc/" + strconv.Itoa(p.PID()) + "/"
	read := func(name string) string {
		b, err := sb.Files().ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
	if got := read(dir + "cmdline"); got != "g\x00an argument\x00" {
		t.Errorf("cmdline %q", got)
	}
	if got := read(dir + "status"); !strings.HasPrefix(got, "Name:\tg\nState:\t") || !strings.Contains(got, "\nPPid:\t1\n") {
		t.Errorf("status %q", got)
	}
	if got := strings.Fields(read(dir + "stat")); len(got) != 52 || got[0] != strconv.Itoa(p.PID()) || got[1] != "(g)" || got[3] != "1" {
		t.Errorf("stat %q", got)
	}
	if got, err := sb.Files().Readlink(dir + "cwd"); got != "/tmp" || err != nil {
		t.Errorf("cwd %q, %v", got, err)
	}
	if got, err := sb.Files().Readlink(dir + "exe"); got != "/bin/g" || err != nil {
		t.Errorf("exe %q, %v", got, err)
	}
	if got, err := sb.Files().Readlink(dir + "fd/3"); got != "/" || err != nil {
		t.Errorf("fd/3 %q, %v", got, err)
	}
	if got := read("/proc/1/comm"); got != "init\n" {
		t.Errorf("comm of process 1: %q", got)
	}
	if got, want := read(dir+"mountinfo"), " / /proc rw - proc proc rw\n"; !strings.HasSuffix(got, want) {
		t.Errorf("mountinfo %q", got)
	}
	uuid := regexp.MustCompile("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n$")
	if one, two := read("/proc/sys/kernel/random/uuid"), read("/proc/sys/kernel/random/uuid"); !uuid.MatchString(one) || one == two {
		t.Errorf("uuids %q, %q", one, two)
	}
	if err := sb.Signal(list[1].PID, engine.SIGTERM); err != nil {
		t.Error(err)
	}
	p.Kill()
	p.Wait()
	if err := sb.Signal(list[0].PID, engine.SIGTERM); err == nil {
		t.Error("a process that is gone took a signal")
	}
	if _, err := sb.Files().Stat(dir); err == nil {
		t.Error("its directory is still there")
	}
}

// Everything below /proc can be read, and nothing there can be changed.
func TestProcWalk(t *testing.T) {
	sb := unixSandbox(t, new(unixGuest), engine.Limits{})
	files := 0
	err := fs.WalkDir(sb.Files().FS(), "proc", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Type() == fs.ModeSymlink {
			return err
		}
		files++
		_, err = fs.ReadFile(sb.Files().FS(), name)
		return err
	})
	if err != nil || files < 10 {
		t.Errorf("%d files, %v", files, err)
	}
	for _, err := range []error{
		sb.Files().WriteFile("/proc/uptime", nil, 0o644), sb.Files().Remove("/proc/1"), sb.Files().MkdirAll("/proc/x/y", 0o755),
	} {
		if err == nil {
			t.Error("/proc was changed")
		}
	}
}

// A process finds itself in /proc/self.
func TestProcSelf(t *testing.T) {
	var g unixGuest
	at, n := g.text("proc/self/cmdline")
	f, _ := unixCall("path_open")
	g.step(
		i32Const(3), i32Const(0), i32Const(at), i32Const(n), i32Const(0), i64Const(2), i64Const(0), i32Const(0), i32Const(outAt),
		call(f), setLocal, getLocal, ifThen(g.exit(getLocal)),
		store(bufferAt, i32Const(1024)), store(bufferAt+4, i32Const(256)), g.must("fd_read", load(outAt), bufferAt, 1, bufferAt+8),
		store(bufferAt+4, load(bufferAt+8)), g.must("fd_write", 1, bufferAt, 1, bufferAt+8))
	if res := runUnix(t, &g); res.ExitCode != 0 || res.Stdout != "g\x00" {
		t.Errorf("got %+v", res)
	}
}
