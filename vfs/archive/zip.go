package archive

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/belljar-dev/belljar/vfs"
)

// ReadZip unpacks a zip archive of size bytes into the directory name of t, which is made if it is missing. On errors
// t holds what it held before; what others see of it meanwhile is as with ReadTar. Encrypted archives are refused.
// Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT.
func ReadZip(t *vfs.Tree, name string, r io.ReaderAt, size int64, c Config) error {
	b := newBudget(c)
	b.packed = func() int64 { return size }
	in := &directoryReader{r: r, most: b.MaxFiles + tailEntries}
	zr, err := zip.NewReader(in, size)
	in.done = true
	if err == nil {
		err = unpack(t, name, b, func(u *unpacker) error { return u.readZip(zr) })
	}
	if err != nil {
		return fmt.Errorf("read zip: %w", zipError(err))
	}
	return nil
}

// tailEntries is how many entries fit into the end of an archive, which is read twice: in search of the directory, and
// with it.
const tailEntries = 66_000 / 46

// directoryReader counts the entries of a directory while it is read, since all of them are held in memory.
type directoryReader struct {
	r     io.ReaderAt
	most  int
	found int
	done  bool // the directory is read
}

func (d *directoryReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := d.r.ReadAt(p, off)
	if d.done {
		return n, err
	}
	if d.found += bytes.Count(p[:max(n, 0)], []byte("PK\x01\x02")); d.found > d.most {
		return 0, ErrTooMany
	}
	return n, err
}

func zipError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %w", ErrTruncated, err)
	case errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrChecksum), errors.Is(err, zip.ErrAlgorithm):
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return err
}

func (u *unpacker) readZip(zr *zip.Reader) error {
	for _, f := range zr.File {
		if err := u.addZip(f); err != nil {
			return err
		}
	}
	return nil
}

const (
	encrypted = 0x1  // a bit of the flags
	maxTarget = 4095 // bytes of a symbolic link's target
)

func (u *unpacker) addZip(f *zip.File) error {
	e := entry{name: f.Name, mode: f.Mode(), mtime: f.Modified}
	if e.mode.IsDir() {
		return u.add(e)
	}
	if f.Flags&encrypted != 0 {
		return failed(f.Name, ErrFormat)
	}
	content, err := f.Open()
	if err != nil {
		return failed(f.Name, err)
	}
	defer content.Close()
	e.content = content
	if e.mode.Type() == fs.ModeSymlink {
		target, err := io.ReadAll(io.LimitReader(content, maxTarget+1))
		if err != nil {
			return failed(f.Name, err)
		}
		e.target = string(target)
	}
	return u.add(e)
}

// WriteZip packs what lies at name in t: the content of a directory, or one file. It packs the tree as it is at the
// call, whatever changes meanwhile. A hard link becomes a copy; FIFOs, sockets, devices, owners and extended
// attributes are left out. c limits what is written.
func WriteZip(w io.Writer, t *vfs.Tree, name string, c Config) error {
	zw := zip.NewWriter(w)
	err := walk(t, name, newBudget(c), func(p *packed) error {
		h := &zip.FileHeader{Name: p.name, Modified: p.info.ModTime().UTC()}
		h.SetMode(p.info.Mode())
		switch p.info.Mode().Type() {
		case 0:
			h.Method = zip.Deflate
		case fs.ModeDir:
			h.Name += "/"
		case fs.ModeSymlink:
		default:
			return nil
		}
		out, err := zw.CreateHeader(h)
		if err != nil || p.info.IsDir() {
			return err
		}
		if p.target != "" {
			_, err = io.WriteString(out, p.target)
			return err
		}
		return p.copy(out)
	})
	if err == nil {
		err = zw.Close()
	}
	if err != nil {
		return fmt.Errorf("write zip: %w", err)
	}
	return nil
}
