package vfs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
)

func openFIFO(t *testing.T, tr *Tree, name string, flag int) *File {
	t.Helper()
	f, err := tr.OpenFile(name, flag, 0)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func fifoTree(t *testing.T) *Tree {
	t.Helper()
	tr := New(Config{})
	t.Cleanup(func() { tr.Close() })
	must(t, tr.Root().Mkfifo("p", 0o666))
	return tr
}

func TestFIFOCarriesData(t *testing.T) {
	tr := fifoTree(t)
	if _, err := tr.OpenFile("p", os.O_WRONLY, 0); !errors.Is(err, ErrNoDevice) {
		t.Fatal("opened for writing without a reader", err)
	}
	r := openFIFO(t, tr, "p", os.O_RDONLY)
	buf := make([]byte, 10)
	if n, err := r.Read(buf); n != 0 || err != io.EOF {
		t.Error("read without writers", n, err)
	}
	w := openFIFO(t, tr, "p", os.O_WRONLY)
	if n, err := r.Read(buf); n != 0 || !errors.Is(err, ErrAgain) {
		t.Error("read of nothing", n, err)
	}
	if _, err := w.WriteString("hello"); err != nil {
		t.Fatal(err)
	}
	if i, _ := tr.Stat("p"); i.Size() != 0 || i.Mode() != fs.ModeNamedPipe|0o666 {
		t.Error(i.Size(), i.Mode())
	}
	if n, err := r.Read(buf[:3]); string(buf[:n]) != "hel" || err != nil {
		t.Error(string(buf[:n]), err)
	}
	must(t, w.Close())
	if n, err := r.Read(buf); string(buf[:n]) != "lo" || err != nil {
		t.Error(string(buf[:n]), err)
	}
	if _, err := r.Read(buf); err != io.EOF {
		t.Error("read after the last writer", err)
	}
	for name, err := range map[string]error{
		"seek":  second(r.Seek(0, io.SeekStart)),
		"pread": second(r.ReadAt(buf, 0)),
	} {
		if !errors.Is(err, ErrNotSeekable) {
			t.Error(name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestFIFOBounds(t *testing.T) {
	tr := fifoTree(t)
	r, w := openFIFO(t, tr, "p", os.O_RDONLY), openFIFO(t, tr, "p", os.O_WRONLY)
	if n, err := w.Write(make([]byte, pipeSize+1)); n != pipeSize || !errors.Is(err, ErrAgain) {
		t.Error("a write of too much", n, err)
	}
	got := make([]byte, pipeAtomic-1)
	must(t, second(io.ReadFull(r, got)))
	if n, err := w.Write(make([]byte, pipeAtomic)); n != 0 || !errors.Is(err, ErrAgain) {
		t.Error("a small write was split", n, err)
	}
	if n, err := w.Write(got); n != len(got) || err != nil {
		t.Error("a write that fits", n, err)
	}
	must(t, r.Close())
	if _, err := w.Write(got); !errors.Is(err, ErrBrokenPipe) || !errors.Is(err, io.ErrClosedPipe) {
		t.Error("a write that nobody reads", err)
	}
	must(t, w.Close())
	if len(tr.pipes) != 0 {
		t.Error("the pipe outlives its users")
	}
	both := openFIFO(t, tr, "p", os.O_RDWR)
	if _, err := both.Read(got); !errors.Is(err, ErrAgain) {
		t.Error("the buffer outlived its users", err)
	}
}

// TestFIFOWaits passes more through a FIFO than it holds, each end waiting for the other.
func TestFIFOWaits(t *testing.T) {
	tr := fifoTree(t)
	ctx := t.Context()
	sent := bytes.Repeat([]byte("0123456789"), 50_000)
	done := make(chan error)
	go func() { // ends when all is written
		w, err := tr.Root().OpenContext(ctx, "p", os.O_WRONLY, 0)
		if err == nil {
			_, err = w.WriteContext(ctx, sent)
			err = errors.Join(err, w.Close())
		}
		done <- err
	}()
	r, err := tr.Root().OpenContext(ctx, "p", os.O_RDONLY, 0)
	must(t, err)
	var got []byte
	buf := make([]byte, 7777)
	for {
		n, err := r.ReadContext(ctx, buf)
		if got = append(got, buf[:n]...); err == io.EOF {
			break
		}
		must(t, err)
	}
	must(t, <-done)
	if !bytes.Equal(got, sent) {
		t.Error("what came is not what was sent", len(got))
	}
}

func TestFIFOWaitsEnd(t *testing.T) {
	stop := errors.New("a signal")
	for name, end := range map[string]func(tr *Tree, f *File, cancel context.CancelCauseFunc){
		"context": func(_ *Tree, _ *File, cancel context.CancelCauseFunc) { cancel(stop) },
		"close":   func(_ *Tree, f *File, _ context.CancelCauseFunc) { f.Close() },
		"tree":    func(tr *Tree, _ *File, _ context.CancelCauseFunc) { tr.Close() },
	} {
		tr := fifoTree(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		f := openFIFO(t, tr, "p", os.O_RDWR)
		done := make(chan error)
		go func() { // ends with the wait
			_, err := f.ReadContext(ctx, make([]byte, 1))
			done <- err
		}()
		end(tr, f, cancel)
		if err := <-done; !errors.Is(err, stop) && !errors.Is(err, fs.ErrClosed) {
			t.Error(name, err)
		}
		cancel(nil)
	}
	tr := fifoTree(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	for _, flag := range []int{os.O_RDONLY, os.O_WRONLY} {
		if _, err := tr.Root().OpenContext(ctx, "p", flag, 0); !errors.Is(err, stop) {
			t.Error("open", flag, err)
		}
	}
	if len(tr.pipes)+tr.opens.len() != 0 {
		t.Error("opens that failed left something open")
	}
}

func TestFIFOPoll(t *testing.T) {
	tr := fifoTree(t)
	r := openFIFO(t, tr, "p", os.O_RDONLY)
	if got, _, err := r.Poll(nil); got != (Readiness{}) || err != nil {
		t.Error("before the first writer", got, err)
	}
	w := openFIFO(t, tr, "p", os.O_WRONLY)
	woken := 0
	if _, _, err := r.Poll(func() { woken++ }); err != nil {
		t.Fatal(err)
	}
	_, stop, err := r.Poll(func() { t.Error("woken after stop") })
	must(t, err)
	stop()
	for range 2 {
		must(t, second(w.WriteString("x")))
	}
	if got, _, _ := r.Poll(nil); woken != 1 || got != (Readiness{Readable: true, Bytes: 2}) {
		t.Error(woken, got)
	}
	if got, _, _ := w.Poll(nil); got != (Readiness{Writable: true}) {
		t.Error(got)
	}
	must(t, w.Close())
	if got, _, _ := r.Poll(nil); got != (Readiness{Readable: true, Hangup: true, Bytes: 2}) {
		t.Error(got)
	}
}

func TestSocketNode(t *testing.T) {
	tr := New(Config{})
	must(t, tr.Root().Mksocket("s", 0o700))
	if _, err := tr.Open("s"); !errors.Is(err, ErrNoDevice) {
		t.Error(err)
	}
	if i, err := tr.Stat("s"); err != nil || !strings.HasPrefix(i.Mode().String(), "Srwx") {
		t.Error(i, err)
	}
	must(t, tr.Remove("s"))
}
