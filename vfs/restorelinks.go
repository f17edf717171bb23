package vfs

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
)

// validName reports whether a directory may hold a name.
func validName(name string) bool {
	return name != "" && len(name) <= maxName && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

// link puts an entry into dir.
func (r *restorer) link(dir, n *inode, rec EntryRecord) {
	l := r.free.ledger
	if rec.Charged {
		l = r.t.own.ledger
		r.t.used.Files++
	} else {
		r.spare--
	}
	e := &dirent{name: strings.Clone(rec.Name), ino: n.ino, seq: rec.Seq, ledger: l, typ: n.mode.Type()}
	dir.dir.names.put(r.t.own, e)
	dir.dir.seqs.set(r.t.own, e.seq, e)
	s := r.touch(n)
	s.names++
	s.moved = n.dir != nil
	r.t.hang(dir, n, e, int(s.names))
}

// unlink counts an entry of dir that is no more.
func (r *restorer) unlink(dir *inode, e *dirent) {
	if e.ledger == r.t.own.ledger {
		r.t.used.Files--
	} else {
		r.spare++
	}
	if e.typ.IsDir() {
		dir.nlink--
	}
	if s := r.nodes.get(e.ino); s != nil {
		s.names--
	} else {
		r.touch(r.t.inode(e.ino)).names--
	}
}

func (r *restorer) Chunk(rec ChunkRecord) error {
	if err := r.order(kindChunk, rec.Ino, uint64(rec.Index)); err != nil {
		return err
	}
	n := r.edit(rec.Ino)
	switch {
	case n == nil || n.mode.Type()&^fs.ModeSymlink != 0:
		return r.invalid("content of node %d", rec.Ino)
	case rec.Index < 0 || rec.Index >= chunks(n.size):
		return r.invalid("chunk %d of node %d, which has %d", rec.Index, rec.Ino, chunks(n.size))
	case len(rec.Data) > chunkSize || int64(len(rec.Data)) > n.size-rec.Index*chunkSize:
		return r.invalid("chunk %d of node %d has %d bytes", rec.Index, rec.Ino, len(rec.Data))
	}
	paid := r.t.paid(rec.Index, n.chunk(rec.Index))
	k := &chunk{own: r.paid, b: rec.Data[:len(rec.Data):len(rec.Data)]}
	if !rec.Charged {
		had, err := r.has(rec)
		if err != nil {
			return r.fail("chunk %d of node %d: %w", rec.Index, rec.Ino, err)
		}
		if had {
			k.own = r.free
		}
	}
	switch {
	case len(k.b) > 0 || rec.Index < chunks(n.extras().shown):
		r.t.setChunk(n, rec.Index, k)
	case rec.Index == 0:
		n.head = nil
	default:
		r.t.cutTail(n, rec.Index)
	}
	r.t.used.Bytes += r.t.paid(rec.Index, k) - paid
	return r.within(r.start)
}

// has reports whether base has the content of a record, in its place, and is not charged for it.
func (r *restorer) has(rec ChunkRecord) (bool, error) {
	n := r.was.get(rec.Ino)
	if n == nil {
		return false, nil
	}
	if err := n.fetch(rec.Index); err != nil {
		return false, err
	}
	data, charged := n.piece(rec.Index, r.t.own.ledger)
	return !charged && bytes.HasPrefix(data, rec.Data), nil
}

// finish checks what only all records together can tell, and completes the tree.
func (r *restorer) finish() error {
	if r.err != nil {
		return r.err
	}
	if r.last.kind == kindNone {
		return r.invalid("no records")
	}
	for ino, s := r.nodes.next(0); s != nil; ino, s = r.nodes.next(ino + 1) {
		if err := r.settle(ino, s); err != nil {
			return r.invalid("node %d: %w", ino, err)
		}
	}
	if err := r.checkPaths(); err != nil {
		return err
	}
	if r.spare < 0 {
		return r.invalid("%d names not charged that base does not have", -r.spare)
	}
	return r.within(Usage{})
}

// settle gives an inode its links, and a place among the orphans if it has none.
func (r *restorer) settle(ino uint64, s *restored) error {
	n := r.t.inodes.get(ino)
	switch {
	case s.gone && s.names != 0:
		return fmt.Errorf("gone, but has %d names", s.names)
	case s.gone || ino == rootIno:
		return nil
	case s.orphan != (s.names == 0), s.names < 0:
		return fmt.Errorf("%d names, orphan: %v", s.names, s.orphan)
	case n.dir != nil && s.names > 1, s.names > maxLinks:
		return fmt.Errorf("%d names", s.names)
	case s.orphan && n.dir != nil && n.dir.seqs.root != nil:
		return ErrNotEmpty
	case !s.orphan && n.nlink == 0 && n.dir != nil:
		return fmt.Errorf("named again")
	case s.orphan && r.t.mounts[ino] != nil:
		return ErrBusy
	}
	n = r.t.edit(ino)
	if n.mode.Type() == fs.ModeSymlink {
		if n.head == nil || n.size == 0 || int64(len(n.head.b)) != n.size || bytes.IndexByte(n.head.b, 0) >= 0 {
			return fmt.Errorf("not the target of a symbolic link")
		}
	}
	switch {
	case n.dir == nil:
		n.nlink = uint32(s.names)
	case s.orphan:
		n.nlink = 0
	}
	if s.orphan {
		r.t.removeInode(ino)
		r.t.orphans[ino] = n
		r.t.orphanBytes += r.t.charged(n)
	}
	return nil
}

// checkPaths tells whether all directories that were given names can be reached from the root. Each is looked at once.
func (r *restorer) checkPaths() error {
	from := map[uint64]uint64{rootIno: 0} // the directory from which each was first come by, going up
	for ino, s := r.nodes.next(0); s != nil; ino, s = r.nodes.next(ino + 1) {
		if !s.moved {
			continue
		}
		for at := ino; ; {
			if seen, ok := from[at]; ok {
				if seen == ino {
					return r.invalid("directory %d: not under the root", ino)
				}
				break
			}
			from[at] = ino
			n := r.t.inodes.get(at)
			if n == nil || n.dir == nil {
				return r.invalid("directory %d: not under the root", ino)
			}
			at = n.dir.parent
		}
	}
	return nil
}

// within tells whether the tree is within its limits, given what of its Usage may still be freed.
func (r *restorer) within(spare Usage) error {
	u := r.t.used
	if most := r.cfg.MaxBytes; most > 0 && u.Bytes-spare.Bytes > most {
		return r.fail("more than the %d bytes allowed: %w", most, ErrQuota)
	}
	if most := r.cfg.MaxFiles; most > 0 && u.Files-spare.Files > most {
		return r.fail("more than the %d names allowed: %w", most, ErrTooManyFiles)
	}
	return nil
}
