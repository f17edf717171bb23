package wasi

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/belljar-dev/belljar/vfs"
)

func TestErrnoOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want errno
	}{
		{nil, errSuccess},
		{errRange, errRange},
		{fs.ErrNotExist, errNoent},
		{fs.ErrExist, errExist},
		{fs.ErrPermission, errAcces},
		{fs.ErrInvalid, errInval},
		{fs.ErrClosed, errBadf},
		{vfs.ErrNotDir, errNotdir},
		{vfs.ErrIsDir, errIsdir},
		{vfs.ErrNotEmpty, errNotempty},
		{vfs.ErrLoop, errLoop},
		{vfs.ErrNameTooLong, errNametoolong},
		{vfs.ErrReadOnly, errRofs},
		{vfs.ErrQuota, errNospc},
		{vfs.ErrTooManyFiles, errDquot},
		{vfs.ErrTooManyLinks, errMlink},
		{vfs.ErrCrossDevice, errXdev},
		{vfs.ErrBusy, errBusy},
		{vfs.ErrNotPermitted, errPerm},
		{vfs.ErrEscape, errPerm},
		{vfs.ErrTooLarge, errFbig},
		{vfs.ErrNotSupported, errNotsup},
		{vfs.ErrBadFile, errBadf},
		{syscall.ENOENT, errNoent},
		{syscall.EACCES, errAcces},
		{syscall.ENOTEMPTY, errNotempty},
		{syscall.EROFS, errRofs},
		{syscall.ELOOP, errLoop},
		{errors.ErrUnsupported, errNotsup},
		{io.ErrClosedPipe, errPipe},
		{errors.New("anything else"), errIo},
	} {
		for _, err := range []error{
			c.err,
			&fs.PathError{Op: "open", Path: "x", Err: c.err},
			&os.LinkError{Op: "link", Old: "x", New: "y", Err: c.err},
			fmt.Errorf("wrapped: %w", c.err),
		} {
			if c.err == nil {
				err = nil
			}
			if _, bare := c.err.(errno); bare {
				err = c.err // our own are never wrapped
			}
			if got := errnoOf(err); got != c.want {
				t.Errorf("%v: %v, want %v", err, got, c.want)
			}
		}
	}
}
