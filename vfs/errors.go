package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Error is the cause of a failed call, where io/fs has no value for it. Calls return causes wrapped in
// *fs.PathError or *os.LinkError; test for them with errors.Is. Errors are constants and compare equal by
// value.
type Error string

// The causes that io/fs does not name, each with the POSIX error it stands for
// (https://pubs.opengroup.org/onlinepubs/9699919799/basedefs/errno.h.html).
const (
	ErrNotDir       Error = "not a directory"                // ENOTDIR
	ErrIsDir        Error = "is a directory"                 // EISDIR
	ErrNotEmpty     Error = "directory not empty"            // ENOTEMPTY
	ErrLoop         Error = "too many symbolic links"        // ELOOP
	ErrNameTooLong  Error = "file name too long"             // ENAMETOOLONG
	ErrReadOnly     Error = "read-only file system"          // EROFS
	ErrQuota        Error = "disk quota exceeded"            // ENOSPC: no room for more content (Config.MaxBytes)
	ErrTooManyFiles Error = "file count quota exceeded"      // EDQUOT: no room for more names (Config.MaxFiles); is also ErrQuota
	ErrTooManyLinks Error = "too many links"                 // EMLINK
	ErrCrossDevice  Error = "crosses a mount"                // EXDEV
	ErrBusy         Error = "resource busy"                  // EBUSY
	ErrNotPermitted Error = "operation not permitted"        // EPERM
	ErrEscape       Error = "path leads out of its folder"   // EPERM; ENOTCAPABLE in WASI
	ErrTooLarge     Error = "file too large"                 // EFBIG
	ErrNotSupported Error = "operation not supported"        // ENOTSUP
	ErrBadFile      Error = "file not open for this purpose" // EBADF
	ErrAgain        Error = "would have to wait"             // EAGAIN
	ErrNoDevice     Error = "no such device or address"      // ENXIO
	ErrBrokenPipe   Error = "broken pipe"                    // EPIPE; is also io.ErrClosedPipe
	ErrNotSeekable  Error = "illegal seek"                   // ESPIPE
	ErrDeadlock     Error = "resource deadlock avoided"      // EDEADLK
	ErrNoLocks      Error = "no locks available"             // ENOLCK
	ErrNoAttr       Error = "no such attribute"              // ENODATA
	ErrAttrTooLarge Error = "attribute too large"            // E2BIG
	ErrRange        Error = "out of range"                   // ERANGE
	ErrOverflow     Error = "value too large"                // EOVERFLOW
)

// errInvalid takes fs.ErrInvalid's place in what callers get: it is an errno too.
const errInvalid Error = "invalid argument" // EINVAL

// Error returns the cause in words. The text is stable.
func (e Error) Error() string { return string(e) }

// Is makes a cause match its syscall.Errno, and the wider error that io/fs or errors has for it.
func (e Error) Is(target error) bool {
	if n, ok := target.(syscall.Errno); ok {
		return errnos[e] == n
	}
	switch e {
	case ErrNotEmpty:
		return target == fs.ErrExist
	case errInvalid:
		return target == fs.ErrInvalid
	case ErrEscape, ErrNotPermitted:
		return target == fs.ErrPermission
	case ErrTooManyFiles:
		return target == ErrQuota
	case ErrBrokenPipe:
		return target == io.ErrClosedPipe
	case ErrNotSupported:
		return target == errors.ErrUnsupported
	}
	return false
}

func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: cause(err)}
}

func linkError(op, oldName, newName string, err error) error {
	if err == nil {
		return nil
	}
	return &os.LinkError{Op: op, Old: oldName, New: newName, Err: cause(err)}
}

// cause strips the wrappers that a mount put round an error, which would name paths of the host, and makes an errno of
// what is left.
func cause(err error) error {
	for {
		switch e := err.(type) {
		case *fs.PathError:
			err = e.Err
		case *os.LinkError:
			err = e.Err
		case *os.SyscallError:
			err = e.Err
		default:
			return asErrno(err)
		}
	}
}
