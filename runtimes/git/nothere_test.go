package git

import (
	"fmt"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// TestNotHere asks for commands that git has elsewhere: each says so, with the status that git has for unknown ones, unless
// the sandbox brings it.
func TestNotHere(t *testing.T) {
	sb, err := newEngine(t, Config{}).Create(t.Context(), engine.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	for _, name := range []string{"svn", "p4", "gui", "citool", "send-email", "imap-send", "instaweb", "request-pull", "subtree", "scalar", "http-push", "cvsimport", "shell"} {
		r, err := sb.Run(t.Context(), engine.Command{Args: []string{"git", name, "-x"}})
		if want := fmt.Sprintf("git: '%s' is not supported here\n", name); err != nil || r.ExitCode != 1 || r.Stdout != "" || r.Stderr != want {
			t.Errorf("%s: %d, %q, %q, %v", name, r.ExitCode, r.Stdout, r.Stderr, err)
		}
	}
	r, err := sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", `mkdir b; printf '#!/bin/sh\necho mine $1\n' >b/git-svn; chmod +x b/git-svn; PATH=$PWD/b:$PATH git svn arg; git -c alias.p4='!echo alias' p4`}})
	if err != nil || r.Stdout != "mine arg\nalias\n" {
		t.Errorf("own ones: %q, %q, %v", r.Stdout, r.Stderr, err)
	}
}
