package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// cells measures cells in a session that is alive.
func (s *suite) cells(ctx context.Context) error {
	sb, err := s.engine.Create(ctx, engine.Spec{})
	if err != nil {
		return err
	}
	defer sb.Close()
	session, err := sb.Session(ctx, "main", "python")
	if err != nil {
		return err
	}
	for _, c := range []struct{ name, code, value, note string }{
		{"eval_cell_ms", "x = 1", "", "a cell that assigns, in a session that is alive"},
		{"eval_value_ms", "1 + 1", "2", "a cell that answers a value, in a session that is alive"},
	} {
		var values []float64
		for i := range s.runs(4000) {
			start := time.Now()
			if err := answer(ctx, session, c.code, c.value); err != nil {
				return err
			}
			if i >= 20 || s.Quick {
				values = append(values, milliseconds(time.Since(start)))
			}
		}
		s.add(c.name, "ms", values, "%s", c.note)
	}
	return nil
}

// answer runs a cell that must have a value.
func answer(ctx context.Context, session *engine.Session, code, want string) error {
	res, err := session.Eval(ctx, engine.Cell{Code: code})
	if err != nil {
		return err
	}
	if res.Value != want {
		return fmt.Errorf("%q gave %q and %v, want %q", code, res.Value, res.Exception, want)
	}
	return nil
}

// liveSandbox makes a sandbox of 10,000 files, and a session that holds some megabytes of objects.
func (s *suite) liveSandbox(ctx context.Context, megabytes int) (*engine.Sandbox, *engine.Session, error) {
	sb, err := s.engine.Create(ctx, engine.Spec{Limits: engine.Limits{Memory: 1 << 30}})
	if err != nil {
		return nil, nil, err
	}
	for i := range 10_000 {
		dir := fmt.Sprintf("/home/user/d%d", i/100)
		if i%100 == 0 {
			err = errors.Join(err, sb.Files().MkdirAll(dir, 0o755))
		}
		err = errors.Join(err, sb.Files().WriteFile(fmt.Sprintf("%s/f%d", dir, i), fmt.Appendf(nil, "content of file %d\n", i), 0o644))
	}
	session, serr := sb.Session(ctx, "main", "python")
	if err = errors.Join(err, serr); err == nil {
		err = answer(ctx, session, fmt.Sprintf("data = [str(i) * 3 for i in range(%d)]; len(data) > 0", megabytes*16_000), "True")
	}
	if err != nil {
		return nil, nil, errors.Join(err, sb.Close())
	}
	return sb, session, nil
}

// forks measures Fork, each time of a parent that has changed a little since the last one.
func (s *suite) forks(ctx context.Context) error {
	for _, megabytes := range []int{1, 100} {
		sb, session, err := s.liveSandbox(ctx, megabytes)
		if err != nil {
			return err
		}
		var forks, firsts, cells []float64
		for i := range s.runs(200) {
			runtime.GC() // what earlier rounds left is not this one's
			start := time.Now()
			child, err := sb.Fork(ctx)
			forked := time.Now()
			if err != nil {
				return errors.Join(err, sb.Close())
			}
			twin, err := child.Session(ctx, "main", "python")
			if err == nil {
				err = answer(ctx, twin, "data[1]", "'111'")
			}
			first := time.Since(forked)
			if err := errors.Join(err, child.Close(), answer(ctx, session, "data[2] = 'changed'", "")); err != nil {
				return errors.Join(err, sb.Close())
			}
			if i == 0 {
				firsts = append(firsts, milliseconds(forked.Sub(start)))
				continue
			}
			forks = append(forks, milliseconds(forked.Sub(start)))
			cells = append(cells, milliseconds(first))
		}
		if err := sb.Close(); err != nil {
			return err
		}
		what := fmt.Sprintf("10,000 files and a session that holds %d MB of objects", megabytes)
		row := "fork_small"
		if megabytes > 1 {
			row = fmt.Sprintf("fork_%dmb", megabytes)
		}
		s.add(row+"_ms", "ms", firsts, "the first fork of a sandbox with %s", what)
		s.add(row+"_again_ms", "ms", forks, "a later one")
		s.add(row+"_cell_ms", "ms", cells, "the first cell in the child")
	}
	return nil
}
