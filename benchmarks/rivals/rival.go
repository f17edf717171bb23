package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// rival is one way of running untrusted code.
type rival struct {
	name string // as the report calls it
	lang string // "python", "js" or "bash"
	kind string // what isolates: "sandbox", "interpreter", "process"
	// eval runs code in an isolate that nothing has run in, and answers what it prints. The isolate is gone afterwards.
	eval func(ctx context.Context, code string) (string, error)
	// keep makes n isolates that have printed and stay, and answers what each weighs in bytes. nil: it can't be told.
	keep func(ctx context.Context, n int) (int64, error)
	// computes says that the programs of the compute table can be run.
	computes bool
	close    func() error // nil: nothing to close
}

// absence says why a rival is not in the report.
type absence struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// hello is a program that prints 2 in each language.
var hello = map[string]string{"python": "print(1+1)", "js": "console.log(1+1)", "bash": "echo $((1+1))"}

// greet runs hello and checks its answer.
func (r *rival) greet(ctx context.Context) error {
	out, err := r.eval(ctx, hello[r.lang])
	if err == nil && strings.TrimSpace(out) != "2" {
		err = fmt.Errorf("printed %q instead of 2", out)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	return nil
}

// field is all rivals that can be had here.
type field struct {
	rivals  []*rival
	missing []absence
}

// add takes a rival in if it can be made and greets; otherwise it is missing for the error's reason.
func (f *field) add(ctx context.Context, name string, enter func() (*rival, error)) {
	r, err := enter()
	if err == nil {
		r.name = name
		if err = r.greet(ctx); err != nil && r.close != nil {
			err = errors.Join(err, r.close())
		}
	}
	if err != nil {
		f.miss(name, err)
		return
	}
	f.rivals = append(f.rivals, r)
}

// miss notes why a rival is not here, by the first line of the error.
func (f *field) miss(name string, err error) {
	reason, _, _ := strings.Cut(err.Error(), "\n")
	f.missing = append(f.missing, absence{name, fmt.Sprintf("%.300s", reason)})
}

func (f *field) close() error {
	var errs []error
	for _, r := range f.rivals {
		if r.close != nil {
			errs = append(errs, r.close())
		}
	}
	return errors.Join(errs...)
}

// process is a native program: each eval is a process of its own.
func process(lang string, argv ...string) func() (*rival, error) {
	return func() (*rival, error) {
		if _, err := exec.LookPath(argv[0]); err != nil {
			return nil, err
		}
		command := func(ctx context.Context, code string) *exec.Cmd {
			return exec.CommandContext(ctx, argv[0], append(argv[1:len(argv):len(argv)], code)...)
		}
		return &rival{
			lang: lang, kind: "process", computes: true,
			eval: func(ctx context.Context, code string) (string, error) {
				out, err := command(ctx, code).Output()
				return string(out), err
			},
			keep: func(ctx context.Context, n int) (int64, error) { return weighProcesses(ctx, n, command, lang) },
		}, nil
	}
}

// waiting is a program that prints 2 and waits for its input to end.
var waiting = map[string]string{
	"python": "import sys\nprint(1+1, flush=True)\nsys.stdin.read()",
	"js":     "console.log(1+1); require('fs').readFileSync(0)",
	"bash":   "echo $((1+1)); read x || :",
}

// weighProcesses starts n processes that wait, and answers the private memory of each.
func weighProcesses(ctx context.Context, n int, command func(context.Context, string) *exec.Cmd, lang string) (int64, error) {
	var total int64
	var errs []error
	for range n {
		cmd := command(ctx, waiting[lang])
		in, err := cmd.StdinPipe()
		if err != nil {
			return 0, err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return 0, err
		}
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		_, err = io.ReadFull(out, make([]byte, 2))
		private, merr := privateMemory(cmd.Process.Pid)
		total += private
		errs = append(errs, err, merr, in.Close())
		_, _ = io.Copy(io.Discard, out)
		errs = append(errs, cmd.Wait())
	}
	return total / int64(n), errors.Join(errs...)
}

// privateMemory answers the bytes that no other process shares with this one, those of its children's included: a
// sandbox around a process is a process too.
func privateMemory(pid int) (int64, error) {
	total, err := privateOf(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, err
	}
	for _, child := range strings.Fields(string(children)) {
		var p int
		if _, err := fmt.Sscan(child, &p); err != nil {
			return 0, err
		}
		more, err := privateMemory(p)
		if err != nil {
			return 0, err
		}
		total += more
	}
	return total, nil
}

// privateOf adds up the private memory in a smaps file (https://docs.kernel.org/filesystems/proc.html).
func privateOf(name string) (int64, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	var total int64
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(line, ":")
		if !strings.HasPrefix(key, "Private_") || key == "Private_Hugetlb" {
			continue
		}
		var kb int64
		if _, err := fmt.Sscanf(value, "%d kB", &kb); err != nil {
			return 0, fmt.Errorf("read %s: %q: %w", name, line, err)
		}
		total += kb << 10
	}
	return total, nil
}
