package esbuild

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"runtime/debug"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
	"github.com/evanw/esbuild/pkg/api"
)

const (
	// maxSource bounds a source on the host, in bytes, and with it the time that esbuild takes, which nothing can interrupt:
	// to tell where each of many errors is it may go through the source again.
	maxSource   = 256 << 10
	maxTsconfig = 1 << 20
	// ticksPerByte is what a program is charged: esbuild takes about 50 ns for each.
	ticksPerByte = 50
)

// Request is what a program asks of Transform, followed by a newline and the source:
//
//	{"file":"/home/user/app.ts","format":"cjs"}
//	source …
type Request struct {
	// File is the source's absolute path: its name says the loader (.ts .mts .cts .tsx .jsx; anything else is JavaScript),
	// and the nearest tsconfig.json above it (jsx, jsxImportSource, experimentalDecorators, target …) is obeyed.
	File   string `json:"file"`
	Loader string `json:"loader,omitempty"` // "ts", "tsx", "jsx", "js", "json", "css", "text"; over File's
	Format string `json:"format,omitempty"` // "cjs" or "esm"; "" leaves it as it is
	Target string `json:"target,omitempty"` // "es2022" …; "" is "esnext"
	Minify bool   `json:"minify,omitempty"`
}

// Answer comes back in the same form: itself, a newline, and the code.
type Answer struct {
	Errors []Message `json:"errors,omitempty"` // none: there is code
}

// Message says what is wrong with a source.
type Message struct {
	Text   string `json:"text"`
	Line   int    `json:"line"`   // from 1; 0 is unknown
	Column int    `json:"column"` // from 0, in bytes
	Source string `json:"source"` // the line
}

// Host transforms the sources of one image's programs. It is safe for concurrent use.
type Host struct{ slots slots }

// New makes a Host.
func New() *Host { return &Host{slots: make(slots, most)} }

// Transform is a service for Program.Services: it makes JavaScript of a source. See Request and Answer for their form. A
// source that is too large, could nest too deeply (see weight) or could grow (see inlines) is left to the command, which must
// be among the image's programs. One that can't be parsed is answered with an error in it.
func (h *Host) Transform(ctx context.Context, c *engine.Call, request []byte) ([]byte, error) {
	head, source, found := bytes.Cut(request, []byte("\n"))
	var r Request
	if err := json.Unmarshal(head, &r); err != nil || !found || !path.IsAbs(r.File) {
		return nil, fmt.Errorf("transform: the request: %w", fs.ErrInvalid)
	}
	if err := c.Charge(int64(len(source)) * ticksPerByte); err != nil {
		return nil, err
	}
	tsconfig := findTsconfig(c.Files, path.Dir(path.Clean(r.File)))
	a, code, err := h.somewhere(ctx, c, r, string(source), tsconfig)
	if err != nil {
		return nil, err
	}
	answer, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("transform: the answer: %w", err)
	}
	return append(append(answer, '\n'), code...), nil
}

// somewhere transforms a source here, or in the sandbox where that might hurt the host.
func (h *Host) somewhere(ctx context.Context, c *engine.Call, r Request, source, tsconfig string) (a Answer, code []byte, err error) {
	if r.heavy(source, tsconfig) {
		return r.inside(ctx, c, source, tsconfig)
	}
	a, code = h.transform(ctx, r, source, tsconfig)
	return a, code, nil
}

// heavy reports whether a source is not for the host.
func (r Request) heavy(source, tsconfig string) bool {
	switch name := r.loaderName(); {
	case len(source) > maxSource, weight(source)+weight(tsconfig) > maxWeight:
		return true
	case strings.HasSuffix(name, "x") && strings.Count(source, "<")*(len(tsconfig)+len(r.File)) > maxInlined:
		return true // each element may have a name that tsconfig gives, and its file's
	case name == "ts" || name == "tsx":
		return inlines(source)
	}
	return false
}

// transform transforms a source that isn't heavy.
func (h *Host) transform(ctx context.Context, r Request, source, tsconfig string) (a Answer, code []byte) {
	options, err := r.options(tsconfig)
	if err != nil {
		return failure("%v", err), nil
	}
	defer func() {
		if v := recover(); v != nil {
			a, code = failure("esbuild: %v\n%s", v, debug.Stack()), nil
		}
	}()
	res, err := h.slots.transform(ctx, source, options)
	if err != nil {
		return failure("esbuild: %v", err), nil
	}
	for _, m := range res.Errors {
		e := Message{Text: m.Text}
		if l := m.Location; l != nil {
			e.Line, e.Column, e.Source = l.Line, l.Column, l.LineText
		}
		a.Errors = append(a.Errors, e)
	}
	if len(a.Errors) > 0 {
		return a, nil
	}
	return a, res.Code
}

func failure(format string, args ...any) Answer {
	return Answer{Errors: []Message{{Text: fmt.Sprintf(format, args...)}}}
}

// loaderName is the command's name for the loader.
func (r Request) loaderName() string {
	name := r.Loader
	if name == "" {
		name = strings.TrimPrefix(path.Ext(r.File), ".")
	}
	switch name {
	case "mts", "cts":
		return "ts"
	case "ts", "tsx", "jsx", "json", "css", "text":
		return name
	}
	return "js"
}

func (r Request) options(tsconfig string) (o api.TransformOptions, err error) {
	o = api.TransformOptions{
		Sourcefile: r.File, LogLevel: api.LogLevelSilent, TsconfigRaw: tsconfig, Platform: api.PlatformNode, Target: api.ESNext,
		MinifyWhitespace: r.Minify, MinifyIdentifiers: r.Minify, MinifySyntax: r.Minify, KeepNames: r.Minify,
	}
	switch r.loaderName() {
	case "ts":
		o.Loader = api.LoaderTS
	case "tsx":
		o.Loader = api.LoaderTSX
	case "jsx":
		o.Loader = api.LoaderJSX
	case "json":
		o.Loader = api.LoaderJSON
	case "css":
		o.Loader = api.LoaderCSS
	case "text":
		o.Loader = api.LoaderText
	default:
		o.Loader = api.LoaderJS
	}
	switch r.Format {
	case "":
	case "cjs":
		o.Format = api.FormatCommonJS
	case "esm":
		o.Format = api.FormatESModule
	default:
		return o, fmt.Errorf("unknown format %q", r.Format)
	}
	if t, known := targets[strings.ToLower(r.Target)]; known {
		o.Target = t
	} else if r.Target != "" {
		return o, fmt.Errorf("unknown target %q", r.Target)
	}
	return o, nil
}

var targets = map[string]api.Target{
	"esnext": api.ESNext, "es2015": api.ES2015, "es2016": api.ES2016, "es2017": api.ES2017, "es2018": api.ES2018,
	"es2019": api.ES2019, "es2020": api.ES2020, "es2021": api.ES2021, "es2022": api.ES2022, "es2023": api.ES2023,
	"es2024": api.ES2024,
}

// findTsconfig answers the nearest tsconfig.json at or above a directory, outside node_modules, or "". One that can't be
// read is as none.
func findTsconfig(files *vfs.Tree, dir string) string {
	if strings.Contains(dir+"/", "/node_modules/") {
		return ""
	}
	for {
		name := path.Join(dir, "tsconfig.json")
		if info, err := files.Stat(name); err == nil && info.Mode().IsRegular() && info.Size() <= maxTsconfig {
			if b, err := files.ReadFile(name); err == nil {
				return string(b)
			}
		}
		if dir == "/" {
			return ""
		}
		dir = path.Dir(dir)
	}
}
