package conformance

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// status is how a test module ends.
type status string

const (
	pass status = "pass"
	skip status = "skip" // the module says itself that it can't run here
	fail status = "fail"
)

// result is how a module ended.
type result struct {
	status status
	failed []string // the tests that failed, sorted; empty if the module failed as a whole
	said   string   // why, in regrtest's or the engine's words
	output string
}

// Exit statuses of regrtest.
const (
	exitSuccess    = 0
	exitNoTestsRan = 4
)

// What regrtest prints. It runs some packages file by file, as several modules.
var (
	failedTest = regexp.MustCompile(`(?m)^(?:FAIL|ERROR): (\S+)`)
	skipReason = regexp.MustCompile(`(?m)^\S+ skipped -- (.+)$`)
	fileCount  = regexp.MustCompile(`(?m)^Total test files: run=(\d+)/\d+ skipped=(\d+)$`)
	testCount  = regexp.MustCompile(`(?m)^Total tests: run=([\d,]+) skipped=([\d,]+)$`)
)

// judge reads a result from what regrtest printed and how it exited.
func judge(output string, exit int, err error) result {
	r := result{status: pass, output: output}
	switch {
	case err != nil:
		r.status, r.said = fail, err.Error()
	case exit == exitNoTestsRan:
		r.status, r.said = skip, "no tests ran"
	case exit != exitSuccess:
		r.status, r.said = fail, fmt.Sprintf("exit status %d", exit)
		names := map[string]bool{}
		for _, m := range failedTest.FindAllStringSubmatch(output, -1) {
			names[m[1]] = true
		}
		r.failed = slices.Sorted(maps.Keys(names))
	case allSkipped(fileCount, output):
		r.status = skip
		if why := skipReason.FindStringSubmatch(output); why != nil {
			r.said = why[1]
		}
	case allSkipped(testCount, output):
		r.status, r.said = skip, "each of its tests skips itself"
	}
	return r
}

// allSkipped reports whether output has a count by which as many were skipped as run.
func allSkipped(count *regexp.Regexp, output string) bool {
	n := count.FindStringSubmatch(output)
	return n != nil && n[1] == n[2]
}

// results collects what modules gave.
type results struct {
	mu sync.Mutex
	of map[string]result
}

func (r *results) add(module string, got result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of[module] = got
}

// String counts the results.
func (r *results) String() string {
	count := map[status]int{}
	for _, got := range r.of {
		count[got.status]++
	}
	return fmt.Sprintf("%d modules: %d pass, %d skip, %d fail", len(r.of), count[pass], count[skip], count[fail])
}

// String is the status as a row of the expectations has it: the tests that failed stand behind it.
func (r result) String() string { return formatStatus(r.status, r.failed) }

func formatStatus(s status, failed []string) string {
	if len(failed) == 0 {
		return string(s)
	}
	return string(s) + ":" + strings.Join(failed, ",")
}
