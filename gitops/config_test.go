package gitops

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestConfigAgainstGit has git read what is written here, and the other way round.
func TestConfigAgainstGit(t *testing.T) {
	b := newBoth(t)
	for key, values := range map[string][]string{
		"plain.name":                    {"value"},
		"some.many":                     {"one", "two", "three"},
		"some.Sub Section.name":         {"x"},
		"some.a.b.c.dotted":             {"x"},
		`some.quote"back\slash.name`:    {"x"},
		"remote.origin.url":             {"https://example.com/x.git"},
		"odd.semicolon":                 {"a ; b"},
		"odd.hash":                      {"a # b"},
		"odd.quotes":                    {`say "hi"`},
		"odd.backslash":                 {`C:\new\table`},
		"odd.spaces":                    {"  leading and trailing  "},
		"odd.lines":                     {"one\ntwo\tthree"},
		"odd.empty":                     {""},
		"odd.umlaut":                    {"ünïcode"},
		"alias.with-dash":               {"!echo"},
		"url.https://example.com/.name": {"x"},
	} {
		must(t, b.r.ConfigSet(ctx, key, values...))
		if got := b.git("config", "-z", "--get-all", key); got != strings.Join(values, "\x00")+"\x00" {
			t.Errorf("%s: git reads %q, set %q", key, got, values)
		}
		got, err := b.r.ConfigGet(ctx, key)
		if err != nil || !slices.Equal(got, values) {
			t.Errorf("%s: %q, %v; set %q", key, got, err, values)
		}
	}
	for i, value := range []string{"plain", `say "hi" # no comment`, "  spaces ", "two\nlines", `back\slash`} {
		key := fmt.Sprintf("git.%d.value", i)
		b.git("config", key, value)
		if got, err := b.r.ConfigGet(ctx, key); err != nil || len(got) != 1 || got[0] != value {
			t.Errorf("%s: %q, %v; git set %q", key, got, err, value)
		}
	}
	must(t, b.r.ConfigSet(ctx, "some.many"))
	if out, err := b.try("config", "--get", "some.many"); err == nil {
		t.Errorf("unset: %q", out)
	}
	if got, err := b.r.ConfigGet(ctx, "some.many"); err != nil || len(got) != 0 {
		t.Errorf("unset: %q, %v", got, err)
	}
	for _, key := range []string{"", "x", ".x", "x.", "a b.c", "a.b c", "a.b\n[core]\nx", "a.\x00.b", "core.n_m"} {
		if err := b.r.ConfigSet(ctx, key, "v"); !errors.Is(err, ErrName) {
			t.Errorf("key %q: %v", key, err)
		}
		if _, err := b.r.ConfigGet(ctx, key); !errors.Is(err, ErrName) {
			t.Errorf("key %q: %v", key, err)
		}
	}
	b.write(".git/config", "[core\nno config")
	if _, err := b.r.ConfigGet(ctx, "core.bare"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("what is no config: %v", err)
	}
}

func TestRemotes(t *testing.T) {
	b := newBoth(t)
	b.write("a", "1\n")
	h := commitAll(t, b.r, "first")
	must(t, b.r.AddRemote(ctx, "origin", "https://example.com/x.git"))
	must(t, b.r.AddRemote(ctx, "a/slash", "../other"))
	b.git("config", "--add", "remote.origin.url", "https://example.com/second.git")
	list, err := b.r.Remotes(ctx)
	must(t, err)
	if got := fmt.Sprint(list); got != "[{a/slash [../other]} {origin [https://example.com/x.git https://example.com/second.git]}]" {
		t.Error(got)
	}
	if err := b.r.AddRemote(ctx, "origin", "x"); !errors.Is(err, ErrExists) {
		t.Errorf("one that is there: %v", err)
	}
	for _, name := range []string{"", "..", "a b", "-", "x.lock", "a..b", "\x1b[31m"} {
		if err := b.r.AddRemote(ctx, name, "x"); name != "-" && !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	b.git("update-ref", "refs/remotes/origin/main", h)
	b.git("branch", "-q", "-u", "origin/main")
	b.git("config", "branch.other.pushRemote", "origin")
	b.git("config", "remote.pushDefault", "origin")
	must(t, b.r.RemoveRemote(ctx, "origin"))
	if got, _ := b.try("config", "--get-regexp", `(origin|branch|pushdefault)`); got != "" {
		t.Errorf("left: %s", got)
	}
	if got := b.git("for-each-ref", "--format=%(refname)"); got != "refs/heads/main\n" {
		t.Error(got)
	}
	if err := b.r.RemoveRemote(ctx, "origin"); !errors.Is(err, ErrNotFound) {
		t.Errorf("one that isn't there: %v", err)
	}
}

func TestTrackAgainstGit(t *testing.T) {
	b := newBoth(t)
	b.write("a", "1\n")
	h := commitAll(t, b.r, "first")
	must(t, b.r.AddRemote(ctx, "origin", "../x"))
	must(t, b.r.AddRemote(ctx, "origin/sub", "../y"))
	for _, ref := range []string{"refs/remotes/origin/main", "refs/remotes/origin/sub/topic", "refs/heads/local", "refs/heads/other", "refs/remotes/gone/main"} {
		b.git("update-ref", ref, h)
	}
	for upstream, want := range map[string]string{
		"origin/main":      "origin refs/heads/main origin/main",
		"origin/sub/topic": "origin/sub refs/heads/topic origin/sub/topic",
		"local":            ". refs/heads/local local",
	} {
		must(t, b.r.Track(ctx, "other", upstream))
		if got := strings.TrimSpace(b.git("config", "branch.other.remote")) + " " + strings.TrimSpace(b.git("config", "branch.other.merge")) + " " +
			strings.TrimSpace(b.git("rev-parse", "--abbrev-ref", "other@{upstream}")); got != want {
			t.Errorf("%s: %q, want %q", upstream, got, want)
		}
	}
	must(t, b.r.RenameBranch(ctx, "other", "renamed"))
	if got := b.git("rev-parse", "--abbrev-ref", "renamed@{upstream}"); got == "" {
		t.Error("a branch that was renamed follows none")
	}
	if got, _ := b.try("config", "--get-regexp", `branch\.other`); got != "" {
		t.Errorf("left: %s", got)
	}
	must(t, b.r.Track(ctx, "main", "origin/main"))
	b.write("a", "2\n")
	commitAll(t, b.r, "second")
	if s, err := b.r.Status(ctx, StatusOptions{}); err != nil || s.Upstream != "origin/main" || s.Ahead != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	bs, err := b.r.Branches(ctx, true)
	must(t, err)
	if len(bs) != 3 || bs[1].Name != "origin/main" {
		t.Errorf("%+v", bs)
	}
	must(t, b.r.Track(ctx, "main", ""))
	if s, err := b.r.Status(ctx, StatusOptions{}); err != nil || s.Upstream != "" {
		t.Errorf("%+v, %v", s, err)
	}
	for _, c := range []struct {
		branch, upstream string
		want             error
	}{{"none", "origin/main", ErrNotFound}, {"main", "origin/none", ErrNotFound}, {"main", "gone/main", ErrNotFound},
		{"-x", "origin/main", ErrName}, {"main", "../x", ErrName}} {
		if err := b.r.Track(ctx, c.branch, c.upstream); !errors.Is(err, c.want) {
			t.Errorf("%s to %s: %v", c.branch, c.upstream, err)
		}
	}
}

func TestTagsAgainstGit(t *testing.T) {
	b := newBoth(t)
	b.write("a", "1\n")
	h := commitAll(t, b.r, "first")
	if list, err := b.r.Tags(ctx); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	b.git("tag", "light")
	b.git("tag", "-a", "-m", "two\n\nlines", "full")
	must(t, b.r.CreateTag(ctx, "own", "HEAD", "of ours"))
	b.git("tag", "-a", "-m", "a tag of a tag", "twice", "own")
	list, err := b.r.Tags(ctx)
	must(t, err)
	own := strings.TrimSpace(b.git("rev-parse", "own"))
	want := []Tag{{Name: "full", Hash: h, Message: "two\n\nlines\n"}, {Name: "light", Hash: h}, {Name: "own", Hash: h, Message: "of ours\n"},
		{Name: "twice", Hash: own, Message: "a tag of a tag\n"}}
	if len(list) != len(want) {
		t.Fatalf("%+v", list)
	}
	for i, got := range list {
		if w := want[i]; got.Name != w.Name || got.Hash != w.Hash || got.Message != w.Message || (got.Tagger.Name != "") != (w.Message != "") {
			t.Errorf("%+v, want %+v", got, w)
		}
	}
	for name, cause := range map[string]error{"light": ErrExists, "light/x": ErrExists, "-d": ErrName, "a..b": ErrName, "": ErrName} {
		if err := b.r.CreateTag(ctx, name, "", ""); !errors.Is(err, cause) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := b.r.DeleteTag(ctx, "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("one that isn't there: %v", err)
	}
}
