package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows on a terminal which step is under way, once it takes long. How far a compilation is can't be known,
// so it turns rather than fills.
type progress struct {
	w    io.Writer // nil where nobody watches
	stop chan struct{}
	done sync.WaitGroup

	mu   sync.Mutex
	name string
}

func newProgress(w io.Writer) *progress {
	p := &progress{stop: make(chan struct{})}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.w = w
		p.done.Go(p.turn) // ends with close
	}
	return p
}

// step names the step that begins.
func (p *progress) step(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.name = name
}

func (p *progress) current() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.name
}

// turn shows nothing for the first ticks: most starts are over by then.
func (p *progress) turn() {
	const interval, patience = 100 * time.Millisecond, 5
	t := time.NewTicker(interval)
	defer t.Stop()
	var bar *progressbar.ProgressBar
	for n := 0; ; n++ {
		select {
		case <-p.stop:
			if bar != nil {
				_, _ = io.WriteString(p.w, "\r\x1b[K") // erase the line; the library's Clear leaves a spinner's
			}
			return
		case <-t.C:
		}
		if n < patience || p.current() == "" {
			continue
		}
		if bar == nil {
			bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(p.w), progressbar.OptionSpinnerType(14),
				progressbar.OptionSetElapsedTime(true), progressbar.OptionSetSpinnerChangeInterval(0)) // it turns by Add alone
		}
		bar.Describe(p.current())
		_ = bar.Add(1)
	}
}

func (p *progress) close() {
	close(p.stop)
	p.done.Wait()
}
