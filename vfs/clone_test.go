package vfs

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"strings"
	"testing"
	"time"
)

// model is the naive tree: content by path; directories have nil. Copying it copies everything.
type model map[string][]byte

func (m model) clone() model {
	c := model{}
	for name, text := range m {
		c[name] = text
		if text != nil {
			c[name] = append([]byte{}, text...)
		}
	}
	return c
}

func (m model) removeAll(name string) {
	for k := range m {
		if k == name || strings.HasPrefix(k, name+"/") {
			delete(m, k)
		}
	}
}

func (m model) rename(from, to string) {
	moved := model{}
	for k, v := range m {
		if k == from || strings.HasPrefix(k, from+"/") {
			moved[to+k[len(from):]] = v
		}
	}
	if from == to {
		return
	}
	m.removeAll(from)
	m.removeAll(to)
	for k, v := range moved {
		m[k] = v
	}
}

func (m model) write(name string, p []byte, off int) {
	text := m[name]
	if text == nil {
		text = []byte{}
	}
	if need := off + len(p); need > len(text) {
		text = append(text, make([]byte, need-len(text))...)
	}
	copy(text[off:], p)
	m[name] = text
}

func (m model) truncate(name string, size int) {
	text := m[name]
	if size > len(text) {
		text = append(text, make([]byte, size-len(text))...)
	}
	m[name] = text[:size:size]
}

// compare says where a tree is not what the model says.
func (m model) compare(t *Tree) error {
	seen := 0
	err := fs.WalkDir(t.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		seen++
		want, ok := m[name]
		if !ok || d.IsDir() != (want == nil) {
			return fmt.Errorf("%s should not be there as %v", name, d)
		}
		if want == nil {
			return nil
		}
		got, err := t.ReadFile(name)
		if err == nil && !bytes.Equal(got, want) {
			err = fmt.Errorf("%s differs", name)
		}
		return err
	})
	if err == nil && seen != len(m) {
		err = fmt.Errorf("%d names, want %d", seen, len(m))
	}
	if msg := t.audit(); err == nil && msg != "" {
		err = fmt.Errorf("%s", msg)
	}
	return err
}

// step makes one random call on a tree, and on its model if it succeeded.
func step(r *rand.Rand, t *Tree, m model) {
	name := func() string {
		parts := make([]string, 1+r.IntN(3))
		for i := range parts {
			parts[i] = string(rune('a' + r.IntN(6)))
		}
		return path.Join(parts...)
	}
	p, q := name(), name()
	switch r.IntN(8) {
	case 0, 1:
		if t.Mkdir(p, 0o755) == nil {
			m[p] = nil
		}
	case 2:
		if t.RemoveAll(p) == nil {
			m.removeAll(p)
		}
	case 3:
		if t.Rename(p, q) == nil {
			m.rename(p, q)
		}
	case 4:
		if size := r.IntN(3 * chunkSize); t.Truncate(p, int64(size)) == nil {
			m.truncate(p, size)
		}
	default:
		f, err := t.OpenFile(p, os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return
		}
		defer f.Close()
		off := r.IntN(3 * chunkSize)
		text := bytes.Repeat([]byte{byte(r.Uint32())}, 1+r.IntN(chunkSize*3/2))
		if _, err := f.WriteAt(text, int64(off)); err == nil {
			m.write(p, text, off)
		}
	}
}

// TestCloneIndependence changes a growing family of clones at random; each must stay what its own model says.
func TestCloneIndependence(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 7))
		static := bytes.Repeat([]byte("static "), 5000)
		kept := bytes.Clone(static)
		base := New(Config{})
		if err := base.AddStatic("lib/s", static, 0o644, time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		trees := []*Tree{base}
		models := []model{{"lib": nil, "lib/s": bytes.Clone(static)}}
		for range 600 {
			i := r.IntN(len(trees))
			if r.IntN(25) == 0 && len(trees) < 12 {
				c := trees[i].Clone()
				if r.IntN(3) == 0 {
					c = trees[i].CloneWith(Config{MaxBytes: 40 * chunkSize})
				}
				trees, models = append(trees, c), append(models, models[i].clone())
				continue
			}
			step(r, trees[i], models[i])
		}
		for i := range trees {
			if err := models[i].compare(trees[i]); err != nil {
				t.Errorf("seed %d, tree %d: %v", seed, i, err)
			}
		}
		if !bytes.Equal(static, kept) {
			t.Errorf("seed %d: static content was written to", seed)
		}
	}
}

func TestCloneOpenFiles(t *testing.T) {
	tr := New(Config{})
	f, err := tr.Create("f")
	must(t, err)
	_, err = f.WriteString("before")
	must(t, err)
	c := tr.Clone()
	_, err = f.WriteString(" after")
	must(t, err)
	if got := text(t, c, "f"); got != "before" {
		t.Errorf("the clone has %q", got)
	}
	if got := text(t, tr, "f"); got != "before after" {
		t.Errorf("the original has %q", got)
	}
	must(t, f.Close())
}

// TestCloneOrphan clones a tree with an unlinked open file, which belongs to the original alone.
func TestCloneOrphan(t *testing.T) {
	tr := New(Config{})
	f, err := tr.Create("f")
	must(t, err)
	_, err = f.WriteString("content")
	must(t, err)
	before := tr.Clone()
	must(t, tr.Remove("f"))
	_, err = f.WriteString(", more")
	must(t, err)
	after := tr.Clone()
	if u := tr.Usage(); u != (Usage{Bytes: 13}) {
		t.Errorf("original uses %+v", u)
	}
	if u := before.Usage(); u != (Usage{Bytes: 7, Files: 1}) {
		t.Errorf("the clone made before uses %+v", u)
	}
	if u := after.Usage(); u != (Usage{}) {
		t.Errorf("the clone made after uses %+v", u)
	}
	for _, each := range []*Tree{tr, before, after} {
		if msg := each.audit(); msg != "" {
			t.Error(msg)
		}
	}
	must(t, f.Close())
	if u := tr.Usage(); u != (Usage{}) {
		t.Errorf("after Close, the original uses %+v", u)
	}
}

// TestCloneCopiesNothing looks at what a clone allocates and what a write to it copies.
func TestCloneCopiesNothing(t *testing.T) {
	tr := manyFiles(t, 20_000)
	must(t, tr.WriteFile("big", make([]byte, 64*chunkSize), 0o644))
	if n := testing.AllocsPerRun(10, func() { tr.Clone() }); n > 8 {
		t.Errorf("Clone allocates %v times", n)
	}
	c := tr.Clone()
	f, err := c.OpenFile("big", os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt([]byte("x"), 10*chunkSize)
	must(t, err)
	must(t, f.Close())
	a, b := inodeOf(t, tr, "big"), inodeOf(t, c, "big")
	for i := range int64(64) {
		if shared := a.chunk(i) == b.chunk(i); shared != (i != 10) {
			t.Errorf("chunk %d shared: %v", i, shared)
		}
	}
	if inodeOf(t, tr, "d0003") != inodeOf(t, c, "d0003") {
		t.Error("an untouched directory was copied")
	}
}

func inodeOf(t *testing.T, tr *Tree, name string) *inode {
	t.Helper()
	i, err := tr.Stat(name)
	must(t, err)
	return tr.inode(i.(Info).Ino())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func text(t testing.TB, tr *Tree, name string) string {
	t.Helper()
	b, err := tr.ReadFile(name)
	must(t, err)
	return string(b)
}
