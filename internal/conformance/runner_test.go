package conformance

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"testing/fstest"
)

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name   string
		output string
		exit   int
		err    error
		want   result
	}{
		{name: "pass", output: "\n1 test OK.\n\nTotal tests: run=9 skipped=8\n", want: result{status: pass}},
		{
			name:   "skipped as a whole",
			output: "test_x skipped -- No module named '_x'\n\nTotal tests: run=0\nTotal test files: run=1/1 skipped=1\n",
			want:   result{status: skip, said: "No module named '_x'"},
		},
		{
			name:   "skipped file by file",
			output: "test_x.a skipped -- no socket\ntest_x.b skipped -- no fork\nTotal test files: run=2/2 skipped=2\n",
			want:   result{status: skip, said: "no socket"},
		},
		{name: "skipped in part", output: "test_x.a skipped -- no socket\nTotal test files: run=2/2 skipped=1\n", want: result{status: pass}},
		{
			name: "each test skipped", output: "1 test OK.\n\nTotal tests: run=1,024 skipped=1,024\n",
			want: result{status: skip, said: "each of its tests skips itself"},
		},
		{name: "nothing to run", exit: 4, want: result{status: skip, said: "no tests ran"}},
		{
			name:   "failures, once in each of two classes",
			output: "FAIL: test_b (test.test_x.C.test_b)\nERROR: test_a (test.test_x.C.test_a)\nFAIL: test_b (test.test_x.D.test_b)\n",
			exit:   2,
			want:   result{status: fail, failed: []string{"test_a", "test_b"}, said: "exit status 2"},
		},
		{name: "not loaded", output: "ModuleNotFoundError\n", exit: 2, want: result{status: fail, said: "exit status 2"}},
		{
			name: "killed after a pass", output: "1 test OK.\n", err: errors.New("wall limit"),
			want: result{status: fail, said: "wall limit"},
		},
	} {
		c.want.output = c.output
		if got := judge(c.output, c.exit, c.err); !slices.Equal(got.failed, c.want.failed) ||
			got.status != c.want.status || got.said != c.want.said {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestParseExpectations(t *testing.T) {
	got, err := parseExpectations("# why\n\ntest_a  skip      needs a\ntest_b  fail:x,y  b is c\ntest_c  fail  none works\n")
	want := expectations{
		{"test_a", skip, nil, "needs a"},
		{"test_b", fail, []string{"x", "y"}, "b is c"},
		{"test_c", fail, nil, "none works"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	for _, bad := range []string{
		"test_a", "test_a skip", "test_a pass why", "test_a skip:x why", "test_a fail: why", "test_a fail:y,x why",
		"test_b skip why\ntest_a skip why", "test_a skip why\ntest_a skip why",
	} {
		if got, err := parseExpectations(bad); err == nil {
			t.Errorf("%q: no error but %+v", bad, got)
		}
	}
}

func TestExpectationMet(t *testing.T) {
	some := expectation{"test_a", fail, []string{"x"}, "why"}
	for _, c := range []struct {
		e    expectation
		r    result
		want bool
	}{
		{some, result{status: fail, failed: []string{"x"}}, true},
		{some, result{status: fail, failed: []string{"x", "y"}}, false},
		{some, result{status: fail}, false},
		{some, result{status: pass}, false},
		{expectation{"test_a", fail, nil, "why"}, result{status: fail, failed: []string{"x"}}, true},
		{expectations(nil).of("test_b"), result{status: pass}, true},
		{expectations(nil).of("test_b"), result{status: skip}, false},
	} {
		if got := c.e.met(c.r); got != c.want {
			t.Errorf("%+v met by %+v: %v", c.e, c.r, got)
		}
	}
}

func TestMergeKeepsReasons(t *testing.T) {
	old := expectations{
		{"test_a", skip, nil, "needs a"},
		{"test_b", fail, []string{"x"}, "b is c"},
		{"test_c", fail, nil, "none works"},
		{"test_d", skip, nil, "not run now"},
	}
	got := old.merge(map[string]result{
		"test_a": {status: skip},
		"test_b": {status: fail, failed: []string{"x", "y"}, said: "exit status 2"},
		"test_c": {status: pass},
		"test_e": {status: pass},
	})
	want := expectations{
		{"test_a", skip, nil, "needs a"},
		{"test_b", fail, []string{"x", "y"}, "? exit status 2"},
		{"test_d", skip, nil, "not run now"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestWithTestsIsAFileSystem(t *testing.T) {
	w := withTests{
		library: fstest.MapFS{"abc.py": {Data: []byte("a")}, "zip/z.py": {Data: []byte("z")}},
		tests:   fstest.MapFS{"test/test_a.py": {Data: []byte("t")}, "hidden": {Data: []byte("h")}},
	}
	if err := fstest.TestFS(w, "abc.py", "zip/z.py", "test/test_a.py"); err != nil {
		t.Error(err)
	}
	if _, err := w.Open("hidden"); err == nil {
		t.Error("shows more than the folder test")
	}
}

func TestCapableSuite(t *testing.T) {
	const name = "test/support/__init__.py"
	const before = "is_wasi = 1\nhas_subprocess_support = not (\n    a\n    or is_wasi\n)\nhas_socket_support = not (b or is_wasi)\nx = a or is_wasi\n"
	const after = "is_wasi = 1\nhas_subprocess_support = not (\n    a\n    or False  \n)\nhas_socket_support = not (b or False  )\nx = a or is_wasi\n"
	c := capable{fstest.MapFS{name: {Data: []byte(before)}, "test/test_a.py": {Data: []byte("t")}}}
	if err := fstest.TestFS(c, name, "test/test_a.py"); err != nil {
		t.Error(err)
	}
	if got := string(settle(name, []byte(before))); got != after {
		t.Errorf("%q", got)
	}
}
