// Package vfs is one copy-on-write file tree, held in memory: the only file system a sandboxed program sees.
//
// # Shape
//
// A [Tree] is a persistent (in the functional sense) structure. Inodes hang in a radix trie keyed by inode
// number; a directory maps names to inode numbers; a regular file is a table of content chunks. Every node
// carries the token (owner) of the tree that may change it in place. Clone hands both trees fresh tokens, so
// that neither owns any node any more: the first change to a node copies it, and the few nodes above it, and
// nothing else. Clone therefore costs the same at any size, and what two trees still share is recognised by
// comparing pointers.
//
// [Tree.Changes] tells what differs between two trees in records, of which [Restore] makes an equal tree again, here or
// elsewhere; [Diff] tells it to people. All of them look at what is not shared, and at nothing else.
//
// Paths are resolved in one place, path.go, for every call and across mounts. Mounted host folders are
// reached only through [os.Root], and each component is checked before the next is looked at.
//
// # Semantics
//
// The calls follow POSIX.1-2017 (https://pubs.opengroup.org/onlinepubs/9699919799/) and, where it leaves a
// choice, Linux. Names are bytes, up to 255 of them, a path has up to 4,095; a path crosses at most 40
// symbolic links. Files are sparse, up to 1 TiB. An unlinked file lives until its last [File] is closed.
// Access times are kept as on Linux with the mount option relatime, without its daily update; what a tree was
// cloned with ([Tree.CloneWith]) is read without touching its access time.
//
// Every call is made as a [User]: a tree's own calls as Config's, those of the views that [Tree.As] gives as another's,
// and those of [Tree.Trusted] as the host's, whom nothing binds. Permission bits, owners, sticky directories and set-id
// bits are enforced as Linux does it; fs.ErrPermission is EACCES, [ErrNotPermitted] EPERM, and both are fs.ErrPermission
// to errors.Is. In a mount, what it is made of decides.
//
// There are FIFOs ([Dir.Mkfifo]), locks as of flock ([File.Flock]) and fcntl ([File.SetLock]), extended attributes
// ([Dir.Setxattr]), and for the host a [Watch] on what changes. Only calls with a context wait for others, but for
// [File.Lock].
//
// # Concurrency
//
// All types may be used from many goroutines. A Tree has one sync.RWMutex: whatever only reads (Read, Stat,
// ReadDir, path lookup) runs in parallel, whatever writes runs alone, for no longer than 1 MiB or 512 names take. No call
// into a mount, a caller's io.Reader or io.Writer, or Config.Now is made while it is held, nor does anything wait. Trees
// that share nodes share no locks.
//
// Lock order: File.mu, then core.mu (which all views of a Tree share), then Watch.mu or pipe.mu. lockTable.mu and
// foreign.mu are never held together with core.mu, nor with each other.
package vfs
