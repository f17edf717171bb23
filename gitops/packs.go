package gitops

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"github.com/belljar-dev/belljar/vfs"
)

const (
	maxIndexFile  = 1 << 30  // bytes of a pack's index
	maxPacks      = 4096     // of one repository
	maxChain      = 4096     // deltas one on the other, as many as git makes
	maxBaseCache  = 12 << 20 // bytes of what deltas are based on, of one pack
	maxCachedBase = 1 << 20  // bytes of one
)

// packs reads objects from a repository's packs (https://git-scm.com/docs/gitformat-pack). Whoever has the sandbox may
// have made them: sizes are checked before memory is spent.
type packs struct {
	dir *vfs.Dir // .git
	max int64    // bytes of an object

	mu   sync.Mutex
	list []*pack
	inf  inflater
}

type pack struct {
	name  string // without its ending
	index *idxfile.MemoryIndex
	bases *cache.BufferLRU // by offset
	kinds map[int64]plumbing.ObjectType
}

// raw is an object whose name is known.
type raw struct {
	kind plumbing.ObjectType
	hash plumbing.Hash
	b    []byte
}

func (o *raw) Hash() plumbing.Hash                 { return o.hash }
func (o *raw) Type() plumbing.ObjectType           { return o.kind }
func (o *raw) SetType(t plumbing.ObjectType)       { o.kind = t }
func (o *raw) Size() int64                         { return int64(len(o.b)) }
func (o *raw) SetSize(int64)                       {}
func (o *raw) Reader() (io.ReadCloser, error)      { return io.NopCloser(bytes.NewReader(o.b)), nil }
func (o *raw) Writer() (w io.WriteCloser, e error) { return nil, errors.ErrUnsupported }

// read gives an object, or plumbing.ErrObjectNotFound. Packs that came after the last look are looked for if it isn't
// in those that are known.
func (p *packs) read(h plumbing.Hash) (*raw, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o, err := p.find(h)
	if err != nil || o != nil {
		return o, err
	}
	if err := p.look(); err != nil {
		return nil, err
	}
	if o, err = p.find(h); err == nil && o == nil {
		err = plumbing.ErrObjectNotFound
	}
	return o, err
}

// has says whether an object is in a pack that is known, or in one that has come since.
func (p *packs) has(h plumbing.Hash) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	in := func(k *pack) bool {
		_, err := k.index.FindOffset(h)
		return err == nil
	}
	return slices.ContainsFunc(p.list, in) || p.look() == nil && slices.ContainsFunc(p.list, in)
}

func (p *packs) find(h plumbing.Hash) (*raw, error) {
	for i, k := range p.list {
		offset, err := k.index.FindOffset(h)
		if err != nil {
			continue
		}
		o, err := p.object(k, offset)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was repacked
		}
		if err != nil {
			return nil, err
		}
		if i > 0 { // what is near is likely to be here too
			p.list[0], p.list[i] = p.list[i], p.list[0]
		}
		return &raw{o.kind, h, o.b}, nil
	}
	return nil, nil
}

// look finds the packs that there are.
func (p *packs) look() error {
	f, err := p.dir.OpenFile("objects/pack", vfs.O_DIRECTORY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		p.list = nil
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return err
	}
	slices.Sort(names)
	var list []*pack
	for _, n := range names {
		name, ok := strings.CutSuffix(n, ".idx")
		if _, both := slices.BinarySearch(names, name+".pack"); !ok || !both {
			continue
		}
		if len(list) >= maxPacks {
			return fmt.Errorf("packs: %w", ErrTooMany)
		}
		if i := slices.IndexFunc(p.list, func(k *pack) bool { return k.name == name }); i >= 0 {
			list = append(list, p.list[i])
			continue
		}
		k := &pack{name: name, index: idxfile.NewMemoryIndex(), bases: cache.NewBufferLRU(maxBaseCache), kinds: map[int64]plumbing.ObjectType{}}
		b, err := readFile(p.dir, path.Join("objects/pack", n), maxIndexFile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = checkIndex(b)
		}
		if err == nil {
			err = idxfile.NewDecoder(bytes.NewReader(b)).Decode(k.index)
		}
		if err != nil {
			return fmt.Errorf("%s: %w: %w", n, ErrCorrupt, err)
		}
		list = append(list, k)
	}
	p.list = list
	return nil
}

// checkIndex checks that a pack's index is as large as it says: go-git makes room for as many objects as it names.
func checkIndex(b []byte) error {
	const fanout, perObject, sums = 8, 20 + 4 + 4, 2 * 20 // where it begins; a name, a checksum and an offset; at the end
	if len(b) < fanout+256*4+sums {
		return io.ErrUnexpectedEOF
	}
	if n := int64(binary.BigEndian.Uint32(b[fanout+255*4:])); n*perObject > int64(len(b)-fanout-256*4-sums) {
		return fmt.Errorf("%d objects in %d bytes", n, len(b))
	}
	return nil
}

// link is one of a chain of deltas.
type link struct {
	offset int64
	delta  []byte
}

// object reads the object at an offset, and what it is based on.
func (p *packs) object(k *pack, offset int64) (*raw, error) {
	f, err := p.dir.OpenFile("objects/pack/"+k.name+".pack", vfs.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	x := &indexer{maxObject: p.max, refBases: map[plumbing.Hash][]int32{}}
	in := bufio.NewReaderSize(nil, 4<<10)
	var chain []link
	var base *raw
	total := int64(0)
	for base == nil {
		if b, ok := k.bases.Get(offset); ok {
			base = &raw{kind: k.kinds[offset], b: b}
			break
		}
		in.Reset(io.NewSectionReader(f, offset, 1<<62))
		o := packed{offset: offset}
		back, err := x.plainHeader(in, &o)
		if err != nil {
			return nil, err
		}
		if total += o.size; total > 2*p.max {
			return nil, ErrTooLarge
		}
		b, err := p.inf.bytes(in, o.size, true)
		if err != nil {
			return nil, err
		}
		if !o.kind.IsDelta() {
			base = &raw{kind: o.kind, b: b}
			if len(chain) > 0 {
				k.keep(offset, base)
			}
			break
		}
		if chain = append(chain, link{offset, b}); len(chain) > maxChain {
			return nil, fmt.Errorf("a chain of deltas: %w", ErrTooMany)
		}
		if o.kind == plumbing.OFSDeltaObject {
			if offset -= back; back <= 0 || offset <= 0 {
				return nil, fmt.Errorf("the base of a delta: %w", ErrCorrupt)
			}
			continue
		}
		next, err := k.index.FindOffset(x.named)
		if err != nil {
			return nil, fmt.Errorf("the base of a delta: %w", ErrCorrupt)
		}
		offset = next
	}
	for i, l := range slices.Backward(chain) {
		if err := checkDelta(l.delta, p.max); err != nil {
			return nil, err
		}
		b, err := packfile.PatchDelta(base.b, l.delta)
		if err != nil {
			return nil, fmt.Errorf("a delta: %w: %w", ErrCorrupt, err)
		}
		base = &raw{kind: base.kind, b: b}
		if i > 0 || base.kind != plumbing.BlobObject {
			k.keep(l.offset, base)
		}
	}
	return base, nil
}

// keep remembers what other objects may be based on.
func (k *pack) keep(offset int64, o *raw) {
	if len(o.b) <= maxCachedBase {
		k.bases.Put(offset, o.b)
		k.kinds[offset] = o.kind
	}
}

// plainHeader is header, for an object that is read by itself: it gives how far back the base of an offset delta is.
func (x *indexer) plainHeader(in *bufio.Reader, o *packed) (back int64, err error) {
	if err := x.kindAndSize(in, o); err != nil {
		return 0, err
	}
	switch o.kind {
	case plumbing.OFSDeltaObject:
		return readBack(in)
	case plumbing.REFDeltaObject:
		_, err := io.ReadFull(in, x.named[:])
		return 0, err
	}
	return 0, nil
}

// checkDelta looks at what a delta says of the size of what it makes.
func checkDelta(delta []byte, most int64) error {
	_, n := binary.Uvarint(delta)
	if n <= 0 {
		return fmt.Errorf("a delta: %w", ErrCorrupt)
	}
	size, n := binary.Uvarint(delta[n:])
	switch {
	case n <= 0:
		return fmt.Errorf("a delta: %w", ErrCorrupt)
	case size > uint64(most):
		return ErrTooLarge
	}
	return nil
}
