package engine

import (
	"context"
	"io/fs"
	"math"

	"github.com/belljar-dev/belljar/vfs"
)

// tree gives the records of the files to a sink, until another record comes.
func (in *snapshotReader) tree(ctx context.Context, to vfs.Sink) error {
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := in.next(); err != nil {
			return err
		}
		if isContent, err := in.take(); err != nil {
			return err
		} else if isContent {
			continue
		}
		if in.files--; in.files < 0 && in.kind != recordChunk {
			return vfs.ErrTooManyFiles
		}
		known, err := in.treeRecord(to)
		if err != nil {
			return err
		}
		if !known {
			in.back = true
			return nil
		}
	}
}

// treeRecord gives one record to the sink. known says that it is one of files.
func (in *snapshotReader) treeRecord(to vfs.Sink) (known bool, err error) {
	f := fields{b: in.body}
	switch in.kind {
	case recordTree:
		r := vfs.TreeRecord{NextIno: f.uint(), FirstIno: f.uint(), Fresh: f.bool()}
		return true, f.give(func() error { return to.Tree(r) })
	case recordNode:
		r := f.node()
		return true, f.give(func() error { return to.Node(r) })
	case recordGone:
		ino := f.uint()
		return true, f.give(func() error { return to.Gone(ino) })
	case recordAttrs:
		r := f.attrs()
		return true, f.give(func() error { return to.Attrs(r) })
	case recordEntry:
		r := vfs.EntryRecord{Dir: f.uint(), Seq: f.uint(), Ino: f.uint(), Charged: f.bool(), Name: f.text()}
		return true, f.give(func() error { return to.Entry(r) })
	case recordChunk:
		r := vfs.ChunkRecord{Ino: f.uint(), Index: f.index(), Charged: f.bool()}
		if n := f.uint(); n > 0 {
			if r.Data, err = in.numbered(n - 1); err != nil {
				return true, err
			}
		}
		return true, f.give(func() error { return to.Chunk(r) })
	}
	return false, nil
}

// give calls do if the record was whole.
func (f *fields) give(do func() error) error {
	if !f.whole() {
		return badSnapshot("a record of files is not as it should be")
	}
	return do()
}

// index is an unsigned integer that fits an int64.
func (f *fields) index() int64 {
	v := f.uint()
	if v > math.MaxInt64 {
		f.bad = true
	}
	return int64(v)
}

func (f *fields) uint32() uint32 {
	v := f.uint()
	if v > math.MaxUint32 {
		f.bad = true
	}
	return uint32(v)
}

func (f *fields) node() vfs.NodeRecord {
	r := vfs.NodeRecord{Ino: f.uint(), Mode: fs.FileMode(f.uint32()), UID: f.uint32(), GID: f.uint32(), Btime: f.int()}
	r.Atime, r.Mtime, r.Ctime = r.Btime+f.int(), r.Btime+f.int(), r.Btime+f.int()
	r.Size, r.Kept, r.LastSeq, r.Orphan = f.index(), f.index(), f.uint(), f.bool()
	return r
}

func (f *fields) attrs() vfs.AttrsRecord {
	r := vfs.AttrsRecord{Ino: f.uint(), Charged: f.bool()}
	n := f.uint()
	if n > uint64(len(f.b)) { // each takes two bytes at least
		f.bad = true
		return r
	}
	for range n {
		r.List = append(r.List, vfs.Attr{Name: f.text(), Value: f.text()})
		if f.bad {
			return r
		}
	}
	return r
}
