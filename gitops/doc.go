// Package gitops is git for the host of a sandbox: it works on a repository that lies in a vfs.Tree, as the `git`
// command would, and returns data.
//
// # What it is made of
//
// Objects, references, packs and the index are read and written by go-git
// (https://pkg.go.dev/github.com/go-git/go-git/v5) in git's own formats
// (https://git-scm.com/docs/gitrepository-layout): git in the sandbox and this package may take turns. What go-git's
// own commands do is done here, on flat lists of paths: go-git's root package is not used, because with it come its
// transports, which dial by themselves and run the host's git for file:// URLs. This package starts no process and sees
// no file outside the tree and its mounts; a test keeps it so.
//
// # Repositories elsewhere
//
// Git's protocol (https://git-scm.com/docs/gitprotocol-pack) is spoken here, over HTTP, SSH and git://, on connections
// that Config.Access.Dialer makes and on no others: without one, only repositories of the same tree can be reached.
// Redirects lead through it too, names are resolved by it. What a repository's config says of addresses (insteadOf),
// proxies, programs and helpers is never looked at. Credentials are the host's: they go to the server that they are for,
// and into no file, no error and no progress. A pack is indexed, against limits, before anything can see it.
//
// # Hostile repositories
//
// Whoever has the sandbox can write anything into .git. Therefore
//
//   - a name in a tree or an index that git would refuse, or that another system takes for .git, is ErrPath,
//   - .git itself must be a directory, not a link or a file,
//   - nothing is read or written through a symbolic link of the working tree,
//   - what a server sends is bounded (Access.MaxPack, MaxObjects, MaxRefs, Timeout), and so is the memory that resolving
//     its deltas takes,
//   - objects over Config.MaxObject are ErrTooLarge (what an object in a pack is a delta of is limited by the size it
//     states itself), lists of more than a million paths, files of packed references over 32 MiB, and configs of more than 20,000
//     sections, ErrTooMany; no reference is read that takes more than 8 KiB,
//   - hooks, aliases, filters, fsmonitor, core.worktree and includes in a repository's config are never looked at,
//   - submodules are empty directories, and their URLs not used, unless Clone is told to.
//
// What is written counts against the tree's limits, and fails with vfs.ErrQuota beyond them.
//
// Content is taken byte for byte: there are no line-ending conversions and no attributes.
//
// # Errors
//
// Each names the act ("diff: …") and is told apart by errors.Is. Every call may answer, besides what it names itself: the
// cause of a context that has ended, ErrCorrupt and ErrTooLarge for objects, ErrPath for names in trees and the index,
// ErrTooMany for lists, and vfs's errors where files are read or written. Calls that need a working tree (Status, a Diff with
// it, Add, Checkout and their like) answer ErrBare where there is none; a revision that isn't there is ErrNotFound.
//
// # Concurrency
//
// A Repository may be used from many goroutines; its calls run one after the other. The index is replaced in one step,
// under git's own lock file.
package gitops
