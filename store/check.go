package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/belljar-dev/belljar/vfs"
	"go.etcd.io/bbolt"
)

// Check reads the whole store and reports everything that is not as it should be, joined: the database's own structure,
// each piece of content against its digest, how often it is referred to, and each sandbox's files, which have to make a
// tree. It changes nothing; ctx ends it early.
func (s *Store) Check(ctx context.Context) error {
	var problems []error
	err := s.view(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			problems = append(problems, fmt.Errorf("database: %w", err))
		}
		for _, step := range []func(context.Context, *bbolt.Tx) []error{s.checkContent, s.checkSandboxes, s.checkOwners} {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			problems = append(problems, step(ctx, tx)...)
		}
		return context.Cause(ctx)
	})
	if err := errors.Join(append(problems, err)...); err != nil {
		return fmt.Errorf("check store: %w", err)
	}
	return nil
}

// checkContent compares the counts of references with the rows that refer, and content with its digests.
func (s *Store) checkContent(ctx context.Context, tx *bbolt.Tx) (problems []error) {
	counted := map[digest]int64{}
	for _, bucket := range [][]byte{bucketChunks, bucketPages} {
		_ = tx.Bucket(bucket).ForEach(func(k, v []byte) error {
			ref, err := decodeReference(v)
			if err != nil {
				problems = append(problems, fmt.Errorf("%s %x: %w", bucket, k, err))
			} else if ref.inline == nil {
				counted[ref.digest]++
			}
			return nil
		})
	}
	_ = tx.Bucket(bucketContent).ForEach(func(k, _ []byte) error {
		var d digest
		copy(d[:], k)
		if _, err := s.codec.content(tx, d); err != nil {
			problems = append(problems, err)
		}
		have, err := count(tx.Bucket(bucketRefs).Get(k))
		if err != nil || have != counted[d] || have == 0 && tx.Bucket(bucketPending).Get(k) == nil {
			problems = append(problems, fmt.Errorf("content %x: counted %d times, referred to %d times", d[:4], have, counted[d]))
		}
		delete(counted, d)
		return ctx.Err()
	})
	for d, n := range counted {
		if ctx.Err() == nil {
			problems = append(problems, fmt.Errorf("content %x: %w, and referred to %d times", d[:4], errMissing, n))
		}
	}
	return problems
}

// checkSandboxes makes each sandbox's tree.
func (s *Store) checkSandboxes(ctx context.Context, tx *bbolt.Tx) (problems []error) {
	_ = tx.Bucket(bucketBoxes).ForEach(func(_, v []byte) error {
		r, err := decodeRecord(v)
		if err == nil {
			err = s.checkTree(tx, &r)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("sandbox %q: %w", r.Name, err))
		}
		return ctx.Err()
	})
	return problems
}

func (s *Store) checkTree(tx *bbolt.Tx, r *record) error {
	base, err := s.cfg.Engine.BaseTree(r.Spec.Image)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrImage, err)
	}
	defer base.Close()
	t, err := vfs.Restore(base, vfs.Config{}, s.codec.teller(tx, r))
	if err != nil {
		return err
	}
	return t.Close()
}

// checkOwners looks for rows of sandboxes that are not there, and for names that lead nowhere.
func (s *Store) checkOwners(_ context.Context, tx *bbolt.Tx) (problems []error) {
	boxes := tx.Bucket(bucketBoxes)
	for _, bucket := range [][]byte{bucketNodes, bucketAttrs, bucketEntries, bucketChunks, bucketSessions, bucketPages} {
		last := uint64(0)
		_ = tx.Bucket(bucket).ForEach(func(k, _ []byte) error {
			if id := part(k, 0); id != last && boxes.Get(key(id)) == nil {
				problems = append(problems, fmt.Errorf("%s of sandbox number %d, which is not there", bucket, id))
			}
			last = part(k, 0)
			return nil
		})
	}
	_ = tx.Bucket(bucketNames).ForEach(func(name, id []byte) error {
		if boxes.Get(id) == nil {
			problems = append(problems, fmt.Errorf("the name %q leads to a sandbox that is not there", name))
		}
		return nil
	})
	return problems
}
