package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/belljar-dev/belljar/vfs"
)

// Frozen is a sandbox at rest, in parts that can be stored each in its own way. [Snapshot.Frozen] takes one apart, and
// [Engine.Thaw] puts it together.
type Frozen struct {
	Spec Spec
	// State is JSON: where the sandbox is in what it has used and, under Replay, in its time and randomness. nil is a new
	// one's.
	State []byte
	// Files tells what vfs.Tree.Changes tells of the files against the image's base tree; see Engine.BaseTree. nil tells
	// nothing.
	Files    func(vfs.Sink) error
	Sessions []FrozenSession
}

// FrozenSession is a session at rest.
type FrozenSession struct {
	Name  string
	State []byte // JSON: what it runs, what it has open
	// Blocks tells in which blocks of BlockSize bytes, counted from 0, its memory differs from that of a new interpreter,
	// ascending. The bytes are good during the call alone. nil tells nothing. Equal memories have equal blocks, and the
	// values of Spec.Secrets may be in them.
	Blocks func(yield func(number uint64, block []byte) error) error
}

// BlockSize is the grain of a session's memory, in bytes.
const BlockSize = 16 << 10

// Frozen takes the snapshot apart. The parts are good until the snapshot is closed.
func (s *Snapshot) Frozen() (Frozen, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.frozen()
	if err != nil {
		return f, fmt.Errorf("take snapshot apart: %w", err)
	}
	return f, nil
}

func (s *Snapshot) frozen() (f Frozen, err error) {
	sb := s.sandbox
	if s.closed {
		return f, ErrClosed
	}
	base, err := sb.image.tree()
	if err != nil {
		return f, err
	}
	f.Spec = sb.spec
	f.Files = func(to vfs.Sink) error { return sb.tree.Changes(base, to) }
	sessions := sb.sessions.list()
	if f.State, err = json.Marshal(sb.snapshotHeader(len(sessions))); err != nil {
		return f, err
	}
	for _, each := range sessions {
		out := FrozenSession{Name: each.name}
		header, err := each.header()
		if err == nil {
			out.State, err = json.Marshal(header)
		}
		if err != nil {
			return f, fmt.Errorf("session %q: %w", each.name, err)
		}
		if header.Begun {
			memory := each.life.frozen.memory
			out.Blocks = func(yield func(number uint64, block []byte) error) error { return memory.blocks(nil, yield) }
		}
		f.Sessions = append(f.Sessions, out)
	}
	return f, nil
}

// Files is the snapshot's tree, to look at and to compare with others. It is closed with the snapshot.
func (s *Snapshot) Files() *vfs.Tree { return s.sandbox.Files() }

// Thaw makes a sandbox of its parts. Its sessions go on at their first cells. Parts that make no sense, wherever they
// come from, give an error that wraps ErrSnapshot; see ReadSnapshot for others.
func (e *Engine) Thaw(ctx context.Context, f Frozen) (*Sandbox, error) {
	sb, err := e.thaw(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("thaw sandbox: %w", err)
	}
	return sb, nil
}

func (e *Engine) thaw(ctx context.Context, f Frozen) (*Sandbox, error) {
	sb, err := e.enter(ctx, f.Spec, f.Files)
	if err != nil {
		return nil, asBadFiles(err)
	}
	if err := sb.takeParts(ctx, f); err != nil {
		return nil, errors.Join(err, sb.Close())
	}
	return sb, nil
}

func (sb *Sandbox) takeParts(ctx context.Context, f Frozen) error {
	if f.State != nil {
		var h snapshotHeader
		if err := decodeJSON(f.State, &h); err != nil {
			return err
		}
		if err := sb.goOn(&h); err != nil {
			return err
		}
	}
	for _, in := range f.Sessions {
		var h sessionHeader
		if err := decodeJSON(in.State, &h); err != nil {
			return err
		}
		if err := h.check(); err != nil {
			return err
		}
		p := pageReader{size: h.Size}
		if in.Blocks != nil {
			if err := in.Blocks(p.copy); err != nil {
				return err
			}
		}
		if err := sb.addSession(ctx, &h, p.pages); err != nil {
			return err
		}
	}
	sb.tree.Reap()
	return nil
}

// addSession restores a session. See restoreSession.
func (sb *Sandbox) addSession(ctx context.Context, h *sessionHeader, pages []extent) error {
	s, err := sb.restoreSession(ctx, h, pages)
	if err != nil {
		return fmt.Errorf("session %q: %w", h.Name, err)
	}
	set := &sb.sessions
	set.mu.Lock()
	defer set.mu.Unlock()
	switch {
	case set.closed:
		return errors.Join(ErrClosed, s.life.close())
	case set.byName[s.name] != nil:
		return errors.Join(badSnapshot("two sessions are named %q", s.name), s.life.close())
	}
	set.byName[s.name] = s
	return nil
}

// pageReader puts blocks of memory in a row.
type pageReader struct {
	size  uint64 // of the memory
	end   uint64 // no block may come before
	pages []extent
}

// add takes a block, whose bytes it keeps.
func (p *pageReader) add(number uint64, block []byte) error {
	switch {
	case number >= p.size/BlockSize || number*BlockSize < p.end:
		return badSnapshot("a block of memory out of place")
	case len(block) != BlockSize:
		return badSnapshot("a block of memory of %d bytes", len(block))
	}
	p.pages = append(p.pages, extent{number * BlockSize, block})
	p.end = (number + 1) * BlockSize
	return nil
}

func (p *pageReader) copy(number uint64, block []byte) error {
	return p.add(number, append([]byte(nil), block...))
}
