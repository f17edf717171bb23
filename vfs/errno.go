package vfs

import (
	"io/fs"
	"syscall"
)

var errnos = map[Error]syscall.Errno{
	ErrNotDir:       syscall.ENOTDIR,
	ErrIsDir:        syscall.EISDIR,
	ErrNotEmpty:     syscall.ENOTEMPTY,
	ErrLoop:         syscall.ELOOP,
	ErrNameTooLong:  syscall.ENAMETOOLONG,
	ErrReadOnly:     syscall.EROFS,
	ErrQuota:        syscall.ENOSPC,
	ErrTooManyFiles: syscall.EDQUOT,
	ErrTooManyLinks: syscall.EMLINK,
	ErrCrossDevice:  syscall.EXDEV,
	ErrBusy:         syscall.EBUSY,
	ErrNotPermitted: syscall.EPERM,
	ErrEscape:       syscall.EPERM,
	ErrTooLarge:     syscall.EFBIG,
	ErrNotSupported: syscall.ENOTSUP,
	ErrBadFile:      syscall.EBADF,
	ErrAgain:        syscall.EAGAIN,
	ErrNoDevice:     syscall.ENXIO,
	ErrBrokenPipe:   syscall.EPIPE,
	ErrNotSeekable:  syscall.ESPIPE,
	ErrDeadlock:     syscall.EDEADLK,
	ErrNoLocks:      syscall.ENOLCK,
	ErrAttrTooLarge: syscall.E2BIG,
	ErrRange:        syscall.ERANGE,
	errNonsense:     syscall.EIO,
	ErrOverflow:     syscall.EOVERFLOW,
	ErrNoAttr:       errnoNoAttr,
	errInvalid:      syscall.EINVAL,
}

// asErrno makes of an error of io/fs what package os has in its place.
func asErrno(err error) error {
	switch err {
	case fs.ErrNotExist:
		return syscall.ENOENT
	case fs.ErrExist:
		return syscall.EEXIST
	case fs.ErrPermission:
		return syscall.EACCES
	case fs.ErrInvalid:
		return errInvalid // syscall.EINVAL is not fs.ErrInvalid.
	}
	return err
}

// As gives a cause as the syscall.Errno that it stands for, so that code written for the errors of package os
// finds in them what it looks for.
func (e Error) As(target any) bool {
	to, ok := target.(*syscall.Errno)
	if !ok {
		return false
	}
	n, ok := errnos[e]
	if ok {
		*to = n
	}
	return ok
}
