package npm

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/belljar-dev/belljar/vfs"
)

// failure is an error with npm's code and the lines that explain it.
type failure struct {
	code   string
	text   string
	status int // exit status; 0 is 1
}

func (f *failure) Error() string { return f.text }

func fail(code, format string, args ...any) error {
	return &failure{code: code, text: fmt.Sprintf(format, args...)}
}

// codeOf answers npm's code of an error.
func codeOf(err error) (code string, status int) {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f.code, max(f.status, 1)
	case errors.Is(err, fs.ErrNotExist):
		return "ENOENT", 254
	case errors.Is(err, fs.ErrPermission):
		return "EACCES", 243
	case errors.Is(err, vfs.ErrQuota), errors.Is(err, vfs.ErrTooManyFiles):
		return "ENOSPC", 228
	}
	return "", 1
}
