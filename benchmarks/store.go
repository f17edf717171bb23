package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/store"
)

// openStore opens a store in a folder of its own, which done deletes.
func (s *suite) openStore(cfg store.Config) (st *store.Store, done func() error, err error) {
	if cfg.Dir == "" {
		if cfg.Dir, err = os.MkdirTemp("", "belljar-bench-store-"); err != nil {
			return nil, nil, err
		}
	}
	cfg.Engine = s.engine
	if st, err = store.Open(cfg); err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(cfg.Dir))
	}
	return st, func() error { return errors.Join(st.Close(), os.RemoveAll(cfg.Dir)) }, nil
}

// store measures sandboxes that are kept on disk.
func (s *suite) store(ctx context.Context) error {
	for _, part := range []func(context.Context) error{s.storeThaw, s.storeByte, s.storeReopen} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// storeThaw measures how long a frozen sandbox takes to answer.
func (s *suite) storeThaw(ctx context.Context) error {
	st, done, err := s.openStore(store.Config{IdleStop: -1})
	if err != nil {
		return err
	}
	defer done()
	if err := st.Create(ctx, "box", engine.Spec{}, store.Options{}); err != nil {
		return err
	}
	n := 0
	count := func() error {
		n++
		return st.Use(ctx, "box", func(sb *engine.Sandbox) error {
			session, err := sb.Session(ctx, "main", "python")
			if err != nil {
				return err
			}
			return answer(ctx, session, "n = globals().get('n', 0) + 1; n", strconv.Itoa(n))
		})
	}
	if err := count(); err != nil {
		return err
	}
	var times, freezes []float64
	for range s.runs(200) {
		start := time.Now()
		if err := st.Freeze("box"); err != nil {
			return err
		}
		frozen := time.Now()
		if err := count(); err != nil {
			return err
		}
		freezes = append(freezes, milliseconds(frozen.Sub(start)))
		times = append(times, milliseconds(time.Since(frozen)))
	}
	s.add("freeze_ms", "ms", freezes, "a sandbox with a session of a few variables frozen to disk")
	s.add("thaw_ms", "ms", times, "it is brought to life, to the answer of the session's next cell with its files safe")
	return nil
}

// storeByte measures what one byte costs on disk.
func (s *suite) storeByte(ctx context.Context) error {
	st, done, err := s.openStore(store.Config{IdleStop: -1})
	if err != nil {
		return err
	}
	defer done()
	if err := st.Create(ctx, "box", engine.Spec{}, store.Options{}); err != nil {
		return err
	}
	const size = 100 << 20
	random := rand.New(rand.NewPCG(1, 2))
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content)
	const file = "/home/user/large"
	if err := st.Use(ctx, "box", func(sb *engine.Sandbox) error { return sb.Files().WriteFile(file, content, 0o644) }); err != nil {
		return err
	}
	var bytes []float64
	for range s.runs(200) {
		before, err := bytesWritten()
		if err != nil {
			return nil // this system doesn't tell
		}
		err = st.Use(ctx, "box", func(sb *engine.Sandbox) error {
			f, err := sb.Files().OpenFile(file, os.O_RDWR, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt([]byte{byte(random.Uint32())}, random.Int64N(size))
			return err
		})
		if err != nil {
			return err
		}
		after, err := bytesWritten()
		if err != nil {
			return err
		}
		bytes = append(bytes, float64(after-before)/1024)
	}
	s.add("store_byte_kib", "KiB", bytes, "written to disk when one byte of a file of 100 MB changes")
	return nil
}

// bytesWritten is what this process has given the operating system to write, as Linux counts it.
func bytesWritten() (int64, error) {
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if n, ok := strings.CutPrefix(line, "wchar: "); ok {
			return strconv.ParseInt(strings.TrimSpace(n), 10, 64)
		}
	}
	return 0, errors.New("/proc/self/io has no wchar")
}

// storeReopen measures how soon a store with many sandboxes is ready.
func (s *suite) storeReopen(ctx context.Context) error {
	boxes := s.tenth(10_000)
	dir, err := os.MkdirTemp("", "belljar-bench-store-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	st, err := store.Open(store.Config{Dir: dir, Engine: s.engine, NoFlush: true, IdleStop: -1})
	if err != nil {
		return err
	}
	for i := range boxes {
		if err := st.Create(ctx, fmt.Sprintf("box%d", i), engine.Spec{}, store.Options{}); err != nil {
			return errors.Join(err, st.Close())
		}
	}
	if err := st.Close(); err != nil {
		return err
	}
	var times []float64
	for range s.rounds(20) {
		start := time.Now()
		st, err := store.Open(store.Config{Dir: dir, Engine: s.engine, IdleStop: -1})
		if err != nil {
			return err
		}
		list, err := st.List()
		times = append(times, time.Since(start).Seconds())
		if err = errors.Join(err, st.Close()); err != nil {
			return err
		}
		if len(list) != boxes {
			return fmt.Errorf("%d sandboxes of %d", len(list), boxes)
		}
	}
	s.add(fmt.Sprintf("store_open_%dk_s", boxes/1000), "s", times, "a store with %d frozen sandboxes, opened and listed", boxes)
	return nil
}
