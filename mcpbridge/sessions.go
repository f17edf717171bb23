package mcpbridge

import (
	"container/list"
	"crypto/rand"
	"errors"
	"net/http"
	"sync"

	"github.com/mark3labs/mcp-go/server"
)

// maxSessions bounds those of one owner that clients begin and never end: the one that was used longest ago is forgotten.
const maxSessions = 512

// sessions are the HTTP transport's, for clients of versions that have them, by owner: nobody uses another's. One that was
// ended or forgotten, or that a former process had, is unknown, and is answered 404, at which clients begin a new one.
// It implements server.SessionIdManagerResolver.
type sessions struct {
	forget func(owner, id string) // frees what else is kept of one; called without mu

	mu     sync.Mutex
	owners map[string]*ownSessions
}

// ownSessions are those of one owner. It implements server.SessionIdManager. all.mu guards its fields.
type ownSessions struct {
	all   *sessions
	owner string
	byID  map[string]*list.Element
	used  *list.List // of identifiers, the latest first
}

func newSessions() *sessions { return &sessions{owners: map[string]*ownSessions{}} }

// ResolveSessionIdManager implements server.SessionIdManagerResolver.
func (s *sessions) ResolveSessionIdManager(r *http.Request) server.SessionIdManager {
	owner := ""
	if r != nil {
		owner = ownerFrom(r.Context())
	}
	return s.of(owner)
}

func (s *sessions) of(owner string) *ownSessions {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.owners[owner]
	if o == nil { // there are as many as tokens
		o = &ownSessions{all: s, owner: owner, byID: map[string]*list.Element{}, used: list.New()}
		s.owners[owner] = o
	}
	return o
}

// has reports whether a session is an owner's, and notes that it is in use.
func (s *sessions) has(owner, id string) bool {
	ended, err := s.of(owner).Validate(id)
	return err == nil && !ended
}

// Generate implements server.SessionIdManager.
func (o *ownSessions) Generate() string {
	id := rand.Text()
	o.all.mu.Lock()
	o.byID[id] = o.used.PushFront(id)
	oldest := ""
	if o.used.Len() > maxSessions {
		oldest, _ = o.used.Back().Value.(string)
	}
	o.all.mu.Unlock()
	if oldest != "" && o.all.forget != nil {
		o.all.forget(o.owner, oldest) // which calls Terminate
	}
	return id
}

var errNoSession = errors.New("no session is named")

// Validate implements server.SessionIdManager.
func (o *ownSessions) Validate(id string) (ended bool, err error) {
	if id == "" {
		return false, errNoSession
	}
	o.all.mu.Lock()
	defer o.all.mu.Unlock()
	e := o.byID[id]
	if e == nil {
		return true, nil
	}
	o.used.MoveToFront(e)
	return false, nil
}

// Terminate implements server.SessionIdManager.
func (o *ownSessions) Terminate(id string) (notAllowed bool, err error) {
	o.all.mu.Lock()
	defer o.all.mu.Unlock()
	if e := o.byID[id]; e != nil {
		o.used.Remove(e)
		delete(o.byID, id)
	}
	return false, nil
}
