package vfs

// counts is how often something is there, by inode. The zero value counts nothing.
type counts struct {
	few  [8]count       // in any order: as a rule there are no more, and none is hashed
	many map[uint64]int // those that few had no room for
}

type count struct {
	ino uint64 // 0: free
	n   int
	at  *inode // where it is, if the tree may change it, for then it has not been copied; nil: not known
}

// at returns the place in few of an inode, or of nothing if ino is 0; nil if it is not there.
func (c *counts) at(ino uint64) *count {
	for i := range c.few {
		if c.few[i].ino == ino {
			return &c.few[i]
		}
	}
	return nil
}

func (c *counts) has(ino uint64) bool { return c.at(ino) != nil || c.many[ino] > 0 }

func (c *counts) add(ino uint64) {
	if at := c.at(ino); at != nil {
		at.n++
		return
	}
	if free := c.at(0); free != nil && c.many[ino] == 0 {
		*free = count{ino: ino, n: 1}
		return
	}
	if c.many == nil {
		c.many = map[uint64]int{}
	}
	c.many[ino]++
}

// drop takes one off, if there is one, and reports whether any are left.
func (c *counts) drop(ino uint64) bool {
	if at := c.at(ino); at != nil {
		if at.n--; at.n > 0 {
			return true
		}
		*at = count{}
		return false
	}
	if c.many[ino] > 1 {
		c.many[ino]--
		return true
	}
	delete(c.many, ino)
	return false
}

// keep remembers where an inode is that is counted. Preconditions: the tree may change it.
func (c *counts) keep(n *inode) {
	if at := c.at(n.ino); at != nil {
		at.at = n
	}
}

// recall returns what keep was given of an inode, or nil.
func (c *counts) recall(ino uint64) *inode {
	if at := c.at(ino); at != nil {
		return at.at
	}
	return nil
}

// forget makes recall answer nil.
func (c *counts) forget() {
	for i := range c.few {
		c.few[i].at = nil
	}
}

// len returns how many inodes there are.
func (c *counts) len() int {
	sum := len(c.many)
	for _, at := range c.few {
		if at.n > 0 {
			sum++
		}
	}
	return sum
}
