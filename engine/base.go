package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/belljar-dev/belljar/vfs"
)

// BaseTree answers a copy of the tree that an image's sandboxes start with, for vfs.Tree.Changes to compare them with.
// It costs nothing, however large the tree. The caller closes it.
func (e *Engine) BaseTree(image string) (*vfs.Tree, error) {
	im, err := e.image(image)
	if err != nil {
		return nil, err
	}
	base, err := im.tree()
	if err != nil {
		return nil, err
	}
	return base.Clone(), nil
}

// BaseDigest answers the lower-case hex SHA-256 of an image's base tree, every file, name and inode number of it but
// what lies in layers. A sandbox's changes fit no other base.
func (e *Engine) BaseDigest(image string) (string, error) {
	im, err := e.image(image)
	if err != nil {
		return "", err
	}
	base, err := im.tree()
	if err != nil {
		return "", err
	}
	im.digestOnce.Do(func() { im.digest, im.digestErr = treeDigest(base) })
	return im.digest, im.digestErr
}

func treeDigest(t *vfs.Tree) (string, error) {
	empty := vfs.New(vfs.Config{})
	defer empty.Close()
	sum := sha256.New()
	if err := t.Changes(empty, hashSink{sum}); err != nil {
		return "", fmt.Errorf("digest of the base tree: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// hashSink hashes records in a form that no two differing lists of them share.
type hashSink struct{ w io.Writer }

func (h hashSink) Tree(r vfs.TreeRecord) error {
	_, err := fmt.Fprintf(h.w, "tree %d %d\n", r.NextIno, r.FirstIno)
	return err
}

func (h hashSink) Node(r vfs.NodeRecord) error {
	_, err := fmt.Fprintf(h.w, "node %+v\n", r)
	return err
}

func (h hashSink) Gone(ino uint64) error {
	_, err := fmt.Fprintf(h.w, "gone %d\n", ino)
	return err
}

func (h hashSink) Attrs(r vfs.AttrsRecord) error {
	_, err := fmt.Fprintf(h.w, "attrs %d %q %t\n", r.Ino, r.List, r.Charged)
	return err
}

func (h hashSink) Entry(r vfs.EntryRecord) error {
	_, err := fmt.Fprintf(h.w, "entry %d %d %d %q\n", r.Dir, r.Seq, r.Ino, r.Name)
	return err
}

func (h hashSink) Chunk(r vfs.ChunkRecord) error {
	_, err := fmt.Fprintf(h.w, "chunk %d %d %x\n", r.Ino, r.Index, r.Data)
	return err
}
