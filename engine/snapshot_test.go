package engine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
	"github.com/klauspost/compress/zstd"
)

// countImage has a program that lives as a session: each cell counts one up in memory, and the count is its exit code.
func countImage() engine.Image {
	count := guest{nil, "", []guestFunc{{"run", 0, cat(
		i32Const(0), i32Const(0), i32Load(512), i32Const(1), add, i32Store(512), i32Const(0), i32Load(512))}}}
	p := count.program("/bin/count", nil)
	p.Interactive = &engine.Interactive{Entry: "run"}
	return engine.Image{Name: "count", Programs: []engine.Program{p}, Langs: map[string][]string{"count": {"count"}}}
}

func countEngine(t testing.TB) *engine.Engine {
	t.Helper()
	eng, err := engine.New(engine.Config{Images: []engine.Image{countImage()}, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	return eng
}

// counted makes a sandbox with some files, of which equal ones, and a session that has counted to two.
func counted(t testing.TB, eng *engine.Engine) *engine.Sandbox {
	t.Helper()
	sb, err := eng.Create(t.Context(), engine.Spec{Replay: &engine.Replay{Seed: 1}, Env: []string{"A=b"}})
	if err != nil {
		t.Fatal(err)
	}
	files := sb.Files()
	r := rand.New(rand.NewPCG(1, 2))
	big := make([]byte, 100_000)
	for i := range big {
		big[i] = byte(r.Uint32())
	}
	for _, err := range []error{
		files.MkdirAll("/home/user/a/b", 0o755), files.WriteFile("/home/user/a/big", big, 0o600),
		files.WriteFile("/home/user/a/copy", big, 0o644), files.Symlink("b", "/home/user/a/link"),
		files.Remove("/etc/hosts"), files.WriteFile("/etc/hostname", []byte("other\n"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := sb.Session(t.Context(), "s", "count")
	if err != nil {
		t.Fatal(err)
	}
	for want := 1; want <= 2; want++ {
		if res, err := s.Eval(t.Context(), engine.Cell{}); err != nil || res.ExitCode != want {
			t.Fatal(res.ExitCode, err)
		}
	}
	return sb
}

// writeSnapshot answers a snapshot's file.
func writeSnapshot(t testing.TB, sb *engine.Sandbox) []byte {
	t.Helper()
	s, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_, err = s.WriteTo(&b)
	if err := errors.Join(err, s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readSnapshot(eng *engine.Engine, b []byte) (*engine.Snapshot, error) {
	return eng.ReadSnapshot(context.Background(), bytes.NewReader(b), engine.ReadOptions{})
}

func TestSnapshot(t *testing.T) {
	eng := countEngine(t)
	sb := counted(t, eng)
	file := writeSnapshot(t, sb)
	if len(file) < 100_000 || len(file) > 110_000 {
		t.Errorf("100,000 bytes, twice, make a file of %d", len(file))
	}
	other := countEngine(t)
	s, err := readSnapshot(other, file)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 2 {
		back, err := s.Sandbox(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(writeSnapshot(t, back), file) {
			t.Error("written again it is another file")
		}
		changes, err := vfs.Diff(sb.Files(), back.Files())
		if err != nil || len(changes) != 0 {
			t.Errorf("files differ: %v, %v", changes, err)
		}
		session := back.Sessions()[0]
		if res, err := session.Eval(t.Context(), engine.Cell{}); err != nil || res.ExitCode != 3 {
			t.Errorf("it counts on to %d, %v", res.ExitCode, err)
		}
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Sandbox(t.Context()); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("of a closed engine: %v", err)
	}
}

// Whatever part of a file is damaged or missing, it is a bad snapshot.
func TestDamagedSnapshot(t *testing.T) {
	eng := countEngine(t)
	file := writeSnapshot(t, counted(t, eng))
	refuse := func(what string, b []byte) {
		t.Helper()
		s, err := readSnapshot(eng, b)
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, engine.ErrSnapshot) {
			t.Errorf("%s: %v", what, err)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 400 {
		at := r.IntN(len(file))
		if i < 40 {
			at = i
		}
		bad := bytes.Clone(file)
		bad[at] ^= byte(1 + r.IntN(255))
		refuse("changed", bad)
		refuse("cut", file[:at])
	}
	refuse("longer", append(bytes.Clone(file), 0))
	refuse("twice", append(bytes.Clone(file), file...))
	refuse("empty", nil)
	version := bytes.Clone(file)
	version[8] = 99
	refuse("another version", version)
	if _, err := readSnapshot(eng, version); !strings.Contains(err.Error(), "version 99") {
		t.Errorf("another version: %v", err)
	}
	empty, err := engine.New(engine.Config{NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	if _, err := readSnapshot(empty, file); !errors.Is(err, engine.ErrSnapshot) {
		t.Errorf("without the image: %v", err)
	}
}

// unpack answers a snapshot's records, without the end; pack is its inverse.
func unpack(t testing.TB, file []byte) []byte {
	t.Helper()
	d, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	records, err := d.DecodeAll(file[10:], nil)
	if err != nil {
		t.Fatal(err)
	}
	return records[:len(records)-sha256.Size-2]
}

var packer, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))

func pack(records []byte) []byte {
	start := append([]byte("BELLJAR\x1a"), 1, 0)
	sum := sha256.Sum256(append(bytes.Clone(start), records...))
	all := append(append(bytes.Clone(records), 'Z', sha256.Size), sum[:]...)
	return packer.EncodeAll(all, start)
}

// eachRecord calls do with each record of a list that is whole.
func eachRecord(records []byte, do func(kind byte, body []byte)) {
	for len(records) > 0 {
		n, k := binary.Uvarint(records[1:])
		do(records[0], records[1+k:][:n])
		records = records[1+k+int(n):]
	}
}

// Records that are well-formed and make no sense: left out, doubled, swapped, with changed bytes.
func TestHostileSnapshot(t *testing.T) {
	eng := countEngine(t)
	records := unpack(t, writeSnapshot(t, counted(t, eng)))
	if s, err := readSnapshot(eng, pack(records)); err != nil {
		t.Fatal(err)
	} else if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	eachRecord(records, func(kind byte, body []byte) {
		all = append(all, append(binary.AppendUvarint([]byte{kind}, uint64(len(body))), body...))
	})
	try := func(list [][]byte) {
		s, err := readSnapshot(eng, pack(bytes.Join(list, nil)))
		if err != nil {
			if !errors.Is(err, engine.ErrSnapshot) && !errors.Is(err, vfs.ErrQuota) && !errors.Is(err, vfs.ErrTooManyFiles) {
				var limit *engine.LimitError
				if !errors.As(err, &limit) && !errors.Is(err, engine.ErrUnknownLanguage) && !errors.Is(err, engine.ErrNotFound) {
					t.Errorf("an error of another kind: %v", err)
				}
			}
			return
		}
		use(t, s)
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		list := append([][]byte{}, all...)
		for range 1 + r.IntN(3) {
			i, j := r.IntN(len(list)), r.IntN(len(list))
			switch r.IntN(4) {
			case 0:
				list = append(list[:i:i], list[i+1:]...)
			case 1:
				list = append(list[:i:i], append([][]byte{list[j]}, list[i:]...)...)
			case 2:
				list[i], list[j] = list[j], list[i]
			case 3:
				b := bytes.Clone(list[i])
				b[r.IntN(len(b))] = byte(r.Uint32())
				list[i] = b
			}
		}
		try(list)
	}
}

// use makes a sandbox of a snapshot that could be read, and runs what is in it.
func use(t testing.TB, s *engine.Snapshot) {
	t.Helper()
	defer s.Close()
	sb, err := s.Sandbox(context.Background())
	if err != nil {
		return
	}
	for _, session := range sb.Sessions() {
		_, err := session.Eval(context.Background(), engine.Cell{})
		if errors.Is(err, engine.ErrInternal) {
			t.Errorf("a session's cell: %v", err)
		}
	}
	if err := sb.Close(); err != nil {
		t.Error(err)
	}
}

// FuzzReadSnapshot reads records of any kind.
func FuzzReadSnapshot(f *testing.F) {
	eng := countEngine(f)
	sb, err := eng.Create(f.Context(), engine.Spec{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(unpack(f, writeSnapshot(f, sb)))
	if err := sb.Files().WriteFile("/home/user/f", []byte("content"), 0o644); err != nil {
		f.Fatal(err)
	}
	f.Add(unpack(f, writeSnapshot(f, sb)))
	f.Fuzz(func(t *testing.T, records []byte) {
		s, err := eng.ReadSnapshot(context.Background(), bytes.NewReader(pack(records)), engine.ReadOptions{
			MaxBytes: 1 << 20, Limits: engine.Limits{Files: 1000, Disk: 1 << 20},
		})
		if err == nil {
			use(t, s)
		}
	})
}

// A sandbox that was taken apart and put together is the same.
func TestFrozen(t *testing.T) {
	eng := countEngine(t)
	sb := counted(t, eng)
	file := writeSnapshot(t, sb)
	s, err := readSnapshot(eng, file)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	parts, err := s.Frozen()
	if err != nil {
		t.Fatal(err)
	}
	back, err := eng.Thaw(t.Context(), parts)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(writeSnapshot(t, back), file) {
		t.Error("put together it is another sandbox")
	}
	if res, err := back.Sessions()[0].Eval(t.Context(), engine.Cell{}); err != nil || res.ExitCode != 3 {
		t.Errorf("it counts on to %d, %v", res.ExitCode, err)
	}
	blocks := parts.Sessions[0].Blocks
	for name, bad := range map[string]func(yield func(uint64, []byte) error) error{
		"a short block": func(yield func(uint64, []byte) error) error { return yield(0, make([]byte, 5)) },
		"a block outside": func(yield func(uint64, []byte) error) error {
			return yield(1<<40, make([]byte, engine.BlockSize))
		},
		"a block twice": func(yield func(uint64, []byte) error) error { return errors.Join(blocks(yield), blocks(yield)) },
	} {
		parts.Sessions[0].Blocks = bad
		if _, err := eng.Thaw(t.Context(), parts); !errors.Is(err, engine.ErrSnapshot) {
			t.Errorf("%s: %v", name, err)
		}
	}
	parts.Sessions = append(parts.Sessions[:0], engine.FrozenSession{State: []byte("{")})
	if _, err := eng.Thaw(t.Context(), parts); !errors.Is(err, engine.ErrSnapshot) {
		t.Errorf("a state cut short: %v", err)
	}
}

// A first cell that fails before its program is there leaves a session that can be asked again.
func TestFirstCellCanceled(t *testing.T) {
	eng := countEngine(t)
	sb, err := eng.Create(t.Context(), engine.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sb.Session(t.Context(), "s", "count")
	if err != nil {
		t.Fatal(err)
	}
	// The context ends between the look at it and the loading of the program.
	ctx := &endingContext{Context: t.Context(), looks: 1}
	if _, err := s.Eval(ctx, engine.Cell{}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if res, err := s.Eval(t.Context(), engine.Cell{}); err != nil || res.ExitCode != 1 {
		t.Errorf("asked again: %d, %v", res.ExitCode, err)
	}
}

// endingContext ends after a number of looks at it.
type endingContext struct {
	context.Context
	looks int
}

func (c *endingContext) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

func (c *endingContext) Value(any) any { return nil }
