package mcpbridge

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

const (
	// maxMessage bounds a message of a client, in bytes.
	maxMessage = 16 << 20
	// maxRequests bounds the requests of a client of Serve that are under way at one time.
	maxRequests = 128
	// endGrace is how long requests may go on after their client's last word: one that writes them all and closes gets
	// its answers, and one that has died leaves nothing running.
	endGrace = 5 * time.Second
	// writeGrace is how long the end waits for a client that does not read.
	writeGrace = time.Second
)

// lines serves one client that sends a JSON-RPC message a line,
// https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio. It stands in for the library's own
// server of this kind, which has one session for all clients of a process, reads lines of any length, and sends what a
// tool has to say after the tool's result now and then.
type lines struct {
	bridge  *Bridge
	session *lineSession
	slots   chan struct{} // one for each request under way
	// answering are the requests to wait for at the end; listening those that end with the client.
	answering, listening sync.WaitGroup
}

// Serve serves one client that writes to in and reads from out, a JSON-RPC message a line, until in ends or ctx does.
// What the client has running is then ended, after 5 seconds where only in has ended. A Read or Write that is under way
// at the end is left behind, so in and out should be closed by their owner.
func (b *Bridge) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	s := &lineSession{id: "line-" + strconv.FormatInt(b.clients.Add(1), 10), out: out, pushed: make(chan mcp.JSONRPCNotification, 100)}
	if err := b.mcp.RegisterSession(ctx, s); err != nil {
		return fmt.Errorf("begin a client's session: %w", err)
	}
	l := &lines{bridge: b, session: s, slots: make(chan struct{}, maxRequests)}
	requests, cancel := context.WithCancel(b.mcp.WithContext(ctx, s))
	requests = context.WithValue(requests, ownerKey{}, "")
	pumped := make(chan struct{})
	go func() { // ends with requests
		defer close(pumped)
		s.pump(requests)
	}()
	err := l.read(requests, in)
	if err == nil {
		waitFor(ctx, &l.answering, endGrace)
	}
	cancel()
	b.mcp.UnregisterSession(context.WithoutCancel(ctx), s.id)
	waitFor(context.WithoutCancel(ctx), &l.answering, writeGrace)
	b.programs.endOwner("")
	waitFor(context.WithoutCancel(ctx), &l.listening, writeGrace)
	<-pumped
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// waitFor waits for a group, but not for longer than most, nor than ctx.
func waitFor(ctx context.Context, g *sync.WaitGroup, most time.Duration) {
	done := make(chan struct{})
	go func() { // ends with the group
		g.Wait()
		close(done)
	}()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// line is one that was read.
type line struct {
	text    []byte
	tooLong bool
	err     error
}

// read handles lines until the last one, or ctx's end.
func (l *lines) read(ctx context.Context, in io.Reader) error {
	next := make(chan line)
	go func() { // ends with in, or with the first line after ctx's end
		r := bufio.NewReader(in)
		for {
			got := readLine(r)
			select {
			case next <- got:
			case <-ctx.Done():
				return
			}
			if got.err != nil {
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case got := <-next:
			if got.tooLong {
				l.session.refuse(nil, mcp.INVALID_REQUEST, fmt.Sprintf("a message may have up to %d bytes", maxMessage))
			} else if len(bytes.TrimSpace(got.text)) > 0 {
				l.handle(ctx, got.text)
			}
			if errors.Is(got.err, io.EOF) {
				return nil
			}
			if got.err != nil {
				return fmt.Errorf("read the client's messages: %w", got.err)
			}
		}
	}
}

// readLine reads a line of bounded length; of one that is too long nothing is kept.
func readLine(r *bufio.Reader) (got line) {
	for {
		part, err := r.ReadSlice('\n')
		if len(got.text)+len(part) > maxMessage {
			got.tooLong, got.text = true, nil
		}
		if !got.tooLong {
			got.text = append(got.text, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			got.err = err
			return got
		}
	}
}

// handle begins what a message asks for. Notifications are handled at once: one may cancel a request.
func (l *lines) handle(ctx context.Context, text []byte) {
	var head struct {
		ID     any
		Method string
		Result json.RawMessage
		Error  json.RawMessage
	}
	if err := json.Unmarshal(text, &head); err != nil {
		l.session.refuse(nil, mcp.PARSE_ERROR, "the message is no JSON object: one message a line, no batches")
		return
	}
	switch {
	case head.Method == "" && (head.Result != nil || head.Error != nil):
		return // an answer; nothing was asked
	case head.ID == nil:
		l.answer(ctx, nil, text)
		return
	}
	select {
	case l.slots <- struct{}{}:
	default:
		l.session.refuse(head.ID, mcp.INTERNAL_ERROR, fmt.Sprintf("%d requests are under way: wait for an answer before the next one", maxRequests))
		return
	}
	group := &l.answering
	if head.Method == string(mcp.MethodSubscriptionsListen) {
		group = &l.listening
	}
	group.Go(func() { // ends with the request, or ctx
		defer func() { <-l.slots }()
		l.answer(ctx, head.ID, text)
	})
}

func (l *lines) answer(ctx context.Context, id any, text []byte) {
	defer func() {
		if p := recover(); p != nil {
			l.bridge.cfg.Logger.Error("answer a request", "panic", p)
			if id != nil {
				l.session.refuse(id, mcp.INTERNAL_ERROR, "internal error")
			}
		}
	}()
	if response := l.bridge.mcp.HandleMessage(ctx, text); response != nil {
		l.session.write(response)
	}
}

// lineSession is the session of a client of Serve. It implements server.SessionWithLogging.
type lineSession struct {
	id          string
	initialized atomic.Bool
	level       atomic.Value // mcp.LoggingLevel
	version     atomic.Value // string: the protocol's
	// pushed is what the library tells the client by itself; what tools tell is written in its turn, see Bridge.notify.
	pushed chan mcp.JSONRPCNotification

	mu  sync.Mutex
	out io.Writer
}

var _ server.SessionWithLogging = (*lineSession)(nil)

// SessionID implements server.ClientSession.
func (s *lineSession) SessionID() string { return s.id }

// NotificationChannel implements server.ClientSession.
func (s *lineSession) NotificationChannel() chan<- mcp.JSONRPCNotification { return s.pushed }

// Initialize implements server.ClientSession.
func (s *lineSession) Initialize() { s.initialized.Store(true) }

// Initialized implements server.ClientSession.
func (s *lineSession) Initialized() bool { return s.initialized.Load() }

// SetLogLevel implements server.SessionWithLogging.
func (s *lineSession) SetLogLevel(level mcp.LoggingLevel) { s.level.Store(level) }

// GetLogLevel implements server.SessionWithLogging.
func (s *lineSession) GetLogLevel() mcp.LoggingLevel {
	if level, ok := s.level.Load().(mcp.LoggingLevel); ok {
		return level
	}
	return mcp.LoggingLevelError
}

// SetProtocolVersion is how the library notes what was agreed upon.
func (s *lineSession) SetProtocolVersion(version string) { s.version.Store(version) }

// ProtocolVersion implements server.SessionWithProtocolVersion.
func (s *lineSession) ProtocolVersion() string {
	version, _ := s.version.Load().(string)
	return version
}

// pump writes what the library pushes, until ctx ends.
func (s *lineSession) pump(ctx context.Context) {
	for {
		select {
		case n := <-s.pushed:
			s.write(n)
		case <-ctx.Done():
			return
		}
	}
}

// write writes a message. A client that is gone hears nothing: its input ends too.
func (s *lineSession) write(message any) {
	b, err := json.Marshal(message)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.out.Write(append(b, '\n'))
}

func (s *lineSession) refuse(id any, code int, why string) {
	s.write(mcp.JSONRPCError{JSONRPC: mcp.JSONRPC_VERSION, ID: mcp.NewRequestId(id), Error: mcp.NewJSONRPCErrorDetails(code, why, nil)})
}
