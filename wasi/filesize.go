package wasi

import (
	"context"
	"io"
)

// sigxfsz is Linux's number of the signal that tells of a file at its limit.
const sigxfsz = 25

// SetMaxFiles sets how many descriptors the process may have from now on; those it has stay. The process's own
// goroutine calls it, or none runs yet. Children begin with the same.
func (h *Host) SetMaxFiles(n int) {
	h.files.mu.Lock()
	defer h.files.mu.Unlock()
	h.files.max = min(n, maxMaxFiles)
}

// SetMaxFileSize sets the bytes beyond which the process's writes don't extend a file: they are EFBIG, after SIGXFSZ.
// The process's own goroutine calls it, or none runs yet. Children begin with the same.
func (h *Host) SetMaxFileSize(n int64) { h.maxFileSize = n + 1 }

// bounded writes to f as far as the process's limit on the size of files goes.
func (h *Host) bounded(f *file, d descriptor) mover {
	return func(ctx context.Context, b []byte, nonblock bool) (int, error) {
		at, err := f.f.Seek(0, io.SeekCurrent)
		if d.has(flagAppend) && err == nil {
			st, serr := f.f.Stat()
			if serr != nil {
				return 0, serr
			}
			at = st.Size()
		}
		if err != nil {
			return 0, err
		}
		left := h.maxFileSize - 1 - at
		if left <= 0 && len(b) > 0 {
			if h.signals != nil {
				h.signals.Raise(sigxfsz)
			}
			return 0, errFbig
		}
		return f.write(ctx, b[:min(int64(len(b)), left)], nonblock)
	}
}
