package eval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// ResultWriter appends verdicts to a file, a JSON line each. A file that was cut short, by a kill or a full disk, goes
// on behind its last whole line. One goroutine at a time may use it.
type ResultWriter struct {
	f    *os.File
	w    *bufio.Writer
	done []Verdict
	seen map[resultKey]bool
}

type resultKey struct {
	task  string
	index int
}

// OpenResults opens a results file, or makes it, and reads what is in it. A file that some other program wrote is an
// error. Close it after use.
func OpenResults(name string) (*ResultWriter, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open results: %w", err)
	}
	w := &ResultWriter{f: f, w: bufio.NewWriter(f), seen: map[resultKey]bool{}}
	if err := w.resume(); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("read results %s: %w", name, err)
	}
	return w, nil
}

// resume reads the verdicts and cuts off half a line at the end.
func (w *ResultWriter) resume() error {
	in := bufio.NewReader(w.f)
	var end int64
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // with what has no newline
		}
		if err != nil {
			return err
		}
		v, err := decodeVerdict(line)
		if err != nil {
			return fmt.Errorf("at byte %d: %w", end, err)
		}
		w.seen[resultKey{v.TaskID, v.Index}] = true
		w.done = append(w.done, v)
		end += int64(len(line))
	}
	if err := w.f.Truncate(end); err != nil {
		return err
	}
	_, err := w.f.Seek(end, io.SeekStart)
	return err
}

func decodeVerdict(line []byte) (Verdict, error) {
	var v Verdict
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, err
	}
	if v.TaskID == "" || v.Outcome == "" {
		return v, errors.New("not a verdict")
	}
	return v, nil
}

// Done answers the verdicts that were in the file when it was opened.
func (w *ResultWriter) Done() []Verdict { return w.done }

// Has reports whether a sample's verdict was in the file when it was opened. It fits Options.Skip.
func (w *ResultWriter) Has(taskID string, index int) bool { return w.seen[resultKey{taskID, index}] }

// Write appends a verdict and hands it to the operating system: a kill of the process loses nothing of it.
func (w *ResultWriter) Write(v Verdict) error {
	e := json.NewEncoder(w.w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	if err := w.w.Flush(); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// Close writes everything to disk.
func (w *ResultWriter) Close() error {
	if err := errors.Join(w.f.Sync(), w.f.Close()); err != nil {
		return fmt.Errorf("close results: %w", err)
	}
	return nil
}
