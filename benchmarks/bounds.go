package benchmarks

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// memoryLimit measures how much the whole process grows while a guest eats memory up to its limit.
func (s *suite) memoryLimit(ctx context.Context) error {
	const limit = 256 << 20
	if _, err := smaps(); err != nil {
		return nil // only Linux tells
	}
	var worst []float64
	var notes []string
	for _, c := range []struct{ name, code string }{
		{"strings", "l = []\nwhile True: l.append('x' * 1_000_000)"},
		{"list", "l = [0]\nwhile True: l += l"},
		{"dict", "d = {}\nfor i in range(10**9): d[i] = i"},
	} {
		var values []float64
		for range s.rounds(10) {
			peak, err := s.peak(ctx, c.code, limit)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			values = append(values, peak/limit)
		}
		notes = append(notes, fmt.Sprintf("%s %.2f", c.name, medianOf(values)))
		if worst == nil || medianOf(values) > medianOf(worst) {
			worst = values
		}
	}
	s.add("memory_limit_rss_ratio", "×", worst, "growth of the process's peak resident memory ÷ a memory limit of 256 MiB that a guest runs into, the worst; medians: %s", strings.Join(notes, ", "))
	return nil
}

// peak answers by how many bytes the process's resident memory grew at the most while code ran.
func (s *suite) peak(ctx context.Context, code string, limit int64) (float64, error) {
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the peak starts from now
		return 0, err
	}
	before, err := statusBytes("VmRSS")
	if err != nil {
		return 0, err
	}
	sb, err := s.engine.Create(ctx, engine.Spec{Limits: engine.Limits{Memory: limit}})
	if err != nil {
		return 0, err
	}
	defer sb.Close()
	res, err := sb.Eval(ctx, "python", code)
	if err != nil {
		return 0, err
	}
	if !strings.Contains(res.Stderr, "MemoryError") {
		return 0, fmt.Errorf("no MemoryError but %d, %q", res.ExitCode, res.Stderr)
	}
	peak, err := statusBytes("VmHWM")
	return float64(peak - before), err
}

func statusBytes(key string) (int64, error) {
	const file = "/proc/self/status"
	var kb int64
	if _, err := fmt.Sscanf(field(file, key), "%d kB", &kb); err != nil {
		return 0, fmt.Errorf("read %s: %s: %w", file, key, err)
	}
	return kb << 10, nil
}

// fullTree measures closing a sandbox whose tree is full to its limit of files.
func (s *suite) fullTree(ctx context.Context) error {
	name, files := "close_million_files_ms", s.tenth(1_000_000)
	if s.Quick {
		name = "close_100k_files_ms"
	}
	var values []float64
	for range s.rounds(8) {
		sb, err := s.engine.Create(ctx, engine.Spec{Limits: engine.Limits{Files: int64(files) + 100, Disk: 1 << 40}})
		if err != nil {
			return err
		}
		for d := range files / 1000 {
			dir := fmt.Sprintf("/tmp/%d", d)
			if err := sb.Files().Mkdir(dir, 0o755); err != nil {
				return err
			}
			for f := range 999 {
				if err := sb.Files().WriteFile(fmt.Sprintf("%s/%d", dir, f), nil, 0o644); err != nil {
					return err
				}
			}
		}
		start := time.Now()
		if err := sb.Close(); err != nil {
			return err
		}
		values = append(values, milliseconds(time.Since(start)))
	}
	s.add(name, "ms", values, "Close of a sandbox with %d files and folders", files)
	return nil
}
