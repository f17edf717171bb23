package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/belljar-dev/belljar/engine"
	"github.com/spf13/cobra"
)

// runFlags are the flags of belljar run as they were given.
type runFlags struct {
	specFlags
	lang, code string
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [flags] -c CODE [ARG…]\n  belljar run [flags] FILE [ARG…]\n  belljar run [flags] - [ARG…]",
		Short: "Run one program in a sandbox of its own that is gone afterwards",
		Example: `  belljar run -c 'print(6*7)'
  belljar run script.py one two
  echo 'print(input())' | belljar run --timeout 5s -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runProgram(cmd, &f, args)
		},
	}
	fl := cmd.Flags()
	fl.SetInterspersed(false) // what follows the program is the program's
	fl.StringVar(&f.lang, "lang", "", "`language`: python, js or sh (default: by the file's name)")
	fl.StringVarP(&f.code, "code", "c", "", "the `program` itself")
	f.bind(fl)
	a.ssh.bind(fl)
	return cmd
}

func (a *app) runProgram(cmd *cobra.Command, f *runFlags, args []string) error {
	spec, err := f.spec(cmd)
	if err != nil {
		return err
	}
	prog, err := f.program(cmd, args)
	if err != nil {
		return err
	}
	eng, err := a.engine()
	if err != nil {
		return err
	}
	defer eng.Close()
	if err := a.warm(cmd.Context(), eng, interpreters[prog.lang]); err != nil {
		return err
	}
	sb, err := eng.Create(cmd.Context(), spec)
	if err != nil {
		return err
	}
	defer sb.Close()
	command, err := prog.place(sb)
	if err != nil {
		return err
	}
	command.Stdin = a.stdin
	if a.json {
		res, err := sb.Run(cmd.Context(), command)
		return a.printResult(res, err)
	}
	command.Stdout, command.Stderr = a.stdout, a.stderr
	res, err := sb.Run(cmd.Context(), command)
	if err == nil && res.ExitCode != 0 {
		err = statusError(res.ExitCode)
	}
	return err
}

// guestProgram is what to run: code, a file of this machine, or standard input.
type guestProgram struct {
	lang    string
	code    string
	isCode  bool
	name    string // of the file, "-" for standard input
	content []byte
	args    []string
}

func (f *runFlags) program(cmd *cobra.Command, args []string) (*guestProgram, error) {
	p := &guestProgram{code: f.code, isCode: cmd.Flags().Changed("code"), args: args}
	if !p.isCode {
		if len(args) == 0 {
			return nil, errors.New("run: give -c CODE, a FILE, or - for standard input")
		}
		p.name, p.args = args[0], args[1:]
	}
	lang, err := language(f.lang, p.name)
	if err != nil {
		return nil, err
	}
	p.lang = lang
	if !p.isCode && p.name != "-" {
		if p.content, err = os.ReadFile(p.name); err != nil {
			return nil, fmt.Errorf("run: %w", err)
		}
	}
	return p, nil
}

// language answers the flag's, or the one of the file's name.
func language(flag, file string) (string, error) {
	switch flag {
	case "python", "js", "sh":
		return flag, nil
	case "":
	default:
		return "", fmt.Errorf("--lang %q: use python, js or sh", flag)
	}
	switch strings.ToLower(filepath.Ext(file)) {
	case ".js", ".mjs", ".cjs", ".ts", ".mts", ".tsx", ".jsx":
		return "js", nil
	case ".sh", ".bash":
		return "sh", nil
	}
	return "python", nil
}

// interpreters are the programs that run a language's files.
var interpreters = map[string]string{"python": "python3", "js": "node", "sh": "bash"}

// place puts the program into the sandbox and answers the command that runs it.
func (p *guestProgram) place(sb *engine.Sandbox) (engine.Command, error) {
	interpreter := interpreters[p.lang]
	cmd := engine.Command{Args: []string{interpreter}, Dir: guestHome}
	switch {
	case p.isCode && p.lang == "js":
		cmd.Args = append(cmd.Args, "-e", p.code)
		if len(p.args) > 0 {
			cmd.Args = append(cmd.Args, "--")
		}
	case p.isCode:
		cmd.Args = append(cmd.Args, "-c", p.code)
		if p.lang == "sh" {
			cmd.Args = append(cmd.Args, interpreter) // $0, which python leaves out
		}
	case p.name == "-" && p.lang == "sh":
		cmd.Args = append(cmd.Args, "-s", "--")
	case p.name == "-":
		cmd.Args = append(cmd.Args, "-")
	default:
		name := filepath.Base(p.name)
		if err := sb.Files().WriteFile(path.Join(cmd.Dir, name), p.content, 0o644); err != nil {
			return cmd, fmt.Errorf("put %s into the sandbox: %w", p.name, err)
		}
		if strings.HasPrefix(name, "-") {
			name = "./" + name
		}
		cmd.Args = append(cmd.Args, name)
	}
	cmd.Args = append(cmd.Args, p.args...)
	return cmd, nil
}

// resultJSON is the answer of run --json.
type resultJSON struct {
	ExitCode  int       `json:"exit_code"`
	Stdout    string    `json:"stdout"`
	Stderr    string    `json:"stderr"`
	Truncated bool      `json:"truncated"`
	Usage     usageJSON `json:"usage"`
	Error     *string   `json:"error"`
}

type usageJSON struct {
	WallMS      float64 `json:"wall_ms"`
	Ticks       int64   `json:"ticks"`
	MemoryBytes int64   `json:"memory_bytes"`
	OutputBytes int64   `json:"output_bytes"`
	DiskBytes   int64   `json:"disk_bytes"`
	Files       int64   `json:"files"`
	NetBytes    int64   `json:"net_bytes"`
}

func (a *app) printResult(res engine.Result, err error) error {
	out := resultJSON{
		ExitCode: res.ExitCode, Stdout: res.Stdout, Stderr: res.Stderr, Truncated: res.Truncated,
		Usage: usageJSON{
			WallMS: float64(res.Usage.Wall.Microseconds()) / 1000, Ticks: res.Usage.Ticks, MemoryBytes: res.Usage.Memory,
			OutputBytes: res.Usage.Output, DiskBytes: res.Usage.Disk, Files: res.Usage.Files,
			NetBytes: res.Usage.Net,
		},
	}
	status := res.ExitCode
	if err != nil {
		text := err.Error()
		out.Error, status = &text, errorStatus(err)
	}
	if err := json.NewEncoder(a.stdout).Encode(out); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	if status != 0 {
		return statusError(status)
	}
	return nil
}

// warm brings programs up, all where none is named, with a progress display where a person watches and it takes long.
func (a *app) warm(ctx context.Context, eng *engine.Engine, programs ...string) error {
	p := newProgress(a.stderr)
	defer p.close()
	return eng.Warm(ctx, "", p.step, programs...)
}
