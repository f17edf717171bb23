package gitops

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/klauspost/compress/zlib"

	"github.com/belljar-dev/belljar/vfs"
)

// receivePack stores a pack (https://git-scm.com/docs/gitformat-pack) that comes from a server, with an index. It is
// whole and indexed before anything can see it. The server is not trusted: every size is checked against what the
// host allows before memory is spent.
func (r *Repository) receivePack(ctx context.Context, in *bufio.Reader, a Access) (err error) {
	f, name, err := r.tempPack()
	if err != nil {
		return err
	}
	defer f.Close()
	defer func() {
		if unlinkErr := r.dir.Unlink(name); err != nil && !errors.Is(unlinkErr, fs.ErrNotExist) {
			err = errors.Join(err, unlinkErr)
		}
	}()
	x := &indexer{ctx: ctx, file: f, access: a, maxObject: r.cfg.MaxObject, refBases: map[plumbing.Hash][]int32{}}
	if err := x.read(in); err != nil {
		return fmt.Errorf("receive pack: %w", err)
	}
	if len(x.objects) == 0 {
		return nil
	}
	if err := x.resolve(); err != nil {
		return fmt.Errorf("resolve deltas: %w", err)
	}
	index, err := x.index()
	if err != nil {
		return fmt.Errorf("index pack: %w", err)
	}
	return r.keepPack(name, fmt.Sprintf("objects/pack/pack-%x", x.sum), index)
}

func (r *Repository) tempPack() (*vfs.File, string, error) {
	for i := 0; ; i++ {
		name := fmt.Sprintf("objects/pack/tmp_pack_%d", i)
		f, err := r.dir.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|vfs.O_NOFOLLOW, 0o444)
		if err == nil || !errors.Is(err, fs.ErrExist) || i > 1000 {
			return f, name, err
		}
	}
}

// keepPack gives a pack and its index their names: the index last, since it is what makes a pack one.
func (r *Repository) keepPack(temp, name string, index []byte) error {
	if err := r.dir.Rename(temp, r.dir, name+".pack"); err != nil {
		return err
	}
	tempIndex := temp + ".idx"
	err := createFile(r.dir, tempIndex, index, 0o444)
	if err == nil {
		err = r.dir.Rename(tempIndex, r.dir, name+".idx")
	}
	if err != nil {
		return errors.Join(err, r.dir.Unlink(name+".pack"))
	}
	r.st.Reindex()
	return nil
}

// packed is an object of a pack.
type packed struct {
	offset, data int64 // of its header, and of what is deflated
	size         int64 // of that, inflated: content, or a delta
	kind         plumbing.ObjectType
	base         int32  // of an offset delta: its number
	delta        []byte // kept from the first reading, if it is small
	hash         plumbing.Hash
	crc          uint32
}

// indexer makes the index of a pack.
type indexer struct {
	ctx       context.Context
	file      *vfs.File
	access    Access
	maxObject int64

	objects  []packed
	end      int64                     // of the last object
	sum      [sha1.Size]byte           // of the pack
	refBases map[plumbing.Hash][]int32 // deltas by the name of their base
	kept     int64                     // bytes of small deltas
	named    plumbing.Hash             // the base that plainHeader has read of
}

const (
	maxKeptDelta = 32 << 10 // bytes of a delta that is kept
	maxKept      = 24 << 20 // bytes of all those
)

// tail writes what comes to the file, and hashes all but the last bytes, which are the pack's own hash.
type tail struct {
	file *vfs.File
	sum  hash.Hash
	last []byte
	n    int64 // bytes so far
	most int64
}

func (t *tail) Write(b []byte) (int, error) {
	if t.n += int64(len(b)); t.n > t.most {
		return 0, fmt.Errorf("more than %d bytes: %w", t.most, ErrTooLarge)
	}
	if _, err := t.file.Write(b); err != nil {
		return 0, err
	}
	if keep := len(b) - sha1.Size; keep >= 0 {
		t.sum.Write(t.last)
		t.sum.Write(b[:keep])
		t.last = append(t.last[:0], b[keep:]...)
		return len(b), nil
	}
	t.last = append(t.last, b...)
	if over := len(t.last) - sha1.Size; over > 0 {
		t.sum.Write(t.last[:over])
		t.last = append(t.last[:0], t.last[over:]...)
	}
	return len(b), nil
}

// read reads the pack from start to end, stores it, and names what is no delta.
func (x *indexer) read(from *bufio.Reader) error {
	t := &tail{file: x.file, sum: sha1.New(), most: x.access.maxPack()}
	in := bufio.NewReaderSize(io.TeeReader(from, t), 64<<10)
	at := func() int64 { return t.n - int64(in.Buffered()) }
	var head [12]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return unexpected(err)
	}
	version, count := binary.BigEndian.Uint32(head[4:]), int64(binary.BigEndian.Uint32(head[8:]))
	switch {
	case string(head[:4]) != "PACK" || version != 2 && version != 3:
		return fmt.Errorf("it is no pack: %w", ErrCorrupt)
	case count > x.access.maxObjects():
		return fmt.Errorf("%d objects: %w", count, ErrTooMany)
	}
	inf := &inflater{}
	for i := range count {
		if err := x.ctx.Err(); err != nil {
			return context.Cause(x.ctx)
		}
		o := packed{offset: at()}
		if err := x.header(in, &o); err != nil {
			return err
		}
		o.data = at()
		if err := x.first(in, inf, &o); err != nil {
			return fmt.Errorf("object %d: %w", i, err)
		}
		x.objects = append(x.objects, o)
		if i%1024 == 0 || i == count-1 {
			x.access.report(Progress{Phase: "receive", Done: i + 1, Total: count})
		}
	}
	x.end = at()
	if _, err := io.ReadFull(in, x.sum[:]); err != nil {
		return unexpected(err)
	}
	if !bytes.Equal(t.sum.Sum(nil), x.sum[:]) || in.Buffered() > 0 {
		return fmt.Errorf("the pack's hash is wrong: %w", ErrCorrupt)
	}
	return nil
}

// kindAndSize reads what every object's header begins with.
func (x *indexer) kindAndSize(in *bufio.Reader, o *packed) error {
	c, err := in.ReadByte()
	if err != nil {
		return unexpected(err)
	}
	o.kind, o.size = plumbing.ObjectType(c>>4&7), int64(c&15)
	for shift := 4; c&0x80 != 0; shift += 7 {
		if c, err = in.ReadByte(); err != nil {
			return unexpected(err)
		}
		if shift > 56 {
			return fmt.Errorf("size of an object: %w", ErrCorrupt)
		}
		o.size |= int64(c&0x7f) << shift
	}
	if o.size < 0 || o.size > x.maxObject {
		return ErrTooLarge
	}
	switch o.kind {
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject, plumbing.OFSDeltaObject,
		plumbing.REFDeltaObject:
		return nil
	}
	return fmt.Errorf("an object of kind %d: %w", o.kind, ErrCorrupt)
}

// header reads an object's header: kind and size, of a delta what it is based on.
func (x *indexer) header(in *bufio.Reader, o *packed) error {
	if err := x.kindAndSize(in, o); err != nil {
		return err
	}
	switch o.kind {
	case plumbing.OFSDeltaObject:
		back, err := readBack(in)
		if err != nil {
			return err
		}
		if o.base = x.numberAt(o.offset - back); o.base < 0 {
			return fmt.Errorf("the base of a delta: %w", ErrCorrupt)
		}
	case plumbing.REFDeltaObject:
		var base plumbing.Hash
		if _, err := io.ReadFull(in, base[:]); err != nil {
			return unexpected(err)
		}
		x.refBases[base] = append(x.refBases[base], int32(len(x.objects)))
	}
	return nil
}

// readBack reads how far before a delta its base is.
func readBack(in *bufio.Reader) (int64, error) {
	c, err := in.ReadByte()
	v := int64(c & 0x7f)
	for err == nil && c&0x80 != 0 {
		if c, err = in.ReadByte(); v > 1<<54 {
			return 0, fmt.Errorf("the base of a delta: %w", ErrCorrupt)
		}
		v = (v+1)<<7 | int64(c&0x7f)
	}
	if err != nil {
		return 0, unexpected(err)
	}
	return v, nil
}

// numberAt is the number of the object at an offset, or -1.
func (x *indexer) numberAt(offset int64) int32 {
	lo, hi := 0, len(x.objects)
	for lo < hi {
		mid := (lo + hi) / 2
		if x.objects[mid].offset < offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(x.objects) && x.objects[lo].offset == offset {
		return int32(lo)
	}
	return -1
}

// first inflates an object as it comes. What is no delta gets its name.
func (x *indexer) first(in *bufio.Reader, inf *inflater, o *packed) error {
	if o.kind.IsDelta() {
		keep := o.size <= maxKeptDelta && x.kept+o.size <= maxKept
		b, err := inf.bytes(in, o.size, keep)
		if keep && err == nil {
			o.delta = b
			x.kept += o.size
		}
		return err
	}
	h := plumbing.NewHasher(o.kind, o.size)
	if err := inf.to(in, h, o.size); err != nil {
		return err
	}
	o.hash = h.Sum()
	return nil
}

// index makes the index's file.
func (x *indexer) index() ([]byte, error) {
	if err := x.checksums(); err != nil {
		return nil, err
	}
	w := &idxfile.Writer{}
	if err := w.OnHeader(uint32(len(x.objects))); err != nil {
		return nil, err
	}
	for i := range x.objects {
		o := &x.objects[i]
		w.Add(o.hash, uint64(o.offset), o.crc)
	}
	if err := w.OnFooter(x.sum); err != nil {
		return nil, err
	}
	index, err := w.Index()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = idxfile.NewEncoder(&b).Encode(index)
	return b.Bytes(), err
}

// inflater inflates, with memory that it keeps.
type inflater struct {
	z   io.ReadCloser
	buf []byte
}

func (f *inflater) open(in io.Reader) (err error) {
	if f.z == nil {
		f.z, err = zlib.NewReader(in)
		f.buf = make([]byte, 32<<10)
	} else {
		err = f.z.(zlib.Resetter).Reset(in, nil)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, unexpected(err))
	}
	return nil
}

// to inflates exactly size bytes.
func (f *inflater) to(in io.Reader, w io.Writer, size int64) error {
	if err := f.open(in); err != nil {
		return err
	}
	for {
		n, err := f.z.Read(f.buf)
		if size -= int64(n); size < 0 {
			return fmt.Errorf("it is larger than it says: %w", ErrCorrupt)
		}
		w.Write(f.buf[:n]) //nolint:errcheck // a hash or a buffer
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
	}
	if size != 0 {
		return fmt.Errorf("it is smaller than it says: %w", ErrCorrupt)
	}
	return nil
}

// bytes inflates exactly size bytes, and gives them if they are to be kept.
func (f *inflater) bytes(in io.Reader, size int64, keep bool) ([]byte, error) {
	if !keep {
		return nil, f.to(in, io.Discard, size)
	}
	if err := f.open(in); err != nil {
		return nil, err
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(f.z, b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if n, err := f.z.Read(f.buf[:1]); n != 0 || err != io.EOF {
		return nil, fmt.Errorf("it is not as large as it says: %w", ErrCorrupt)
	}
	return b, nil
}
