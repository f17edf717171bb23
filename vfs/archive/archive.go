// Package archive moves trees in and out of tar and zip files.
//
// What comes out is a function of the tree alone: entries are sorted, owners are numbers, times are those of the tree
// (the last change of content). Equal trees give the same bytes.
//
// What goes in is hostile. It is unpacked into a hidden directory inside the target, by a [vfs.Dir] that no link
// leads out of, within the limits of a [Config], and moved to its place only when the whole archive was read.
// Whatever fails, the target holds what it held before. An archive is refused whole if one entry
//
//   - has an absolute path, or one with "..",
//   - lies under what the archive, or the target, has as a symbolic link or a file,
//   - is there twice, unless as a directory,
//   - is a hard link to what the archive has not brought before,
//   - is a device, or of a kind that is not known,
//   - stands where the target has a directory and the archive none, or the other way round.
//
// Files and links that the target already has are replaced, directories are merged. The target itself keeps its mode
// and owner. The superuser restores owners and set-id bits; for other users of a tree everything belongs to them and
// passes their umask, as with tar(1).
package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/belljar-dev/belljar/vfs"
)

// Config limits an archive. The zero value is safe for archives of strangers.
type Config struct {
	// MaxBytes limits the content of all files together, in bytes, holes included; 0 means 1 GiB.
	MaxBytes int64
	// MaxFiles limits the entries, and the directories that are not entries but have to be made; 0 means 100,000.
	MaxFiles int
	// MaxRatio limits how many times larger the content is than the compressed archive, as soon as it is larger than
	// 10 MiB; 0 means 200.
	MaxRatio int64
}

func (c Config) withDefaults() Config {
	if c.MaxBytes == 0 {
		c.MaxBytes = 1 << 30
	}
	if c.MaxFiles == 0 {
		c.MaxFiles = 100_000
	}
	if c.MaxRatio == 0 {
		c.MaxRatio = 200
	}
	return c
}

// Error is the cause for which an archive is refused. Errors of this package name the entry and wrap an Error, an
// error of package vfs, or one of the format's reader. Errors are constants and compare equal by value.
type Error string

// The causes.
const (
	ErrFormat    Error = "not an archive of this kind"
	ErrTruncated Error = "archive is cut short"
	ErrPath      Error = "path leads out of the target"
	ErrThrough   Error = "path goes through what is no directory"
	ErrDuplicate Error = "entry is there twice"
	ErrLink      Error = "hard link to what the archive has not brought"
	ErrKind      Error = "entry is neither file, directory, link nor FIFO"
	ErrInTheWay  Error = "a directory and something else have the same name"
	ErrTooMany   Error = "too many entries"
	ErrTooLarge  Error = "too much content"
	ErrRatio     Error = "too much content for its compressed size"
)

// Error returns the cause in words. The text is stable.
func (e Error) Error() string { return string(e) }

// budget counts what an archive holds against its limits.
type budget struct {
	Config
	files int
	bytes int64
	// packed says how long the compressed archive is, as far as it was read; nil if it is not compressed.
	packed func() int64
}

func newBudget(c Config) *budget { return &budget{Config: c.withDefaults()} }

// file counts one more entry.
func (b *budget) file() error {
	if b.files++; b.files > b.MaxFiles {
		return ErrTooMany
	}
	return nil
}

const ratioFrom = 10 << 20 // less content than this is never a bomb

// content counts n more bytes.
func (b *budget) content(n int64) error {
	if n > b.MaxBytes-b.bytes {
		return ErrTooLarge
	}
	b.bytes += n
	if b.packed != nil && b.bytes > ratioFrom && b.bytes/b.MaxRatio > b.packed() {
		return ErrRatio
	}
	return nil
}

// local checks an entry's path and returns it clean; "." is the target itself.
func local(name string) (string, error) {
	if strings.HasPrefix(name, "/") {
		return "", ErrPath
	}
	for elem := range strings.SplitSeq(name, "/") {
		if elem == ".." {
			return "", ErrPath
		}
	}
	return path.Clean(name), nil
}

// failed names the entry that an error came from. Names of strangers are quoted and cut.
func failed(name string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err // The path is one of the hidden directory's.
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("entry %.100q: %w", name, err)
}

// open returns the directory name of t as a root that nothing leads out of.
func open(t *vfs.Tree, name string) (*vfs.Dir, error) {
	f, err := t.OpenFile(name, vfs.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := f.Dir()
	if err != nil {
		return nil, err
	}
	return d.AsRoot(), nil
}
