// Package conformance runs other projects' test suites on the engine. It holds tests alone.
//
// CPython's own test suite, one module per fresh sandbox:
//
//	internal/conformance/fetch.sh DIR
//	export BELLJAR_CPYTHON_TESTS=DIR
//	go test ./internal/conformance                                  # the quick list
//	go test ./internal/conformance -full -timeout 60m               # every module
//	go test ./internal/conformance -full -run CPython/modules/test_io -logs /tmp
//
// A module's result that differs from its row in testdata/cpython.txt fails the test, be it worse or better.
// -update rewrites the rows that differ. -parallel bounds how many modules run at a time.
//
// The image lacks the C extensions that exist for these tests alone. Where a module can't even be loaded without one,
// testdata/standins has one in Python, by which the tests that call it are skipped and the others run.
//
// Scripts of git's own test suite, one per fresh sandbox, whose rows are in testdata/git.txt:
//
//	internal/conformance/fetch-git.sh DIR
//	BELLJAR_GIT_TESTS=DIR go test ./internal/conformance -run TestGit       # with -full all of them
//
// The suites of bash and of GNU tools, one script per fresh copy of a sandbox; testdata/gnu.txt has a row for each that
// doesn't pass. perl, valgrind and locales other than C.UTF-8 are not there, by which some skip themselves:
//
//	internal/conformance/fetch-gnu.sh DIR
//	BELLJAR_GNU_TESTS=DIR go test ./internal/conformance -run TestGNU -parallel 6       # with -full all of them
//
// Scripts of testdata/scripts, by native bash and in a sandbox, which must agree; and guests that mean no good.
//
// Programs of testdata/python, which must print in a sandbox what CPython 3.13 printed for them on Linux.
package conformance
