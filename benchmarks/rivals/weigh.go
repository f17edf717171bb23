package main

import (
	"errors"
	"runtime/debug"
)

// weighHere makes n isolates in this process and answers by how much its private memory grows with each.
func weighHere(n int, make func() (func() error, error)) (int64, error) {
	before, err := settled()
	if err != nil {
		return 0, err
	}
	var all []func() error
	for range n {
		closer, merr := make()
		if closer != nil {
			all = append(all, closer)
		}
		if err = merr; err != nil {
			break
		}
	}
	after, aerr := settled()
	errs := []error{err, aerr}
	for _, closer := range all {
		errs = append(errs, closer())
	}
	return (after - before) / int64(n), errors.Join(errs...)
}

// settled is this process's private memory without garbage.
func settled() (int64, error) {
	debug.FreeOSMemory() // runs what the collector has found ends of …
	debug.FreeOSMemory() // … and returns what those have freed
	return privateSelf()
}

// privateSelf leaves out the children, which are rivals.
func privateSelf() (int64, error) { return privateOf("/proc/self/smaps_rollup") }
