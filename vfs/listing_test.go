package vfs

import (
	"fmt"
	"io"
	"math"
	"slices"
	"testing"
)

// TestReadDirStable changes a directory while it is listed: what is there throughout comes exactly once.
func TestReadDirStable(t *testing.T) {
	tr := New(Config{})
	for i := range 500 {
		must(t, tr.WriteFile(fmt.Sprintf("keep%d", i), nil, 0o644))
		must(t, tr.WriteFile(fmt.Sprintf("drop%d", i), nil, 0o644))
	}
	f, err := tr.Open("/")
	must(t, err)
	defer f.Close()
	seen := map[string]int{}
	for cookie, i := uint64(0), 0; ; i++ {
		list, err := f.ReadDirAt(cookie, 7)
		must(t, err)
		if len(list) == 0 {
			break
		}
		for _, e := range list {
			seen[e.Name]++
			cookie = e.Next
		}
		must(t, tr.RemoveAll(fmt.Sprintf("drop%d", 499-i)))
		must(t, tr.WriteFile(fmt.Sprintf("add%d", i%90), nil, 0o644))
		must(t, tr.Rename(fmt.Sprintf("add%d", i%90), "keep0"))
	}
	for i := range 500 {
		if name := fmt.Sprintf("keep%d", i); seen[name] != 1 {
			t.Errorf("%s came %d times", name, seen[name])
		}
	}
	if seen["."] != 1 || seen[".."] != 1 {
		t.Error("dots are missing")
	}
	for _, cookie := range []uint64{math.MaxUint64, math.MaxUint64 - 1, 1 << 40} {
		if list, err := f.ReadDirAt(cookie, 10); err != nil || len(list) > 0 {
			t.Errorf("cookie %d: %v, %v", cookie, list, err)
		}
	}
}

func TestReadDirPaging(t *testing.T) {
	tr := New(Config{})
	var want []string
	for i := range 1000 {
		name := fmt.Sprintf("f%03d", 999-i)
		want = append(want, name)
		must(t, tr.WriteFile(name, nil, 0o644))
	}
	f, err := tr.Open(".")
	must(t, err)
	defer f.Close()
	for range 2 {
		var got []string
		for {
			list, err := f.Readdirnames(300)
			got = append(got, list...)
			if err == io.EOF {
				break
			}
			must(t, err)
		}
		if !slices.Equal(got, want) {
			t.Error("paging does not give the names in the order in which they were made")
		}
		if rest, err := f.ReadDir(-1); err != nil || len(rest) > 0 {
			t.Errorf("after the end: %v, %v", rest, err)
		}
		_, err := f.Seek(0, io.SeekStart)
		must(t, err)
	}
	infos, err := f.Readdir(-1)
	if err != nil || len(infos) != 1000 || infos[0].Name() != "f999" {
		t.Errorf("Readdir gives %d, %v", len(infos), err)
	}
}
