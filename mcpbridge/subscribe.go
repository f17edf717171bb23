package mcpbridge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"sync"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

const (
	// maxSubscriptions bounds those of one client, and of one request.
	maxSubscriptions = 64
	// subscriptionPause is the least time between two words about one resource.
	subscriptionPause = 50 * time.Millisecond
	// subscriptionPoll is how often what no event tells of is looked at: processes and usage.
	subscriptionPoll = time.Second
)

// subscriptions are the clients' on resources. Each has a goroutine, which ends with its cancel.
type subscriptions struct {
	bridge *Bridge
	all    sync.WaitGroup

	mu     sync.Mutex
	closed bool
	last   int
	live   map[int]context.CancelFunc
	byID   map[string]map[string]context.CancelFunc // by session, then by URI
}

func newSubscriptions(b *Bridge) *subscriptions {
	return &subscriptions{bridge: b, live: map[int]context.CancelFunc{}, byID: map[string]map[string]context.CancelFunc{}}
}

// hooks has the library tell of subscriptions: resources/subscribe of older versions, and since 2026-07-28
// subscriptions/listen, whose stream lasts as long as the request.
func (s *subscriptions) hooks() *server.Hooks {
	h := &server.Hooks{}
	h.AddOnRequestInitialization(func(ctx context.Context, _ any, message any) error {
		raw, _ := message.(json.RawMessage)
		if !bytes.Contains(raw, []byte("resources/subscribe")) && !bytes.Contains(raw, []byte("subscriptions/listen")) {
			return nil // most requests are not read twice
		}
		return s.check(ctx, raw)
	})
	h.AddAfterSubscribe(func(ctx context.Context, _ any, req *mcp.SubscribeRequest, _ *mcp.EmptyResult) {
		session := server.ClientSessionFromContext(ctx)
		if session == nil || session.SessionID() == "" {
			return
		}
		s.add(ctx, session.SessionID(), req.Params.URI, s.teller(session, nil))
	})
	h.AddAfterUnsubscribe(func(ctx context.Context, _ any, req *mcp.UnsubscribeRequest, _ *mcp.EmptyResult) {
		if session := server.ClientSessionFromContext(ctx); session != nil {
			s.remove(session.SessionID(), req.Params.URI)
		}
	})
	h.AddBeforeSubscriptionsListen(func(ctx context.Context, id any, req *mcp.SubscriptionsListenRequest) {
		session := server.ClientSessionFromContext(ctx)
		if uris := req.Params.Notifications.ResourceSubscriptions; session != nil && len(uris) <= maxSubscriptions {
			for _, uri := range uris {
				s.start(ctx, uri, s.teller(session, id))
			}
		}
	})
	h.AddOnUnregisterSession(func(_ context.Context, session server.ClientSession) { s.end(session.SessionID()) })
	return h
}

// check refuses subscriptions that can't be: to what is no resource of the client's, or to too many.
func (s *subscriptions) check(ctx context.Context, raw json.RawMessage) error {
	var req struct {
		Method string
		Params struct {
			URI           string
			Notifications mcp.SubscriptionFilter
		}
	}
	if json.Unmarshal(raw, &req) != nil {
		return nil // the library says so
	}
	var uris []string
	switch req.Method {
	case "resources/subscribe":
		if req.Params.URI == "" {
			return nil // the library says so
		}
		uris = []string{req.Params.URI}
		if session := server.ClientSessionFromContext(ctx); session != nil && s.count(session.SessionID()) >= maxSubscriptions {
			return fmt.Errorf("a client may have %d subscriptions: end one first", maxSubscriptions)
		}
	case string(mcp.MethodSubscriptionsListen):
		uris = req.Params.Notifications.ResourceSubscriptions
	}
	if len(uris) > maxSubscriptions {
		return fmt.Errorf("a request may subscribe to %d resources", maxSubscriptions)
	}
	for _, uri := range uris {
		r, err := parseResource(uri)
		if err == nil {
			err = s.bridge.caller(ctx).use(ctx, r.sandbox, func(*engine.Sandbox) error { return nil })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// teller answers what tells a session that a resource has changed. id is the listen request's, nil for older versions.
func (s *subscriptions) teller(session server.ClientSession, id any) func(uri string) {
	return func(uri string) {
		n := notification(mcp.MethodNotificationResourceUpdated, map[string]any{"uri": uri})
		if id != nil {
			n.Params.Meta = map[string]any{mcp.MetaKeySubscriptionID: id}
		}
		if lines, ok := session.(*lineSession); ok {
			lines.write(n)
			return
		}
		if id == nil {
			_ = s.bridge.mcp.SendNotificationToSpecificClient(session.SessionID(), mcp.MethodNotificationResourceUpdated, map[string]any{"uri": uri})
			return
		}
		if streamed, ok := session.(server.SessionWithStreamableHTTPConfig); ok {
			streamed.UpgradeToSSEWhenReceiveNotification()
		}
		select {
		case session.NotificationChannel() <- n:
		default: // the client does not read: it is told again at the next change
		}
	}
}

func (s *subscriptions) count(session string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byID[session])
}

func (s *subscriptions) add(ctx context.Context, session, uri string, tell func(string)) {
	s.mu.Lock()
	own := s.byID[session]
	if own == nil {
		own = map[string]context.CancelFunc{}
		s.byID[session] = own
	}
	_, there := own[uri]
	if there || s.closed || len(own) >= maxSubscriptions {
		s.mu.Unlock()
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it outlives the request
	own[uri] = cancel
	s.mu.Unlock()
	s.start(ctx, uri, tell)
}

func (s *subscriptions) remove(session, uri string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.byID[session][uri]; cancel != nil {
		cancel()
		delete(s.byID[session], uri)
	}
}

// end ends a session's.
func (s *subscriptions) end(session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cancel := range s.byID[session] {
		cancel()
	}
	delete(s.byID, session)
}

// close ends all, and waits for them.
func (s *subscriptions) close() {
	s.mu.Lock()
	s.closed = true
	for _, cancel := range s.live {
		cancel()
	}
	s.mu.Unlock()
	s.all.Wait()
}

// start tells of a resource's changes until ctx ends. It returns when it sees every change that is made from now on.
func (s *subscriptions) start(ctx context.Context, uri string, tell func(string)) {
	r, err := parseResource(uri)
	if err != nil {
		return
	}
	ready := make(chan struct{})
	once := sync.OnceFunc(func() { close(ready) })
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	s.last++
	number := s.last
	s.live[number] = cancel
	s.all.Go(func() { // ends with ctx, or the sandbox
		defer func() {
			once()
			cancel()
			s.mu.Lock()
			delete(s.live, number)
			s.mu.Unlock()
		}()
		err := s.bridge.caller(ctx).use(ctx, r.sandbox, func(sb *engine.Sandbox) error {
			if r.kind == "files" {
				return s.watchFiles(ctx, sb.Files(), r.path, once, func() { tell(uri) })
			}
			once()
			return s.poll(ctx, sb, r, func() { tell(uri) })
		})
		if err != nil && ctx.Err() == nil && !errors.Is(err, fs.ErrClosed) {
			s.bridge.cfg.Logger.Warn("watch a resource", "uri", uri, "error", err)
		}
	})
	s.mu.Unlock()
	<-ready
}

// watchFiles tells of changes of a file, or of a folder's entries, whether it is there yet or not.
func (s *subscriptions) watchFiles(ctx context.Context, tree *vfs.Tree, name string, ready func(), tell func()) error {
	dir := name
	if info, err := tree.Stat(name); err != nil || !info.IsDir() {
		dir = path.Dir(name)
	}
	w, err := tree.Watch(dir, false)
	if err != nil {
		return err
	}
	defer w.Close()
	ready()
	for {
		e, err := w.Next(ctx)
		if err != nil {
			return err
		}
		if dir != name && e.Path != name && e.From != name && e.Op != vfs.WatchOverflow {
			continue
		}
		tell()
		select { // what comes in between is told once
		case <-time.After(subscriptionPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// poll tells when what a resource says has changed.
func (s *subscriptions) poll(ctx context.Context, sb *engine.Sandbox, r resource, tell func()) error {
	last, err := s.bridge.content(sb, r, "")
	if err != nil {
		return err
	}
	tick := time.NewTicker(subscriptionPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now, err := s.bridge.content(sb, r, "")
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(now, last) {
			tell()
		}
		last = now
	}
}
