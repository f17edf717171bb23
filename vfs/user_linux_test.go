package vfs

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// people is a system that several users call.
type people interface {
	system
	as(u User) people
	chown(name string, follow bool, uid, gid int) error
	touch(name string) error
	access(name string, how uint32) error
}

func (kernel) chown(name string, follow bool, uid, gid int) error {
	if follow {
		return syscall.Chown(name, uid, gid)
	}
	return syscall.Lchown(name, uid, gid)
}

func (kernel) touch(name string) error {
	now := syscall.Timespec{Nsec: 1<<30 - 1} // UTIME_NOW
	return syscall.UtimesNano(name, []syscall.Timespec{now, now})
}

// access asks with the effective ids, for the real ones are root's.
func (kernel) access(name string, how uint32) error {
	const atFdcwd, atEaccess = -100, 0x200
	return syscall.Faccessat(atFdcwd, name, how, atEaccess)
}

// as makes the calling thread's file calls u's. Groups are those of all threads.
func (kernel) as(u User) people {
	syscall.Setgroups(u.Groups)
	syscall.RawSyscall(syscall.SYS_SETFSGID, uintptr(u.GID), 0, 0)
	syscall.RawSyscall(syscall.SYS_SETFSUID, uintptr(u.UID), 0, 0)
	return kernel{}
}

func (s treeSystem) as(u User) people { return treeSystem{s.Dir.As(u)} }
func (s treeSystem) chown(name string, follow bool, uid, gid int) error {
	return s.Chown(name, follow, uid, gid)
}
func (s treeSystem) touch(name string) error              { return s.Touch(name, true) }
func (s treeSystem) access(name string, how uint32) error { return s.Access(name, true, int(how)) }

// owners describes everything there is, with owners, as the superuser sees it.
func owners(s people) string {
	s = s.as(User{})
	var b strings.Builder
	dirs := []string{"."}
	for len(dirs) > 0 {
		dir := dirs[0]
		dirs = dirs[1:]
		names, _ := s.list(dir)
		slices.Sort(names)
		for _, name := range names {
			name = strings.TrimPrefix(dir+"/"+name, "./")
			st, err := s.stat(name, false)
			fmt.Fprintf(&b, "%s: %v u%d g%d %s\n", name, st, st.uid, st.gid, errnoName(err))
			if st.typ == 'd' {
				dirs = append(dirs, name)
			}
		}
	}
	return b.String()
}

var callers = []User{{}, {UID: 1, GID: 1}, {UID: 2, GID: 1}, {UID: 2, GID: 2, Groups: []int{1, 3}}, {UID: 3, GID: 3}}

// TestKernelUsers runs random calls of several users against the kernel.
func TestKernelUsers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can act as several users")
	}
	runtime.LockOSThread() // and never unlocked: the thread, whose user changes, ends with the test
	defer kernel{}.as(User{})
	t.Chdir(scratch(t))
	mask := syscall.Umask(0)
	defer syscall.Umask(mask)
	for seed := range uint64(250) {
		var want, got []string
		inScratch(t, func() { want = userCalls(kernel{}, rand.New(rand.NewPCG(seed, 7))) })
		tr := New(Config{})
		got = userCalls(treeSystem{tr.top()}, rand.New(rand.NewPCG(seed, 7)))
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("seed %d, step %d, after %s\ntree:   %s\nkernel: %s", seed, i, want[max(0, i-1)], got[i], want[i])
			}
		}
		if msg := tr.audit(); msg != "" {
			t.Fatalf("seed %d: %s", seed, msg)
		}
	}
}

// userCalls makes random calls and returns what each answered, with the state it left.
func userCalls(root people, r *rand.Rand) []string {
	var out []string
	root = root.as(User{})
	root.chmod(".", 0o777)
	id := func() int { return r.IntN(5) - 1 }
	for range 120 {
		u := callers[r.IntN(len(callers))]
		s := root.as(u)
		p, q := userPath(r), userPath(r)
		mode := uint32(r.IntN(0o10000)) | uint32(r.IntN(2))*0o700 | uint32(r.IntN(2))*0o070 | uint32(r.IntN(2))*0o007
		k, flag, uid, gid, follow := r.IntN(20), r.IntN(3), id(), id(), r.IntN(2) == 0
		var err error
		what := ""
		switch k {
		case 0, 1:
			what, err = "mkdir", s.mkdir(p, mode)
		case 2:
			what, err = "rmdir", s.rmdir(p)
		case 3:
			what, err = "unlink", s.unlink(p)
		case 4:
			what, err = "rename "+q, s.rename(p, q)
		case 5:
			flags := RenameFlags(mode % 3)
			what, err = fmt.Sprint("rename ", flags, " ", q), s.renameWith(p, q, flags)
		case 6:
			what, err = "link "+q, s.link(p, q)
		case 7:
			what, err = "symlink "+q, s.symlink(q, p)
		case 8, 9:
			what, err = fmt.Sprintf("chmod %o", mode), s.chmod(p, mode)
		case 10, 11:
			what, err = fmt.Sprintf("chown %d %d %v", uid, gid, follow), s.chown(p, follow, uid, gid)
		case 12:
			what, err = "touch", s.touch(p)
		case 13:
			what, err = "chtimes", s.chtimes(p, 5)
		case 14:
			what, err = "truncate", s.truncate(p, 3)
		case 15:
			what, err = fmt.Sprint("access ", mode&7), s.access(p, mode&7)
		default:
			what = fmt.Sprintf("open %d %o", flag, mode)
			var f descriptor
			if k < 19 {
				flag |= os.O_CREATE
			}
			if k == 18 && flag != 0 {
				flag |= os.O_TRUNC
			}
			if f, err = s.open(p, flag, mode); err == nil {
				f.write("x")
				f.close()
			}
		}
		out = append(out, fmt.Sprintf("%v %s %s: %s\n%s", u, what, p, errnoName(err), owners(root)))
	}
	return out
}

func userPath(r *rand.Rand) string {
	names := []string{"a", "b", "c"}
	p := names[r.IntN(len(names))]
	for range r.IntN(3) {
		p += "/" + names[r.IntN(len(names))]
	}
	return p
}
