package gitops

import (
	"bufio"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

const (
	maxDeltaMemory = 192 << 20 // bytes of content that wait for what is based on them
	maxInflation   = 64        // what all objects may be, by the limit of a pack
)

// resolver names the objects of a pack that are deltas: it makes each base's content, and what is based on it, depth first.
type resolver struct {
	x        *indexer
	children map[int32][]int32 // of offset deltas
	byName   sync.Map          // plumbing.Hash → []int32: of deltas that name their base; taken by who finds it
	next     atomic.Int32      // the object to look at
	live     atomic.Int64      // bytes of content
	total    atomic.Int64      // bytes of all content so far
	done     atomic.Int64      // deltas
	count    int64

	mu  sync.Mutex
	err error
}

// content is an object's, until all that are based on it have been made.
type content struct {
	b    []byte
	kind plumbing.ObjectType
	left int // what it waits for
}

func (x *indexer) resolve() error {
	s := &resolver{x: x, children: map[int32][]int32{}}
	for i := range x.objects {
		if o := &x.objects[i]; o.kind == plumbing.OFSDeltaObject {
			s.children[o.base] = append(s.children[o.base], int32(i))
		}
		if x.objects[i].kind.IsDelta() {
			s.count++
		}
	}
	for base, list := range x.refBases {
		s.byName.Store(base, list)
	}
	if s.count > 0 {
		var wg sync.WaitGroup
		for range min(runtime.GOMAXPROCS(0), 4) {
			wg.Add(1)
			go func() { // ends when no object is left to look at, or with an error
				defer wg.Done()
				if err := s.work(); err != nil {
					s.mu.Lock()
					defer s.mu.Unlock()
					if s.err == nil {
						s.err = err
					}
					s.next.Store(int32(len(x.objects)))
				}
			}()
		}
		wg.Wait()
	}
	x.access.report(Progress{Phase: "resolve", Done: s.done.Load(), Total: s.count})
	if s.err == nil && s.done.Load() != s.count {
		s.err = fmt.Errorf("%d deltas have no base: %w", s.count-s.done.Load(), ErrCorrupt)
	}
	return s.err
}

// work resolves what is based on whole objects, one of these after the other.
func (s *resolver) work() error {
	inf := &inflater{}
	for {
		i := s.next.Add(1) - 1
		if int(i) >= len(s.x.objects) || i < 0 {
			return nil
		}
		o := &s.x.objects[i]
		if o.kind.IsDelta() {
			continue
		}
		if list := s.based(i); len(list) > 0 {
			b, err := s.inflate(inf, o)
			if err != nil {
				return err
			}
			if err := s.family(inf, &content{b, o.kind, len(list)}, list); err != nil {
				return err
			}
		}
	}
}

// based gives the deltas that are based on an object whose name is known.
func (s *resolver) based(i int32) []int32 {
	list := s.children[i]
	if more, ok := s.byName.LoadAndDelete(s.x.objects[i].hash); ok {
		list = append(list[:len(list):len(list)], more.([]int32)...)
	}
	return list
}

// family makes what is based on a content, and on that in turn.
func (s *resolver) family(inf *inflater, base *content, list []int32) error {
	type step struct {
		base *content
		i    int32
	}
	var todo []step
	push := func(c *content, list []int32) error {
		if s.live.Add(int64(len(c.b))) > maxDeltaMemory {
			return fmt.Errorf("the bases of deltas: %w", ErrTooLarge)
		}
		for _, i := range list {
			todo = append(todo, step{c, i})
		}
		return nil
	}
	if err := push(base, list); err != nil {
		return err
	}
	for len(todo) > 0 {
		if s.x.ctx.Err() != nil {
			return context.Cause(s.x.ctx)
		}
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		c, err := s.apply(inf, at.base, at.i)
		if err != nil {
			return err
		}
		if at.base.left--; at.base.left == 0 {
			s.live.Add(-int64(len(at.base.b)))
			at.base.b = nil
		}
		if list := s.based(at.i); len(list) > 0 {
			c.left = len(list)
			if err := push(c, list); err != nil {
				return err
			}
		}
	}
	return nil
}

// apply makes a delta's content, and names it.
func (s *resolver) apply(inf *inflater, base *content, i int32) (*content, error) {
	o := &s.x.objects[i]
	delta := o.delta
	o.delta = nil
	if delta == nil {
		var err error
		if delta, err = s.inflate(inf, o); err != nil {
			return nil, err
		}
	}
	if err := checkDelta(delta, s.x.maxObject); err != nil {
		return nil, err
	}
	b, err := packfile.PatchDelta(base.b, delta)
	if err != nil {
		return nil, fmt.Errorf("a delta: %w: %w", ErrCorrupt, err)
	}
	if s.total.Add(int64(len(b))) > s.x.access.maxPack()*maxInflation {
		return nil, fmt.Errorf("all objects together: %w", ErrTooLarge)
	}
	o.hash = plumbing.ComputeHash(base.kind, b)
	s.done.Add(1)
	return &content{b: b, kind: base.kind}, nil
}

// inflate reads an object from the file.
func (s *resolver) inflate(inf *inflater, o *packed) ([]byte, error) {
	in := bufio.NewReaderSize(io.NewSectionReader(s.x.file, o.data, s.x.end-o.data), int(min(max(o.size, 512), 32<<10)))
	return inf.bytes(in, o.size, true)
}

// checksums computes the CRC of each object as it lies in the pack, which the index has.
func (x *indexer) checksums() error {
	in := bufio.NewReaderSize(io.NewSectionReader(x.file, 0, x.end), 256<<10)
	if _, err := in.Discard(12); err != nil {
		return err
	}
	buf := make([]byte, 32<<10)
	for i := range x.objects {
		end := x.end
		if i+1 < len(x.objects) {
			end = x.objects[i+1].offset
		}
		sum := crc32.NewIEEE()
		if _, err := io.CopyBuffer(struct{ io.Writer }{sum}, io.LimitReader(in, end-x.objects[i].offset), buf); err != nil {
			return err
		}
		x.objects[i].crc = sum.Sum32()
	}
	return nil
}
