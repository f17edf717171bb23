package main

import (
	"encoding/json"
	"fmt"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/store"
	"github.com/belljar-dev/belljar/vfs"
	"github.com/spf13/cobra"
)

func (a *app) diffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff NAME [OTHER]",
		Short: "Show which files of a sandbox differ from its image's, or from another sandbox's",
		Long: `Show which files of a sandbox differ from those it was made with, or from another sandbox's.
A line a name: A created, D removed, R renamed, M other content, T another type, p other permissions or attributes.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.withStore(func(s *store.Store) error {
				return s.Use(cmd.Context(), names[0], func(sb *engine.Sandbox) error {
					if len(names) == 2 {
						return s.Use(cmd.Context(), names[1], func(other *engine.Sandbox) error {
							return a.printDiff(sb.Files(), other.Files())
						})
					}
					base, err := s.BaseTree(names[0])
					if err != nil {
						return err
					}
					defer base.Close()
					return a.printDiff(base, sb.Files())
				})
			})
		},
	}
}

type changeJSON struct {
	Path string `json:"path"`
	From string `json:"from,omitempty"`
	Kind string `json:"kind"`
}

func (a *app) printDiff(old, new *vfs.Tree) error {
	list, err := vfs.Diff(old, new)
	if err != nil {
		return err
	}
	if a.json {
		out := make([]changeJSON, 0, len(list))
		for _, c := range list {
			out = append(out, changeJSON{c.Path, c.From, c.Kind.String()})
		}
		return json.NewEncoder(a.stdout).Encode(out)
	}
	for _, c := range list {
		line := fmt.Sprintf("%s %s", letter(c.Kind), c.Path)
		if c.Kind&vfs.ChangeRenamed != 0 {
			line += " (was " + c.From + ")"
		}
		if _, err := fmt.Fprintln(a.stdout, line); err != nil {
			return err
		}
	}
	return nil
}

// letter is the weightiest of a change's kinds.
func letter(k vfs.ChangeKind) string {
	for _, row := range []struct {
		kind   vfs.ChangeKind
		letter string
	}{
		{vfs.ChangeCreated, "A"}, {vfs.ChangeRemoved, "D"}, {vfs.ChangeType, "T"}, {vfs.ChangeRenamed, "R"}, {vfs.ChangeContent, "M"},
	} {
		if k&row.kind != 0 {
			return row.letter
		}
	}
	return "p"
}
