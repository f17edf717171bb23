package benchmarks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/runtimes/python"
)

// snapshots measures a sandbox's way into a file and back.
func (s *suite) snapshots(ctx context.Context) error {
	sb, _, err := s.liveSandbox(ctx, 1)
	if err != nil {
		return err
	}
	defer sb.Close()
	var content int64
	for i := range 10_000 {
		content += int64(len(fmt.Sprintf("content of file %d\n", i)))
	}
	const what = "10,000 files and a session that holds 1 MB of objects"
	var writes, reads, sizes []float64
	var file bytes.Buffer
	for range s.runs(40) {
		runtime.GC() // what earlier rounds left is not this one's
		file.Reset()
		start := time.Now()
		snapshot, err := sb.Snapshot(ctx)
		if err != nil {
			return err
		}
		_, err = snapshot.WriteTo(&file)
		writes = append(writes, milliseconds(time.Since(start)))
		sizes = append(sizes, float64(int64(file.Len())-content)/(1<<20))
		if err := errors.Join(err, snapshot.Close()); err != nil {
			return err
		}
		start = time.Now()
		if err := thaw(ctx, s.engine, file.Bytes()); err != nil {
			return err
		}
		reads = append(reads, milliseconds(time.Since(start)))
	}
	snapshot, err := sb.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	var sandboxes []float64
	for range s.runs(200) {
		start := time.Now()
		err := firstCell(ctx, snapshot)
		sandboxes = append(sandboxes, milliseconds(time.Since(start)))
		if err != nil {
			return err
		}
	}
	s.add("snapshot_sandbox_ms", "ms", sandboxes, "a sandbox of a snapshot in memory, with %s, its first cell, and its end", what)
	var elsewhere []float64
	for range s.runs(16) {
		start := time.Now()
		if err := thawElsewhere(ctx, s.CacheDir, file.Bytes()); err != nil {
			return err
		}
		elsewhere = append(elsewhere, milliseconds(time.Since(start)))
	}
	s.add("snapshot_write_ms", "ms", writes, "Snapshot and WriteTo of a sandbox with %s, into memory", what)
	s.add("snapshot_size_mib", "MiB", sizes, "its file, less the files' content")
	s.add("snapshot_read_ms", "ms", reads, "ReadSnapshot, Sandbox and a first cell, in the same engine")
	s.add("snapshot_elsewhere_ms", "ms", elsewhere, "the same in a new engine, which loads the interpreter from a warm cache")
	return s.restoreEval(ctx, file.Bytes())
}

// restoreEval measures the same in a new process, from its start to its end.
func (s *suite) restoreEval(ctx context.Context, file []byte) error {
	if s.Binary == "" {
		return nil
	}
	dir, err := os.MkdirTemp("", "belljar-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "snapshot")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		return err
	}
	args := []string{"bench", "--restore", name}
	if s.CacheDir != "" {
		args = append(args, "--state", s.CacheDir)
	}
	var values []float64
	for range s.runs(40) {
		start := time.Now()
		if out, err := exec.CommandContext(ctx, s.Binary, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %q, %w", s.Binary, out, err)
		}
		values = append(values, milliseconds(time.Since(start)))
	}
	s.add("restore_eval_ms", "ms", values, "the same in a new process, from its start to its end, with a warm cache")
	return nil
}

// Restore reads a snapshot that the figures of snapshots have written, makes a sandbox of it and runs a cell there: what
// restore_eval_ms starts in a process of its own.
func Restore(ctx context.Context, cacheDir, name string) error {
	file, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return thawElsewhere(ctx, cacheDir, file)
}

// thaw reads a snapshot and runs a cell of its session.
func thaw(ctx context.Context, eng *engine.Engine, file []byte) error {
	snapshot, err := eng.ReadSnapshot(ctx, bytes.NewReader(file), engine.ReadOptions{Limits: engine.Limits{Memory: 1 << 30}})
	if err != nil {
		return err
	}
	return errors.Join(firstCell(ctx, snapshot), snapshot.Close())
}

// firstCell makes a sandbox of a snapshot and runs a cell of its session.
func firstCell(ctx context.Context, snapshot *engine.Snapshot) error {
	sb, err := snapshot.Sandbox(ctx)
	if err != nil {
		return err
	}
	defer sb.Close()
	session, err := sb.Session(ctx, "main", "python")
	if err != nil {
		return err
	}
	return answer(ctx, session, "data[1]", "'111'")
}

// thawElsewhere does the same in an engine of its own, which loads everything from the cache as a new process does.
func thawElsewhere(ctx context.Context, cacheDir string, file []byte) error {
	eng, err := engine.New(engine.Config{Images: []engine.Image{python.Image()}, CacheDir: cacheDir})
	if err != nil {
		return err
	}
	return errors.Join(thaw(ctx, eng, file), eng.Close())
}
