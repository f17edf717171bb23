package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/belljar-dev/belljar/runtimes/git"
	"github.com/belljar-dev/belljar/runtimes/python"
	"github.com/spf13/cobra"
)

// versions answers what this binary is made of.
func versions() map[string]string {
	v := map[string]string{
		"belljar": "(devel)", "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH, "python": python.Version, "git": git.Version,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v["belljar"] = info.Main.Version
	}
	for _, d := range info.Deps {
		if d.Path == "github.com/tetratelabs/wazero" {
			v["wazero"] = d.Version
		}
	}
	return v
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which version this is, and of what",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := versions()
			if a.json {
				return json.NewEncoder(a.stdout).Encode(v)
			}
			for _, k := range []string{"belljar", "python", "git", "wazero", "go", "platform"} {
				fmt.Fprintf(a.stdout, "%-9s%s\n", k, v[k])
			}
			return nil
		},
	}
}
