package esbuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/evanw/esbuild/pkg/api"
	"github.com/evanw/esbuild/pkg/cli"
)

// version is the library's.
const version = "0.28.2"

// Program is the command esbuild, for an engine.Image: it transforms files, or standard input, one by one. It does not
// bundle, watch or serve, and says so.
func (h *Host) Program() engine.Program {
	return engine.Program{Path: "/usr/bin/esbuild", Func: h.command}
}

// absent are the options that would take a bundler.
var absent = []string{"--bundle", "--serve", "--watch", "--splitting", "--analyze", "--metafile", "--inject", "--entry-names", "--chunk-names",
	"--asset-names", "--external", "--packages", "--alias", "--servedir", "--tsconfig=", "--outbase", "--outextension", "--public-path"}

const usage = `Usage:
  esbuild [options] [entry points]

Options:
  --define:K=V          Substitute K with V while parsing
  --format=...          Output format (iife | cjs | esm)
  --loader:X=L          Use loader L to load file extension X
  --minify              Minify the output
  --outdir=...          The output directory (for multiple entry points)
  --outfile=...         The output file (for one entry point)
  --platform=...        Platform target (browser | node | neutral)
  --sourcemap           Emit a source map
  --target=...          Environment target (e.g. es2017)

Bundling, watching and serving are not available in this sandbox.
`

// job is one run of the command.
type job struct {
	host            *Host
	call            *engine.Call
	options         []string // for the library, all but loaders
	loaders         map[string]string
	entries         []string
	outfile, outdir string
}

func (h *Host) command(ctx context.Context, c *engine.Call) int {
	j := &job{host: h, call: c, loaders: map[string]string{}}
	for _, arg := range c.Args[1:] {
		switch arg {
		case "--version":
			fmt.Fprintln(c.Stdout, version)
			return 0
		case "--help", "-h":
			fmt.Fprint(c.Stdout, usage)
			return 0
		}
		if err := j.take(arg); err != nil {
			return j.fail(err.Error())
		}
	}
	switch {
	case len(j.entries) > 1 && j.outdir == "":
		return j.fail("Must use \"outdir\" when there are multiple input files")
	case j.outfile != "" && j.outdir != "":
		return j.fail("Cannot use both \"outfile\" and \"outdir\"")
	}
	if len(j.entries) == 0 {
		source, err := io.ReadAll(io.LimitReader(c.Stdin, maxSource+1))
		if err != nil {
			return j.fail(err.Error())
		}
		return j.transform(ctx, "<stdin>", string(source), j.outfile)
	}
	for _, entry := range j.entries {
		source, err := j.read(entry)
		if err != nil {
			return j.fail(fmt.Sprintf("Could not resolve %q: %v", entry, err))
		}
		if status := j.transform(ctx, entry, source, j.output(entry)); status != 0 {
			return status
		}
	}
	return 0
}

// take looks at one argument.
func (j *job) take(arg string) error {
	for _, a := range absent {
		if name, _, _ := strings.Cut(arg, ":"); arg == a || strings.HasPrefix(arg, strings.TrimSuffix(a, "=")+"=") || name == a {
			return fmt.Errorf("%s is not available in this sandbox: esbuild transforms files one by one here", strings.TrimSuffix(a, "="))
		}
	}
	switch name, value, _ := strings.Cut(arg, "="); {
	case name == "--outfile":
		j.outfile = value
	case name == "--outdir":
		j.outdir = value
	case strings.HasPrefix(name, "--loader:"):
		j.loaders[strings.TrimPrefix(name, "--loader:")] = value
	case name == "--loader":
		j.loaders[""] = value
	case strings.HasPrefix(arg, "--log-level"), strings.HasPrefix(arg, "--color"), strings.HasPrefix(arg, "--log-limit"), arg == "--allow-overwrite":
	case strings.HasPrefix(arg, "-"):
		j.options = append(j.options, arg)
	default:
		j.entries = append(j.entries, arg)
	}
	return nil
}

// read reads an entry point, up to a little more than a source may have.
func (j *job) read(name string) (string, error) {
	f, err := j.call.Files.Open(j.call.Abs(name))
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	return string(b), err
}

// output is where an entry point's code goes; "" is standard output.
func (j *job) output(entry string) string {
	if j.outdir == "" {
		return j.outfile
	}
	base := path.Base(entry)
	ext := ".js"
	if path.Ext(base) == ".css" {
		ext = ".css"
	}
	return path.Join(j.outdir, strings.TrimSuffix(base, path.Ext(base))+ext)
}

// transform transforms one source and writes the result.
func (j *job) transform(ctx context.Context, name, source, to string) (status int) {
	all := weight(source)
	for _, o := range j.options {
		all += weight(o)
	}
	switch {
	case len(source) > maxSource:
		return j.fail(fmt.Sprintf("%s has more than %d bytes", name, maxSource))
	case all > maxWeight:
		return j.fail(fmt.Sprintf("%s has too many brackets and operators to be parsed safely", name))
	}
	if err := j.call.Charge(int64(len(source)) * ticksPerByte); err != nil {
		return 1
	}
	o, err := j.library(name)
	if err != nil {
		return j.fail(err.Error())
	}
	defer func() {
		if v := recover(); v != nil {
			status = j.fail(fmt.Sprintf("internal error: %v\n%s", v, debug.Stack()))
		}
	}()
	if to == "" && o.Sourcemap != api.SourceMapNone && o.Sourcemap != api.SourceMapInline {
		o.Sourcemap = api.SourceMapInline
	}
	// To the library --sourcemap alone is a map in the code; to the command it is one beside the file.
	linked := to != "" && (slices.Contains(j.options, "--sourcemap") || slices.Contains(j.options, "--sourcemap=linked"))
	if linked {
		o.Sourcemap = api.SourceMapExternal
	}
	res, err := j.host.slots.transform(ctx, withoutMaps(source), o)
	if err != nil {
		return j.fail(err.Error())
	}
	j.tell(res.Warnings, api.WarningMessage)
	j.tell(res.Errors, api.ErrorMessage)
	if len(res.Errors) > 0 {
		return 1
	}
	if to == "" {
		_, err = j.call.Stdout.Write(res.Code)
	} else {
		err = j.write(to, res, linked)
	}
	if err != nil {
		return j.fail(err.Error())
	}
	return 0
}

// library makes the library's options for a file.
func (j *job) library(name string) (api.TransformOptions, error) {
	loader := j.loaders[path.Ext(name)]
	if loader == "" {
		loader = j.loaders[""]
	}
	if ext := path.Ext(name); loader == "" {
		switch ext {
		case ".ts", ".mts", ".cts":
			loader = "ts"
		case ".tsx", ".jsx", ".css", ".json":
			loader = ext[1:]
		case ".txt":
			loader = "text"
		case ".js", ".mjs", ".cjs", "":
			loader = "js"
		default:
			if name != "<stdin>" {
				//lint:ignore ST1005 esbuild's own words
				return api.TransformOptions{}, fmt.Errorf("No loader is configured for %q files: %s", ext, name)
			}
		}
	}
	args := j.options
	if loader != "" {
		args = append([]string{"--loader=" + loader}, args...)
	}
	o, err := cli.ParseTransformOptions(args)
	if err != nil {
		return o, err
	}
	o.Sourcefile, o.LogLevel = name, api.LogLevelSilent
	if o.TsconfigRaw == "" {
		o.TsconfigRaw = findTsconfig(j.call.Files, path.Dir(j.call.Abs(name)))
		if weight(o.TsconfigRaw) > maxWeight/2 {
			return o, errors.New("tsconfig.json is too large")
		}
	}
	return o, nil
}

// write writes code, and its map beside it.
func (j *job) write(to string, res api.TransformResult, linked bool) error {
	name := j.call.Abs(to)
	if err := j.call.Files.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	code := res.Code
	if linked {
		comment := "//# sourceMappingURL=" + path.Base(name) + ".map\n"
		if path.Ext(name) == ".css" {
			comment = "/*# sourceMappingURL=" + path.Base(name) + ".map */\n"
		}
		code = append(code, comment...)
	}
	if len(res.Map) > 0 {
		if err := j.call.Files.WriteFile(name+".map", res.Map, 0o644); err != nil {
			return err
		}
	}
	return j.call.Files.WriteFile(name, code, os.FileMode(0o644))
}

func (j *job) tell(list []api.Message, kind api.MessageKind) {
	for _, text := range api.FormatMessages(list, api.FormatMessagesOptions{Kind: kind}) {
		fmt.Fprint(j.call.Stderr, text)
	}
}

// fail reports an error as esbuild does.
func (j *job) fail(text string) int {
	j.tell([]api.Message{{Text: text}}, api.ErrorMessage)
	return 1
}
