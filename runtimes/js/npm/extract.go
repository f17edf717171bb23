package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/belljar-dev/belljar/engine"
)

const (
	maxEntries  = 50_000  // of a package
	maxUnpacked = 1 << 30 // bytes of one; the sandbox's quota is met before where it is less
)

// extract unpacks a package into a folder, which must not exist. Only plain files come out of it, each below the folder,
// whatever the archive says: links, devices and ways out are left where they are.
func extract(c *engine.Call, tarball []byte, dir string) error {
	bad := func(err error) error { return fail("TAR_BAD_ARCHIVE", "Unrecognized archive format: %v", err) }
	var in io.Reader = bytes.NewReader(tarball)
	if bytes.HasPrefix(tarball, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return bad(err)
		}
		in = z
	}
	limited := &io.LimitedReader{R: in, N: maxUnpacked}
	t := tar.NewReader(limited)
	if err := c.Files.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	made := map[string]bool{dir: true}
	for n := 0; ; n++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			if n == 0 {
				return bad(errors.New("it is empty"))
			}
			return nil
		}
		switch {
		case limited.N <= 0:
			return fail("EFBIG", "the package unpacks to more than %d bytes", maxUnpacked)
		case err != nil:
			return bad(err)
		case n >= maxEntries:
			return fail("EFBIG", "the package has more than %d entries", maxEntries)
		}
		if err := c.Charge(h.Size + 1000); err != nil {
			return err
		}
		name, ok := inside(h.Name)
		if !ok || h.Typeflag != tar.TypeReg {
			continue
		}
		if err := writeEntry(c, t, h, path.Join(dir, name), made); err != nil {
			return err
		}
	}
}

// inside takes the first folder off a name, and says whether what is left is one below it.
func inside(name string) (string, bool) {
	name = strings.ReplaceAll(name, "\\", "/")
	_, rest, ok := strings.Cut(strings.TrimLeft(name, "/"), "/")
	if !ok || rest == "" || strings.ContainsRune(rest, 0) {
		return "", false
	}
	for part := range strings.SplitSeq(rest, "/") {
		if part == ".." {
			return "", false
		}
	}
	rest = path.Clean(rest)
	return rest, rest != "." && fs.ValidPath(rest)
}

func writeEntry(c *engine.Call, from io.Reader, h *tar.Header, name string, made map[string]bool) error {
	if parent := path.Dir(name); !made[parent] {
		if err := c.Files.MkdirAll(parent, 0o755); err != nil {
			return err
		}
		made[parent] = true
	}
	mode := fs.FileMode(0o644)
	if h.Mode&0o111 != 0 {
		mode = 0o755
	}
	f, err := c.Files.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	return nil
}
