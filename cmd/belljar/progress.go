package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows on a terminal which step is under way. How far a compilation is can't be known, so it turns
// rather than fills.
type progress struct {
	bar  *progressbar.ProgressBar // nil where nobody watches
	stop chan struct{}
	done sync.WaitGroup
}

func newProgress(w io.Writer) *progress {
	p := &progress{stop: make(chan struct{})}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return p
	}
	p.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(w), progressbar.OptionSpinnerType(14),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(true), progressbar.OptionSetVisibility(true))
	return p
}

// step names the step that begins. The first one starts a goroutine that turns the display until close.
func (p *progress) step(name string) {
	if p.bar == nil {
		return
	}
	first := p.bar.State().Description == ""
	p.bar.Describe(name)
	if !first {
		return
	}
	p.done.Go(func() {
		t := time.NewTicker(100 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-t.C:
				_ = p.bar.Add(1)
			}
		}
	})
}

func (p *progress) close() {
	close(p.stop)
	p.done.Wait()
	if p.bar != nil && p.bar.State().Description != "" {
		_ = p.bar.Finish()
		_ = p.bar.Clear()
	}
}
