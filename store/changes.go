package store

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/belljar-dev/belljar/vfs"
	"go.etcd.io/bbolt"
)

// changes are what a tree differs by from how it was saved last, gathered to be written in one transaction. It
// implements vfs.Sink.
type changes struct {
	keep    *keeper // takes the content
	tree    vfs.TreeRecord
	nodes   []nodeChange
	attrs   []vfs.AttrsRecord
	entries []vfs.EntryRecord
	chunks  []chunkChange
}

// nodeChange is a Node, or a Gone.
type nodeChange struct {
	vfs.NodeRecord
	gone bool
}

type chunkChange struct {
	ino, index uint64
	ref        reference
}

func (c *changes) Tree(r vfs.TreeRecord) error {
	c.tree = r
	return nil
}

func (c *changes) Node(r vfs.NodeRecord) error {
	c.nodes = append(c.nodes, nodeChange{NodeRecord: r})
	return nil
}

func (c *changes) Gone(ino uint64) error {
	c.nodes = append(c.nodes, nodeChange{vfs.NodeRecord{Ino: ino}, true})
	return nil
}

func (c *changes) Attrs(r vfs.AttrsRecord) error {
	c.attrs = append(c.attrs, r)
	return nil
}

func (c *changes) Entry(r vfs.EntryRecord) error {
	c.entries = append(c.entries, r)
	return nil
}

func (c *changes) Chunk(r vfs.ChunkRecord) error {
	ref := newReference(r.Data, r.Charged)
	c.chunks = append(c.chunks, chunkChange{r.Ino, uint64(r.Index), ref})
	if ref.inline != nil {
		return nil
	}
	return c.keep.add(ref.digest, r.Data)
}

// none reports whether nothing has changed.
func (c *changes) none(last vfs.TreeRecord) bool {
	same := c.tree.NextIno == last.NextIno && c.tree.FirstIno == last.FirstIno
	return same && len(c.nodes) == 0 && len(c.attrs) == 0 && len(c.entries) == 0 && len(c.chunks) == 0
}

// orphans are the inodes without a name. A tree that has them tells them whole: the one that was saved has none.
func (c *changes) orphans() (list []uint64) {
	for _, n := range c.nodes {
		if n.Orphan {
			list = append(list, n.Ino)
		}
	}
	return list
}

// dropOrphans takes back what an earlier tree told of the inodes without a name that it had.
func (c *changes) dropOrphans(tx *bbolt.Tx, box uint64, list []uint64) error {
	for _, ino := range list {
		v := tx.Bucket(bucketNodes).Get(key(box, ino))
		if len(v) == 0 {
			continue
		}
		n, err := decodeNode(ino, v)
		if err == nil && n.Orphan {
			err = c.applyNode(tx, box, nodeChange{n, true})
		}
		if err != nil {
			return fmt.Errorf("node %d: %w", ino, err)
		}
	}
	return nil
}

// apply merges the changes into a sandbox's rows. Their content has been put.
func (c *changes) apply(tx *bbolt.Tx, box uint64) error {
	for _, n := range c.nodes {
		if err := c.applyNode(tx, box, n); err != nil {
			return fmt.Errorf("node %d: %w", n.Ino, err)
		}
	}
	for _, a := range c.attrs {
		if err := putRow(tx, bucketAttrs, key(box, a.Ino), encodeAttrs(a), len(a.List) == 0 && !c.inBase(a.Ino)); err != nil {
			return fmt.Errorf("attributes of node %d: %w", a.Ino, err)
		}
	}
	for _, e := range c.entries {
		if err := putRow(tx, bucketEntries, key(box, e.Dir, e.Seq), encodeEntry(e), e.Ino == 0 && !c.inBase(e.Dir)); err != nil {
			return fmt.Errorf("entry %d of directory %d: %w", e.Seq, e.Dir, err)
		}
	}
	for _, k := range c.chunks {
		ref := &k.ref
		if ref.inline != nil && len(ref.inline) == 0 && !c.inBase(k.ino) {
			ref = nil // a hole where the base has nothing either
		}
		if err := set(tx, bucketChunks, key(box, k.ino, k.index), ref); err != nil {
			return fmt.Errorf("chunk %d of node %d: %w", k.index, k.ino, err)
		}
	}
	return nil
}

// inBase reports whether an inode may be the base tree's: what is gone of those has to be told.
func (c *changes) inBase(ino uint64) bool { return ino < c.tree.FirstIno }

func putRow(tx *bbolt.Tx, bucket, k, value []byte, drop bool) error {
	if drop {
		return tx.Bucket(bucket).Delete(k)
	}
	return tx.Bucket(bucket).Put(k, value)
}

func (c *changes) applyNode(tx *bbolt.Tx, box uint64, n nodeChange) error {
	nodes, k := tx.Bucket(bucketNodes), key(box, n.Ino)
	if n.gone {
		n.Kept = 0
		for _, bucket := range [][]byte{bucketAttrs, bucketEntries} {
			if err := deleteRows(tx, bucket, k); err != nil {
				return err
			}
		}
	}
	if err := deleteReferences(tx, bucketChunks, k, key(box, n.Ino, uint64(n.Kept))); err != nil {
		return err
	}
	switch {
	case n.gone && c.inBase(n.Ino):
		return nodes.Put(k, tombstone)
	case n.gone:
		return nodes.Delete(k)
	case !c.inBase(n.Ino):
		n.Kept = 0 // of what the base has
	default:
		if old := nodes.Get(k); len(old) > 0 {
			was, err := decodeNode(n.Ino, old)
			if err != nil {
				return err
			}
			n.Kept = min(n.Kept, was.Kept)
		}
	}
	return nodes.Put(k, encodeNode(n.NodeRecord))
}

// deleteRows deletes the rows whose keys begin with prefix.
func deleteRows(tx *bbolt.Tx, bucket, prefix []byte) error {
	return eachRow(tx, bucket, prefix, prefix, func(k, _ []byte) error { return tx.Bucket(bucket).Delete(k) })
}

// deleteReferences deletes the rows from a key on that begin with prefix, and the references that they were.
func deleteReferences(tx *bbolt.Tx, bucket, prefix, from []byte) error {
	return eachRow(tx, bucket, prefix, from, func(k, _ []byte) error { return set(tx, bucket, k, nil) })
}

// eachRow calls f with the rows from a key on whose keys begin with prefix. f may change the bucket.
func eachRow(tx *bbolt.Tx, bucket, prefix, from []byte, f func(k, v []byte) error) error {
	var keys [][]byte
	cursor := tx.Bucket(bucket).Cursor()
	for k, _ := cursor.Seek(from); k != nil && bytes.HasPrefix(k, prefix); k, _ = cursor.Next() {
		keys = append(keys, slices.Clone(k))
	}
	for _, k := range keys {
		if err := f(k, tx.Bucket(bucket).Get(k)); err != nil {
			return err
		}
	}
	return nil
}

// teller is tell for a sandbox.
func (c *codec) teller(tx *bbolt.Tx, r *record) func(vfs.Sink) error {
	return func(to vfs.Sink) error { return c.tell(tx, r.ID, r.Tree, to) }
}

// tell is the inverse: it tells a sandbox's rows to a Sink, in its order.
func (c *codec) tell(tx *bbolt.Tx, box uint64, tree vfs.TreeRecord, to vfs.Sink) error {
	if err := to.Tree(tree); err != nil {
		return err
	}
	for _, t := range []struct {
		bucket []byte
		row    func(k, v []byte) error
	}{
		{bucketNodes, func(k, v []byte) error {
			if len(v) == 0 {
				return to.Gone(part(k, 1))
			}
			n, err := decodeNode(part(k, 1), v)
			if err != nil {
				return err
			}
			return to.Node(n)
		}},
		{bucketAttrs, func(k, v []byte) error {
			a, err := decodeAttrs(part(k, 1), v)
			if err != nil {
				return err
			}
			return to.Attrs(a)
		}},
		{bucketEntries, func(k, v []byte) error {
			e, err := decodeEntry(part(k, 1), part(k, 2), v)
			if err != nil {
				return err
			}
			return to.Entry(e)
		}},
		{bucketChunks, func(k, v []byte) error {
			ref, err := decodeReference(v)
			if err != nil {
				return err
			}
			data, err := ref.data(c, tx)
			if err != nil {
				return err
			}
			return to.Chunk(vfs.ChunkRecord{Ino: part(k, 1), Index: int64(part(k, 2)), Data: data, Charged: ref.charged})
		}},
	} {
		prefix := key(box)
		cursor := tx.Bucket(t.bucket).Cursor()
		for k, v := cursor.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = cursor.Next() {
			if err := t.row(k, v); err != nil {
				return fmt.Errorf("%s %x: %w", t.bucket, k[len(prefix):], err)
			}
		}
	}
	return nil
}
