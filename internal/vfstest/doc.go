// Package vfstest holds one suite of POSIX file-system cases. Each is a short program of calls with the results that
// they must have, in testdata. The same programs run on the kernel, which is the oracle of the table, and on every
// face of vfs: the tree itself, vfs/aferofs and vfs/billyfs. With -update, the results in the table become what the
// kernel answers.
//
// A case begins with a line "== name". Every other line is a call, with " = result" if that is anything but ok. Words
// are separated by spaces, and quoted as in Go where they hold what would end them. {x*N} stands for N times x,
// {root} for the directory that the case runs in. The calls are in ops_test.go.
package vfstest
