package vfs

import (
	"errors"
	"testing"
)

func TestUnconfined(t *testing.T) {
	tree := New(Config{})
	if err := errors.Join(tree.MkdirAll("/a/b", 0o777), tree.WriteFile("/f", nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	at, err := tree.Open("/a/b")
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	dir, err := at.Dir()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../../f", "/f", "../../../../f", "/../f", "../b/../../f"} {
		if _, err := dir.Unconfined().Stat(name, false); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := dir.Stat(name, false); !errors.Is(err, ErrEscape) {
			t.Errorf("%s of a confined Dir: %v", name, err)
		}
	}
}

func TestWithUmask(t *testing.T) {
	tree := New(Config{Umask: 0o022})
	if err := tree.Root().WithUmask(0o077).Mkdir("d", 0o777); err != nil {
		t.Fatal(err)
	}
	if info, err := tree.Stat("/d"); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info, err)
	}
	if mask := tree.User().Umask; mask != 0o022 {
		t.Errorf("the tree's own umask became %o", mask)
	}
}
