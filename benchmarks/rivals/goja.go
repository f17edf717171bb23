package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/dop251/goja"
)

// gojaRival is an interpreter of ECMAScript in Go, in this process, without limits.
func gojaRival() (*rival, error) {
	eval := func(_ context.Context, code string) (string, error) {
		out, _, err := gojaRun(code)
		return out, err
	}
	return &rival{
		lang: "js", kind: "interpreter", computes: true, eval: eval,
		keep: func(_ context.Context, n int) (int64, error) {
			var alive []*goja.Runtime
			return weighHere(n, func() (func() error, error) {
				_, vm, err := gojaRun(hello["js"])
				alive = append(alive, vm)
				return func() error { alive = nil; return nil }, err
			})
		},
	}, nil
}

func gojaRun(code string) (string, *goja.Runtime, error) {
	var out strings.Builder
	vm := goja.New()
	console := vm.NewObject()
	log := func(call goja.FunctionCall) goja.Value {
		for i, arg := range call.Arguments {
			if i > 0 {
				out.WriteByte(' ')
			}
			out.WriteString(arg.String())
		}
		out.WriteByte('\n')
		return goja.Undefined()
	}
	if err := console.Set("log", log); err != nil {
		return "", nil, err
	}
	if err := vm.Set("console", console); err != nil {
		return "", nil, err
	}
	if _, err := vm.RunString(code); err != nil {
		return "", nil, fmt.Errorf("run: %w", err)
	}
	return out.String(), vm, nil
}
