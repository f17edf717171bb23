package npm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/belljar-dev/belljar/engine"
)

// version is the npm that this one is like.
const version = "11.19.1"

// app is one run of npm.
type app struct {
	cfg     *Config
	ctx     context.Context
	call    *engine.Call
	command string
	args    []string          // without options
	rest    []string          // after --
	flags   map[string]string // options; "true" and "false" for those without a value
	rc      map[string]string // of .npmrc
	project string
	reg     *registry
	out     io.Writer
}

// valued are the options that take a value.
var valued = map[string]bool{
	"registry": true, "prefix": true, "omit": true, "include": true, "tag": true, "loglevel": true, "cache": true, "workspace": true,
	"depth": true, "package": true, "call": true, "script-shell": true, "save-prefix": true, "userconfig": true, "only": true, "location": true,
	"pack-destination": true, "install-strategy": true,
}

var shortFlags = map[byte][2]string{
	'D': {"save-dev", "true"}, 'S': {"save", "true"}, 'P': {"save-prod", "true"}, 'O': {"save-optional", "true"}, 'E': {"save-exact", "true"},
	'g': {"global", "true"}, 'y': {"yes", "true"}, 'f': {"force", "true"}, 's': {"loglevel", "silent"}, 'q': {"loglevel", "warn"}, 'a': {"all", "true"},
	'd': {"loglevel", "info"}, 'v': {"version", "true"}, 'h': {"help", "true"}, 'l': {"long", "true"},
}

// loglevels are the options that stand for one of loglevel's values.
var loglevels = map[string]string{"silent": "silent", "quiet": "warn", "verbose": "verbose"}

// parse takes the command line apart. Beyond the command of npx and exec nothing is npm's own.
func (a *app) parse(args []string, npx bool) {
	a.flags = map[string]string{}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			a.rest = args
			return
		case strings.HasPrefix(arg, "--"):
			name, value, given := strings.Cut(arg[2:], "=")
			if !given {
				value = "true"
				if off, ok := strings.CutPrefix(name, "no-"); ok {
					name, value = off, "false"
				} else if valued[name] && len(args) > 0 {
					value, args = args[0], args[1:]
				} else if len(args) > 0 && (args[0] == "true" || args[0] == "false") {
					value, args = args[0], args[1:]
				}
			}
			if level := loglevels[name]; level != "" && value == "true" {
				name, value = "loglevel", level
			}
			if old := a.flags[name]; old != "" && (name == "omit" || name == "include" || name == "package") {
				value = old + "," + value
			}
			a.flags[name] = value
		case len(arg) > 1 && arg[0] == '-':
			for i := 1; i < len(arg); i++ {
				switch f, ok := shortFlags[arg[i]]; {
				case ok:
					a.flags[f[0]] = f[1]
				case (arg[i] == 'p' || arg[i] == 'c' || arg[i] == 'w') && len(args) > 0:
					name := map[byte]string{'p': "package", 'c': "call", 'w': "workspace"}[arg[i]]
					if old := a.flags[name]; old != "" {
						a.flags[name] = old + ","
					}
					a.flags[name] += args[0]
					args = args[1:]
				}
			}
		case npx || len(a.args) > 0 && (a.args[0] == "exec" || a.args[0] == "x"):
			a.args, a.rest = append(a.args, arg), args
			return
		default:
			a.args = append(a.args, arg)
		}
	}
}

// on says whether an option is switched on.
func (a *app) on(name string) bool { return a.setting(name) == "true" }

// setting answers an option: of the command line, the environment, or .npmrc.
func (a *app) setting(name string) string {
	if v, ok := a.flags[name]; ok {
		return v
	}
	if v := a.call.Getenv("npm_config_" + strings.ReplaceAll(name, "-", "_")); v != "" {
		return v
	}
	return a.rc[name]
}

func (c Config) start(ctx context.Context, call *engine.Call, npx bool) *app {
	a := &app{cfg: &c, ctx: ctx, call: call, out: call.Stdout}
	a.parse(call.Args[1:], npx)
	dir := call.Dir
	if p := a.flags["prefix"]; p != "" {
		dir = call.Abs(p)
		a.project = dir
	} else {
		a.project = findProject(call.Files, dir)
	}
	a.rc = npmrc(call, a.project)
	registry := a.setting("registry")
	if registry == "" {
		registry = c.Registry
	}
	if registry == "" {
		registry = "https://registry.npmjs.org/"
	}
	a.reg = newRegistry(&c, call, registry)
	return a
}

// finish reports an error as npm does, and answers the exit status.
func (a *app) finish(err error) int {
	a.reg.close()
	var status exitStatus
	switch {
	case err == nil:
		return 0
	case a.ctx.Err() != nil:
		return 1
	case errors.As(err, &status):
		return int(status)
	}
	code, n := codeOf(err)
	if a.setting("loglevel") == "silent" {
		return n
	}
	if code != "" {
		fmt.Fprintf(a.call.Stderr, "npm error code %s\n", code)
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(a.call.Stderr, "npm error %s\n", line)
	}
	return n
}

// exitStatus ends npm without a word.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func (a *app) warn(text string) {
	switch a.setting("loglevel") {
	case "silent", "error":
	default:
		fmt.Fprintf(a.call.Stderr, "npm warn %s\n", text)
	}
}

func (a *app) say(format string, args ...any) {
	if a.setting("loglevel") != "silent" {
		fmt.Fprintf(a.out, format, args...)
	}
}

func (c Config) npm(ctx context.Context, call *engine.Call) int {
	a := c.start(ctx, call, false)
	if a.on("version") && len(a.args) == 0 {
		fmt.Fprintln(a.out, version)
		return a.finish(nil)
	}
	if len(a.args) == 0 {
		fmt.Fprint(a.out, usage)
		return a.finish(exitStatus(1))
	}
	a.command, a.args = a.args[0], a.args[1:]
	for _, each := range commands {
		if slices.Contains(each.names, a.command) {
			return a.finish(each.run(a))
		}
	}
	fmt.Fprintf(call.Stderr, "Unknown command: %q\n\nTo see a list of supported npm commands, run:\n  npm help\n", a.command)
	return a.finish(exitStatus(1))
}

const usage = `npm <command>

Usage:

npm install        install all the dependencies in your project
npm install <foo>  add the <foo> dependency to your project
npm test           run this project's tests
npm run <foo>      run the script named <foo>

All commands:

    add, cache, ci, config, exec, help, init, install, ls,
    outdated, pack, ping, pkg, prefix, prune, root, run, start,
    stop, test, uninstall, version, view

npm@` + version + "\n"

// commands are npm's, under all their names.
var commands = []struct {
	names []string
	run   func(*app) error
}{
	{[]string{"install", "i", "in", "ins", "inst", "isntall", "add"}, (*app).install},
	{[]string{"ci", "clean-install", "ic", "install-clean"}, (*app).cleanInstall},
	{[]string{"uninstall", "un", "unlink", "remove", "rm", "r"}, (*app).uninstall},
	{[]string{"prune", "dedupe", "ddp"}, (*app).prune},
	{[]string{"run", "run-script", "rum", "urn"}, (*app).runScript},
	{[]string{"test", "t", "tst"}, func(a *app) error { return a.named("test") }},
	{[]string{"start"}, func(a *app) error { return a.named("start") }},
	{[]string{"stop"}, func(a *app) error { return a.named("stop") }},
	{[]string{"restart"}, func(a *app) error { return a.named("restart") }},
	{[]string{"exec", "x"}, (*app).exec},
	{[]string{"ls", "list", "ll", "la"}, (*app).list},
	{[]string{"view", "info", "show", "v"}, (*app).view},
	{[]string{"outdated"}, (*app).outdated},
	{[]string{"init", "create"}, (*app).init},
	{[]string{"pack"}, (*app).pack},
	{[]string{"version", "verison"}, (*app).version},
	{[]string{"pkg"}, (*app).pkg},
	{[]string{"config", "c", "get", "set"}, (*app).config},
	{[]string{"root"}, func(a *app) error { fmt.Fprintln(a.out, a.project+"/node_modules"); return nil }},
	{[]string{"prefix"}, func(a *app) error { fmt.Fprintln(a.out, a.project); return nil }},
	{[]string{"cache"}, (*app).cache},
	{[]string{"ping"}, (*app).ping},
	{[]string{"help"}, func(a *app) error { fmt.Fprint(a.out, usage); return nil }},
	{[]string{"audit", "fund"}, func(a *app) error { return fail("ENOTSUP", "%s is not available in this sandbox", a.command) }},
}
