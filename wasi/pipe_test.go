package wasi

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"sync"
	"testing"
	"testing/synctest"
)

func TestPipeCarriesBytes(t *testing.T) {
	r, w := NewPipe()
	want := make([]byte, 5*pipeSize+123)
	for i := range want {
		want[i] = byte(i * i >> 7)
	}
	var sent sync.WaitGroup
	sent.Go(func() {
		for rest, n := want, 1; len(rest) > 0; n = n*3 + 1 {
			n = min(n, len(rest))
			if _, err := w.Write(rest[:n]); err != nil {
				t.Error(err)
			}
			rest = rest[n:]
		}
		w.Close()
	})
	var got []byte
	for buf, n := make([]byte, 2*pipeSize), 1; ; n = n%len(buf)*5 + 1 {
		m, err := r.Read(buf[:min(n, len(buf))])
		got = append(got, buf[:m]...)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	sent.Wait()
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes arrived, not the %d sent", len(got), len(want))
	}
}

// TestPipeAtomicWrites writes lines from many goroutines at a time.
func TestPipeAtomicWrites(t *testing.T) {
	r, w := NewPipe()
	var writers sync.WaitGroup
	const lines = 100
	for c := byte('a'); c < 'e'; c++ {
		writers.Go(func() {
			line := append(bytes.Repeat([]byte{c}, pipeAtomic-1), '\n')
			for range lines {
				if _, err := w.Write(line); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() { // ends with the writers
		writers.Wait()
		w.Close()
	}()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for line := range bytes.Lines(all) {
		if count++; len(line) != pipeAtomic || bytes.Count(line, line[:1]) != pipeAtomic-1 {
			t.Fatalf("line %d is torn", count)
		}
	}
	if count != 4*lines {
		t.Errorf("%d lines", count)
	}
}

func TestPipeNonblock(t *testing.T) {
	r, w := NewPipe()
	b := make([]byte, 2*pipeSize)
	if n, err := r.read(t.Context(), b, true); n != 0 || err != errAgain {
		t.Errorf("empty: %d %v", n, err)
	}
	if n, err := w.write(t.Context(), b, true); n != pipeSize || err != nil {
		t.Errorf("more than there is room for: %d %v", n, err)
	}
	if n, err := w.write(t.Context(), b, true); n != 0 || err != errAgain {
		t.Errorf("full: %d %v", n, err)
	}
	if n, err := r.Read(b[:10]); n != 10 || err != nil {
		t.Errorf("read: %d %v", n, err)
	}
	if n, err := w.write(t.Context(), b[:11], true); n != 0 || err != errAgain {
		t.Errorf("an atomic write that doesn't fit: %d %v", n, err)
	}
	if n, err := w.write(t.Context(), b, true); n != 10 || err != nil {
		t.Errorf("a large write: %d %v", n, err)
	}
}

func TestPipeClose(t *testing.T) {
	r, w := NewPipe()
	w.Write([]byte("last"))
	w.Close()
	if b, err := io.ReadAll(r); string(b) != "last" || err != nil {
		t.Errorf("after the writer's end: %q %v", b, err)
	}
	if _, err := w.Write(nil); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("write to what is closed: %v", err)
	}
	r.Close()
	if _, err := r.Read(nil); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("read from what is closed: %v", err)
	}
	if r.Close() != nil || w.Close() != nil {
		t.Error("a second Close fails")
	}
	r, w = NewPipe()
	r.Close()
	if _, err := w.Write([]byte("x")); err != io.ErrClosedPipe {
		t.Errorf("nobody reads: %v", err)
	}
}

// TestPipeCloseWakes closes each end while the other waits.
func TestPipeCloseWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := NewPipe()
		done := make(chan error)
		go func() {
			_, err := r.Read(make([]byte, 1))
			done <- err
		}()
		synctest.Wait()
		w.Close()
		if err := <-done; err != io.EOF {
			t.Errorf("reader: %v", err)
		}
		r, w = NewPipe()
		go func() {
			n, err := w.Write(make([]byte, pipeSize+1))
			if n != pipeSize {
				t.Errorf("%d bytes written", n)
			}
			done <- err
		}()
		synctest.Wait()
		r.Close()
		if err := <-done; err != io.ErrClosedPipe {
			t.Errorf("writer: %v", err)
		}
	})
}

// TestPipesAreBounded makes more pipes than may hold 64 KiB each.
func TestPipesAreBounded(t *testing.T) {
	g := newGuest(t, Config{MaxFiles: 4096})
	child := g.as(g.host.Fork(Config{}))
	const full = maxPipeMemory / pipeSize
	for i := range full + 10 {
		from := g
		if i%2 == 1 {
			from = child
		}
		from.must("fd_pipe", makeNonblock, outPtr)
		w := from.uint32(outPtr + 4)
		d, _ := from.host.files.get(w)
		want := pipeSize
		if i >= full {
			want = pipeAtomic
		}
		if size := d.object.(*PipeWriter).p.size; size != want {
			t.Fatalf("pipe %d holds %d bytes, want %d", i, size, want)
		}
	}
	for _, h := range []*Host{g.host, child.host} {
		h.Close()
	}
	if used := g.host.pipes.used.Load(); used != 0 {
		t.Errorf("%d bytes are counted after all is closed", used)
	}
}
