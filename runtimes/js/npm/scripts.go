package npm

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/belljar-dev/belljar/engine"
)

// named is npm test and its like.
func (a *app) named(script string) error {
	a.args = append([]string{script}, a.args...)
	return a.runScript()
}

// runScript is npm run.
func (a *app) runScript() error {
	m, err := requireManifest(a.call.Files, a.project)
	if err != nil {
		return err
	}
	if len(a.args) == 0 {
		return a.listScripts(m)
	}
	name := a.args[0]
	args := append(slices.Clone(a.args[1:]), a.rest...)
	script, have := m.Scripts[name]
	switch {
	case have:
	case name == "start":
		if _, err := a.call.Files.Stat(path.Join(a.project, "server.js")); err == nil {
			script, have = "node server.js", true
		}
	case name == "restart":
		for _, each := range []string{"stop", "start"} {
			if m.Scripts[each] != "" {
				if err := a.steps(m, each, m.Scripts[each], nil); err != nil {
					return err
				}
			}
		}
		return nil
	case name == "env":
		script, have = "env", true
	}
	if !have {
		if a.on("if-present") {
			return nil
		}
		return fail("", "Missing script: %q\n\nTo see a list of scripts, run:\n  npm run", name)
	}
	return a.steps(m, name, script, args)
}

// steps runs a script between those before and after it.
func (a *app) steps(m *manifest, name, script string, args []string) error {
	for _, step := range []struct {
		name, script string
		args         []string
	}{{"pre" + name, m.Scripts["pre"+name], nil}, {name, script, args}, {"post" + name, m.Scripts["post"+name], nil}} {
		if step.script == "" || step.name != name && a.on("ignore-scripts") {
			continue
		}
		if err := a.shell(m, a.project, step.name, step.script, step.args); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) listScripts(m *manifest) error {
	if len(m.Scripts) == 0 {
		return nil
	}
	fmt.Fprintf(a.out, "Scripts available in %s via `npm run`:\n", label(m))
	for _, name := range slices.Sorted(maps.Keys(m.Scripts)) {
		fmt.Fprintf(a.out, "  %s\n    %s\n", name, m.Scripts[name])
	}
	return nil
}

func label(m *manifest) string { return m.Name + "@" + m.Version }

// shell runs one script in a folder, and answers an exitStatus where it failed.
func (a *app) shell(m *manifest, dir, event, script string, args []string) error {
	line := script
	for _, arg := range args {
		line += " " + shellQuote(arg)
	}
	if a.setting("loglevel") != "silent" {
		head := event
		if m.Name != "" {
			head = label(m) + " " + event
			if m.Version == "" {
				head = m.Name + " " + event
			}
		}
		fmt.Fprintf(a.out, "\n> %s\n> %s\n\n", head, line)
	}
	status, err := a.call.Run(a.ctx, engine.Command{
		Args: []string{"sh", "-c", line}, Dir: dir, Env: a.scriptEnv(m, dir, event, script),
	})
	switch {
	case err != nil:
		return err
	case status != 0:
		return exitStatus(status)
	}
	return nil
}

// scriptEnv is what scripts find in their environment.
// See https://docs.npmjs.com/cli/v11/using-npm/scripts#environment
func (a *app) scriptEnv(m *manifest, dir, event, script string) []string {
	var bins []string
	for at := dir; ; at = path.Dir(at) {
		bins = append(bins, path.Join(at, "node_modules/.bin"))
		if at == "/" {
			break
		}
	}
	return []string{
		"PATH=" + strings.Join(bins, ":") + ":" + a.call.Getenv("PATH"), "npm_lifecycle_event=" + event, "npm_lifecycle_script=" + script,
		"npm_package_name=" + m.Name, "npm_package_version=" + m.Version, "npm_package_json=" + path.Join(dir, "package.json"),
		"npm_command=" + a.command, "npm_execpath=/usr/bin/npm", "npm_node_execpath=/usr/bin/node", "NODE=/usr/bin/node",
		"npm_config_registry=" + a.reg.url, "npm_config_user_agent=npm/" + version + " node/v22.0.0 linux wasm32 workspaces/false",
		"INIT_CWD=" + a.call.Dir, "npm_config_local_prefix=" + a.project,
	}
}

func shellQuote(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\n\"'`$&|;<>(){}[]*?!~#\\") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(s) + `"`
}

// lifecycles runs the packages' and the project's own installation scripts, where options ask for them.
func (a *app) lifecycles(root *node) error {
	asked := a.on("foreground-scripts") || a.setting("ignore-scripts") == "false"
	if !asked || a.on("ignore-scripts") || a.on("dry-run") {
		return nil
	}
	var nodes []*node
	root.walk(func(n *node) { nodes = append(nodes, n) })
	slices.SortStableFunc(nodes, func(x, y *node) int { return y.depth() - x.depth() })
	for _, n := range append(nodes, root) {
		dir := path.Join(a.project, n.location())
		m, err := readManifest(a.call.Files, dir)
		if err != nil {
			continue
		}
		events := []string{"preinstall", "install", "postinstall"}
		if n == root {
			events = append(events, "prepare")
		}
		for _, event := range events {
			if script := m.Scripts[event]; script != "" {
				if err := a.shell(m, dir, event, script, nil); err != nil && !n.optional {
					return fail("", "code 1\npath %s\ncommand failed\ncommand sh -c %s", dir, script)
				}
			}
		}
	}
	return nil
}
