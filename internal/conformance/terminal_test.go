package conformance

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/shell"
)

// flood is somebody who types without end, control characters included, once there is something to be seen.
type flood struct {
	begin chan struct{} // closed by the first Write
	once  sync.Once
	shown atomic.Int64 // bytes
}

func (f *flood) Write(b []byte) (int, error) {
	f.once.Do(func() { close(f.begin) })
	f.shown.Add(int64(len(b)))
	return len(b), nil
}

func (f *flood) Read(b []byte) (int, error) {
	<-f.begin
	for i := range b {
		b[i] = "yes\n\x03\x1a\x1c\x04"[i%8]
	}
	return len(b), nil
}

// floodedTerminal changes modes, size and foreground of a terminal while it is written to.
const floodedTerminal = `set -m; trap : INT QUIT TSTP WINCH TTIN TTOU HUP
while :; do stty raw -echo; stty sane; stty -icanon min 0 time 0; stty -isig; stty sane; done 2>/dev/null &
yes 2>/dev/null &
cat > /dev/null &
echo begin
for ((i=0; ; i++)); do read -t 0.01 x; (kill -TTIN 0) & fg %1; stty rows $((i % 60000)) cols 3; done 2>/dev/null`

// TestTerminalFlood floods a terminal from both sides: it ends at a limit, the sandbox lives on, and nothing of it is left in
// the host afterwards.
func TestTerminalFlood(t *testing.T) {
	e, err := engine.New(engine.Config{Images: []engine.Image{shell.Image()}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close() //nolint:errcheck // sandboxes are closed before
	before := runtime.NumGoroutine()
	sb, err := e.Create(t.Context(), engine.Spec{Limits: engine.Limits{Wall: 3 * time.Second, Output: 4 << 20, Processes: 40}})
	if err != nil {
		t.Fatal(err)
	}
	f := &flood{begin: make(chan struct{})}
	p, err := sb.Start(t.Context(), engine.Command{
		Args: []string{"bash", "-c", floodedTerminal}, Stdin: f, Stdout: f, TTY: &engine.TTY{Rows: 24, Cols: 80},
	})
	if err != nil {
		t.Fatal(err)
	}
	resizeToTheEnd(p)
	end, err := p.Wait()
	f.once.Do(func() { close(f.begin) }) // if nothing was seen
	if errors.Is(err, engine.ErrInternal) {
		t.Error(err)
	}
	t.Logf("status %d, %v, %d bytes shown", end.ExitCode, err, f.shown.Load())
	r, err := sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", "echo alive"}})
	if err != nil || r.Stdout != "alive\n" {
		t.Errorf("afterwards: %q, %v", r.Stdout, err)
	}
	if err := sb.Close(); err != nil {
		t.Error(err)
	}
	settled(t, before)
}

func resizeToTheEnd(p *engine.Process) {
	for rows := uint16(0); ; rows++ {
		select {
		case <-p.Done():
			return
		case <-time.After(time.Millisecond):
			p.Resize(rows, 1000-rows)
		}
	}
}
