package vfs

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// records is honest records of a tree over base, and where in them to find what.
func honest(t testing.TB) (base *Tree, r *recording) {
	t.Helper()
	base = New(Config{})
	must(t, base.MkdirAll("a/b", 0o755))
	must(t, base.WriteFile("a/f", bytes.Repeat([]byte("base"), chunkSize), 0o644))
	must(t, base.AddStatic("static", make([]byte, 3*chunkSize), 0o644, base.cfg.Now()))
	must(t, base.MkdirAll("mnt", 0o755))
	must(t, base.MountFS("mnt", New(Config{}).FS()))
	tree := base.CloneWith(Config{})
	must(t, tree.MkdirAll("a/new/deep", 0o755))
	must(t, tree.Rename("a/b", "a/new/b"))
	must(t, tree.WriteFile("a/new/g", []byte("content"), 0o600))
	must(t, tree.Link("a/new/g", "linked"))
	must(t, tree.Symlink("a/new", "short"))
	must(t, tree.Truncate("a/f", 100))
	must(t, tree.Root().Setxattr("a/new/g", true, "user.a", []byte("1"), 0))
	must(t, tree.Root().Setxattr("a/new/g", true, "user.b", []byte("2"), 0))
	must(t, tree.Remove("static"))
	f, err := tree.Create("orphan")
	must(t, err)
	_, err = f.WriteString("still open")
	must(t, err)
	must(t, tree.Remove("orphan"))
	return base, record(t, tree, base)
}

// Where in an honest recording the tests find what they spoil.
const (
	inoA, inoB, inoF, inoStatic, inoMnt        = 2, 3, 4, 5, 6
	inoNew, inoDeep, inoG, inoShort, inoOrphan = 7, 8, 9, 10, 11
)

// spoil returns a copy of r, with each record passed through f, which may replace it by none or several.
func (r *recording) spoil(f func(rec any) []any) *recording {
	out := &recording{}
	for _, rec := range r.list {
		out.list = append(out.list, f(rec)...)
	}
	return out
}

// node returns a spoiler of one NodeRecord.
func spoilNode(ino uint64, f func(*NodeRecord)) func(any) []any {
	return func(rec any) []any {
		if n, ok := rec.(NodeRecord); ok && n.Ino == ino {
			f(&n)
			return []any{n}
		}
		return []any{rec}
	}
}

// spoilEntry returns a spoiler of the entry that leads to ino, in whatever directory it comes first.
func spoilEntry(ino uint64, f func(*EntryRecord)) func(any) []any {
	done := false
	return func(rec any) []any {
		if e, ok := rec.(EntryRecord); ok && e.Ino == ino && !done {
			done = true
			f(&e)
			return []any{e}
		}
		return []any{rec}
	}
}

func spoilChunk(ino uint64, f func(*ChunkRecord)) func(any) []any {
	return func(rec any) []any {
		if c, ok := rec.(ChunkRecord); ok && c.Ino == ino {
			f(&c)
			return []any{c}
		}
		return []any{rec}
	}
}

func spoilAttrs(f func(*AttrsRecord)) func(any) []any {
	return func(rec any) []any {
		if a, ok := rec.(AttrsRecord); ok {
			a.List = slices.Clone(a.List)
			f(&a)
			return []any{a}
		}
		return []any{rec}
	}
}

// before returns a spoiler that puts a record before the first that is of the same kind but greater.
func before(extra any) func(any) []any {
	done := false
	return func(rec any) []any {
		if !done && compareRecords(extra, rec) < 0 {
			done = true
			return []any{extra, rec}
		}
		return []any{rec}
	}
}

func compareRecords(a, b any) int {
	order := func(rec any) (int, uint64, uint64) {
		switch rec := rec.(type) {
		case NodeRecord:
			return 1, rec.Ino, 0
		case uint64:
			return 1, rec, 0
		case AttrsRecord:
			return 2, rec.Ino, 0
		case EntryRecord:
			return 3, rec.Dir, rec.Seq
		case ChunkRecord:
			return 4, rec.Ino, uint64(rec.Index)
		}
		return 0, 0, 0
	}
	k1, a1, b1 := order(a)
	k2, a2, b2 := order(b)
	return cmp.Or(cmp.Compare(k1, k2), cmp.Compare(a1, a2), cmp.Compare(b1, b2))
}

func without(drop any) func(any) []any {
	return func(rec any) []any {
		if compareRecords(drop, rec) == 0 {
			return nil
		}
		return []any{rec}
	}
}

func TestRestoreHostile(t *testing.T) {
	base, good := honest(t)
	if _, err := Restore(base, Config{}, good.play); err != nil {
		t.Fatal(err)
	}
	was, err := base.freeze()
	must(t, err)
	for _, c := range []struct {
		name  string
		spoil func(any) []any
	}{
		{"no records", func(any) []any { return nil }},
		{"no tree record", without(TreeRecord{})},
		{"two tree records", func(rec any) []any {
			if _, ok := rec.(TreeRecord); ok {
				return []any{rec, rec}
			}
			return []any{rec}
		}},
		{"inode numbers of the base given again", func(rec any) []any {
			if r, ok := rec.(TreeRecord); ok {
				return []any{TreeRecord{NextIno: 3, FirstIno: r.FirstIno}}
			}
			return []any{rec}
		}},
		{"huge inode numbers", func(rec any) []any {
			if r, ok := rec.(TreeRecord); ok {
				return []any{TreeRecord{NextIno: 1 << 63, FirstIno: r.FirstIno}}
			}
			return []any{rec}
		}},
		{"everything twice", func(rec any) []any { return []any{rec, rec} }},
		{"inode 0", before(NodeRecord{Ino: 0, Orphan: true})},
		{"inode to come", spoilNode(inoOrphan, func(r *NodeRecord) { r.Ino = 999 })},
		{"a file in the place of a directory", spoilNode(inoA, func(r *NodeRecord) { r.Mode = 0o644 })},
		{"the root a file", spoilNode(rootIno, func(r *NodeRecord) { r.Mode = 0o644 })},
		{"the root an orphan", spoilNode(rootIno, func(r *NodeRecord) { r.Orphan = true })},
		{"type without meaning", spoilNode(inoG, func(r *NodeRecord) { r.Mode |= fs.ModeIrregular })},
		{"mode bits without meaning", spoilNode(inoG, func(r *NodeRecord) { r.Mode |= fs.ModeTemporary })},
		{"negative size", spoilNode(inoG, func(r *NodeRecord) { r.Size = -1 })},
		{"too large", spoilNode(inoG, func(r *NodeRecord) { r.Size = maxFileSize + 1 })},
		{"a directory with a size", spoilNode(inoNew, func(r *NodeRecord) { r.Size = 1 })},
		{"a file with names", spoilNode(inoG, func(r *NodeRecord) { r.LastSeq = 9 })},
		{"a directory that gave no names", spoilNode(inoNew, func(r *NodeRecord) { r.LastSeq = 0 })},
		{"a directory that gave fewer names than before", spoilNode(inoA, func(r *NodeRecord) { r.LastSeq = 3 })},
		{"huge places", spoilNode(inoA, func(r *NodeRecord) { r.LastSeq = 1 << 62 })},
		{"negative chunks kept", spoilNode(inoF, func(r *NodeRecord) { r.Kept = -1 })},
		{"more kept than the size", spoilNode(inoF, func(r *NodeRecord) { r.Kept = 2 })},
		{"kept chunks without end", spoilNode(inoF, func(r *NodeRecord) { r.Kept = 1 << 60 })},
		{"an orphan with a name", spoilNode(inoG, func(r *NodeRecord) { r.Orphan = true })},
		{"a nameless file that is no orphan", spoilNode(inoOrphan, func(r *NodeRecord) { r.Orphan = false })},
		{"the root gone", func(rec any) []any {
			if n, ok := rec.(NodeRecord); ok && n.Ino == rootIno {
				return []any{uint64(rootIno)}
			}
			return []any{rec}
		}},
		{"a mount point gone", before(uint64(inoMnt))},
		{"gone, but named", before(uint64(inoF))},
		{"gone, but not its entries", before(uint64(inoB))},
		{"a named file of the base gone", without(EntryRecord{Dir: 1, Seq: 4})},
		{"an entry to nothing", spoilEntry(inoG, func(r *EntryRecord) { r.Ino = 999 })},
		{"an entry to what is gone", spoilEntry(inoG, func(r *EntryRecord) { r.Ino = inoStatic })},
		{"an entry to the root", spoilEntry(inoG, func(r *EntryRecord) { r.Ino = rootIno })},
		{"a directory named twice", spoilEntry(inoG, func(r *EntryRecord) { r.Ino = inoDeep })},
		{"a directory under itself", spoilEntry(inoDeep, func(r *EntryRecord) { r.Ino = inoNew })},
		{"a directory under its own child", func(rec any) []any {
			if e, ok := rec.(EntryRecord); ok && e.Ino == inoNew {
				e.Dir, e.Seq = inoDeep, 3
				return []any{NodeRecord{}, e}
			}
			return []any{rec}
		}},
		{"entries of a file", spoilEntry(inoG, func(r *EntryRecord) { r.Dir = inoG })},
		{"entries of an unknown directory", spoilEntry(inoG, func(r *EntryRecord) { r.Dir = 99 })},
		{"entries of an orphan", spoilEntry(inoG, func(r *EntryRecord) { r.Dir = inoOrphan })},
		{"place of the dots", spoilEntry(inoNew, func(r *EntryRecord) { r.Seq = cookieDotDot })},
		{"place to come", spoilEntry(inoG, func(r *EntryRecord) { r.Seq = 99 })},
		{"empty name", spoilEntry(inoG, func(r *EntryRecord) { r.Name = "" })},
		{"name .", spoilEntry(inoG, func(r *EntryRecord) { r.Name = "." })},
		{"name ..", spoilEntry(inoG, func(r *EntryRecord) { r.Name = ".." })},
		{"name with a slash", spoilEntry(inoG, func(r *EntryRecord) { r.Name = "../g" })},
		{"name with a zero", spoilEntry(inoG, func(r *EntryRecord) { r.Name = "g\x00" })},
		{"long name", spoilEntry(inoG, func(r *EntryRecord) { r.Name = strings.Repeat("g", 256) })},
		{"one name twice", spoilEntry(inoG, func(r *EntryRecord) { r.Name = "short" })},
		{"names on credit", func(rec any) []any {
			if e, ok := rec.(EntryRecord); ok {
				e.Charged = false
				return []any{e}
			}
			return []any{rec}
		}},
		{"attributes of nothing", spoilAttrs(func(r *AttrsRecord) { r.Ino = 999 })},
		{"attributes out of order", spoilAttrs(func(r *AttrsRecord) { slices.Reverse(r.List) })},
		{"one attribute twice", spoilAttrs(func(r *AttrsRecord) { r.List[1] = r.List[0] })},
		{"an attribute without a name", spoilAttrs(func(r *AttrsRecord) { r.List[0].Name = "" })},
		{"a large attribute", spoilAttrs(func(r *AttrsRecord) { r.List[0].Value = strings.Repeat("x", maxAttrValue+1) })},
		{"many attributes", spoilAttrs(func(r *AttrsRecord) {
			for i := range 5 {
				r.List = append(r.List, Attr{"user.c" + strconv.Itoa(i), strings.Repeat("x", maxAttrValue)})
			}
		})},
		{"content of a directory", spoilChunk(inoG, func(r *ChunkRecord) { r.Ino = inoNew })},
		{"content of nothing", spoilChunk(inoG, func(r *ChunkRecord) { r.Ino = 999 })},
		{"negative chunk", spoilChunk(inoG, func(r *ChunkRecord) { r.Index = -1 })},
		{"chunk beyond the size", spoilChunk(inoG, func(r *ChunkRecord) { r.Index = 1 })},
		{"content beyond the size", spoilChunk(inoG, func(r *ChunkRecord) { r.Data = make([]byte, 8) })},
		{"large chunk", spoilChunk(inoG, func(r *ChunkRecord) { r.Data = make([]byte, chunkSize+1) })},
		{"link without a target", without(ChunkRecord{Ino: inoShort})},
		{"link with half a target", spoilChunk(inoShort, func(r *ChunkRecord) { r.Data = r.Data[:2] })},
		{"link with a zero", spoilChunk(inoShort, func(r *ChunkRecord) { r.Data = make([]byte, len(r.Data)) })},
		{"long link", spoilNode(inoShort, func(r *NodeRecord) { r.Size = maxPath + 1 })},
	} {
		bad := good.spoil(c.spoil)
		tree, err := Restore(base, Config{}, bad.play)
		if tree != nil || !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: %v", c.name, err)
		}
		now, err := base.freeze()
		must(t, err)
		if now.inodes != was.inodes || base.audit() != "" {
			t.Fatalf("%s: the base has changed", c.name)
		}
	}
}

func TestRestoreOrder(t *testing.T) {
	base, good := honest(t)
	for i := range len(good.list) - 1 {
		bad := &recording{list: slices.Clone(good.list)}
		bad.list[i], bad.list[i+1] = bad.list[i+1], bad.list[i]
		if _, err := Restore(base, Config{}, bad.play); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("records %d and %d exchanged: %v", i, i+1, err)
		}
	}
}

// TestRestoreGoesOn ignores the error of a record: the tree must not come about all the same.
func TestRestoreGoesOn(t *testing.T) {
	base, good := honest(t)
	bad := good.spoil(spoilNode(inoG, func(r *NodeRecord) { r.Mode |= fs.ModeIrregular }))
	_, err := Restore(base, Config{}, func(to Sink) error {
		for i := range bad.list {
			(&recording{list: bad.list[i : i+1]}).play(to)
		}
		return nil
	})
	if !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
}

func TestRestoreFeedError(t *testing.T) {
	base, _ := honest(t)
	if _, err := Restore(base, Config{}, func(Sink) error { return io.ErrUnexpectedEOF }); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
	must(t, base.Close())
	if _, err := Restore(base, Config{}, func(to Sink) error { return to.Tree(TreeRecord{NextIno: 9}) }); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
}

func TestRestoreLimits(t *testing.T) {
	base, good := honest(t)
	tree, err := Restore(base, Config{}, good.play)
	must(t, err)
	u := tree.Usage()
	for _, c := range []struct {
		cfg  Config
		want error
	}{
		{Config{MaxBytes: u.Bytes, MaxFiles: u.Files}, nil},
		{Config{MaxBytes: u.Bytes - 1}, ErrQuota},
		{Config{MaxFiles: u.Files - 1}, ErrTooManyFiles},
	} {
		if _, err := Restore(base, c.cfg, good.play); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
	// Content that claims to be free is charged, unless base had it.
	free := good.spoil(spoilChunk(inoG, func(r *ChunkRecord) { r.Charged = false }))
	tree, err = Restore(base, Config{}, free.play)
	must(t, err)
	if got := tree.Usage(); got != u {
		t.Errorf("usage %+v, want %+v", got, u)
	}
}

// TestRestoreSharesData restores two files of one buffer, and writes to one: the other must not change.
func TestRestoreSharesData(t *testing.T) {
	base := New(Config{})
	tree := base.CloneWith(Config{})
	must(t, tree.WriteFile("a", []byte("content"), 0o644))
	must(t, tree.WriteFile("b", []byte("content"), 0o644))
	data := []byte("content")
	r := record(t, tree, base).spoil(func(rec any) []any {
		if c, ok := rec.(ChunkRecord); ok {
			c.Data = data
			return []any{c}
		}
		return []any{rec}
	})
	again := restore(t, base, r)
	must(t, again.WriteFile("a", []byte("CONTENT"), 0o644))
	f, err := again.OpenFile("a", 2, 0)
	must(t, err)
	_, err = f.WriteAt([]byte("X"), 0)
	must(t, err)
	if got := text(t, again, "b") + string(data); got != "contentcontent" {
		t.Errorf("%q", got)
	}
}

// mutate spoils records at random. Each step takes some bytes of input.
func mutate(list []any, input []byte) []any {
	list = slices.Clone(list)
	for len(input) >= 4 && len(list) > 0 {
		at, value := int(input[1])%len(list), uint64(input[2])
		if input[3] >= 128 {
			value = 1 << (input[3] & 63)
		}
		switch input[0] % 8 {
		case 0:
			list = slices.Delete(list, at, at+1)
		case 1:
			list = slices.Insert(list, at, list[value%uint64(len(list))])
		case 2:
			to := value % uint64(len(list))
			list[at], list[to] = list[to], list[at]
		case 3:
			list = slices.Insert(list, at, any(value))
		default:
			list[at] = mutateRecord(list[at], input[0]/8, value)
		}
		input = input[4:]
	}
	return list
}

func mutateRecord(rec any, field byte, value uint64) any {
	switch rec := rec.(type) {
	case TreeRecord:
		*[]*uint64{&rec.NextIno, &rec.FirstIno}[field%2] = value
		rec.Fresh = rec.Fresh != (field%4 == 3)
		return rec
	case NodeRecord:
		switch field % 8 {
		case 0:
			rec.Ino = value
		case 1:
			rec.Mode = fs.FileMode(value)
		case 2:
			rec.Size = int64(value)
		case 3:
			rec.Kept = int64(value)
		case 4:
			rec.LastSeq = value
		case 5:
			rec.Orphan = !rec.Orphan
		case 6:
			rec.Mode ^= fs.FileMode(value) << 20
		default:
			rec.Mtime = int64(value)
		}
		return rec
	case EntryRecord:
		switch field % 5 {
		case 0:
			rec.Dir = value
		case 1:
			rec.Seq = value
		case 2:
			rec.Ino = value
		case 3:
			rec.Name = strings.Repeat(string(rune(value&0x7f)), int(value%300))
		default:
			rec.Charged = !rec.Charged
		}
		return rec
	case AttrsRecord:
		switch field % 3 {
		case 0:
			rec.Ino = value
		case 1:
			rec.Charged = !rec.Charged
		default:
			rec.List = append(rec.List[:1:1], Attr{string(rune(value & 0x7f)), "v"})
		}
		return rec
	case ChunkRecord:
		switch field % 4 {
		case 0:
			rec.Ino = value
		case 1:
			rec.Index = int64(value)
		case 2:
			rec.Data = make([]byte, value&0x7fff)
		default:
			rec.Charged = !rec.Charged
		}
		return rec
	}
	return value
}

// survives restores what may be spoiled and uses what comes of it, which must be a whole tree.
func survives(t *testing.T, base *Tree, list []any) bool {
	r := &recording{list: list}
	tree, err := Restore(base, Config{MaxBytes: 1 << 24}, r.play)
	if err != nil {
		return false
	}
	if msg := tree.audit(); msg != "" {
		t.Fatalf("%s\n%s", msg, r)
	}
	told := record(t, tree, base)
	if again := record(t, restore(t, base, told), base); !slices.EqualFunc(told.list, again.list, sameRecord) {
		t.Fatalf("the tree made again gives other records\n%s", r)
	}
	for _, n := range slices.Sorted(maps.Keys(tree.orphans)) {
		tree.opened(n)
		tree.release(n)
	}
	err = fs.WalkDir(tree.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type() == fs.ModeSymlink {
			_, err = tree.Readlink(name)
		} else if err == nil && d.Type().IsRegular() {
			f, err := tree.Open(name)
			must(t, err)
			_, err = io.CopyN(io.Discard, f, 4*chunkSize)
			must(t, f.Close())
			if err != io.EOF {
				return err
			}
		}
		return err
	})
	if err != nil {
		t.Fatalf("walk: %v\n%s", err, r)
	}
	return true
}

func TestRestoreMutated(t *testing.T) {
	base, good := honest(t)
	r := rand.New(rand.NewPCG(1, 2))
	whole := 0
	for range 20_000 {
		input := make([]byte, 4*(1+r.IntN(3)))
		for i := range input {
			input[i] = byte(r.Uint32())
		}
		if survives(t, base, mutate(good.list, input)) {
			whole++
		}
	}
	if whole == 0 {
		t.Error("no spoiled records made a tree")
	}
}

func FuzzRestore(f *testing.F) {
	base, good := honest(f)
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7})
	f.Fuzz(func(t *testing.T, input []byte) { survives(t, base, mutate(good.list, input)) })
}

// TestRestoreCost restores records whose numbers lie as far apart as they may: each must cost a bounded amount of memory.
func TestRestoreCost(t *testing.T) {
	const count = 1000
	base := New(Config{})
	feed := func(to Sink) error {
		must(t, to.Tree(TreeRecord{NextIno: maxNumber, Fresh: true}))
		must(t, to.Node(NodeRecord{Ino: rootIno, Mode: fs.ModeDir | 0o755, LastSeq: maxNumber}))
		far := func(i int) uint64 { return uint64(i+1)*(maxNumber/(count+2)) | 1<<30 - 1 }
		for i := range count {
			must(t, to.Node(NodeRecord{Ino: far(i), Size: maxFileSize}))
		}
		for i := range count {
			must(t, to.Entry(EntryRecord{Dir: rootIno, Seq: far(i), Ino: far(i), Name: strconv.Itoa(i), Charged: true}))
		}
		for i := range count {
			must(t, to.Chunk(ChunkRecord{Ino: far(i), Index: maxFileSize/chunkSize - 1, Data: []byte{1}, Charged: true}))
		}
		return nil
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Restore(base, Config{}, feed)
	runtime.ReadMemStats(&after)
	must(t, err)
	each := (after.TotalAlloc - before.TotalAlloc) / (3 * count)
	if each > 4<<10 {
		t.Errorf("a record costs %d bytes", each)
	}
}
