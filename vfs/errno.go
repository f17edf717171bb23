//go:build !plan9

package vfs

import "syscall"

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
	ErrNoAttr:       errnoNoAttr,
	errInvalid:      syscall.EINVAL,
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
