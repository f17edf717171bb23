package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts call the command as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"belljar": main,
	})
}

// TestScripts runs testdata/*.txtar: whole command lines with what they print and answer.
func TestScripts(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip("no user cache folder to keep the compiled interpreter in:", err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			state := filepath.Join(cache, "belljar")
			env.Setenv("STATE", state) // as other tests do; HOME is the script's
			env.Setenv("KEPT", filepath.Join(env.WorkDir, ".kept"))
			return shareCompiled(state, env.Getenv("KEPT"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status},
	})
}

// shareCompiled makes a state folder that has the sandboxes of one script alone, and everybody's compiled code.
func shareCompiled(state, own string) error {
	code := filepath.Join(state, "code")
	if err := errors.Join(os.MkdirAll(code, 0o700), os.MkdirAll(own, 0o700)); err != nil {
		return err
	}
	entries, err := os.ReadDir(state)
	for _, e := range entries {
		if err == nil && e.Name() != "sandboxes" {
			err = os.Symlink(filepath.Join(state, e.Name()), filepath.Join(own, e.Name()))
		}
	}
	return err
}

// status WANT ARG… runs belljar and compares its exit status; standard output and error can be matched afterwards.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status WANT ARG…")
	}
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec("belljar", args[1:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("status %d, want %s", got, args[0])
	}
}
