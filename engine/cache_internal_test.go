package engine

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestSweepCache(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	days := func(n int) time.Time { return now.Add(-time.Duration(n) * 24 * time.Hour) }
	var keep []string
	for _, f := range []struct {
		path string
		age  int
		kept bool
	}{
		{"images-1/old.warm", 91, false},
		{"images-1/young.warm", 89, true},
		{"images-5/old.json", 91, false},
		{"images-5/new.json", 0, true},
		{"code/wazero-v1.0.0-amd64-linux/old", 91, false},
		{"code/wazero-v1.12.0-amd64-linux/new", 3, true},
		{"code/compiling-1/module/x", 2, false},
		{"code/compiling-2/module/x", 0, true},
		{"sandboxes/box.db", 400, true},
		{"other", 400, true},
	} {
		path := filepath.Join(dir, f.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, days(f.age), days(f.age)); err != nil {
			t.Fatal(err)
		}
		if f.kept {
			keep = append(keep, f.path)
		}
	}
	left := filepath.Join(dir, "code/compiling-1")
	if err := os.Chtimes(left, days(2), days(2)); err != nil {
		t.Fatal(err)
	}
	sweepCache(dir, now)
	var have []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			have = append(have, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keep)
	if slices.Sort(have); !slices.Equal(have, keep) {
		t.Errorf("left %q, want %q", have, keep)
	}
}

// What is read stays, however old it is.
func TestLoadKeepsEntries(t *testing.T) {
	c := diskCache{filepath.Join(t.TempDir(), "images-9")}
	if err := os.Mkdir(c.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"read", "forgotten"} {
		if err := c.store(name, []byte("x")); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-2 * unusedFor)
		if err := os.Chtimes(filepath.Join(c.dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := c.load("read"); !ok {
		t.Fatal("not found")
	}
	sweepCache(filepath.Dir(c.dir), time.Now())
	if _, ok := c.load("read"); !ok {
		t.Error("what is in use was removed")
	}
	if _, ok := c.load("forgotten"); ok {
		t.Error("what is not in use was kept")
	}
}
