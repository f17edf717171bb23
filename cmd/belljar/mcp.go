package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/mcpbridge"
	"github.com/belljar-dev/belljar/mcpbridge/clients"
	"github.com/belljar-dev/belljar/store"
	"github.com/spf13/cobra"
)

func (a *app) mcpCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Give sandboxes to coding agents over the Model Context Protocol",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.mcpStartCommand(), a.mcpConfigCommand(), a.mcpInitCommand(), a.mcpRemoveCommand())
	return cmd
}

// startFlags are those of mcp start as they were given.
type startFlags struct {
	specFlags
	web      webFlags
	hostDirs []string
	keep     bool
}

// mcpTimeout is the limit of programs in the background; each call has its own.
const mcpTimeout = 24 * time.Hour

func (a *app) mcpStartCommand() *cobra.Command {
	var f startFlags
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Serve one client on standard input and output, or many over HTTP",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("timeout") {
				f.timeout = mcpTimeout
			}
			if !cmd.Flags().Changed("keep") {
				f.keep = cmd.Flags().Changed("state") // who says where state goes wants it there the next time
			}
			spec, err := f.spec(cmd)
			if err != nil {
				return err
			}
			serve := func(ctx context.Context, b *mcpbridge.Bridge) error { return b.Serve(ctx, a.stdin, a.stdout) }
			if f.web.addr != "" {
				tokens, err := f.web.tokens(a.stderr)
				if err != nil {
					return err
				}
				serve = func(ctx context.Context, b *mcpbridge.Bridge) error {
					return f.web.serve(ctx, b.Handler(tokens), a.stderr)
				}
			} else if f.web != (webFlags{}) {
				return errors.New("--token-file, --tls-cert and --tls-key are for --http")
			}
			return a.serveMCP(cmd.Context(), spec, &f, serve)
		},
	}
	f.bind(cmd.Flags())
	f.web.bind(cmd.Flags())
	a.ssh.bind(cmd.Flags())
	cmd.Flags().BoolVar(&f.keep, "keep", false, "keep sandboxes on disk for the next time; only one process can (default: if --state is given)")
	cmd.Flags().StringArrayVar(&f.hostDirs, "allow-host-dir", nil, "`folder` of this machine that agents may upload from and download to; repeatable")
	cmd.Flags().Lookup("timeout").Usage = "wall-clock limit of a program in the background (default: a day); each call has its own"
	cmd.Flags().Lookup("timeout").DefValue = ""
	return cmd
}

// folders answers the allowed ones, absolute.
func (f *startFlags) folders() ([]string, error) {
	var dirs []string
	for _, dir := range f.hostDirs {
		abs, err := filepath.Abs(dir)
		if err == nil {
			var info os.FileInfo
			if info, err = os.Stat(abs); err == nil && !info.IsDir() {
				err = fmt.Errorf("%s is not a folder", abs)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("--allow-host-dir: %w", err)
		}
		dirs = append(dirs, abs)
	}
	return dirs, nil
}

// serveMCP lends a bridge to serve. It answers clients at once: the interpreter is compiled, if it has to
// be, meanwhile.
func (a *app) serveMCP(ctx context.Context, spec engine.Spec, f *startFlags, serve func(context.Context, *mcpbridge.Bridge) error) (err error) {
	dirs, err := f.folders()
	if err != nil {
		return err
	}
	eng, err := a.engine()
	if err != nil {
		return err
	}
	defer eng.Close()
	boxes, closeBoxes, err := a.mcpSandboxes(eng, spec, f.keep)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeBoxes()) }()
	langs, programs := sessionLanguages()
	log := slog.New(slog.NewTextHandler(a.stderr, nil))
	warm, stop := context.WithCancel(ctx)
	begin, warmed := make(chan struct{}), make(chan struct{})
	go func() { // ends with the compilation, or before it
		defer close(warmed)
		select {
		case <-begin:
		case <-warm.Done():
			return
		}
		if err := eng.Warm(warm, "", nil, programs...); err != nil && warm.Err() == nil {
			log.Error("warm the interpreter", "error", err)
		}
	}()
	defer func() {
		stop()
		<-warmed
	}()
	cfg := mcpbridge.Config{Sandboxes: boxes, Version: versions()["belljar"], Languages: langs, HostDirs: dirs, Notes: notes(spec, langs), Logger: log}
	if f.web.addr != "" {
		close(begin)
	} else {
		cfg.Answered = func() { close(begin) } // a client waits for its first answer, and warming takes every core
	}
	previews, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		cfg.PreviewAddr = previews.Addr().String()
	} else {
		log.Warn("no previews", "error", err)
	}
	b := mcpbridge.New(cfg)
	defer func() { err = errors.Join(err, b.Close()) }()
	defer servePreviews(previews, b.Previews(), log)()
	return serve(ctx, b)
}

// servePreviews serves the links of previews until what it answers is called. There may be no listener.
func servePreviews(l net.Listener, h http.Handler, log *slog.Logger) (stop func()) {
	if l == nil {
		return func() {}
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	served := make(chan struct{})
	go func() { // ends with s
		defer close(served)
		_ = s.Serve(l)
	}()
	return func() {
		_ = s.Close()
		<-served
	}
}

// sessionLanguages are those of this build whose interpreters live on between calls, the first by default, and the
// programs that agents use, those first that the first calls need.
func sessionLanguages() (langs, programs []string) {
	langs, programs = []string{"python"}, []string{"python3", "bash"}
	if node := interpreters["js"]; node != "" {
		langs, programs = append(langs, "js"), append(programs, node)
	}
	return langs, programs
}

// notes tell models what programs of these sandboxes have.
func notes(spec engine.Spec, langs []string) string {
	text := " python is CPython 3.13, no pip; "
	if slices.Contains(langs, "js") {
		text += "js is Node's library; "
	}
	if len(spec.Network.Dial) == 0 {
		return text + "no network."
	}
	return text + "network: " + strings.Join(spec.Network.Dial, ", ") + "."
}

// mcpSandboxes answers where a bridge has its sandboxes, and what ends that.
func (a *app) mcpSandboxes(eng *engine.Engine, spec engine.Spec, keep bool) (mcpbridge.Sandboxes, func() error, error) {
	if !keep {
		memory := mcpbridge.NewMemory(eng, spec)
		return memory, memory.Close, nil
	}
	dir, err := a.storeDir()
	if err != nil {
		return nil, nil, err
	}
	s, err := store.Open(store.Config{Dir: dir, Engine: eng})
	if err != nil {
		return nil, nil, err
	}
	return kept{s, spec}, s.Close, nil
}

// kept are the sandboxes of a store, for a Bridge.
type kept struct {
	store *store.Store
	spec  engine.Spec
}

func (k kept) Create(ctx context.Context, name string) error {
	return bridgeError(k.store.Create(ctx, name, k.spec, store.Options{}))
}

func (k kept) Use(ctx context.Context, name string, f func(*engine.Sandbox) error) error {
	return bridgeError(k.store.Use(ctx, name, f))
}

func (k kept) Fork(ctx context.Context, name, fork string) error {
	return bridgeError(k.store.Fork(ctx, name, fork, store.Options{}))
}

func (k kept) Remove(name string) error { return bridgeError(k.store.Remove(name)) }

func (k kept) Names() ([]string, error) {
	list, err := k.store.List()
	names := make([]string, 0, len(list))
	for _, in := range list {
		names = append(names, in.Name)
	}
	return names, bridgeError(err)
}

func bridgeError(err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return mcpbridge.ErrNotFound
	case errors.Is(err, store.ErrExists):
		return mcpbridge.ErrExists
	}
	return err
}

// mcpServer is how clients start this program.
func mcpServer() (clients.Server, error) {
	exe, err := os.Executable()
	if err == nil {
		exe, err = filepath.EvalSymlinks(exe)
	}
	if err != nil {
		return clients.Server{}, fmt.Errorf("find this program: %w", err)
	}
	if strings.HasPrefix(exe, os.TempDir()) {
		return clients.Server{}, fmt.Errorf("this program lies in %s, which is emptied: build it first, with `go install ./cmd/belljar`", filepath.Dir(exe))
	}
	return clients.Server{Name: "belljar", Command: exe, Args: []string{"mcp", "start"}}, nil
}

func clientSystem() (clients.System, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return clients.System{}, fmt.Errorf("find your home folder: %w", err)
	}
	project, err := os.Getwd()
	if err != nil {
		return clients.System{}, fmt.Errorf("find the project's folder: %w", err)
	}
	return clients.System{
		OS: runtime.GOOS, Home: home, ConfigHome: os.Getenv("XDG_CONFIG_HOME"), AppData: os.Getenv("APPDATA"),
		LocalAppData: os.Getenv("LOCALAPPDATA"), Project: project,
	}, nil
}

func (a *app) mcpConfigCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "config [CLIENT]",
		Short:     "Print what a client's list of servers has to say",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1)),
		ValidArgs: clients.Names(),
		RunE: func(_ *cobra.Command, args []string) error {
			name := "claude"
			if len(args) == 1 {
				name = args[0]
			}
			client, err := clients.Find(name)
			if err != nil {
				return err
			}
			server, err := mcpServer()
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(client.Document(server))
			return err
		},
	}
}

// clientFlags are what init and remove share.
type clientFlags struct {
	scope  string
	dryRun bool
}

func (f *clientFlags) bind(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.scope, "scope", "user", "`scope`: user or project (the folder you are in)")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "only print what the file would be")
}

func (a *app) mcpInitCommand() *cobra.Command {
	var f clientFlags
	cmd := &cobra.Command{
		Use:   "init CLIENT",
		Short: "Enter this program into a client's list of servers: " + strings.Join(clients.Names(), ", "),
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := clients.Find(args[0])
			if err != nil {
				return err
			}
			server, err := mcpServer()
			if err != nil {
				return err
			}
			if done, err := a.claudeCode(cmd.Context(), client, server, f); done || err != nil {
				return err
			}
			return a.editClient(client, f, func(old []byte) ([]byte, error) { return client.Add(old, server) })
		},
	}
	f.bind(cmd)
	return cmd
}

// claudeCode lets Claude Code enter the server itself, where its command is there: it may have its file open.
func (a *app) claudeCode(ctx context.Context, client clients.Client, s clients.Server, f clientFlags) (done bool, err error) {
	if client.Name != "claude-code" || f.dryRun {
		return false, nil
	}
	claude, err := exec.LookPath("claude")
	if err != nil {
		return false, nil
	}
	_ = exec.CommandContext(ctx, claude, "mcp", "remove", "--scope", f.scope, s.Name).Run() // add refuses a name that is there
	args := append([]string{"mcp", "add", "--transport", "stdio", "--scope", f.scope, s.Name, "--", s.Command}, s.Args...)
	if out, err := exec.CommandContext(ctx, claude, args...).CombinedOutput(); err != nil {
		return false, fmt.Errorf("claude mcp add: %w: %s", err, strings.TrimSpace(string(out)))
	}
	_, err = fmt.Fprintf(a.stdout, "%s has belljar now. %s\n", client.Title, client.Note)
	return true, err
}

func (a *app) mcpRemoveCommand() *cobra.Command {
	var f clientFlags
	cmd := &cobra.Command{
		Use:   "remove CLIENT",
		Short: "Take this program out of a client's list of servers",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			client, err := clients.Find(args[0])
			if err != nil {
				return err
			}
			return a.editClient(client, f, func(old []byte) ([]byte, error) { return client.Remove(old, "belljar") })
		},
	}
	f.bind(cmd)
	return cmd
}

func (a *app) editClient(client clients.Client, f clientFlags, edit func([]byte) ([]byte, error)) error {
	system, err := clientSystem()
	if err != nil {
		return err
	}
	file, err := client.Path(system, clients.Scope(f.scope))
	if err != nil {
		return err
	}
	if f.dryRun {
		old, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		content, err := edit(old)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		_, err = fmt.Fprintf(a.stdout, "%s:\n%s", file, content)
		return err
	}
	changed, err := clients.Edit(file, edit)
	if err != nil {
		return err
	}
	what := "is as it should be"
	if changed {
		what = "was written. " + client.Note
	}
	_, err = fmt.Fprintf(a.stdout, "%s %s\n", file, what)
	return err
}
