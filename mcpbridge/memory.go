package mcpbridge

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/belljar-dev/belljar/engine"
)

// Memory holds sandboxes in memory alone: they end with it. It implements Sandboxes. Close it after use.
type Memory struct {
	engine *engine.Engine
	spec   engine.Spec

	mu     sync.Mutex
	boxes  map[string]*engine.Sandbox // nil while it is being made
	closed bool
}

// NewMemory makes a Memory whose sandboxes are made by spec.
func NewMemory(e *engine.Engine, spec engine.Spec) *Memory {
	return &Memory{engine: e, spec: spec, boxes: map[string]*engine.Sandbox{}}
}

// Create implements Sandboxes.
func (m *Memory) Create(ctx context.Context, name string) error {
	return m.add(name, func() (*engine.Sandbox, error) { return m.engine.Create(ctx, m.spec) })
}

// Fork implements Sandboxes.
func (m *Memory) Fork(ctx context.Context, name, fork string) error {
	return m.Use(ctx, name, func(sb *engine.Sandbox) error {
		return m.add(fork, func() (*engine.Sandbox, error) { return sb.Fork(ctx) })
	})
}

func (m *Memory) add(name string, make func() (*engine.Sandbox, error)) error {
	m.mu.Lock()
	_, taken := m.boxes[name]
	if m.closed || taken {
		m.mu.Unlock()
		if taken {
			return ErrExists
		}
		return engine.ErrClosed
	}
	m.boxes[name] = nil
	m.mu.Unlock()

	sb, err := make()
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case err != nil:
		delete(m.boxes, name)
		return err
	case m.closed:
		return errors.Join(engine.ErrClosed, sb.Close())
	}
	m.boxes[name] = sb
	return nil
}

// Use implements Sandboxes.
func (m *Memory) Use(_ context.Context, name string, f func(*engine.Sandbox) error) error {
	m.mu.Lock()
	sb := m.boxes[name]
	m.mu.Unlock()
	if sb == nil {
		return ErrNotFound
	}
	return f(sb)
}

// Remove implements Sandboxes.
func (m *Memory) Remove(name string) error {
	m.mu.Lock()
	sb := m.boxes[name]
	if sb != nil {
		delete(m.boxes, name)
	}
	m.mu.Unlock()
	if sb == nil {
		return ErrNotFound
	}
	return sb.Close()
}

// Names implements Sandboxes.
func (m *Memory) Names() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.boxes)), nil
}

// Close ends all sandboxes. It may be called again.
func (m *Memory) Close() error {
	m.mu.Lock()
	boxes := m.boxes
	m.boxes, m.closed = map[string]*engine.Sandbox{}, true
	m.mu.Unlock()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(boxes)) {
		if boxes[name] != nil {
			errs = append(errs, boxes[name].Close())
		}
	}
	return errors.Join(errs...)
}
