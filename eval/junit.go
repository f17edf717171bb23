package eval

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

type junitSuites struct {
	XMLName  xml.Name   `xml:"testsuites"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Time     string     `xml:"time,attr"`
	Suite    junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitProblem `xml:"failure,omitempty"`
	Error   *junitProblem `xml:"error,omitempty"`
	Stdout  string        `xml:"system-out,omitempty"`
	Stderr  string        `xml:"system-err,omitempty"`
}

type junitProblem struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
}

// WriteJUnit writes verdicts as a JUnit XML report: a test case for each sample, a failure for what was wrong, an error
// for what did not come to an end. See https://github.com/testmoapp/junitxml.
func WriteJUnit(w io.Writer, name string, verdicts []Verdict) error {
	s := junitSuite{Name: name, Tests: len(verdicts)}
	total := 0.0
	for _, v := range verdicts {
		c := junitCase{
			Class: v.TaskID, Name: "sample " + strconv.Itoa(v.Index), Time: seconds(v.Timing.Wall),
			Stdout: xmlText(v.Stdout), Stderr: xmlText(v.Stderr),
		}
		problem := &junitProblem{Type: string(v.Outcome), Message: xmlText(v.Reason)}
		switch v.Outcome {
		case Passed:
		case Failed:
			c.Failure = problem
			s.Failures++
		default:
			c.Error = problem
			s.Errors++
		}
		total += v.Timing.Wall
		s.Cases = append(s.Cases, c)
	}
	s.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	err := e.Encode(junitSuites{Tests: s.Tests, Failures: s.Failures, Errors: s.Errors, Time: s.Time, Suite: s})
	if err == nil {
		_, err = io.WriteString(w, "\n")
	}
	if err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	return nil
}

func seconds(ms float64) string { return strconv.FormatFloat(ms/1000, 'f', 6, 64) }

// xmlText leaves out the characters that XML 1.0 has no form for, which encoding/xml would replace one by one.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
}
