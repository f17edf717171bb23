package npm

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// config is npm config, of what has a meaning here.
func (a *app) config() error {
	args := a.args
	if a.command == "get" || a.command == "set" {
		args = append([]string{a.command}, args...)
	}
	values := maps.Clone(a.rc)
	values["registry"] = a.reg.url
	values["prefix"] = "/usr/local"
	values["cache"] = path.Join(a.call.Getenv("HOME"), ".npm")
	values["user-agent"] = "npm/" + version
	values["ignore-scripts"] = "true"
	for k, v := range a.flags {
		values[k] = v
	}
	switch {
	case len(args) == 0 || args[0] == "list" || args[0] == "ls" || args[0] == "get" && len(args) == 1:
		for _, k := range slices.Sorted(maps.Keys(values)) {
			fmt.Fprintf(a.out, "%s = %q\n", k, values[k])
		}
	case args[0] == "get":
		for _, k := range args[1:] {
			v, ok := values[k]
			if !ok {
				v = "undefined"
			}
			fmt.Fprintln(a.out, v)
		}
	case args[0] == "set" || args[0] == "delete" || args[0] == "rm":
		return a.setConfig(args[0] == "set", args[1:])
	default:
		return fail("EUSAGE", "npm config get|set|delete|list")
	}
	return nil
}

func (a *app) setConfig(set bool, args []string) error {
	name := path.Join(a.call.Getenv("HOME"), ".npmrc")
	if a.setting("location") == "project" {
		name = path.Join(a.project, ".npmrc")
	}
	if set && len(args) == 2 && !strings.Contains(args[0], "=") {
		args = []string{args[0] + "=" + args[1]}
	}
	b, err := a.call.Files.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	for _, arg := range args {
		key, _, _ := strings.Cut(arg, "=")
		lines = slices.DeleteFunc(lines, func(l string) bool {
			k, _, _ := strings.Cut(l, "=")
			return strings.TrimSpace(k) == key || l == ""
		})
		if set {
			lines = append(lines, arg)
		}
	}
	return a.call.Files.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// cache is npm cache: the cache is the host's, and looks after itself.
func (a *app) cache() error {
	if len(a.args) > 0 && a.args[0] == "verify" {
		a.say("Cache verified and compressed\n")
	}
	return nil
}

func (a *app) ping() error {
	began := time.Now()
	a.say("npm notice PING %s\n", a.reg.url)
	if _, err := a.reg.get(a.ctx, a.reg.url+"-/ping", "application/json", 1<<20); err != nil {
		return err
	}
	a.say("npm notice PONG %dms\n", time.Since(began).Milliseconds())
	return nil
}
