package vfs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// attributed is a system with extended attributes.
type attributed interface {
	people
	setxattr(name, attr, value string, flags XattrFlags) error
	getxattr(name, attr string) (string, error)
	removexattr(name, attr string) error
	listxattr(name string) ([]string, error)
}

func (kernel) setxattr(name, attr, value string, flags XattrFlags) error {
	return unix.Setxattr(name, attr, []byte(value), int(flags)) // The flags have the kernel's values.
}
func (kernel) removexattr(name, attr string) error { return unix.Removexattr(name, attr) }

func (kernel) getxattr(name, attr string) (string, error) {
	buf := make([]byte, maxAttrValue)
	n, err := unix.Getxattr(name, attr, buf)
	return string(buf[:max(n, 0)]), err
}

func (kernel) listxattr(name string) ([]string, error) {
	buf := make([]byte, 64<<10)
	n, err := unix.Listxattr(name, buf)
	list := strings.Split(strings.TrimSuffix(string(buf[:max(n, 0)]), "\x00"), "\x00")
	list = slices.DeleteFunc(list, func(s string) bool { return s == "" || strings.HasPrefix(s, "security.selinux") })
	slices.Sort(list)
	return list, err
}

func (s treeSystem) setxattr(name, attr, value string, flags XattrFlags) error {
	return s.Setxattr(name, true, attr, []byte(value), flags)
}
func (s treeSystem) removexattr(name, attr string) error     { return s.Removexattr(name, true, attr) }
func (s treeSystem) listxattr(name string) ([]string, error) { return s.Listxattr(name, true) }
func (s treeSystem) getxattr(name, attr string) (string, error) {
	b, err := s.Getxattr(name, true, attr)
	return string(b), err
}

// TestKernelAttributes runs random calls on extended attributes, of several users, against the kernel.
func TestKernelAttributes(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can act as several users")
	}
	t.Chdir(scratch(t))
	must(t, os.WriteFile("probe", nil, 0o600))
	if err := unix.Setxattr("probe", "user.probe", nil, 0); err != nil {
		t.Skip("the scratch file system has no attributes:", err)
	}
	must(t, os.Remove("probe"))
	runtime.LockOSThread() // and never unlocked: the thread, whose user changes, ends with the test
	defer kernel{}.as(User{})
	mask := syscall.Umask(0)
	defer syscall.Umask(mask)
	for seed := range uint64(60) {
		var want, got []string
		inScratch(t, func() { want = attrCalls(kernel{}, rand.New(rand.NewPCG(seed, 3))) })
		tr := New(Config{})
		got = attrCalls(treeSystem{tr.top()}, rand.New(rand.NewPCG(seed, 3)))
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("seed %d, step %d\ntree:   %s\nkernel: %s", seed, i, got[i], want[i])
			}
		}
		if msg := tr.audit(); msg != "" {
			t.Fatalf("seed %d: %s", seed, msg)
		}
	}
}

func attrCalls(root attributed, r *rand.Rand) []string {
	var out []string
	root.chmod(".", 0o777)
	put(root, "f", "content")
	put(root, "g", "content")
	root.chown("g", true, 1, 1)
	root.chmod("f", 0o646)
	root.mkdir("d", 0o1777)
	root.mkfifo("p", 0o666)
	root.symlink("f", "l")
	names := []string{
		"user.a", "user.b", "user.c", "trusted.t", "security.s", "user.", "user", "other.x", "system.y", "", "user." + strings.Repeat("n", 250),
		"user." + strings.Repeat("n", 251),
	}
	for range 150 {
		u := callers[r.IntN(len(callers))]
		s := root.as(u).(attributed)
		file := []string{"f", "g", "d", "p", "l", "none"}[r.IntN(6)]
		attr := names[min(r.IntN(len(names)), r.IntN(len(names)))]
		value := strings.Repeat("v", r.IntN(50))
		if r.IntN(20) == 0 {
			value = strings.Repeat("v", maxAttrValue+1)
		}
		call := r.IntN(8)
		if call == 6 || strings.HasPrefix(attr, "trusted.") || strings.HasPrefix(attr, "security.") {
			s = root.as(User{}).(attributed) // Threads with another user for files keep root's power over these.
		}
		what, got, err := "", "", error(nil)
		switch call {
		case 0, 1, 2:
			flags := XattrFlags(max(0, r.IntN(5)-2))
			what, err = fmt.Sprintf("set %d %.9q", flags, value), s.setxattr(file, attr, value, flags)
		case 3, 4:
			what = "get"
			got, err = s.getxattr(file, attr)
		case 5:
			what, err = "remove", s.removexattr(file, attr)
		case 6:
			list, lerr := s.listxattr(file)
			what, got, err = "list", fmt.Sprint(list), lerr
		default:
			mode := uint32(r.IntN(0o2000))
			what, err = fmt.Sprintf("chmod %o", mode), s.chmod(file, mode)
		}
		out = append(out, fmt.Sprintf("%v %s %s %.20q: %q %s", u, what, file, attr, got, errnoName(err)))
	}
	root.as(User{})
	return out
}

func TestAttributesCount(t *testing.T) {
	tr := New(Config{MaxBytes: 1000})
	must(t, tr.WriteFile("f", make([]byte, 100), 0o644))
	d := tr.Root()
	must(t, d.Setxattr("f", true, "user.a", make([]byte, 494), 0))
	if got := tr.Usage().Bytes; got != 600 {
		t.Error("used", got)
	}
	if err := d.Setxattr("f", true, "user.b", make([]byte, 395), 0); !errors.Is(err, ErrQuota) {
		t.Error("beyond the quota", err)
	}
	c := tr.Clone()
	must(t, c.Root().Removexattr("f", true, "user.a"))
	if v, err := d.Getxattr("f", true, "user.a"); len(v) != 494 || err != nil {
		t.Error("the clone's change is seen", err)
	}
	if a, b := tr.Usage().Bytes, c.Usage().Bytes; a != 600 || b != 100 {
		t.Error("used", a, b)
	}
	must(t, tr.Truncate("f", 0))
	if got := tr.Usage().Bytes; got != 500 {
		t.Error("used without content", got)
	}
	f, err := tr.Open("f")
	must(t, err)
	must(t, tr.Remove("f"))
	if v, err := f.Getxattr("user.a"); len(v) != 494 || err != nil {
		t.Error("attributes of an open file that has no name", err)
	}
	must(t, f.Close())
	if got := tr.Usage().Bytes; got != 0 {
		t.Error("used by nothing", got)
	}
	for _, x := range []*Tree{tr, c} {
		if msg := x.audit(); msg != "" {
			t.Error(msg)
		}
	}
}
