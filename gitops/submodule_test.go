package gitops

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"github.com/belljar-dev/belljar/vfs"
)

// TestSubmodulesAgainstGit clones submodules, one of them in another, as git clone --recurse-submodules does.
func TestSubmodulesAgainstGit(t *testing.T) {
	b := newBoth(t)
	b.write("f", "top\n")
	commitAll(t, b.r, "first")
	sh := func(script string) string {
		t.Helper()
		cmd := exec.Command("sh", "-e", "-c", "git() { command git -c protocol.file.allow=always -c user.name=n -c user.email=e@x \"$@\"; }; "+script)
		cmd.Dir, cmd.Env = b.dir, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "GIT_CONFIG_NOSYSTEM=1"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return string(out)
	}
	sh(`for n in inner lib; do git init -q -b main $n; (cd $n; echo $n >$n; git add .; git commit -qm $n); done
		cd lib; git submodule --quiet add ../inner deep/inner; git commit -qm inner; echo more >>lib; git commit -qam more
		cd ../repo; git submodule --quiet add ../lib "vendor/a lib"; git submodule --quiet add --name other.name ../inner two; git commit -qm subs
		cd ../lib; echo later >>lib; git commit -qam later; cd ..; git clone -q --recurse-submodules repo native`)
	c, err := Clone(ctx, b.tree, "m/repo", "m/ours", who, CloneOptions{Submodules: true})
	must(t, err)
	look := ` && git submodule status --recursive | sed 's/ (.*//' && git status --porcelain=2 && git submodule foreach --quiet --recursive 'git rev-parse HEAD; git status -s; git fsck --strict; ls' && cat "vendor/a lib/lib" "vendor/a lib/deep/inner/inner" two/inner`
	got, want := sh("cd ours"+look), sh("cd native"+look)
	if got != want || !strings.Contains(got, "deep/inner") {
		t.Errorf("ours:\n%s\ngit's:\n%s", got, want)
	}
	if s, err := c.Status(ctx, StatusOptions{}); err != nil || len(s.Entries) > 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if r, err := Clone(ctx, b.tree, "m/repo", "m/plain", who, CloneOptions{}); err != nil || len(b.git("-C", "../plain", "ls-files", "two")) == 0 {
		t.Error(r, err)
	}
	if names, err := b.tree.ReadDir("m/plain/two"); err != nil || len(names) > 0 {
		t.Errorf("without being told to: %v, %v", names, err)
	}
	sh(`cd ours && git submodule update --init --recursive && echo x >two/x && git -C two add x && git -C two commit -qm x && git add two && git commit -qm moved && git submodule status`)
}

// withSubmodule makes a repository at name that names a submodule, without one there.
func withSubmodule(t *testing.T, tr *vfs.Tree, name, gitmodules string, at ...string) {
	t.Helper()
	r, err := Init(tr, name, who, InitOptions{})
	must(t, err)
	write(t, tr, name+"/f", "x\n")
	if gitmodules != "" {
		write(t, tr, name+"/.gitmodules", gitmodules)
	}
	commitAll(t, r, "first")
	x, err := r.readIndex()
	must(t, err)
	l := x.listing()
	h, err := r.Resolve(ctx, "HEAD")
	must(t, err)
	for _, p := range at {
		l[p] = entry{filemode.Submodule, plumbing.NewHash(h)}
	}
	x.become(l)
	must(t, r.writeIndex(x))
	_, err = r.Commit(ctx, CommitOptions{Message: "subs", AllowEmpty: true})
	must(t, err)
}

// TestHostileSubmodules lets strangers say what is to be cloned, and where.
func TestHostileSubmodules(t *testing.T) {
	module := func(name, path, url string) string {
		return fmt.Sprintf("[submodule %q]\n\tpath = %s\n\turl = %s\n\tupdate = !touch pwned\n", name, path, url)
	}
	for name, c := range map[string]struct {
		text string
		at   []string
		want error
	}{
		"an option":                   {module("s", "s", "-u./payload"), []string{"s"}, ErrTransport},
		"no url":                      {"[submodule \"s\"]\n\tpath = s\n", []string{"s"}, ErrTransport},
		"not named":                   {module("x", "x", "../lib"), []string{"s"}, ErrNotFound},
		"no file":                     {"", []string{"s"}, ErrNotFound},
		"no file at all":              {"[submodule", []string{"s"}, ErrCorrupt},
		"a name that climbs":          {module("../../x", "s", "../lib"), []string{"s"}, ErrName},
		"a command":                   {module("s", "s", "ext::sh -c touch% pwned"), []string{"s"}, ErrTransport},
		"nothing there":               {module("s", "s", "../nothing"), []string{"s"}, fs.ErrNotExist},
		"a network that is not given": {module("s", "s", "https://127.0.0.1:1/x.git"), []string{"s"}, ErrTransport},
		"no such commit":              {module("s", "s", "../lib"), []string{"s"}, ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			tr := vfs.New(vfs.Config{})
			defer tr.Close()
			withSubmodule(t, tr, "lib", "")
			withSubmodule(t, tr, "evil", c.text, c.at...)
			_, err := Clone(ctx, tr, "evil", "copy", who, CloneOptions{Submodules: true})
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if _, err := tr.Stat("copy"); err == nil {
				t.Error("a clone that failed has left something behind")
			}
		})
	}
}

// TestSubmoduleThatIsLeft has one that is not to be updated, whose source is not even there.
func TestSubmoduleThatIsLeft(t *testing.T) {
	tr := vfs.New(vfs.Config{})
	defer tr.Close()
	withSubmodule(t, tr, "top", "[submodule \"s\"]\n\tpath = s\n\turl = ../nothing\n\tupdate = none\n", "s")
	r, err := Clone(ctx, tr, "top", "copy", who, CloneOptions{Submodules: true})
	must(t, err)
	if names, err := tr.ReadDir("copy/s"); err != nil || len(names) > 0 {
		t.Errorf("in its directory: %v, %v", names, err)
	}
	if update, err := r.ConfigGet(ctx, "submodule.s.update"); err != nil || len(update) != 1 || update[0] != "none" {
		t.Errorf("update is %q, %v", update, err)
	}
}

// TestNestedSubmodules lets a repository contain itself, at a commit that does too.
func TestNestedSubmodules(t *testing.T) {
	tr := vfs.New(vfs.Config{})
	defer tr.Close()
	for i := range maxNesting + 2 {
		text, at := "", []string(nil)
		if i > 0 {
			text, at = fmt.Sprintf("[submodule \"s\"]\n\tpath = s\n\turl = ../n%d\n", i-1), []string{"s"}
		}
		withSubmodule(t, tr, fmt.Sprintf("n%d", i), text)
		if i == 0 {
			continue
		}
		below, err := Open(tr, fmt.Sprintf("n%d", i-1), who)
		must(t, err)
		h, err := below.Resolve(ctx, "HEAD")
		must(t, err)
		r, err := Open(tr, fmt.Sprintf("n%d", i), who)
		must(t, err)
		x, err := r.readIndex()
		must(t, err)
		l := x.listing()
		l[at[0]] = entry{filemode.Submodule, plumbing.NewHash(h)}
		x.become(l)
		must(t, r.writeIndex(x))
		_, err = r.Commit(ctx, CommitOptions{Message: "sub"})
		must(t, err)
	}
	if _, err := Clone(ctx, tr, fmt.Sprintf("n%d", maxNesting), "deep", who, CloneOptions{Submodules: true}); err != nil {
		t.Error(err)
	}
	if _, err := tr.Stat("deep" + strings.Repeat("/s", maxNesting) + "/f"); err != nil {
		t.Error(err)
	}
	if _, err := Clone(ctx, tr, fmt.Sprintf("n%d", maxNesting+1), "deeper", who, CloneOptions{Submodules: true}); !errors.Is(err, ErrTooMany) {
		t.Error(err)
	}
	home := address{scheme: "ssh", host: "h", path: "r.git"}
	for _, url := range []string{"../-upload-pack=x/y", "../../-x", ".."} {
		if to, err := home.relative(url); !errors.Is(err, ErrTransport) {
			t.Errorf("%s beside %s: %v, %v", url, home.path, to, err)
		}
	}
	a := address{scheme: "https", host: "example.com", path: "/a/b.git"}
	for url, want := range map[string]string{
		"../c": "https://example.com/a/c", "./c": "https://example.com/a/b.git/c", "../../../c": "https://example.com/c",
		"https://other.example/x": "https://other.example/x", "/srv/x": "", "file:///x": "", "x": "", "-x": "", "../a b": "",
	} {
		if to, err := a.relative(url); (err == nil) != (want != "") || err == nil && to.public() != want {
			t.Errorf("%s: %v, %v, want %q", url, to, err, want)
		}
	}
}
