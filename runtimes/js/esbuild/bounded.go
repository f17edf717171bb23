package esbuild

import (
	"context"
	"errors"
	"time"

	"github.com/evanw/esbuild/pkg/api"
)

const (
	// patience is how long a source may take; one of ordinary size takes milliseconds.
	patience = 20 * time.Second
	// most is how many sources an image's programs transform at one time.
	most = 4
)

var errStuck = errors.New("the source takes too long, or too many do")

// slots bound what hostile sources can hold: esbuild can't be interrupted, and one that is given up keeps its slot, and a
// processor, until it ends.
type slots chan struct{}

// transform is api.Transform that is given up with ctx, or when patience ends. The goroutine ends with esbuild's work.
func (s slots) transform(ctx context.Context, source string, o api.TransformOptions) (res api.TransformResult, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errStuck)
	defer cancel()
	select {
	case s <- struct{}{}:
	case <-ctx.Done():
		return res, context.Cause(ctx)
	}
	done := make(chan api.TransformResult, 1)
	panicked := make(chan any, 1)
	go func() {
		defer func() {
			<-s
			if v := recover(); v != nil {
				panicked <- v
			}
		}()
		done <- api.Transform(source, o)
	}()
	select {
	case res = <-done:
		return res, nil
	case v := <-panicked:
		panic(v) // where callers expect it
	case <-ctx.Done():
		return res, context.Cause(ctx)
	}
}
