// Package gogit runs go-git's own tests of its working tree over vfs, in the place of the file system in memory that they
// come with. Its sources are those of the module cache; nothing of them is kept here.
package gogit
