package vfs

// nodeStat is what a host tells of a node beside fs.FileInfo. Times are nanoseconds since 1970.
type nodeStat struct {
	dev, ino, nlink uint64
	atime, ctime    int64
	blocks          int64 // of 512 bytes
}

// add puts what the host tells into an Info. A node's number stands for its path, which is the same on every host, but
// for files with several hard links: there it is the host's, so that they are known as one file.
func (s *nodeStat) add(i *Info) {
	i.nlink, i.atime, i.ctime = s.nlink, s.atime, s.ctime
	if !i.IsDir() {
		i.pages = pagesOf(s.blocks * 512)
	}
	if s.nlink > 1 && !i.IsDir() {
		i.ino = s.ino ^ s.dev<<40 // The host's own mounts below begin their numbers anew.
	}
}
