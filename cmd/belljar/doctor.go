package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/spf13/cobra"
)

// check is one finding of belljar doctor.
type check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check that sandboxes work on this machine, and how fast",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := a.examine(cmd.Context())
			healthy := true
			for _, c := range checks {
				healthy = healthy && c.OK
				if !a.json {
					mark := "ok  "
					if !c.OK {
						mark = "FAIL"
					}
					fmt.Fprintf(a.stdout, "%s  %-16s %s\n", mark, c.Name, c.Detail)
				}
			}
			if a.json {
				if err := json.NewEncoder(a.stdout).Encode(map[string]any{"ok": healthy, "checks": checks}); err != nil {
					return err
				}
			}
			if !healthy {
				return statusError(statusOurError)
			}
			return nil
		},
	}
}

func (a *app) examine(ctx context.Context) []check {
	checks := []check{checkPlatform()}
	eng, err := a.engine()
	if err != nil {
		return append(checks, check{"engine", false, err.Error()})
	}
	defer eng.Close()
	checks = append(checks, checkCache(eng.CacheDir()))
	start := time.Now()
	if err := a.warm(ctx, eng); err != nil {
		return append(checks, check{"programs", false, err.Error()})
	}
	checks = append(checks, check{"programs", true, "warm after " + time.Since(start).Round(time.Millisecond).String()})
	return append(checks, checkRun(ctx, eng), checkGit(ctx, eng))
}

func checkPlatform() check {
	c := check{"platform", true, runtime.GOOS + "/" + runtime.GOARCH}
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		c.Detail += ": wazero has no compiler for it, guests are interpreted and slow"
	}
	return c
}

func checkCache(dir string) check {
	if dir == "" {
		return check{"cache", false, "no cache folder: every process compiles anew; give --state DIR"}
	}
	f, err := os.CreateTemp(dir, "doctor.*.tmp")
	if err != nil {
		return check{"cache", false, fmt.Sprintf("%s can't be written (%v); give --state DIR", dir, err)}
	}
	f.Close()
	os.Remove(f.Name())
	return check{"cache", true, filepath.Clean(dir)}
}

// checkRun runs a program in some fresh sandboxes and reports the fastest.
func checkRun(ctx context.Context, eng *engine.Engine) check {
	best := time.Duration(-1)
	for range 20 {
		start := time.Now()
		sb, err := eng.Create(ctx, engine.Spec{})
		if err != nil {
			return check{"run", false, err.Error()}
		}
		res, err := sb.Eval(ctx, "python", "print(6*7)")
		_ = sb.Close()
		if err != nil || res.Stdout != "42\n" {
			return check{"run", false, fmt.Sprintf("print(6*7) answered %q, %q, %v", res.Stdout, res.Stderr, err)}
		}
		if took := time.Since(start); best < 0 || took < best {
			best = took
		}
	}
	return check{"run", true, fmt.Sprintf("fresh sandbox and print(6*7) in %s", best.Round(10*time.Microsecond))}
}

// checkGit asks the sandbox's git for its version.
func checkGit(ctx context.Context, eng *engine.Engine) check {
	sb, err := eng.Create(ctx, engine.Spec{})
	if err != nil {
		return check{"git", false, err.Error()}
	}
	defer sb.Close()
	res, err := sb.Run(ctx, engine.Command{Args: []string{"git", "--version"}})
	if err != nil || res.ExitCode != 0 {
		return check{"git", false, fmt.Sprintf("git --version answered %q, %q, %v", res.Stdout, res.Stderr, err)}
	}
	return check{"git", true, strings.TrimSpace(res.Stdout)}
}
