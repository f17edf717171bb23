package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) warmCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "warm",
		Short: "Compile and warm the images now, so that no later run waits",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			eng, err := a.engine()
			if err != nil {
				return err
			}
			defer eng.Close()
			start := time.Now()
			if err := a.warm(cmd.Context(), eng); err != nil {
				return err
			}
			took := time.Since(start)
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]any{
					"wall_ms": took.Milliseconds(), "folder": eng.CacheDir(),
				})
			}
			fmt.Fprintf(a.stdout, "everything is warm after %s; kept in %s\n", took.Round(time.Millisecond), eng.CacheDir())
			return nil
		},
	}
}
