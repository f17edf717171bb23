package wasi

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"github.com/belljar-dev/belljar/vfs"
)

// errno is what every function of preview 1 but proc_exit returns. It is also the
// error by which objects of this package answer.
// https://github.com/WebAssembly/WASI/blob/snapshot-01/phases/snapshot/docs.md#-errno-enumu16
type errno uint16

const (
	errSuccess      errno = 0
	err2big         errno = 1
	errAcces        errno = 2
	errAddrinuse    errno = 3
	errAddrnotavail errno = 4
	errAfnosupport  errno = 5
	errAgain        errno = 6
	errAlready      errno = 7
	errBadf         errno = 8
	errBusy         errno = 10
	errChild        errno = 12
	errConnrefused  errno = 14
	errConnreset    errno = 15
	errDeadlk       errno = 16
	errDestaddrreq  errno = 17
	errDquot        errno = 19
	errExist        errno = 20
	errFault        errno = 21
	errFbig         errno = 22
	errHostunreach  errno = 23
	errIlseq        errno = 25
	errInprogress   errno = 26
	errIntr         errno = 27
	errInval        errno = 28
	errIo           errno = 29
	errIsconn       errno = 30
	errIsdir        errno = 31
	errLoop         errno = 32
	errMfile        errno = 33
	errMlink        errno = 34
	errMsgsize      errno = 35
	errNametoolong  errno = 37
	errNetunreach   errno = 40
	errNfile        errno = 41
	errNobufs       errno = 42
	errNoent        errno = 44
	errNolck        errno = 46
	errNomsg        errno = 49
	errNoexec       errno = 45
	errNomem        errno = 48
	errNoprotoopt   errno = 50
	errNospc        errno = 51
	errNosys        errno = 52
	errNotconn      errno = 53
	errNotdir       errno = 54
	errNotempty     errno = 55
	errNotsock      errno = 57
	errNotsup       errno = 58
	errNotty        errno = 59
	errNxio         errno = 60
	errOverflow     errno = 61
	errPerm         errno = 63
	errPipe         errno = 64
	errPrototype    errno = 67
	errRange        errno = 68
	errRofs         errno = 69
	errSpipe        errno = 70
	errSrch         errno = 71
	errTimedout     errno = 73
	errXdev         errno = 75
	errNotcapable   errno = 76

	// errRestart is EINTR where the call may be made again after the signal's handler:
	// Function.Call does that, and no guest sees it.
	errRestart errno = 0xffff
)

func (e errno) Error() string { return "wasi errno " + strconv.Itoa(int(e)) }

// errnos maps the errors of the layers below, the most frequent first. The more
// special must stand before the more general that it also is.
var errnos = [...]struct {
	err   error
	errno errno
}{
	{fs.ErrNotExist, errNoent},
	{vfs.ErrNotDir, errNotdir},
	{vfs.ErrIsDir, errIsdir},
	{vfs.ErrNotEmpty, errNotempty},
	{vfs.ErrNotPermitted, errPerm},
	{vfs.ErrEscape, errPerm}, // what POSIX programs understand of ENOTCAPABLE
	{vfs.ErrLoop, errLoop},
	{vfs.ErrNameTooLong, errNametoolong},
	{vfs.ErrReadOnly, errRofs},
	{vfs.ErrTooManyFiles, errDquot},
	{vfs.ErrQuota, errNospc},
	{vfs.ErrTooManyLinks, errMlink},
	{vfs.ErrCrossDevice, errXdev},
	{vfs.ErrBusy, errBusy},
	{vfs.ErrTooLarge, errFbig},
	{vfs.ErrNotSupported, errNotsup},
	{vfs.ErrBadFile, errBadf},
	{vfs.ErrAgain, errAgain},
	{vfs.ErrNoDevice, errNxio},
	{vfs.ErrNotSeekable, errSpipe},
	{vfs.ErrDeadlock, errDeadlk},
	{vfs.ErrNoLocks, errNolck},
	{vfs.ErrNoAttr, errNomsg}, // preview 1 has no ENODATA
	{vfs.ErrAttrTooLarge, err2big},
	{vfs.ErrRange, errRange},
	{vfs.ErrOverflow, errOverflow},
	{io.ErrClosedPipe, errPipe},
	{fs.ErrClosed, errBadf},

	// Host folders and foreign file systems answer with the system's own errors.
	{syscall.ENOTDIR, errNotdir},
	{syscall.EISDIR, errIsdir},
	{syscall.ENOTEMPTY, errNotempty},
	{syscall.ELOOP, errLoop},
	{syscall.ENAMETOOLONG, errNametoolong},
	{syscall.EROFS, errRofs},
	{syscall.ENOSPC, errNospc},
	{syscall.EDQUOT, errDquot},
	{syscall.EXDEV, errXdev},
	{syscall.EBUSY, errBusy},
	{syscall.EFBIG, errFbig},
	{syscall.EMLINK, errMlink},
	{syscall.ENOMEM, errNomem},
	{syscall.EMFILE, errMfile},
	{syscall.EBADF, errBadf},
	{syscall.ENXIO, errNxio},
	{syscall.ESPIPE, errSpipe},
	{syscall.EPIPE, errPipe},
	{syscall.EAGAIN, errAgain},
	{syscall.EPERM, errPerm},
	{syscall.EDEADLK, errDeadlk},
	{syscall.ENOLCK, errNolck},
	{syscall.E2BIG, err2big},
	{syscall.ENOTSUP, errNotsup},

	{fs.ErrExist, errExist},
	{fs.ErrPermission, errAcces},
	{fs.ErrInvalid, errInval},
	{errors.ErrUnsupported, errNotsup},
	{os.ErrDeadlineExceeded, errAgain},
}

// errnoOf maps an error to the errno the guest sees. What it doesn't know is EIO.
func errnoOf(err error) errno {
	if err == nil {
		return errSuccess
	}
	if e, ok := err.(errno); ok {
		return e
	}
	for i := range errnos {
		if errors.Is(err, errnos[i].err) {
			return errnos[i].errno
		}
	}
	var e errno
	if errors.As(err, &e) {
		return e
	}
	return errIo
}

// ioResult turns what a read or write answered into what the guest is told. A
// transfer of some bytes is a success, whatever stopped it, and so is the end of a
// file. If the context has ended, the call ends.
func ioResult(ctx context.Context, n int, err error) errno {
	if err == nil || err == io.EOF {
		return errSuccess
	}
	if _, ok := err.(errno); !ok {
		checkContext(ctx)
	}
	if n > 0 {
		return errSuccess
	}
	return errnoOf(err)
}
