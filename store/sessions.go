package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/belljar-dev/belljar/engine"
	"go.etcd.io/bbolt"
)

// sessionRow is a frozen session without its memory, as JSON.
type sessionRow struct {
	Name  string          `json:"name"`
	State json.RawMessage `json:"state"` // see engine.FrozenSession
}

// atRest is what a frozen sandbox has beside files, to be written in one transaction with them.
type atRest struct {
	state    json.RawMessage // see engine.Frozen
	sessions []frozenSession
}

type frozenSession struct {
	sessionRow
	pages []page
}

// page is a block of a session's memory, and the content that it has.
type page struct {
	number uint64
	ref    reference
}

// keepMemory gives the memory of sessions to a keeper.
func keepMemory(f *engine.Frozen, to *keeper) (*atRest, error) {
	rest := &atRest{state: f.State}
	for _, in := range f.Sessions {
		out := frozenSession{sessionRow: sessionRow{in.Name, in.State}}
		if in.Blocks != nil {
			err := in.Blocks(func(number uint64, block []byte) error {
				ref := newReference(block, false)
				out.pages = append(out.pages, page{number, ref})
				return to.add(ref.digest, block)
			})
			if err != nil {
				return nil, fmt.Errorf("session %q: %w", in.Name, err)
			}
		}
		rest.sessions = append(rest.sessions, out)
	}
	return rest, nil
}

// apply writes it in place of what the sandbox had at rest before. A session of the same name costs what differs.
func (a *atRest) apply(tx *bbolt.Tx, r *record) error {
	had, err := sessionNumbers(tx, r.ID)
	if err != nil {
		return err
	}
	next := uint64(0)
	for _, n := range had {
		next = max(next, n+1)
	}
	r.State, r.Sessions = a.state, nil
	for _, s := range a.sessions {
		n, found := had[s.Name]
		if !found {
			n = next
			next++
		}
		delete(had, s.Name)
		if err := s.write(tx, key(r.ID, n)); err != nil {
			return fmt.Errorf("session %q: %w", s.Name, err)
		}
		r.Sessions = append(r.Sessions, s.Name)
	}
	for _, n := range had {
		k := key(r.ID, n)
		err := errors.Join(tx.Bucket(bucketSessions).Delete(k), deleteReferences(tx, bucketPages, k, k))
		if err != nil {
			return err
		}
	}
	return nil
}

// sessionNumbers answers which sessions a sandbox has on disk, and under which numbers.
func sessionNumbers(tx *bbolt.Tx, box uint64) (map[string]uint64, error) {
	numbers := map[string]uint64{}
	prefix := key(box)
	return numbers, eachRow(tx, bucketSessions, prefix, prefix, func(k, v []byte) error {
		row, err := decodeSession(v)
		numbers[row.Name] = part(k, 1)
		return err
	})
}

func decodeSession(v []byte) (row sessionRow, err error) {
	if err := json.Unmarshal(v, &row); err != nil {
		return row, fmt.Errorf("session: %w: %w", errRow, err)
	}
	return row, nil
}

// write writes a session under its key. Pages that are there already stay as they are.
func (s *frozenSession) write(tx *bbolt.Tx, k []byte) error {
	v, err := json.Marshal(s.sessionRow)
	if err != nil {
		return err
	}
	if err := tx.Bucket(bucketSessions).Put(k, v); err != nil {
		return err
	}
	pages := s.pages
	err = eachRow(tx, bucketPages, k, k, func(k, v []byte) error {
		for len(pages) > 0 && pages[0].number < part(k, 2) {
			pages = pages[1:]
		}
		if len(pages) > 0 && pages[0].number == part(k, 2) {
			return nil
		}
		return set(tx, bucketPages, k, nil)
	})
	if err != nil {
		return err
	}
	for _, p := range s.pages {
		at := append(bytes.Clone(k), key(p.number)...)
		if bytes.Equal(tx.Bucket(bucketPages).Get(at), p.ref.encode()) {
			continue
		}
		if err := set(tx, bucketPages, at, &p.ref); err != nil {
			return fmt.Errorf("block %d: %w", p.number, err)
		}
	}
	return nil
}

// frozen puts a sandbox's rows together. What it answers is good until the transaction ends.
func (s *Store) frozen(tx *bbolt.Tx, r *record) (engine.Frozen, error) {
	f := engine.Frozen{Spec: r.Spec, State: r.State, Files: s.codec.teller(tx, r)}
	prefix := key(r.ID)
	return f, eachRow(tx, bucketSessions, prefix, prefix, func(k, v []byte) error {
		row, err := decodeSession(v)
		if err != nil {
			return err
		}
		f.Sessions = append(f.Sessions, engine.FrozenSession{
			Name: row.Name, State: row.State,
			Blocks: func(yield func(number uint64, block []byte) error) error { return s.codec.blocks(tx, k, yield) },
		})
		return nil
	})
}

// blocks tells the memory of the session that has a key.
func (c *codec) blocks(tx *bbolt.Tx, k []byte, yield func(number uint64, block []byte) error) error {
	cursor := tx.Bucket(bucketPages).Cursor()
	for at, v := cursor.Seek(k); bytes.HasPrefix(at, k); at, v = cursor.Next() {
		ref, err := decodeReference(v)
		if err != nil {
			return fmt.Errorf("block %d: %w", part(at, 2), err)
		}
		block, err := ref.data(c, tx)
		if err != nil {
			return fmt.Errorf("block %d: %w", part(at, 2), err)
		}
		if err := yield(part(at, 2), block); err != nil {
			return err
		}
	}
	return nil
}

// wake makes a sandbox of its rows. Sessions that can't come back, because the image has another build of their
// interpreter or their rows are damaged, don't keep the others, nor the files, from coming back.
func (s *Store) wake(ctx context.Context, tx *bbolt.Tx, r *record) (*engine.Sandbox, error) {
	f, err := s.frozen(tx, r)
	if err != nil {
		return nil, err
	}
	sb, err := s.cfg.Engine.Thaw(ctx, f)
	if err == nil || len(f.Sessions) == 0 || !concernsSession(err) {
		return sb, err
	}
	try := func(list ...engine.FrozenSession) error {
		f.Sessions = list
		sb, err := s.cfg.Engine.Thaw(ctx, f)
		if err == nil {
			err = sb.Close()
		}
		return err
	}
	all := f.Sessions
	if err := try(); err != nil {
		return nil, err
	}
	var good []engine.FrozenSession
	for _, one := range all {
		if err := try(one); err == nil {
			good = append(good, one)
		} else if concernsSession(err) {
			s.cfg.Logger.Warn("session is lost", "sandbox", r.Name, "session", one.Name, "error", err)
		} else {
			return nil, err
		}
	}
	f.Sessions = good
	return s.cfg.Engine.Thaw(ctx, f)
}

// concernsSession says that an error of Thaw may be one session's, rather than the caller's or the engine's.
func concernsSession(err error) bool {
	var limit *engine.LimitError
	return !errors.As(err, &limit) && !errors.Is(err, engine.ErrClosed) &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}
