package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/belljar-dev/belljar/vfs"
	"github.com/belljar-dev/belljar/wasi"
)

// A snapshot's file is
//
//	magic, 8 bytes | version u16 | zstd frames
//
// and, decompressed, a list of records, each
//
//	kind, 1 byte | length of the body, uvarint | body
//
// in this order:
//
//	header   JSON of snapshotHeader
//	records of vfs.Tree.Changes against the image's base tree, in their order
//	for each session: its header, JSON of sessionHeader, and its pages
//	end      SHA-256 of all before it, from the magic on, decompressed
//
// Content comes in records of its own, each before the first one that refers to it, which it does by number: content
// records count from 0. So equal content is there once. A record of a digest stands for content that the snapshot has
// in common with the one it is a delta of.
//
// Integers are varints, unsigned where they can't be negative. See https://www.rfc-editor.org/rfc/rfc8878 for zstd.
const (
	snapshotMagic   = "BELLJAR\x1a"
	snapshotVersion = 1
)

// Kinds of records.
const (
	recordHeader  = 'H'
	recordTree    = 'T' // next inode, first inode, fresh
	recordNode    = 'N' // inode, mode, uid, gid, four times, size, kept, last seq, orphan
	recordGone    = 'G' // inode
	recordAttrs   = 'A' // inode, charged, names and values
	recordEntry   = 'E' // directory, seq, inode, charged, name
	recordChunk   = 'K' // inode, index, charged, 0 for a hole or 1 + number of content
	recordContent = 'C' // bytes
	recordDigest  = 'D' // SHA-256 of bytes that the base has
	recordSession = 'S'
	recordPages   = 'P' // block number, number of content
	recordEnd     = 'Z'
)

// maxRecord bounds a record's body. A header with an environment is the longest.
const maxRecord = 4 << 20

// snapshotHeader is a snapshot but for files and sessions.
type snapshotHeader struct {
	Image    string   // name
	Base     string   // digest of the image's base tree
	Delta    bool     // it lacks content that another snapshot has
	Env      []string // without those of Secrets
	Secrets  []string // names
	Limits   Limits   // what the sandbox had
	Network  *Network // what the sandbox could reach; nil for nothing
	Mounts   []mountHeader
	Labels   map[string]string
	Replay   *replayHeader
	Used     Usage
	Sessions int // how many
}

type mountHeader struct {
	Path      string
	ReadWrite bool
}

// replayHeader is where a sandbox is in its time and randomness.
type replayHeader struct {
	Seed         uint64
	Epoch        time.Time
	Ticks, Slept int64
	Random       []byte // the generator's state
}

// sessionHeader is a session but for the content of its memory.
type sessionHeader struct {
	Name, Lang string
	Begun      bool // the rest is of a session that has begun
	Cells      uint32
	CPU        time.Duration
	Program    string // digest
	Image      string // digest of the memory image that the pages lie over
	Size       uint64 // of the memory, in bytes
	Globals    []uint64
	Mask       uint64 // of signals
	Actions    [][2]uint32
	Umask      *fs.FileMode     `json:",omitempty"` // nil: the usual one
	Limits     []resourceHeader `json:",omitempty"` // that the process has set for itself
	Open       []descriptorHeader
}

// resourceHeader is a resource limit by Linux's number.
type resourceHeader struct {
	Which      uint32
	Soft, Hard uint64
}

// descriptorHeader is a wasi.Descriptor; of those that share a description the first has the File.
type descriptorHeader struct {
	wasi.Descriptor
	File *vfs.FileState
}

// ErrSnapshot is what every error wraps that says that a snapshot can't be read: it is damaged, of another version, of
// another image, or larger than the limits allow.
var ErrSnapshot = errors.New("bad snapshot")

func badSnapshot(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrSnapshot, fmt.Errorf(format, args...))
}

// fields takes the fields of a record's body apart. After a field that isn't there, all are zero and ok is false.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) uint() uint64 {
	v, n := binary.Uvarint(f.b)
	if n <= 0 {
		f.bad, f.b = true, nil
		return 0
	}
	f.b = f.b[n:]
	return v
}

func (f *fields) int() int64 {
	v, n := binary.Varint(f.b)
	if n <= 0 {
		f.bad, f.b = true, nil
		return 0
	}
	f.b = f.b[n:]
	return v
}

func (f *fields) bool() bool {
	v := f.uint()
	f.bad = f.bad || v > 1
	return v == 1
}

func (f *fields) text() string {
	n := f.uint()
	if n > uint64(len(f.b)) {
		f.bad, f.b = true, nil
		return ""
	}
	s := string(f.b[:n])
	f.b = f.b[n:]
	return s
}

// whole says that every field was there and nothing is left.
func (f *fields) whole() bool { return !f.bad && len(f.b) == 0 }
