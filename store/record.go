package store

import (
	"encoding/binary"
	"errors"
	"io/fs"

	"github.com/belljar-dev/belljar/vfs"
)

// The rows of a sandbox's tree (nodes, attrs, entries and chunks) hold what makes it differ from its image's base tree:
// Tree.Changes' records, merged by the rules that its documentation gives. Keys begin with the sandbox's number, so that all rows of a sandbox lie
// together and come in the order that vfs.Restore asks for. Numbers in keys are big-endian.
//
//	nodes    box ino        → node, or tombstone for an inode of the base that is gone
//	attrs    box ino        → charged u8, { name, value }…
//	entries  box dir seq    → ino, charged u8, name
//	chunks   box ino index  → flags u8, digest or, if inline, the bytes themselves
//	sessions box n          → JSON of sessionRow
//	pages    box n block    → as chunks: a block of the session's memory, of engine.BlockSize bytes
//	content  digest         → form u8, bytes
//	refs     digest         → how many rows refer to the content, u32
//	pending  digest         → nothing: content that perhaps no row refers to
//
// In values, numbers are uvarints and strings have their length before them.
var (
	bucketMeta     = []byte("meta")
	bucketNames    = []byte("names")
	bucketBoxes    = []byte("boxes")
	bucketNodes    = []byte("nodes")
	bucketAttrs    = []byte("attrs")
	bucketEntries  = []byte("entries")
	bucketChunks   = []byte("chunks")
	bucketContent  = []byte("content")
	bucketRefs     = []byte("refs")
	bucketPending  = []byte("pending")
	bucketSessions = []byte("sessions")
	bucketPages    = []byte("pages")
)

var buckets = [][]byte{
	bucketMeta, bucketNames, bucketBoxes, bucketNodes, bucketAttrs, bucketEntries, bucketChunks, bucketContent, bucketRefs, bucketPending,
	bucketSessions, bucketPages,
}

func key(parts ...uint64) []byte {
	b := make([]byte, 0, 8*len(parts))
	for _, p := range parts {
		b = binary.BigEndian.AppendUint64(b, p)
	}
	return b
}

// part answers the i-th number of a key.
func part(k []byte, i int) uint64 {
	if len(k) < 8*(i+1) {
		return 0
	}
	return binary.BigEndian.Uint64(k[8*i:])
}

var errRow = errors.New("the row is damaged")

// reader takes a value apart. After a failure everything it answers is zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) int() int64 {
	v := r.uint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *reader) string() string {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) err() error {
	if r.bad || len(r.b) > 0 {
		return errRow
	}
	return nil
}

func appendInt(b []byte, v int64) []byte { return binary.AppendUvarint(b, uint64(v<<1)^uint64(v>>63)) }

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

var tombstone = []byte{}

func encodeNode(n vfs.NodeRecord) []byte {
	b := binary.AppendUvarint(nil, uint64(n.Mode))
	b = binary.AppendUvarint(b, uint64(n.UID))
	b = binary.AppendUvarint(b, uint64(n.GID))
	for _, v := range []int64{n.Atime, n.Mtime, n.Ctime, n.Btime, n.Size, n.Kept} {
		b = appendInt(b, v)
	}
	b = binary.AppendUvarint(b, n.LastSeq)
	return appendBool(b, n.Orphan)
}

func decodeNode(ino uint64, value []byte) (vfs.NodeRecord, error) {
	r := reader{b: value}
	n := vfs.NodeRecord{
		Ino: ino, Mode: fs.FileMode(r.uint()), UID: uint32(r.uint()), GID: uint32(r.uint()),
		Atime: r.int(), Mtime: r.int(), Ctime: r.int(), Btime: r.int(), Size: r.int(), Kept: r.int(),
		LastSeq: r.uint(), Orphan: r.uint() == 1,
	}
	return n, r.err()
}

func encodeAttrs(a vfs.AttrsRecord) []byte {
	b := appendBool(nil, a.Charged)
	for _, at := range a.List {
		b = appendString(appendString(b, at.Name), at.Value)
	}
	return b
}

func decodeAttrs(ino uint64, value []byte) (vfs.AttrsRecord, error) {
	r := reader{b: value}
	a := vfs.AttrsRecord{Ino: ino, Charged: r.uint() == 1}
	for len(r.b) > 0 {
		a.List = append(a.List, vfs.Attr{Name: r.string(), Value: r.string()})
	}
	return a, r.err()
}

func encodeEntry(e vfs.EntryRecord) []byte {
	return append(appendBool(binary.AppendUvarint(nil, e.Ino), e.Charged), e.Name...)
}

func decodeEntry(dir, seq uint64, value []byte) (vfs.EntryRecord, error) {
	r := reader{b: value}
	e := vfs.EntryRecord{Dir: dir, Seq: seq, Ino: r.uint(), Charged: r.uint() == 1}
	e.Name = string(r.b)
	r.b = nil
	return e, r.err()
}
