package wasi

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/vfs"
)

// as makes a guest of another Host; memory and program are the first one's.
func (g *guest) as(h *Host) *guest {
	g.t.Cleanup(func() {
		if err := h.Close(); err != nil {
			g.t.Errorf("close: %v", err)
		}
	})
	other := *g
	other.host, other.ctx = h, Bind(g.t.Context(), h)
	return &other
}

// open says which of the first numbers are open.
func (g *guest) openNumbers() string {
	var b strings.Builder
	for fd := range 16 {
		if g.call("fd_flags_get", fd, outPtr) == errSuccess {
			b.WriteByte("0123456789abcdef"[fd])
		}
	}
	return b.String()
}

func TestForkSharesDescriptions(t *testing.T) {
	g := newFixture(t)
	child := g.as(g.host.Fork(Config{}))
	if got := child.openNumbers(); got != "0123456789a" {
		t.Errorf("open in the child: %s", got)
	}
	g.scan(fdFile, 2)
	if s, _ := child.scan(fdFile, 2); s != "ll" {
		t.Errorf("the child has an offset of its own: %q", s)
	}
	child.must("fd_close", fdFile)
	if s, _ := g.scan(fdFile, 2); s != "o" {
		t.Errorf("the child has closed its parent's file: %q", s)
	}
	// A pipe ends with its last writer.
	g.must("fd_close", fdWriter)
	g.must("fd_fdstat_set_flags", fdReader, int(flagNonblock))
	if _, e := g.scan(fdReader, 1); e != errAgain {
		t.Errorf("the child has the writing end: %v", e)
	}
	child.must("fd_close", fdWriter)
	if _, e := g.scan(fdReader, 1); e != errSuccess {
		t.Errorf("nobody has the writing end: %v", e)
	}
}

func TestSpawnActions(t *testing.T) {
	for _, c := range []struct {
		name    string
		actions []FileAction
		want    string
		err     errno
	}{
		{"none", nil, "0123456789", 0}, // a closes on execution
		{"close", []FileAction{{Op: FileClose, FD: fdDir}, {Op: FileClose, FD: fdClosed}}, "012346789", 0},
		{"dup2 clears the flag", []FileAction{{FileDup2, 10, 10}}, "0123456789a", 0},
		{"dup2 to a free number", []FileAction{{FileDup2, 10, 14}}, "0123456789e", 0},
		{"swap", []FileAction{{FileDup2, 0, 12}, {FileDup2, 1, 0}, {FileDup2, 12, 1}, {Op: FileClose, FD: 12}}, "0123456789", 0},
		{"only listed", []FileAction{{FileDup2, 4, 0}, {FileDup2, 1, 1}, {Op: FileOnlyListed}}, "013", 0},
		{"dup2 of what is closed", []FileAction{{FileDup2, fdClosed, 1}}, "", errBadf},
		{"dup2 out of range", []FileAction{{FileDup2, 1, 1024}}, "", errBadf},
		{"unknown", []FileAction{{Op: 3}}, "", errInval},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newFixture(t)
			g.must("fd_flags_set", 10, makeCloexec)
			h, err := g.host.Spawn(Config{Args: []string{"child"}}, c.actions)
			if errnoOf(err) != c.err {
				t.Fatalf("%v, want %v", err, c.err)
			}
			if err != nil {
				return
			}
			if got := g.as(h).openNumbers(); got != c.want {
				t.Errorf("open in the child: %s, want %s", got, c.want)
			}
			if got := g.openNumbers(); got != "0123456789a" {
				t.Errorf("open in the parent: %s", got)
			}
		})
	}
	g := newFixture(t)
	if _, err := g.host.Spawn(Config{Args: []string{strings.Repeat("x", maxArguments)}}, nil); errnoOf(err) != err2big {
		t.Errorf("long arguments: %v", err)
	}
}

// TestProgramFindsPreopens executes a program whose predecessor has put the root
// elsewhere and something else in its place, or closed it.
func TestProgramFindsPreopens(t *testing.T) {
	for _, prepare := range []func(g *guest){
		func(*guest) {},
		func(g *guest) { g.must("fd_close", fdRoot) },
		func(g *guest) {
			g.must("fd_dup", fdRoot, 100, makeCloexec, outPtr)
			g.must("fd_dup2", fdFile, fdRoot, 0)
		},
		func(g *guest) {
			for fd := range 20 {
				g.call("fd_close", fd)
			}
		},
	} {
		g := newFixture(t)
		prepare(g)
		if err := g.host.Exec([]string{"other"}, nil, "/d"); err != nil {
			t.Fatal(err)
		}
		root := uint32(3)
		for ; ; root++ { // as C libraries do
			if e := g.call("fd_prestat_get", root, outPtr); e != errSuccess {
				t.Fatalf("no root found up to %d: %v", root, e)
			}
			if g.uint32(outPtr) == preopenDirectory {
				break
			}
		}
		g.must("path_filestat_get", root, 0, "f", outPtr)
		if g.must("proc_cwd_get", bufPtr, 10, outPtr); g.read(bufPtr, 2) != "/d" {
			t.Errorf("working directory %q", g.read(bufPtr, 2))
		}
	}
}

func TestExecFailureChangesNothing(t *testing.T) {
	g := newFixture(t)
	g.must("fd_flags_set", fdFile, makeCloexec)
	for _, err := range []error{
		g.host.Exec([]string{"a\x00"}, nil, "/"),
		g.host.Exec(nil, []string{"noequals"}, "/"),
		g.host.Exec(nil, nil, "relative"),
	} {
		if err == nil {
			t.Error("a bad program was accepted")
		}
	}
	if g.must("args_sizes_get", outPtr, outPtr+4); g.uint32(outPtr) != 2 {
		t.Errorf("%d arguments", g.uint32(outPtr))
	}
	g.must("fd_tell", fdFile, outPtr)
}

// TestDescriptorsOpenAgain makes a Host from what another tells of itself.
func TestDescriptorsOpenAgain(t *testing.T) {
	g := newFixture(t)
	g.must("fd_dup", fdFile, 0, makeCloexec, outPtr)
	copied := g.uint32(outPtr)
	g.print(fdWriter, "in the pipe")
	list := g.host.Descriptors()
	for i := range list { // as in a clone of the tree
		switch list[i].Kind {
		case KindFile:
			list[i].File = g.reopen("/f", list[i].Writable)
		case KindDirectory:
			list[i].File = g.reopen("/d", false)
		}
	}
	h, err := NewHost(Config{Tree: g.tree, Descriptors: list})
	if err != nil {
		t.Fatal(err)
	}
	again := g.as(h)
	if a, b := g.openNumbers(), again.openNumbers(); a != b {
		t.Errorf("open: %s, was %s", b, a)
	}
	for fd := range uint32(12) {
		base, inheriting := g.rights(fd)
		base2, inheriting2 := again.rights(fd)
		if base != base2 || inheriting != inheriting2 {
			t.Errorf("%d: rights %x %x, were %x %x", fd, base2, inheriting2, base, inheriting)
		}
	}
	again.scan(fdFile, 2)
	if s, _ := again.scan(copied, 2); s != "ll" {
		t.Errorf("the copy has its own offset: %q", s)
	}
	if again.must("fd_flags_get", copied, outPtr); again.uint32(outPtr) != makeCloexec {
		t.Error("close-on-exec is lost")
	}
	g.print(fdWriter, "!")
	if s, _ := again.scan(fdReader, 100); s != "in the pipe" {
		t.Errorf("in the pipe: %q", s)
	}
	again.must("fd_close", fdWriter)
	if s, e := again.scan(fdReader, 100); s != "" || e != errSuccess {
		t.Errorf("after the pipe's end: %q %v", s, e)
	}
}

func (g *guest) reopen(path string, write bool) *vfs.File {
	flags := vfs.O_NOFOLLOW
	if write {
		flags |= 2 // os.O_RDWR
	}
	f, err := g.tree.OpenFile(path, flags, 0)
	if err != nil {
		g.t.Fatal(err)
	}
	return f
}

func TestBadDescriptors(t *testing.T) {
	tree := vfs.New(vfs.Config{})
	dir, err := tree.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	for name, list := range map[string][]Descriptor{
		"negative":     {{Number: -1, Kind: KindStdin}},
		"out of range": {{Number: 1024, Kind: KindStdin}},
		"twice":        {{Kind: KindStdin}, {Kind: KindStdin}},
		"no kind":      {{}},
		"no File":      {{Kind: KindFile}},
		"wrong File":   {{Kind: KindFile, File: dir}},
		"writable":     {{Kind: KindDirectory, File: dir, Writable: true}},
		"full pipe":    {{Kind: KindPipeReader, Buffered: make([]byte, pipeSize+1)}},
	} {
		if h, err := NewHost(Config{Tree: tree, Descriptors: list}); err == nil {
			h.Close()
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := dir.Info(); err != nil {
		t.Errorf("the File was closed: %v", err)
	}
}

// fakeSignals has one signal at a time.
type fakeSignals struct {
	pending          chan struct{}
	handled, restart bool
	raised           []int
	delivered        int
}

func newFakeSignals(handled, restart bool) *fakeSignals {
	return &fakeSignals{pending: make(chan struct{}, 1), handled: handled, restart: restart}
}

func (s *fakeSignals) Pending() bool { return len(s.pending) > 0 }

func (s *fakeSignals) Deliver(context.Context) (handled, restart bool) {
	<-s.pending
	s.delivered++
	return s.handled, s.restart
}

func (s *fakeSignals) Raise(signal int) { s.raised = append(s.raised, signal) }

// TestSignalInterrupts sends a signal to a guest that waits, and then what it waits for.
func TestSignalInterrupts(t *testing.T) {
	for _, c := range []struct {
		call             string
		handled, restart bool
		want             errno
	}{
		{"read", true, false, errIntr},
		{"read", true, true, errSuccess},
		{"read", false, true, errSuccess},
		{"poll", true, true, errIntr},
		{"poll", false, true, errSuccess},
		{"service", true, false, errIntr},
		{"service", true, true, errSuccess},
	} {
		signals := newFakeSignals(c.handled, c.restart)
		waiting := make(chan struct{})
		g := newGuest(t, Config{Signals: signals, Services: func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
			if signals.delivered > 0 {
				return nil, nil
			}
			close(waiting)
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}})
		g.must("fd_pipe", 0, outPtr)
		r, w := g.uint32(outPtr), g.uint32(outPtr+4)
		end, _ := g.host.files.get(w)
		done := make(chan errno)
		go func() {
			switch c.call {
			case "read":
				_, e := g.scan(r, 1)
				done <- e
			case "poll":
				g.mod.Memory().WriteByte(subPtr+8, byte(eventFdRead))
				g.mod.Memory().WriteUint32Le(subPtr+16, r)
				done <- g.call("poll_oneoff", subPtr, bufPtr, 1, outPtr)
			case "service":
				done <- g.call("host_call", "x", "", outPtr)
			}
		}()
		if c.call == "service" {
			<-waiting
		}
		signals.pending <- struct{}{}
		g.host.Interrupt()
		if c.want == errSuccess && c.call != "service" {
			for signals.pending <- struct{}{}; len(signals.pending) > 0; { // wait for the delivery of the first
				g.host.Interrupt()
			}
			if _, err := end.object.(*PipeWriter).Write([]byte("x")); err != nil {
				t.Error(err)
			}
		}
		if e := <-done; e != c.want {
			t.Errorf("%s, handled %v, restart %v: %v, want %v", c.call, c.handled, c.restart, e, c.want)
		}
	}
}

// TestServiceSaysEINTR makes sure that what a service answers can't keep a call going.
func TestServiceSaysEINTR(t *testing.T) {
	for _, signals := range []Signals{nil, newFakeSignals(true, false)} {
		for _, err := range []error{EINTR, ERESTART} {
			calls := 0
			g := newGuest(t, Config{Signals: signals, Services: func(context.Context, string, []byte) ([]byte, error) {
				if calls++; calls > 1 && err == ERESTART {
					return nil, nil // it asked for another call
				}
				return nil, err
			}})
			want := errIntr
			if signals != nil && err == ERESTART {
				want = errSuccess
			}
			g.want(want, "host_call", "x", "", outPtr)
			if calls > 2 {
				t.Errorf("%v: %d calls", err, calls)
			}
		}
	}
}

// TestBrokenPipe expects the signal that a write nobody can read brings.
func TestBrokenPipe(t *testing.T) {
	signals := newFakeSignals(true, false)
	g := newGuest(t, Config{Signals: signals})
	g.must("fd_pipe", 0, outPtr)
	r, w := g.uint32(outPtr), g.uint32(outPtr+4)
	g.must("fd_close", r)
	if _, e := g.print(w, "x"); e != errPipe {
		t.Errorf("%v", e)
	}
	if len(signals.raised) != 1 || signals.raised[0] != signalPipe {
		t.Errorf("raised %v", signals.raised)
	}
}

// TestRaise translates preview 1's numbers of signals.
func TestRaise(t *testing.T) {
	signals := newFakeSignals(true, false)
	g := newGuest(t, Config{Signals: signals})
	for sig, want := range map[int]int{1: 1, 15: 15, signalChld: 17, signalStop: 19, signalWinch: 28, lastSignal: 31} {
		signals.raised = nil
		g.must("proc_raise", sig)
		if len(signals.raised) != 1 || signals.raised[0] != want {
			t.Errorf("%d raises %v, want %d", sig, signals.raised, want)
		}
	}
	signals.raised = nil
	g.must("proc_raise", signalNone)
	g.want(errInval, "proc_raise", lastSignal+1)
	if len(signals.raised) != 0 {
		t.Errorf("raised %v", signals.raised)
	}
}

func TestPreopens(t *testing.T) {
	tree := vfs.New(vfs.Config{})
	if err := errors.Join(tree.MkdirAll("/a/b", 0o777), tree.WriteFile("/a/b/f", nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	g := newGuest(t, Config{Tree: tree, Preopens: []Preopen{{Path: "/a/b", Name: "fs-tests.dir"}, {Path: "/"}}})
	for fd, want := range map[uint32]string{3: "fs-tests.dir", 4: "/"} {
		g.must("fd_prestat_get", fd, outPtr)
		n := g.uint32(outPtr + 4)
		g.must("fd_prestat_dir_name", fd, bufPtr, n)
		if got := g.read(bufPtr, n); got != want {
			t.Errorf("%d is %q, want %q", fd, got, want)
		}
	}
	g.want(errBadf, "fd_prestat_get", 5, outPtr)
	g.must("path_filestat_get", 3, 0, "f", outPtr)
	g.want(errPerm, "path_filestat_get", 3, 0, "../b/f", outPtr)
	g.must("path_filestat_get", 4, 0, "a/b/f", outPtr)
	for _, bad := range []Preopen{{Path: "/missing"}, {Path: "/a/b/f"}, {Path: "/", Name: "a\x00"}} {
		if h, err := NewHost(Config{Tree: tree, Preopens: []Preopen{bad}}); err == nil {
			h.Close()
			t.Errorf("%v: accepted", bad)
		}
	}
}
