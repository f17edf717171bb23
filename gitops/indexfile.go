package gitops

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	format "github.com/go-git/go-git/v5/plumbing/format/index"
)

const (
	entrySize     = 62 // bytes of an entry before its name
	flagExtended  = 1 << 14
	flagNameBits  = 1<<12 - 1
	flagSkip      = 1 << 14 // of the extended flags
	flagIntent    = 1 << 13
	indexTrailer  = sha1.Size
	indexHeadSize = 12
)

// decodeIndex reads an index file (https://git-scm.com/docs/index-format). What go-git's decoder does by reflection, field
// by field, is most of the time that a status takes, so versions 2 and 3 are read here; it reads version 4.
func decodeIndex(b []byte) ([]*format.Entry, error) {
	if len(b) < indexHeadSize+indexTrailer || string(b[:4]) != "DIRC" {
		return nil, fmt.Errorf("index: %w", ErrCorrupt)
	}
	if v := binary.BigEndian.Uint32(b[4:]); v != 2 && v != 3 {
		x := &format.Index{}
		if err := format.NewDecoder(bytes.NewReader(b)).Decode(x); err != nil {
			return nil, fmt.Errorf("index: %w: %w", ErrCorrupt, err)
		}
		return x.Entries, nil
	}
	body, trailer := b[:len(b)-indexTrailer], b[len(b)-indexTrailer:]
	if sum := sha1.Sum(body); !bytes.Equal(sum[:], trailer) && !bytes.Equal(trailer, make([]byte, indexTrailer)) {
		return nil, fmt.Errorf("index: its hash is wrong: %w", ErrCorrupt)
	}
	n := int(binary.BigEndian.Uint32(b[8:]))
	if n > maxPaths || n > len(b)/entrySize {
		return nil, fmt.Errorf("index: %w", ErrTooMany)
	}
	entries, list := make([]format.Entry, n), make([]*format.Entry, n)
	rest := body[indexHeadSize:]
	for i := range entries {
		used := decodeEntry(rest, &entries[i])
		if used == 0 {
			return nil, fmt.Errorf("index: entry %d: %w", i, ErrCorrupt)
		}
		list[i], rest = &entries[i], rest[used:]
	}
	for len(rest) >= 8 {
		// An extension whose name is lower case changes what the entries mean.
		size := int64(binary.BigEndian.Uint32(rest[4:]))
		if rest[0] < 'A' || rest[0] > 'Z' || size > int64(len(rest)-8) {
			return nil, fmt.Errorf("index: extension %q: %w", rest[:4], ErrFormat)
		}
		rest = rest[8+size:]
	}
	return list, nil
}

// decodeEntry reads an entry and answers its bytes, 0 if it isn't whole.
//
//	ctime, mtime 2 × u32 each; dev, ino, mode, uid, gid, size u32 each; hash; flags u16; if extended, flags u16; name; padding
func decodeEntry(b []byte, e *format.Entry) (used int) {
	if len(b) < entrySize {
		return 0
	}
	u32 := func(at int) uint32 { return binary.BigEndian.Uint32(b[at:]) }
	when := func(at int) time.Time {
		if u32(at) == 0 && u32(at+4) == 0 {
			return time.Time{}
		}
		return time.Unix(int64(u32(at)), int64(u32(at+4)))
	}
	e.CreatedAt, e.ModifiedAt = when(0), when(8)
	e.Dev, e.Inode, e.Mode, e.UID, e.GID, e.Size = u32(16), u32(20), filemode.FileMode(u32(24)), u32(28), u32(32), u32(36)
	e.Hash = plumbing.Hash(b[40:60])
	flags := binary.BigEndian.Uint16(b[60:])
	e.Stage = format.Stage(flags >> 12 & 3)
	at := entrySize
	if flags&flagExtended != 0 {
		if len(b) < at+2 {
			return 0
		}
		more := binary.BigEndian.Uint16(b[at:])
		e.SkipWorktree, e.IntentToAdd = more&flagSkip != 0, more&flagIntent != 0
		at += 2
	}
	n := int(flags & flagNameBits)
	if n == flagNameBits {
		if n = bytes.IndexByte(b[at:], 0); n < 0 {
			return 0
		}
	}
	// One to eight NULs follow, so that the length is a multiple of eight.
	used = (at + n + 8) &^ 7
	if used > len(b) {
		return 0
	}
	e.Name = string(b[at : at+n])
	return used
}
