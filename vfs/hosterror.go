package vfs

import (
	"errors"
	"io"
	"io/fs"
	"syscall"
)

// hostError gives an error of the host the name that this package has for it, the same on all systems.
func hostError(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	err = cause(err)
	if _, ok := err.(Error); ok {
		return err
	}
	for _, m := range []struct {
		host syscall.Errno
		err  error
	}{
		{syscall.ENOTDIR, ErrNotDir},
		{syscall.EISDIR, ErrIsDir},
		{syscall.ENOTEMPTY, ErrNotEmpty},
		{syscall.ELOOP, ErrLoop},
		{syscall.ENAMETOOLONG, ErrNameTooLong},
		{syscall.EROFS, ErrReadOnly},
		{syscall.ENOSPC, ErrQuota},
		{syscall.EDQUOT, ErrQuota},
		{syscall.EMLINK, ErrTooManyLinks},
		{syscall.EXDEV, ErrCrossDevice},
		{syscall.EBUSY, ErrBusy},
		{syscall.EFBIG, ErrTooLarge},
		{syscall.ENOTSUP, ErrNotSupported},
		{syscall.EBADF, ErrBadFile},
		{syscall.EINVAL, fs.ErrInvalid},
		{syscall.EPERM, ErrNotPermitted},
	} {
		if errors.Is(err, m.host) {
			return m.err
		}
	}
	for _, e := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrClosed} {
		if errors.Is(err, e) {
			return e
		}
	}
	return err
}
