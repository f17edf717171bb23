package engine_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/vfs"
)

// TestUserOwnsHome tells what of its tree a sandbox's user may change: what is a user's on any machine.
func TestUserOwnsHome(t *testing.T) {
	sb := newSandbox(t, engine.Spec{})
	user := sb.Files().As(vfs.User{UID: 1000, GID: 1000})
	for _, name := range []string{"/home/user/f", "/tmp/f", "/var/tmp/f"} {
		if err := user.WriteFile(name, nil, 0o644); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"/f", "/home/f", "/usr/f", "/usr/local/bin/f", "/bin/hello", "/etc/passwd", "/dev/f"} {
		if err := user.WriteFile(name, nil, 0o644); !errors.Is(err, fs.ErrPermission) || errors.Is(err, vfs.ErrNotPermitted) {
			t.Error(name, err)
		}
	}
	if _, err := user.ReadFile("/etc/passwd"); err != nil {
		t.Error(err)
	}
	if err := user.WriteFile("/dev/null", []byte("x"), 0); err != nil {
		t.Error(err)
	}
	if err := sb.Files().WriteFile("/usr/local/bin/f", nil, 0o755); err != nil {
		t.Error("the host:", err)
	}
	other := sb.Files().As(vfs.User{UID: 7, GID: 7})
	if err := other.Remove("/tmp/f"); !errors.Is(err, vfs.ErrNotPermitted) {
		t.Error("removed from a sticky directory:", err)
	}
}
