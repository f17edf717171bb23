package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/belljar-dev/belljar/benchmarks"
	"github.com/spf13/cobra"
)

func (a *app) benchCommand() *cobra.Command {
	var quick bool
	var file, restore string
	var only []string
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the figures of BENCHMARKS.md on this machine",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if restore != "" {
				return benchmarks.Restore(cmd.Context(), a.state, restore)
			}
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("bench: %w", err)
			}
			report, err := benchmarks.Run(cmd.Context(), benchmarks.Options{
				Quick: quick, Only: only, CacheDir: a.state, Binary: self, Log: a.stderr,
			})
			if err != nil {
				return fmt.Errorf("bench: %w", err)
			}
			if file != "" {
				if err := os.WriteFile(file, report.Markdown("go run ./cmd/belljar bench --write BENCHMARKS.md"), 0o644); err != nil {
					return fmt.Errorf("bench: %w", err)
				}
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(report)
			}
			_, err = a.stdout.Write(report.Table())
			return err
		},
	}
	cmd.Flags().BoolVar(&quick, "quick", false, "fewer runs: about a minute in all")
	cmd.Flags().StringVar(&file, "write", "", "also write the report to `FILE` in Markdown")
	cmd.Flags().StringSliceVar(&only, "only", nil, "measure only these `PARTS`, by the names that a run prints")
	// For the figure of a new process alone.
	cmd.Flags().StringVar(&restore, "restore", "", "read a snapshot and run a cell in it")
	_ = cmd.Flags().MarkHidden("restore") // It is there.
	return cmd
}
