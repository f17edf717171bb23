package vfstest

import (
	"os"
	"syscall"
	"testing"
)

const noData = syscall.ENODATA

// TestKernel holds the table to what the kernel does, so that it can't be wrong.
func TestKernel(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the programs begin as the superuser")
	}
	t.Log(describe(t))
	if !*updating {
		testFace(t, onKernel)
		return
	}
	tables := readTables(t)
	runTables(t, tables, onKernel, func(_ *testing.T, c *call, got string) bool {
		c.want = got
		return true
	})
	for _, tb := range tables {
		if err := tb.update(); err != nil {
			t.Fatal(err)
		}
	}
}
