package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/belljar-dev/belljar/vfs"
)

// ReadTar unpacks a tar archive, plain or compressed with gzip, zstd or bzip2, into the directory name of t, which is
// made if it is missing. It reads r once and holds no content in memory. On errors t holds what it held before.
// Others may use t meanwhile; they see the archive's entries at their places only when all of them are there, if not
// all at one moment. Formats: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html (ustar, pax), GNU
// tar's, sparse files included. Extended attributes are those of SCHILY.xattr.
func ReadTar(t *vfs.Tree, name string, r io.Reader, c Config) error {
	b := newBudget(c)
	err := unpack(t, name, b, func(u *unpacker) error {
		packed := &meteredReader{r: r}
		plain, closer, err := decompress(packed, b)
		if err != nil {
			return err
		}
		defer closer()
		return u.readTar(plain)
	})
	if err != nil {
		return fmt.Errorf("read tar: %w", err)
	}
	return nil
}

// meteredReader counts what was read.
type meteredReader struct {
	r io.Reader
	n int64
}

func (m *meteredReader) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n += int64(n)
	return n, err
}

// window is the most memory, in bytes, that an archive may ask for to be decompressed.
const window = 128 << 20

// decompress looks at how an archive begins. closer frees what decompression holds.
func decompress(packed *meteredReader, b *budget) (plain io.Reader, closer func(), err error) {
	in := bufio.NewReader(packed)
	magic, _ := in.Peek(4) // An archive too short for it is found so later.
	closer = func() {}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		plain, err = gzip.NewReader(in)
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		var z *zstd.Decoder
		z, err = zstd.NewReader(in,
			zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(window))
		if err == nil {
			plain, closer = z, z.Close
		}
	case bytes.HasPrefix(magic, []byte("BZh")):
		plain = bzip2.NewReader(in)
	default:
		return in, closer, nil
	}
	b.packed = func() int64 { return packed.n }
	return plain, closer, err
}

// blockSize is the unit of a tar archive. Two of zeros end it.
const blockSize = 512

func (u *unpacker) readTar(plain io.Reader) error {
	in := &meteredReader{r: plain}
	tr := tar.NewReader(in)
	end := int64(0) // of the last entry
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return finish(in, end)
		}
		if err != nil {
			return tarError(err)
		}
		if h.Typeflag != tar.TypeXGlobalHeader {
			if err := u.add(tarEntry(h, tr)); err != nil {
				return tarError(err)
			}
		}
		if _, err := io.Copy(io.Discard, tr); err != nil {
			return tarError(err)
		}
		end = in.n
	}
}

// finish checks that an archive was ended, not cut between two entries, and reads what is left, lest a checksum be
// missed.
func finish(in *meteredReader, end int64) error {
	if in.n-end < blockSize {
		return ErrTruncated
	}
	_, err := io.CopyN(io.Discard, in, window)
	if err == io.EOF {
		err = nil
	}
	return tarError(err)
}

func tarError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %w", ErrTruncated, err)
	case errors.Is(err, tar.ErrHeader):
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return err
}

// xattrPrefix begins the names of pax records that hold extended attributes.
const xattrPrefix = "SCHILY.xattr."

func tarEntry(h *tar.Header, content io.Reader) entry {
	e := entry{
		name: h.Name, mode: h.FileInfo().Mode() &^ fs.ModeType, uid: h.Uid, gid: h.Gid, owned: true, mtime: h.ModTime,
		target: h.Linkname, content: content,
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
	case tar.TypeLink:
		e.hard = true
	case tar.TypeSymlink:
		e.mode |= fs.ModeSymlink
	case tar.TypeDir:
		e.mode |= fs.ModeDir
	case tar.TypeFifo:
		e.mode |= fs.ModeNamedPipe
	default:
		e.mode |= fs.ModeIrregular
	}
	for key, value := range h.PAXRecords {
		if attr, ok := strings.CutPrefix(key, xattrPrefix); ok {
			if e.attrs == nil {
				e.attrs = map[string]string{}
			}
			e.attrs[attrUnescaper.Replace(attr)] = value
		}
	}
	return e
}

// The escapes of GNU tar for what can't be in a pax keyword.
var (
	attrEscaper   = strings.NewReplacer("%", "%25", "=", "%3D")
	attrUnescaper = strings.NewReplacer("%25", "%", "%3D", "=")
)

// WriteTar packs what lies at name in t: the content of a directory, or one file, as a pax archive without
// compression. It packs the tree as it is at the call, whatever changes meanwhile. Sockets and devices are left out.
// c limits what is written: a tree may name more content than it holds.
func WriteTar(w io.Writer, t *vfs.Tree, name string, c Config) error {
	tw := tar.NewWriter(w)
	linked := map[[2]uint64]string{}
	err := walk(t, name, newBudget(c), func(p *packed) error {
		h := tarHeader(p)
		if h == nil {
			return nil
		}
		if p.info.Nlink() > 1 && !p.info.IsDir() {
			node := [2]uint64{p.info.Dev(), p.info.Ino()}
			if first, ok := linked[node]; ok {
				h.Typeflag, h.Linkname, h.Size, h.PAXRecords = tar.TypeLink, first, 0, nil
			} else {
				linked[node] = p.name
			}
		}
		if err := tw.WriteHeader(h); err != nil || h.Typeflag != tar.TypeReg {
			return err
		}
		return p.copy(tw)
	})
	if err == nil {
		err = tw.Close()
	}
	if err != nil {
		return fmt.Errorf("write tar: %w", err)
	}
	return nil
}

// tarHeader returns nil for what tar does not hold.
func tarHeader(p *packed) *tar.Header {
	h := &tar.Header{
		Name: p.name, Linkname: p.target, Mode: int64(unixBits(p.info.Mode())), Uid: p.info.UID(), Gid: p.info.GID(),
		ModTime: p.info.ModTime(), Format: tar.FormatPAX,
	}
	switch p.info.Mode().Type() {
	case 0:
		h.Typeflag, h.Size = tar.TypeReg, p.info.Size()
	case fs.ModeDir:
		h.Typeflag, h.Name = tar.TypeDir, p.name+"/"
	case fs.ModeSymlink:
		h.Typeflag = tar.TypeSymlink
	case fs.ModeNamedPipe:
		h.Typeflag = tar.TypeFifo
	default:
		return nil
	}
	for attr, value := range p.attrs {
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		h.PAXRecords[xattrPrefix+attrEscaper.Replace(attr)] = string(value)
	}
	return h
}

// unixBits gives the permission, set-id and sticky bits as tar has them.
func unixBits(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	for _, b := range [...]struct {
		mode fs.FileMode
		bit  uint32
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if m&b.mode != 0 {
			bits |= b.bit
		}
	}
	return bits
}
