// Package vfs is one copy-on-write file tree.
package vfs
