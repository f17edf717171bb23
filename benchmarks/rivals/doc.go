// Command rivals writes BENCHMARKS.md: the engine's own figures, as package benchmarks measures them, and the same work
// done by what else could be used in its place. It is a module of its own, so that no rival is among the dependencies
// of those who build Belljar.
//
//	go run -C benchmarks/rivals . --write ../../BENCHMARKS.md
//
// A rival that can't be had on the machine is left out, with the reason in the report. Rivals for Node are installed
// from node/package-lock.json into the user's cache folder at the first run.
package main
