package vfs

import (
	"io/fs"
	"time"
)

// Info describes a node. It implements fs.FileInfo, and every fs.FileInfo of this package is an Info. It does
// not change after it was made.
type Info struct {
	name                       string
	mode                       fs.FileMode
	uid, gid, rdev             uint32
	dev, ino, nlink            uint64
	size                       int64
	pages                      int64 // of data
	atime, mtime, ctime, btime int64
}

const (
	dirSize  = 4096 // what a directory says its size is
	longLink = 60   // a symbolic link of fewer bytes lies in its inode, as in ext4
)

// Name returns the last element of the path that was asked for.
func (i Info) Name() string { return i.name }

// Size returns the length in bytes: of a file's content, of a link's target. It says nothing for directories.
func (i Info) Size() int64 { return i.size }

// Blocks returns how much room the content takes, in 512 bytes as st_blocks has it: whole pages of 4 KiB without the holes (see
// SeekHole), each run of them from a multiple of 16 KiB on, and as if nothing were shared with clones. Mounts that don't know
// say what Size would take.
func (i Info) Blocks() int64 { return i.pages * (page / 512) }

// Mode returns the type and permission bits, with set-id and sticky bits.
func (i Info) Mode() fs.FileMode { return i.mode }

// ModTime returns the time of the last change of content.
func (i Info) ModTime() time.Time { return time.Unix(0, i.mtime) }

// IsDir reports whether the node is a directory.
func (i Info) IsDir() bool { return i.mode.IsDir() }

// Dev returns a number for the tree (1) or the mount (from 2) that the node lies in.
func (i Info) Dev() uint64 { return i.dev }

// Ino returns the node's number, unique in its Dev and for the tree's own nodes never used again. In a mount
// it stands for the path, but that of a host's file with several hard links for the file.
func (i Info) Ino() uint64 { return i.ino }

// Nlink returns the number of hard links; for a directory two and the number of directories in it. Mounts
// that don't know say 1.
func (i Info) Nlink() uint64 { return i.nlink }

// Rdev returns the number that a device node was made with; 0 for anything else.
func (i Info) Rdev() uint32 { return i.rdev }

// UID returns the owner.
func (i Info) UID() int { return int(i.uid) }

// GID returns the owning group.
func (i Info) GID() int { return int(i.gid) }

// Atime returns the time of the last access. Mounts that don't know give the time of the last change.
func (i Info) Atime() time.Time { return time.Unix(0, i.atime) }

// Ctime returns the time of the last change of content or of what Info says. Mounts that don't know give the time of
// the last change of content.
func (i Info) Ctime() time.Time { return time.Unix(0, i.ctime) }

// Btime returns the time at which the node was made. Mounts give the time of the last change of content.
func (i Info) Btime() time.Time { return time.Unix(0, i.btime) }

// info describes an inode. Preconditions: the tree's mutex is held.
func (n *inode) info(name string) Info {
	i := Info{
		name: name, mode: n.mode, uid: n.uid, gid: n.gid,
		dev: 1, ino: n.ino, nlink: uint64(n.nlink), rdev: n.extras().rdev, size: n.size,
		atime: n.atime, mtime: n.mtime, ctime: n.ctime, btime: n.btime,
	}
	switch {
	case n.dir != nil:
		i.size, i.pages = dirSize, pagesOf(dirSize)
	case n.mode.Type() != fs.ModeSymlink || n.size >= longLink:
		i.pages = n.data()
	}
	return i
}
