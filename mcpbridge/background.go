package mcpbridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/belljar-dev/belljar/engine"
)

const (
	// maxBackground bounds the programs of a sandbox that are known after they were started; of those that have ended the
	// oldest is forgotten.
	maxBackground = 32
	// keptOutput is how much of a program's output is kept, the last bytes.
	keptOutput = 1 << 20
)

// programs are those that run_command has started in the background, by sandbox.
type programs struct {
	mu    sync.Mutex
	boxes map[box][]*background
}

// box is a sandbox of an owner.
type box struct{ owner, name string }

// background is a program that runs, or has run, in the background.
type background struct {
	process *engine.Process
	command string
	out     *tail
	in      *io.PipeWriter
}

// start starts a command that outlives its call.
func (p *programs) start(ctx context.Context, sb *engine.Sandbox, of box, cmd engine.Command, command string) (*background, error) {
	bg := &background{command: command, out: &tail{changed: make(chan struct{})}}
	var in *io.PipeReader
	in, bg.in = io.Pipe()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, bg.out, bg.out
	if err := p.makeRoom(of); err != nil {
		return nil, err
	}
	process, err := sb.Start(context.WithoutCancel(ctx), cmd) // it ends with the sandbox, or by end
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	bg.process = process
	go func() { // ends with the process
		<-process.Done()
		_ = in.Close() // who writes to it is told
		bg.out.end()
	}()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.boxes[of] = append(p.boxes[of], bg)
	return bg, nil
}

// makeRoom forgets the oldest program that has ended where there are too many.
func (p *programs) makeRoom(of box) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.boxes == nil {
		p.boxes = map[box][]*background{}
	}
	if len(p.boxes[of]) < maxBackground {
		return nil
	}
	i := slices.IndexFunc(p.boxes[of], func(bg *background) bool { return !bg.running() })
	if i < 0 {
		return fmt.Errorf("%d programs run in the background: end one with process signal", maxBackground)
	}
	p.boxes[of] = slices.Delete(p.boxes[of], i, i+1)
	return nil
}

// find answers the program of a PID, the latest one.
func (p *programs) find(of box, pid int) *background {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, bg := range slices.Backward(p.boxes[of]) {
		if bg.process.PID() == pid {
			return bg
		}
	}
	return nil
}

// list answers a sandbox's, the oldest first.
func (p *programs) list(of box) []*background {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.boxes[of])
}

// end ends a sandbox's programs, waits for them and forgets them.
func (p *programs) end(of box) {
	p.mu.Lock()
	all := p.boxes[of]
	delete(p.boxes, of)
	p.mu.Unlock()
	for _, bg := range all {
		bg.process.Kill()
	}
	for _, bg := range all {
		<-bg.process.Done()
	}
}

// endOwner ends an owner's programs.
func (p *programs) endOwner(owner string) {
	p.endIf(func(of box) bool { return of.owner == owner })
}

func (p *programs) endIf(match func(box) bool) {
	p.mu.Lock()
	var boxes []box
	for of := range p.boxes {
		if match(of) {
			boxes = append(boxes, of)
		}
	}
	p.mu.Unlock()
	for _, of := range boxes {
		p.end(of)
	}
}

func (bg *background) running() bool {
	select {
	case <-bg.process.Done():
		return false
	default:
		return true
	}
}

// tail keeps the last of what is written to it. It implements io.Writer.
type tail struct {
	mu      sync.Mutex
	kept    []byte
	gone    int64         // bytes before the first that is kept
	changed chan struct{} // closed at the next write, or at the end
	ended   bool
}

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - keptOutput; over > keptOutput/2 { // not at every write
		t.kept = append([]byte(nil), t.kept[over:]...)
		t.gone += int64(over)
	}
	t.wake()
	return len(b), nil
}

func (t *tail) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	t.wake()
}

// wake wakes those who wait. Preconditions: t.mu is held.
func (t *tail) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// since answers what came after a number of bytes, the number for the next call, how many bytes in between are lost, and
// what is closed when there is more.
func (t *tail) since(from int64, most int) (text string, next, lost int64, more <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	end := t.gone + int64(len(t.kept))
	from = min(max(from, 0), end)
	if from < t.gone {
		lost, from = t.gone-from, t.gone
	}
	part := t.kept[from-t.gone:]
	part = part[:min(len(part), most)]
	return strings.ToValidUTF8(string(part), "\uFFFD"), from + int64(len(part)), lost, t.changed
}
