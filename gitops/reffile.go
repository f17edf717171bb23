package gitops

import (
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/go-git/go-billy/v5"

	"github.com/belljar-dev/belljar/vfs/billyfs"
)

// maxRefFile limits a file that is one reference, in bytes. The name that a symbolic one has is at most a path.
const maxRefFile = 8 << 10

// refFS is what go-git's storage reads and writes a .git through. go-git reads a reference's file whole, however long it is:
// a hole of a terabyte, which costs its maker nothing, too.
type refFS struct{ *billyfs.FS }

func (s refFS) Open(name string) (billy.File, error) { return s.OpenFile(name, os.O_RDONLY, 0) }

func (s refFS) OpenFile(name string, flag int, perm os.FileMode) (billy.File, error) {
	f, err := s.FS.OpenFile(name, flag, perm)
	if err != nil || !isRefFile(name) {
		return f, err
	}
	return &refFile{File: f, left: maxRefFile}, nil
}

// isRefFile says whether what is called so in a .git may be asked for as a reference: all but what go-git reads as
// something else.
func isRefFile(name string) bool {
	top, _, _ := strings.Cut(strings.TrimLeft(path.Clean(name), "/"), "/")
	switch top {
	case "objects", "packed-refs", "config", "index", "shallow":
		return false
	}
	return true
}

// refFile is a file that may be read for so long.
type refFile struct {
	billy.File
	left int
}

func (f *refFile) Read(p []byte) (int, error) {
	if f.left == 0 {
		var one [1]byte
		if n, err := f.File.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, fmt.Errorf("reference %q of more than %d bytes: %w", f.Name(), maxRefFile, ErrCorrupt)
	}
	n, err := f.File.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, err
}
