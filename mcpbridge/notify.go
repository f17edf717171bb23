package mcpbridge

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// notify tells the client of a request something, before the request's answer. What can't be told is dropped.
func (b *Bridge) notify(ctx context.Context, method string, params map[string]any) {
	if s, ok := server.ClientSessionFromContext(ctx).(*lineSession); ok {
		s.write(notification(method, params))
		return
	}
	_ = b.mcp.SendNotificationToClient(ctx, method, params)
}

func notification(method string, params map[string]any) mcp.JSONRPCNotification {
	return mcp.JSONRPCNotification{JSONRPC: mcp.JSONRPC_VERSION, Notification: mcp.Notification{
		Method: method, Params: mcp.NotificationParams{AdditionalFields: params},
	}}
}

// log tells the client of a request what is worth knowing, if it asked to hear of that level: with logging/setLevel, and
// since 2026-07-28 in each request.
func (b *Bridge) log(ctx context.Context, level mcp.LoggingLevel, data map[string]any) {
	least := mcp.LoggingLevelError
	if info := server.RequestProtocolInfoFromContext(ctx); info != nil && info.Modern {
		if least = info.LogLevel; least == "" {
			return
		}
	} else if s, ok := server.ClientSessionFromContext(ctx).(server.SessionWithLogging); ok {
		least = s.GetLogLevel()
	}
	if level.ShouldSendTo(least) {
		b.notify(ctx, "notifications/message", map[string]any{"level": level, "logger": "belljar", "data": data})
	}
}

const (
	progressPause = 100 * time.Millisecond // between two words about progress, at least
	progressBeat  = time.Second            // and at most, while a program runs
	progressLine  = 200                    // bytes of a program's last line that are shown
)

// progress tells a client that asked for it how a program gets on: seconds since it began, and its last line of output.
// It is an io.Writer for that output; nil tells nothing, and takes everything.
type progress struct {
	send  func(seconds float64, line string)
	begun time.Time
	stop  chan struct{}
	beats sync.WaitGroup

	mu   sync.Mutex
	last time.Time
	line []byte
}

type progressKey struct{}

// withProgress keeps a request's token, where it has one.
func withProgress(ctx context.Context, req mcp.CallToolRequest) context.Context {
	if req.Params.Meta == nil || req.Params.Meta.ProgressToken == nil {
		return ctx
	}
	return context.WithValue(ctx, progressKey{}, req.Params.Meta.ProgressToken)
}

// watch begins to tell of a program's progress, until end is called.
func (b *Bridge) watch(ctx context.Context, limit time.Duration) *progress {
	token := ctx.Value(progressKey{})
	if token == nil {
		return nil
	}
	p := &progress{begun: time.Now(), stop: make(chan struct{}), send: func(seconds float64, line string) {
		b.notify(ctx, "notifications/progress", map[string]any{
			"progressToken": token, "progress": seconds, "total": limit.Seconds(), "message": line,
		})
	}}
	p.beats.Go(func() { // ends with stop
		beat := time.NewTicker(progressBeat)
		defer beat.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-beat.C:
				p.tell(progressBeat)
			}
		}
	})
	return p
}

// end waits until nothing more is told.
func (p *progress) end() {
	if p != nil {
		close(p.stop)
		p.beats.Wait()
	}
}

// writer answers a Writer that gives all to w, and tells of it.
func (p *progress) writer(w io.Writer) io.Writer {
	if p == nil {
		return w
	}
	return io.MultiWriter(w, p)
}

// Write implements io.Writer.
func (p *progress) Write(b []byte) (int, error) {
	text := bytes.TrimRight(b, "\n")
	if i := bytes.LastIndexByte(text, '\n'); i >= 0 {
		text = text[i+1:]
	}
	p.mu.Lock()
	p.line = append(p.line[:0], text[:min(len(text), progressLine)]...)
	p.mu.Unlock()
	p.tell(progressPause)
	return len(b), nil
}

// tell tells, if the last time is long enough ago.
func (p *progress) tell(pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.last.IsZero() && now.Sub(p.last) < pause {
		return
	}
	p.last = now
	p.send(now.Sub(p.begun).Seconds(), strings.ToValidUTF8(string(p.line), "\uFFFD"))
}
