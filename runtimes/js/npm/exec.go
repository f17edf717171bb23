package npm

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/belljar-dev/belljar/engine"
)

// npx is npm exec under its own name.
func (c Config) npx(ctx context.Context, call *engine.Call) int {
	a := c.start(ctx, call, true)
	a.command = "exec"
	if a.on("version") && len(a.args) == 0 {
		fmt.Fprintln(a.out, version)
		return a.finish(nil)
	}
	return a.finish(a.exec())
}

// exec is npm exec: a program of the project's packages, or of one that is fetched for it.
func (a *app) exec() error {
	var packages []string
	if p := a.setting("package"); p != "" {
		packages = strings.Split(p, ",")
	}
	if line := a.flags["call"]; line != "" {
		return a.execPackage(packages, "", []string{"sh", "-c", line})
	}
	args := append(slices.Clone(a.args), a.rest...)
	if len(args) == 0 {
		return fail("EUSAGE", "npm exec requires a command")
	}
	if len(packages) == 0 {
		name, spec := splitSpec(args[0])
		_, base := scopeOf(name)
		for at := a.call.Dir; spec == ""; at = path.Dir(at) {
			if _, err := a.call.Files.Stat(path.Join(at, "node_modules/.bin", base)); err == nil {
				return a.start(path.Join(at, "node_modules/.bin"), append([]string{base}, args[1:]...))
			}
			if at == "/" {
				break
			}
		}
		return a.execPackage([]string{args[0]}, base, args[1:])
	}
	return a.execPackage(packages, "", args)
}

// execPackage installs packages for a command, outside the project, and runs a program of them: bin, or if that is ""
// the first of args.
func (a *app) execPackage(packages []string, bin string, args []string) error {
	project := a.project
	sum := sha1.Sum([]byte(strings.Join(packages, "\x00")))
	a.project = path.Join(a.call.Getenv("HOME"), ".npm/_npx", hex.EncodeToString(sum[:8]))
	if err := a.call.Files.MkdirAll(a.project, 0o755); err != nil {
		return err
	}
	level := a.flags["loglevel"]
	inner := *a
	inner.flags = maps.Clone(a.flags)
	inner.flags["loglevel"], inner.args = "silent", packages
	if len(packages) > 0 {
		if err := inner.install(); err != nil {
			return err
		}
	}
	bins := path.Join(a.project, "node_modules/.bin")
	if bin != "" {
		name, _ := splitSpec(packages[0])
		m, err := readManifest(a.call.Files, path.Join(a.project, "node_modules", name))
		if err != nil {
			return err
		}
		names := slices.Sorted(maps.Keys(m.bins()))
		switch {
		case slices.Contains(names, bin):
		case len(names) == 1:
			bin = names[0]
		default:
			return fail("", "could not determine executable to run")
		}
		args = append([]string{bin}, args...)
	}
	a.project, a.flags["loglevel"] = project, level
	return a.start(bins, args)
}

// start runs a program with a folder before all others in PATH.
func (a *app) start(bins string, args []string) error {
	m, err := readManifest(a.call.Files, a.project)
	if err != nil {
		m = &manifest{}
	}
	env := a.scriptEnv(m, a.project, "npx", args[0])
	env[0] = "PATH=" + bins + ":" + strings.TrimPrefix(env[0], "PATH=")
	status, err := a.call.Run(a.ctx, engine.Command{Args: args, Env: env})
	switch {
	case errors.Is(err, engine.ErrNotFound):
		fmt.Fprintf(a.call.Stderr, "sh: 1: %s: not found\n", args[0])
		return exitStatus(127)
	case err != nil:
		return err
	case status != 0:
		return exitStatus(status)
	}
	return nil
}
