package git

import (
	"crypto/sha1"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
)

// evil begins a script of TestHostileRepositories: a repository with one entry that no command of git's would make, and
// what must not have happened in a clone of it.
const evil = `
git config --global protocol.file.allow always
# entry MODE NAME CONTENT: makes evil's commit a tree with it. A name may have escapes of printf's.
entry() {
	git init -q evil; cd evil
	blob=$(printf '%s' "$3" | git hash-object -w --stdin)
	tree=$( (printf "$1 $2\0"; printf "$(echo $blob | sed 's/../\\x&/g')") | git hash-object -w --literally -t tree --stdin)
	git update-ref HEAD $(git commit-tree -m evil $tree); cd ..
}
try() { git "$@" >>out 2>&1; echo "[$?]"; }
contained() {
	[ -e pwned ] || [ -e "$HOME/pwned" ] || [ -e /tmp/pwned ] && echo PWNED
	grep -l pwned c/.git/config c/.git/hooks/* 2>/dev/null
	grep -qi "$1" out && echo "says $1"
}
`

// TestHostileRepositories clones what is made to harm whoever clones it.
func TestHostileRepositories(t *testing.T) {
	base, err := newEngine(t, Config{}).Create(t.Context(), engine.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { base.Close() })
	hook := `#!/bin/sh\ntouch $HOME/pwned\n`
	for _, c := range []struct{ name, script, want string }{
		{"..", `entry 100644 .. pwned; try clone -q evil c; contained "invalid path"`, "[128]\nsays invalid path\n"},
		{".", `entry 100644 . pwned; try clone -q evil c; contained "invalid path"`, "[128]\nsays invalid path\n"},
		{".git", `entry 100644 .git pwned; try clone -q evil c; contained "invalid path"`, "[128]\nsays invalid path\n"},
		{".GIT", `entry 100644 .GIT pwned; try clone -q evil c; contained "invalid path"`, "[128]\nsays invalid path\n"},
		{"git~1", `entry 100644 git~1 pwned; try clone -q evil c; contained "invalid path"`, "[128]\nsays invalid path\n"},
		{".git of NTFS", `entry 100644 '.git. ' pwned; try clone -q evil c; contained "invalid path"`, "[128]\nsays invalid path\n"},
		{"a stream of NTFS", `entry 100644 '.git::$INDEX_ALLOCATION' pwned; try clone -q evil c; contained "invalid path"`, "[128]\nsays invalid path\n"},
		{"a backslash", `entry 100644 '.git\\\\config' pwned; try clone -q evil c; contained "invalid path"`, "[128]\nsays invalid path\n"},
		// As git does on Linux, where this is a name like others.
		{"code points that HFS+ ignores", `entry 100644 '.g\xe2\x80\x8cit' pwned; try clone -q evil c; ls c | wc -l; contained x; rm -rf c
try -c core.protectHFS=true clone -q evil c; contained "invalid path"; rm -rf c; try -c transfer.fsckObjects=true clone -q --no-local evil c; contained hasDotgit`,
			"[0]\n0\n[128]\nsays invalid path\n[128]\nsays hasDotgit\n"},
		{"a slash", `entry 100644 'a/../../pwned' x; try clone -q evil c; contained "invalid path"; try -C evil fsck; contained fullPathname`, "[128]\nsays invalid path\n[0]\nsays fullPathname\n"},
		{".gitmodules as a link", `entry 120000 .gitmodules /tmp/pwned; try -c transfer.fsckObjects=true clone -q --no-local evil c; contained gitmodulesSymlink`, "[128]\nsays gitmodulesSymlink\n"},
		{"a link and what lies behind it", `git init -q evil; cd evil; ln -s "$HOME" d; git add d; l=$(git ls-files -s d | cut -c 8-47); b=$(echo x | git hash-object -w --stdin)
tree=$(printf "100644 blob $b\tpwned\n" | git mktree); raw() { printf "$(echo $1 | sed 's/../\\x&/g')"; }
both=$( (printf '120000 d\0'; raw $l; printf '40000 d\0'; raw $tree) | git hash-object -w --literally -t tree --stdin); git update-ref HEAD $(git commit-tree -m evil $both); cd ..
try clone -q evil c; contained x; ls -A ~/pwned 2>/dev/null; try -C evil fsck; contained duplicateEntries`, "[0]\n[1]\nsays duplicateEntries\n"},
		{"a submodule's URL is an option", `git init -q evil; cd evil; printf '[submodule "s"]\n\tpath = s\n\turl = -u./payload\n' >.gitmodules; printf '` + hook + `' >payload; chmod +x payload
git add .; git update-index --add --cacheinfo 160000,1234567890123456789012345678901234567890,s; git commit -qm evil; cd ..
try clone -q --recurse-submodules evil c; contained "may be interpreted as a command-line option"; cd c; touch out; try submodule update --init; contained "no url found"`,
			"[128]\nsays may be interpreted as a command-line option\n[128]\nsays no url found\n"},
		{"a submodule's name leads elsewhere", `git init -q evil; cd evil; printf '[submodule "../../../pwned"]\n\tpath = s\n\turl = ./x\n' >.gitmodules
git add .; git update-index --add --cacheinfo 160000,1234567890123456789012345678901234567890,s; git commit -qm evil; cd ..
try clone -q --recurse-submodules evil c; contained "suspicious submodule name"`, "[0]\nsays suspicious submodule name\n"},
		{"hooks of who is cloned", `git init -q evil; cd evil; mkdir hooks; for d in hooks .git/hooks; do for h in post-checkout post-merge pre-commit reference-transaction; do printf '` + hook + `' >$d/$h; chmod +x $d/$h; done; done
git -c core.hooksPath=/dev/null add .; git -c core.hooksPath=/dev/null commit -qm evil; rm -f ~/pwned; cd ..; try clone -q evil c; try -C c checkout -qb b; try -C c commit -q --allow-empty -m x; contained x`, "[0]\n[0]\n[0]\n"},
		{"programs that are named in attributes", `git init -q evil; cd evil; printf '* filter=x diff=x merge=x\n' >.gitattributes; printf '[filter "x"]\n\tsmudge = touch ~/pwned\n[core]\n\tfsmonitor = touch ~/pwned\n' >.gitconfig
git add .; git commit -qm evil; cd ..; try clone -q evil c; try -C c log -p; try -C c status; contained "cannot run"`, "[0]\n[0]\n[0]\n"},
		{"a patch through a link", `git init -q evil; cd evil; ln -s "$HOME" d; git add d; git commit -qm link; cd ..; try clone -q evil c; cd c
printf 'diff --git a/d/pwned b/d/pwned\nnew file mode 100644\n--- /dev/null\n+++ b/d/pwned\n@@ -0,0 +1 @@\n+x\n' >p; try apply p; try apply --index p; contained "beyond a symbolic link"
printf 'From 0000 Mon Sep 17 00:00:00 2001\nFrom: E <e@x>\nSubject: x\n\n---\n' | cat - p >m; try am m; contained "beyond a symbolic link"
printf 'diff --git a/../pwned b/../pwned\nnew file mode 100644\n--- /dev/null\n+++ b/../pwned\n@@ -0,0 +1 @@\n+x\n' >q; try apply q; contained "invalid path"; ls ../pwned 2>/dev/null
touch ~/real; try add d/real; contained "beyond a symbolic link"; rm -f ~/real`,
			"[0]\n[1]\n[1]\nsays beyond a symbolic link\n[128]\nsays beyond a symbolic link\n[128]\nsays invalid path\n[128]\nsays beyond a symbolic link\n"},
		{"an object under another's name", `git init -q evil; cd evil; echo reviewed >f; git add f; git commit -qm f; h=$(git rev-parse HEAD:f); git pack-objects -q --stdout --all >../p </dev/null
o=$(echo run | git hash-object -w --stdin); chmod u+w .git/objects/${h::2}/${h:2}; cat .git/objects/${o::2}/${o:2} >.git/objects/${h::2}/${h:2}
try fsck; contained "hash-path mismatch"; try index-pack --stdin <../p; contained "SHA1 COLLISION FOUND"; cd ..; try clone -q --no-local evil c; contained "did not receive expected object"`,
			"[3]\nsays hash-path mismatch\n[128]\nsays SHA1 COLLISION FOUND\n[128]\nsays did not receive expected object\n"},
		{"another's repository", `git init -q evil; chmod 777 evil; try clone -q "ext::sh -c touch% ~/pwned" c; contained "transport 'ext' not allowed"; try clone -q -- "-u touch ~/pwned" c; contained "does not exist"`,
			"[128]\nsays transport 'ext' not allowed\n[128]\nsays does not exist\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sb, err := base.Fork(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer sb.Close()
			r, err := sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", testdata(t, "prelude.sh") + "trap - ERR\n" + evil + c.script + "\n[ -s out ] && cat out >&2 || :"}})
			if err != nil || r.Stdout != c.want {
				t.Errorf("got %q, want %q: %v\n%s", r.Stdout, c.want, err, r.Stderr)
			}
		})
	}
}

// sealed is a pack of some entries that says it has count.
func sealed(count uint32, entries ...[]byte) []byte {
	out := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), count)
	for _, e := range entries {
		out = append(out, e...)
	}
	sum := sha1.Sum(out)
	return append(out, sum[:]...)
}

// deltaChain is a pack of an object of 64 KiB, and of deltas each of which makes 16 times of the one before.
func deltaChain(steps int) []byte {
	const piece = 1 << 15
	entries := [][]byte{append(packHead(3, piece), deflated(make([]byte, piece))...)}
	for size := uint64(piece); len(entries) <= steps; size *= 16 {
		delta := append(varint(size), varint(size*16)...)
		for range 16 {
			for at := uint64(0); at < size; at += piece { // copy piece bytes from at
				delta = append(delta, 0x80|0x0f|0x30, byte(at), byte(at>>8), byte(at>>16), byte(at>>24), 0, piece>>8)
			}
		}
		back := len(entries[len(entries)-1])
		offset := []byte{byte(back & 127)}
		for back >>= 7; back > 0; back >>= 7 {
			back--
			offset = append([]byte{0x80 | byte(back&127)}, offset...)
		}
		entries = append(entries, append(append(packHead(6, uint64(len(delta))), offset...), deflated(delta)...))
	}
	return sealed(uint32(len(entries)), entries...)
}

// TestHostilePacks gives git packs that lie, or grow, in little memory.
func TestHostilePacks(t *testing.T) {
	sb, err := newEngine(t, Config{}).Create(t.Context(), engine.Spec{Limits: engine.Limits{Memory: 96 * mib, Disk: 64 * mib}})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	if r, err := sb.Run(t.Context(), engine.Command{Args: []string{"git", "init", "-q", home}}); err != nil || r.ExitCode != 0 {
		t.Fatal(r, err)
	}
	blob := append(packHead(3, 1), deflated([]byte("x"))...)
	for _, c := range []struct {
		name string
		pack []byte
		says []string // one of them
	}{
		{"four billion objects", sealed(1<<32-1, blob), []string{"out of memory", "too large", "memory", "overflow"}},
		{"more objects than there are", sealed(1000, blob), []string{"premature end", "early EOF", "unknown object type", "inflate", "pack has"}},
		{"fewer objects than there are", sealed(1, blob, blob), []string{"hash mismatch", "corrupt", "garbage", "did not match"}},
		{"an exabyte", sealed(1, append(packHead(3, 1<<60), deflated([]byte("x"))...)), []string{"Out of memory", "too large", "limit"}},
		{"a chain of deltas to 2 GiB", deltaChain(4), []string{"out of memory", "Out of memory", "memory"}},
		{"a delta of itself", sealed(1, append(append(packHead(6, 4), 0), deflated([]byte{4, 4, 0x90, 4})...)), []string{"offset", "delta base"}},
		{"no pack", []byte("PACK\x00\x00\x00\x09 and so on"), []string{"version"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, command := range []string{"index-pack --stdin", "unpack-objects"} {
				if err := sb.Files().WriteFile(home+"/pack", c.pack, 0o644); err != nil {
					t.Fatal(err)
				}
				r, err := sb.Run(t.Context(), engine.Command{Args: []string{"bash", "-c", "git " + command + " <pack"}, Dir: home})
				if err != nil {
					t.Fatal(err)
				}
				said := false
				for _, s := range c.says {
					said = said || strings.Contains(r.Stderr, s)
				}
				if r.ExitCode == 0 || !said {
					t.Errorf("%s: status %d: %s", command, r.ExitCode, r.Stderr)
				}
			}
		})
	}
	if r, err := sb.Run(t.Context(), engine.Command{Args: []string{"git", "fsck"}, Dir: home}); err != nil || r.ExitCode != 0 {
		t.Errorf("afterwards: %d %s %v", r.ExitCode, r.Stderr, err)
	}
}
