package benchmarks

import (
	"bytes"
	"fmt"
	"strconv"
	"text/tabwriter"
)

// Table lays the report out for a terminal.
func (r *Report) Table() []byte {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "figure\tmin\tmedian\tp95\tn\t")
	for _, m := range r.Metrics {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", m.Name, number(m.Min), number(m.Median), number(m.P95), m.N, m.Unit)
	}
	_ = w.Flush() // into memory
	return b.Bytes()
}

// Markdown lays the report out as BENCHMARKS.md, which names the command that made it.
func (r *Report) Markdown(command string) []byte {
	var b bytes.Buffer
	m := r.Machine
	fmt.Fprintf(&b, "# Benchmarks\n\nMade by `%s`; not edited by hand.\n\n", command)
	fmt.Fprintf(&b, "Machine: %s/%s, %d cores (%s), %s memory; %s, wazero %s; load at the end %s.\n\n", m.OS, m.Arch, m.Cores, m.CPU, m.Memory, m.Go, m.Wazero, m.Loadavg)
	fmt.Fprintf(&b, "| figure | unit | min | median | p95 | n | what |\n|---|---|---|---|---|---|---|\n")
	for _, m := range r.Metrics {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %d | %s |\n", m.Name, m.Unit, number(m.Min), number(m.Median), number(m.P95), m.N, m.Note)
	}
	return b.Bytes()
}

// number writes a figure with three significant digits, or whole where it is larger.
func number(v float64) string {
	if v >= 100 || v <= -100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
