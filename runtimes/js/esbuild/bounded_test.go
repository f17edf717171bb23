package esbuild

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

// When as many sources are stuck as may be, others are refused with their context's end, and taken when one gives way.
func TestStuckSources(t *testing.T) {
	h := New()
	for range most {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := h.slots.transform(ctx, "x", api.TransformOptions{}); !errors.Is(err, enough) {
		t.Errorf("without room: %v", err)
	}
	if a, _ := h.transform(ctx, Request{File: "/a.ts"}, "x", ""); len(a.Errors) != 1 || !strings.Contains(a.Errors[0].Text, "enough") {
		t.Errorf("without room: %+v", a)
	}
	<-h.slots
	if a, code := h.transform(t.Context(), Request{File: "/a.ts"}, "x as any", ""); len(a.Errors) > 0 || string(code) != "x;\n" {
		t.Errorf("with room: %q, %+v", code, a)
	}
	if len(h.slots) != most-1 {
		t.Errorf("%d of %d slots are taken", len(h.slots), most-1)
	}
}
