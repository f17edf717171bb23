package python_test

import (
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// What a session has set for its process goes with its copies.
func TestCopiesKeepLimits(t *testing.T) {
	sb := sandbox(t, engine.Spec{})
	cell(t, session(t, sb), "import os, resource; os.umask(0o27); resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))")
	for name, c := range map[string]*engine.Sandbox{"fork": fork(t, sb), "fork of a fork": fork(t, fork(t, sb)), "snapshot": thaw(t, freeze(t, sb), engine.ReadOptions{})} {
		res := cell(t, session(t, c), "resource.getrlimit(resource.RLIMIT_NOFILE), oct(os.umask(0o22))")
		if res.Value != "((100, 200), '0o27')" {
			t.Errorf("%s: %s", name, res.Value)
		}
	}
}
