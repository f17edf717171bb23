package gitops

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/hash"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/belljar-dev/belljar/vfs"
)

// TestNothingLeadsToTheHost keeps out what could run programs or open connections.
func TestNothingLeadsToTheHost(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	must(t, err)
	for pkg := range strings.Lines(string(out)) {
		pkg = strings.TrimSpace(pkg)
		if pkg == "os/exec" || pkg == "github.com/go-git/go-git/v5" ||
			strings.HasPrefix(pkg, "github.com/go-git/go-git/v5/plumbing/transport") || strings.HasSuffix(pkg, "execabs") {
			t.Errorf("depends on %s", pkg)
		}
	}
}

// commitTree makes HEAD a commit of a tree with one entry, unchecked.
func commitTree(t *testing.T, r *Repository, name string, mode filemode.FileMode, content string) {
	t.Helper()
	blob, err := r.st.put(plumbing.BlobObject, []byte(content))
	must(t, err)
	tree, err := r.putTree([]object.TreeEntry{{Name: name, Mode: mode, Hash: blob}})
	must(t, err)
	c := &object.Commit{TreeHash: tree}
	must(t, r.sign(c, CommitOptions{Message: "hostile"}))
	h, err := r.putCommit(c)
	must(t, err)
	must(t, r.moveHead(h))
}

func TestNamesThatAreRefused(t *testing.T) {
	for _, name := range []string{"..", ".", ".git", ".GIT", ".giT", "git~1", "GIT~1", ".git ", ".git.", ".git...",
		".git::$INDEX_ALLOCATION",
		".g\u200cit", ".git\u200d", "\ufeff.git", "a/b", "../x", `..\x`, `.git\config`, `a\.git`, strings.Repeat("n", 256)} {
		tr, r := newRepository(t)
		commitTree(t, r, name, filemode.Regular, "x")
		for verb, call := range map[string]func() error{
			"reset": func() error { return r.Reset(ctx, "", ResetHard) },
			"clone": func() error { _, err := Clone(ctx, tr, "repo", "copy", who, CloneOptions{}); return err },
			"show":  func() error { _, err := r.Show(ctx, ""); return err },
		} {
			if err := call(); !errors.Is(err, ErrPath) {
				t.Errorf("%s with %q: %v", verb, name, err)
			}
		}
		if _, err := tr.Stat("copy"); err == nil {
			t.Errorf("%q: the failed clone was left behind", name)
		}
	}
	for _, name := range []string{".gitignore", ".github", "git", "gitx~1", "...", "..a", ".gitmodules"} {
		if err := checkName(name, false); err != nil {
			t.Error(err)
		}
	}
	if err := checkName(".GITmodules", true); !errors.Is(err, ErrPath) {
		t.Errorf(".gitmodules as a link: %v", err)
	}
}

func TestLinksAreNotFollowed(t *testing.T) {
	tr, r := newRepository(t)
	write(t, tr, "repo/dir/file", "tracked\n")
	write(t, tr, "outside/file", "precious\n")
	commitAll(t, r, "first")
	must(t, tr.RemoveAll("repo/dir"))
	must(t, tr.Symlink("../outside", "repo/dir"))
	must(t, r.Reset(ctx, "", ResetHard))
	for name, want := range map[string]string{"outside/file": "precious\n", "repo/dir/file": "tracked\n"} {
		if b, err := tr.ReadFile(name); string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if i, err := tr.Lstat("repo/dir"); err != nil || !i.IsDir() {
		t.Errorf("the link was not replaced: %v, %v", i, err)
	}
	must(t, tr.RemoveAll("repo/dir"))
	must(t, tr.Symlink("../outside", "repo/dir"))
	if err := r.Remove(ctx, true, "dir/file"); err != nil {
		t.Error(err)
	}
	if b, err := tr.ReadFile("outside/file"); string(b) != "precious\n" {
		t.Errorf("removed through a link: %q, %v", b, err)
	}
}

func TestGitDirMustBeADirectory(t *testing.T) {
	tr, _ := newRepository(t)
	must(t, tr.MkdirAll("link", 0o777))
	must(t, tr.Symlink("../repo/.git", "link/.git"))
	write(t, tr, "file/.git", "gitdir: ../repo/.git\n")
	for _, name := range []string{"link", "file"} {
		if _, err := Open(tr, name, who); !errors.Is(err, ErrNotRepository) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestConfigRunsNothing has a config full of programs, and a worktree elsewhere.
func TestConfigRunsNothing(t *testing.T) {
	tr, _ := newRepository(t)
	write(t, tr, "repo/a", "x\n")
	b, err := tr.ReadFile("repo/.git/config")
	must(t, err)
	write(t, tr, "repo/.git/config", string(b)+`	fsmonitor = "touch /pwned"
	hooksPath = /hooks
	worktree = /elsewhere
[alias]
	status = "!touch /pwned"
[include]
	path = /etc/passwd
[filter "x"]
	clean = touch /pwned
[submodule "s"]
	url = -u./payload
`)
	write(t, tr, "repo/.gitattributes", "* filter=x\n")
	write(t, tr, "repo/.gitmodules", "[submodule \"s\"]\n\tpath = s\n\turl = -u./payload\n")
	write(t, tr, "repo/.git/hooks/pre-commit", "#!/bin/sh\ntouch /pwned\n")
	must(t, tr.Chmod("repo/.git/hooks/pre-commit", 0o777))
	r, err := Open(tr, "repo", who)
	must(t, err)
	commitAll(t, r, "harmless")
	if _, err := r.Status(ctx, StatusOptions{}); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"pwned", "elsewhere"} {
		if _, err := tr.Stat(name); err == nil {
			t.Errorf("%s is there", name)
		}
	}
}

func TestURLsOfElsewhere(t *testing.T) {
	tr, _ := newRepository(t)
	for _, from := range []string{"https://user:secret@127.0.0.1/x", "ssh://h/x", "git@h:x", "git://h/x", "ext::sh -c true",
		"file://other/repo", "-u./payload://x"} {
		_, err := Clone(ctx, tr, from, "copy", who, CloneOptions{})
		if !errors.Is(err, ErrTransport) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", from, err)
		}
	}
}

func TestBombs(t *testing.T) {
	tr := vfs.New(vfs.Config{})
	defer tr.Close()
	cfg := who
	cfg.MaxObject = 1 << 20
	r, err := Init(tr, "repo", cfg, InitOptions{})
	must(t, err)
	for size, want := range map[int]error{100: ErrCorrupt, 16 << 20: ErrTooLarge} {
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		fmt.Fprintf(z, "blob %d\x00", size)
		z.Write(make([]byte, 16<<20))
		z.Close()
		h := plumbing.NewHash(strings.Repeat("ab", 20))
		write(t, tr, "repo/.git/objects/ab/"+h.String()[2:], b.String())
		if _, err := r.blob(h); !errors.Is(err, want) {
			t.Errorf("said to be %d bytes: %v", size, err)
		}
	}
	// A tree of ten times the same tree, ten deep, has 10**10 paths.
	h, err := r.st.put(plumbing.BlobObject, nil)
	must(t, err)
	mode := filemode.Regular
	for range 10 {
		var es []object.TreeEntry
		for i := range 10 {
			es = append(es, object.TreeEntry{Name: fmt.Sprint(i), Mode: mode, Hash: h})
		}
		h, err = r.putTree(es)
		must(t, err)
		mode = filemode.Dir
	}
	c := &object.Commit{TreeHash: h}
	must(t, r.sign(c, CommitOptions{Message: "bomb"}))
	h, err = r.putCommit(c)
	must(t, err)
	must(t, r.moveHead(h))
	if _, err := r.Status(ctx, StatusOptions{}); !errors.Is(err, ErrTooMany) {
		t.Errorf("a tree bomb: %v", err)
	}
}

func TestQuota(t *testing.T) {
	tr, r := newRepository(t)
	write(t, tr, "repo/a", strings.Repeat("0123456789abcdef", 4096))
	commitAll(t, r, "first")
	small := tr.CloneWith(vfs.Config{MaxFiles: 12})
	defer small.Close()
	if _, err := Clone(ctx, small, "repo", "copy", who, CloneOptions{}); !errors.Is(err, vfs.ErrTooManyFiles) {
		t.Errorf("beyond the quota: %v", err)
	}
	if _, err := small.Stat("copy"); err == nil {
		t.Error("the failed clone was left behind")
	}
}

// TestCollision has the files of shattered.io, which come with go-git's hash. The SHA-1 of both is the same; the hash that
// objects are named by notices, and gives them different ones. No two objects are known that collide: git hashes a head
// before the content.
func TestCollision(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/pjbgf/sha1cd").Output()
	must(t, err)
	tr, r := newRepository(t)
	var plain, named [2]string
	for i, name := range []string{"shattered-1.pdf", "shattered-2.pdf"} {
		b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "test", "testdata", "files", name))
		if err != nil {
			t.Skipf("the module has no such files: %v", err)
		}
		sum := sha1.Sum(b)
		plain[i] = string(sum[:])
		h := plumbing.Hasher{Hash: hash.New(crypto.SHA1)}
		h.Write(b)
		named[i] = h.Sum().String()
		write(t, tr, "repo/"+name, string(b))
	}
	if plain[0] != plain[1] || named[0] == named[1] {
		t.Errorf("plain %x, as go-git hashes %s", plain, named)
	}
	commitAll(t, r, "both")
	for i, name := range []string{"shattered-1.pdf", "shattered-2.pdf"} {
		want, err := tr.ReadFile("repo/" + name)
		must(t, err)
		must(t, tr.Remove("repo/"+name))
		must(t, r.Reset(ctx, "", ResetHard))
		if got, err := tr.ReadFile("repo/" + name); err != nil || string(got) != string(want) {
			t.Errorf("%d is not what was committed: %v", i, err)
		}
	}
}
