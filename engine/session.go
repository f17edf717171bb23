package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Session is a living interpreter of a sandbox: what a cell defines, imports or opens is there for the next one. It
// runs one cell at a time. It sits in no goroutine between cells, and is closed with its sandbox.
type Session struct {
	sandbox *Sandbox
	name    string
	lang    string
	command Command // the interpreter's
	entry   string  // the exported function that runs a cell

	turn chan struct{} // holds one element while nothing uses what follows
	life residence
	err  error // why the session is over; nil while it isn't

	mu      sync.Mutex
	running *cellRun // nil between cells
	over    bool     // err is set
}

// taken says that the interpreter has its cell: from now on an interrupt is its own to handle. One that came before is told
// now, unless the interpreter would die of it.
func (s *Session) taken(c *cellRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.taken = true
	if c.early && s.sandbox.table.handles(s.life.task, SIGINT) {
		c.interrupt()
	}
}

// SessionState is what a session is doing.
type SessionState string

// The states of a session.
const (
	SessionIdle SessionState = "idle" // waits for a cell
	SessionBusy SessionState = "busy" // runs one, or is being copied
	SessionDead SessionState = "dead" // will run none any more
)

// maxSessionName bounds a session's name, in bytes.
const maxSessionName = 255

// Session answers the sandbox's session of this name, or makes it, in a language of the image. Making one starts
// nothing yet: the first cell does. A session that is dead is replaced by a new one.
//
// Errors: ErrClosed, ErrUnknownLanguage, and whatever keeps the interpreter from being found. A session of this name in
// another language is an error.
func (sb *Sandbox) Session(ctx context.Context, name, lang string) (*Session, error) {
	s, err := sb.session(ctx, name, lang)
	if err != nil {
		return nil, fmt.Errorf("session %q: %w", name, err)
	}
	return s, nil
}

func (sb *Sandbox) session(ctx context.Context, name, lang string) (*Session, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if len(name) > maxSessionName {
		return nil, fmt.Errorf("the name has more than %d bytes", maxSessionName)
	}
	if err := sb.table.room(true); errors.Is(err, ErrClosed) {
		return nil, err
	}
	fresh, err := sb.newSession(name, lang)
	if err != nil {
		return nil, err
	}
	set := &sb.sessions
	set.mu.Lock()
	defer set.mu.Unlock()
	if set.closed {
		return nil, ErrClosed
	}
	if s := set.byName[name]; s != nil && s.State() != SessionDead {
		if s.lang != lang {
			return nil, fmt.Errorf("it runs %s, not %s", s.lang, lang)
		}
		return s, nil
	}
	set.byName[name] = fresh
	return fresh, nil
}

// sessionSet is a sandbox's sessions.
type sessionSet struct {
	mu     sync.Mutex
	closed bool
	byName map[string]*Session
}

// close lets no session in any more and ends those there are.
func (set *sessionSet) close() error {
	set.mu.Lock()
	set.closed = true
	set.mu.Unlock()
	var errs []error
	for _, s := range set.list() {
		errs = append(errs, s.close(ErrClosed))
	}
	return errors.Join(errs...)
}

func (set *sessionSet) list() []*Session {
	set.mu.Lock()
	defer set.mu.Unlock()
	return slices.SortedFunc(maps.Values(set.byName), func(a, b *Session) int { return strings.Compare(a.name, b.name) })
}

// newSession makes a session that has yet to start.
func (sb *Sandbox) newSession(name, lang string) (*Session, error) {
	cmd, err := sb.Interpreter(lang, "")
	if err != nil {
		return nil, err
	}
	t := &target{env: sb.env, dir: homeDir}
	if err := sb.find(cmd.Args[0], t); err != nil {
		return nil, err
	}
	how := t.program.def.Interactive
	if how == nil {
		return nil, fmt.Errorf("%w %q: %s can't run as a session", ErrUnknownLanguage, lang, t.path)
	}
	return sb.makeSession(name, lang, how.Entry, Command{Args: append(cmd.Args[:1:1], how.Args...), Dir: homeDir}), nil
}

func (sb *Sandbox) makeSession(name, lang, entry string, cmd Command) *Session {
	s := &Session{sandbox: sb, name: name, lang: lang, entry: entry, command: cmd, turn: make(chan struct{}, 1)}
	s.life.input = newCellInput()
	s.turn <- struct{}{}
	return s
}

// Sessions answers the sandbox's sessions, dead ones included, sorted by name.
func (sb *Sandbox) Sessions() []*Session {
	return sb.sessions.list()
}

// Name is what the session was asked for by.
func (s *Session) Name() string { return s.name }

// Lang is the session's language.
func (s *Session) Lang() string { return s.lang }

// State answers what the session is doing now.
func (s *Session) State() SessionState {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over:
		return SessionDead
	case len(s.turn) == 0:
		return SessionBusy
	}
	return SessionIdle
}

// take takes the session's turn, unless it is busy or dead. The caller gives it back.
func (s *Session) take() error {
	select {
	case <-s.turn:
	default:
		return ErrBusy
	}
	if s.err != nil {
		s.give()
		return fmt.Errorf("%w: %w", ErrSessionDead, s.err)
	}
	return nil
}

func (s *Session) give() { s.turn <- struct{}{} }

// end makes the session dead and frees what it holds. Preconditions: the caller has the turn.
func (s *Session) end(why error) error {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.err = why
	return s.life.close()
}

// errExited is why a session is over whose interpreter ended by itself.
var errExited = errors.New("the interpreter exited")

// errSessionClosed is why a session is over that was closed.
var errSessionClosed = errors.New("session is closed")

// Interrupt interrupts the cell that runs, as Ctrl-C does: Python raises KeyboardInterrupt in it, at once where it
// computes or waits, and at the cell's first instruction if it has yet to begin. A cell that catches that goes on. It does
// not wait, and does nothing between cells.
func (s *Session) Interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch c := s.running; {
	case c == nil:
	case c.taken:
		c.interrupt()
	default:
		c.early = true
	}
}

// Close ends the session, killing the cell that runs, and waits for it. Whatever the interpreter would do at its exit
// is not done. It may be called twice. A cell's own writer must not call it: it would wait for itself.
func (s *Session) Close() error {
	if err := s.close(errSessionClosed); err != nil {
		return fmt.Errorf("close session %q: %w", s.name, err)
	}
	return nil
}

func (s *Session) close(why error) error {
	s.mu.Lock()
	if s.running != nil {
		s.running.stop(why)
	}
	s.mu.Unlock()
	<-s.turn
	defer s.give()
	if s.err != nil {
		return nil
	}
	return s.end(why)
}
