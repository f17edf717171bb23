package mcpbridge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/gitops"
	"github.com/belljar-dev/belljar/vfs"
	"github.com/mark3labs/mcp-go/server"
)

type gitIn struct {
	Action  string   `json:"action" enum:"init,clone,status,diff,add,commit,log,show,branch,checkout,merge,reset,restore,tag,fetch,pull,push"`
	Repo    string   `json:"repo,omitempty" jsonschema:"default: /home/user"`
	Paths   []string `json:"paths,omitempty" jsonschema:"in the repository"`
	Message string   `json:"message,omitempty" jsonschema:"for commit, merge, tag"`
	Author  string   `json:"author,omitempty"`
	Rev     string   `json:"rev,omitempty" jsonschema:"commit, branch or tag"`
	Name    string   `json:"name,omitempty" jsonschema:"new branch or tag"`
	URL     string   `json:"url,omitempty" jsonschema:"or remote"`
	Staged  bool     `json:"staged,omitempty" jsonschema:"diff, restore: the index"`
	All     bool     `json:"all,omitempty" jsonschema:"add: everything; commit: what is tracked"`
	Hard    bool     `json:"hard,omitempty" jsonschema:"reset: lose changes"`
	Max     int      `json:"max,omitempty" jsonschema:"log: commits (default 20)"`
	Sandbox string   `json:"sandbox,omitempty"`
}

type gitOut struct {
	Output    string   `json:"output"`
	Hash      string   `json:"hash,omitempty"`
	Branch    string   `json:"branch,omitempty"`
	Clean     bool     `json:"clean,omitempty"`
	Conflicts []string `json:"conflicts,omitempty"`
}

// git is a repository in a sandbox that a call works on.
type git struct {
	in   gitIn
	tree *vfs.Tree
	cfg  gitops.Config
	repo *gitops.Repository
	out  gitOut
}

func (b *Bridge) git() server.ServerTool {
	return newTool(b, "git", `Work with a git repository in the sandbox. add, then commit; branch and tag list, or make name; checkout goes to rev, or to a new branch name; restore brings files back; clone takes url to repo.`,
		hints{destroys: true}, func(ctx context.Context, c caller, in gitIn) (result[gitOut], error) {
			var out gitOut
			err := c.use(ctx, in.Sandbox, func(sb *engine.Sandbox) error {
				g, err := b.newGit(sb, in)
				if err != nil {
					return err
				}
				if err := g.do(ctx); err != nil {
					return gitAdvice(err)
				}
				out = g.out
				return nil
			})
			if err != nil {
				return result[gitOut]{}, err
			}
			out.Output, _ = b.cut(out.Output, "narrow it by paths or max")
			if out.Output == "" {
				out.Output = in.Action + ": done"
			}
			return result[gitOut]{data: out, text: out.Output}, nil
		})
}

func (b *Bridge) newGit(sb *engine.Sandbox, in gitIn) (*git, error) {
	cfg := gitops.Config{Name: "Belljar", Email: "agent@belljar.invalid", Now: b.cfg.Now}
	cfg.Access.Dialer = sb.Dialer()                // what the sandbox may reach
	if replay := sb.Spec().Replay; replay != nil { // the same commits at every run
		epoch := replay.Epoch
		if epoch.IsZero() {
			epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		cfg.Now = func() time.Time { return epoch }
	}
	if in.Author != "" {
		name, email, ok := strings.Cut(strings.TrimSuffix(strings.TrimSpace(in.Author), ">"), "<")
		if !ok || strings.ContainsAny(in.Author, "\n\x00") {
			return nil, fmt.Errorf("author %q: use Name <email>", in.Author)
		}
		cfg.Name, cfg.Email = strings.TrimSpace(name), strings.TrimSpace(email)
	}
	return &git{in: in, tree: sb.Files(), cfg: cfg}, nil
}

// gitAdvice says what to do about what went wrong.
func gitAdvice(err error) error {
	switch {
	case errors.Is(err, gitops.ErrNotRepository):
		return fmt.Errorf("%w: init makes one, and repo names another folder", err)
	case errors.Is(err, gitops.ErrNothing):
		return fmt.Errorf("%w: add first, or give all", err)
	case errors.Is(err, gitops.ErrDirty):
		return fmt.Errorf("%w: commit or restore them first", err)
	case errors.Is(err, gitops.ErrConflict):
		return fmt.Errorf("%w: edit the files, add them, and commit; or reset", err)
	}
	return err
}

func (g *git) do(ctx context.Context) (err error) {
	folder := guestPath(g.in.Repo)
	switch g.in.Action {
	case "init":
		_, err = gitops.Init(g.tree, folder, g.cfg, gitops.InitOptions{Branch: g.in.Name})
		return err
	case "clone":
		if g.in.URL == "" || g.in.Repo == "" {
			return errors.New(`clone needs "url" and "repo", the new folder`)
		}
		from := g.in.URL
		if !strings.Contains(from, "://") {
			from = guestPath(from)
		}
		_, err = gitops.Clone(ctx, g.tree, from, folder, g.cfg, gitops.CloneOptions{})
		return err
	}
	if g.repo, err = gitops.Open(g.tree, folder, g.cfg); err != nil {
		return err
	}
	switch g.in.Action {
	case "status":
		return g.status(ctx)
	case "diff":
		return g.diff(ctx)
	case "log":
		return g.log(ctx)
	case "show":
		return g.show(ctx)
	case "fetch", "pull", "push":
		return g.exchange(ctx)
	}
	return g.change(ctx)
}

// change does what changes the repository.
func (g *git) change(ctx context.Context) (err error) {
	in := g.in
	switch in.Action {
	case "add":
		return g.repo.Add(ctx, gitops.AddOptions{Paths: in.Paths, All: in.All})
	case "commit":
		if in.Message == "" {
			return errors.New(`commit needs "message"`)
		}
		g.out.Hash, err = g.repo.Commit(ctx, gitops.CommitOptions{Message: in.Message, All: in.All})
		g.out.Output = "committed " + g.out.Hash
		return err
	case "branch":
		if in.Name != "" {
			return g.repo.CreateBranch(ctx, in.Name, in.Rev)
		}
		return g.branches(ctx)
	case "checkout":
		return g.checkout(ctx)
	case "merge":
		return g.merge(ctx)
	case "reset":
		mode := gitops.ResetMixed
		if in.Hard {
			mode = gitops.ResetHard
		}
		return g.repo.Reset(ctx, in.Rev, mode)
	case "restore":
		return g.repo.Restore(ctx, gitops.RestoreOptions{Paths: in.Paths, Source: in.Rev, Staged: in.Staged, Work: !in.Staged})
	case "tag":
		if in.Name != "" {
			return g.repo.CreateTag(ctx, in.Name, in.Rev, in.Message)
		}
		return g.tags(ctx)
	}
	return fmt.Errorf("action %q: use init, clone, status, diff, add, commit, log, show, branch, checkout, merge, reset, restore, tag, fetch, pull or push", in.Action)
}

func (g *git) status(ctx context.Context) error {
	s, err := g.repo.Status(ctx, gitops.StatusOptions{Paths: g.in.Paths})
	if err != nil {
		return err
	}
	g.out.Branch, g.out.Clean, g.out.Hash = s.Branch, s.Clean(), s.Head
	var t strings.Builder
	if s.Branch == "" {
		fmt.Fprintf(&t, "HEAD detached at %.7s\n", s.Head)
	} else {
		fmt.Fprintf(&t, "On branch %s\n", s.Branch)
	}
	for _, e := range s.Entries {
		from := ""
		if e.From != "" {
			from = e.From + " -> "
		}
		fmt.Fprintf(&t, "%c%c %s%s\n", e.Index, e.Work, from, e.Path)
	}
	if len(s.Entries) == 0 {
		t.WriteString("nothing to commit\n")
	}
	g.out.Output = t.String()
	return nil
}

func (g *git) diff(ctx context.Context) error {
	d, err := g.repo.Diff(ctx, gitops.DiffOptions{Staged: g.in.Staged, From: g.in.Rev, Paths: g.in.Paths})
	if err != nil {
		return err
	}
	if g.out.Output = d.Text(); g.out.Output == "" {
		g.out.Output = "(no difference)"
	}
	return nil
}

// defaultCommits is how many commits log answers.
const defaultCommits = 20

func (g *git) log(ctx context.Context) error {
	o := gitops.LogOptions{From: g.in.Rev, Max: g.in.Max}
	if o.Max <= 0 {
		o.Max = defaultCommits
	}
	if len(g.in.Paths) > 0 {
		o.Path = g.in.Paths[0]
	}
	commits, err := g.repo.Log(ctx, o)
	var t strings.Builder
	for _, c := range commits {
		fmt.Fprintf(&t, "%.12s %s %s  %s\n", c.Hash, c.Author.When.UTC().Format(time.DateOnly), c.Author.Name, firstLine(c.Message))
	}
	g.out.Output = t.String()
	return err
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func (g *git) show(ctx context.Context) error {
	s, err := g.repo.Show(ctx, g.in.Rev)
	if err != nil {
		return err
	}
	g.out.Hash = s.Commit.Hash
	g.out.Output = fmt.Sprintf("commit %s\nAuthor: %s <%s>\nDate: %s\n\n%s\n\n%s", s.Commit.Hash, s.Commit.Author.Name, s.Commit.Author.Email,
		s.Commit.Author.When.UTC().Format(time.RFC3339), strings.TrimSpace(s.Commit.Message), s.Diff.Text())
	return nil
}

// exchange fetches from another repository, or pushes to it.
func (g *git) exchange(ctx context.Context) error {
	var changes []gitops.RefChange
	switch g.in.Action {
	case "pull":
		return g.merged(g.repo.Pull(ctx, gitops.PullOptions{Remote: g.in.URL, Branch: g.in.Rev}))
	case "fetch":
		f, err := g.repo.Fetch(ctx, gitops.FetchOptions{Remote: g.in.URL})
		if err != nil {
			return err
		}
		changes, g.out.Hash = f.Changes, f.Head
	case "push":
		o := gitops.PushOptions{Remote: g.in.URL, SetUpstream: true}
		if g.in.Rev != "" {
			o.Refspecs = []string{g.in.Rev}
		}
		p, err := g.repo.Push(ctx, o)
		if err != nil {
			return err
		}
		changes = p.Changes
	}
	var t strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&t, "%s %.12s..%.12s %s\n", c.Name, c.Old, c.New, c.Reason)
	}
	g.out.Output = t.String()
	return nil
}

func (g *git) branches(ctx context.Context) error {
	list, err := g.repo.Branches(ctx, false)
	var t strings.Builder
	for _, b := range list {
		mark := " "
		if b.Current {
			mark, g.out.Branch = "*", b.Name
		}
		fmt.Fprintf(&t, "%s %s %.12s\n", mark, b.Name, b.Hash)
	}
	g.out.Output = t.String()
	return err
}

func (g *git) tags(ctx context.Context) error {
	list, err := g.repo.Tags(ctx)
	var t strings.Builder
	for _, tag := range list {
		fmt.Fprintf(&t, "%s %.12s\n", tag.Name, tag.Hash)
	}
	g.out.Output = t.String()
	return err
}

func (g *git) checkout(ctx context.Context) error {
	o := gitops.CheckoutOptions{Branch: g.in.Name, Create: g.in.Name != "", Rev: g.in.Rev}
	if g.in.Name == "" {
		if g.in.Rev == "" {
			return errors.New(`checkout needs "rev", or "name" for a new branch`)
		}
		branches, err := g.repo.Branches(ctx, false)
		if err != nil {
			return err
		}
		for _, b := range branches {
			if b.Name == g.in.Rev {
				o = gitops.CheckoutOptions{Branch: b.Name}
			}
		}
	}
	g.out.Branch = o.Branch
	return g.repo.Checkout(ctx, o)
}

func (g *git) merge(ctx context.Context) error {
	return g.merged(g.repo.Merge(ctx, g.in.Rev, gitops.MergeOptions{Message: g.in.Message}))
}

// merged tells what came of a merge.
func (g *git) merged(m gitops.Merged, err error) error {
	if err != nil {
		return err
	}
	g.out.Hash, g.out.Conflicts = m.Hash, m.Conflicts
	switch {
	case len(m.Conflicts) > 0:
		g.out.Output = "conflicts in " + strings.Join(m.Conflicts, ", ") + ": edit them, add them, and commit"
	case m.UpToDate:
		g.out.Output = "already up to date"
	default:
		g.out.Output = "merged: " + m.Hash
	}
	return nil
}
