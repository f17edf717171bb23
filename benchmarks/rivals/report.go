package main

import (
	"encoding/json"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/belljar-dev/belljar/benchmarks"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// result is all that was measured.
type result struct {
	Own     *benchmarks.Report `json:"own,omitempty"`
	Tables  []*table           `json:"tables"`
	Missing []absence          `json:"missing,omitempty"`
}

// output is where a result goes: files, or standard output where text is empty.
type output struct{ text, json string }

// write puts the text and the figures down before the pictures.
func (o output) write(r *result) error {
	if o.json != "" {
		data, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return fmt.Errorf("encode figures: %w", err)
		}
		if err := os.WriteFile(o.json, append(data, '\n'), 0o644); err != nil {
			return err
		}
	}
	var text string
	if r.Own != nil {
		text = string(r.Own.Markdown("go run -C benchmarks/rivals . -write ../../BENCHMARKS.md"))
	}
	if r.Tables != nil {
		text += markdown(r.Tables, r.Missing, "benchmarks/plots")
	}
	if o.text == "" {
		if r.Tables == nil {
			return nil // the whole will come
		}
		_, err := os.Stdout.WriteString(text)
		return err
	}
	if err := os.WriteFile(o.text, []byte(text), 0o644); err != nil {
		return err
	}
	for _, t := range r.Tables {
		if err := t.draw(filepath.Join(filepath.Dir(o.text), "benchmarks", "plots")); err != nil {
			return err
		}
	}
	return nil
}

// table is one table of the report, with a picture of what counts in it.
type table struct {
	Title   string     `json:"title"`
	Note    string     `json:"note"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
	Plot    string     `json:"plot"` // the picture's name without its ending
	Unit    string     `json:"unit"` // of its bars
	Bars    []bar      `json:"bars"`
}

type bar struct {
	Name  string  `json:"name"`
	Lang  string  `json:"lang"`
	Value float64 `json:"value"` // what isn't above 0 was too small to measure, and is not drawn
}

// markdown writes the tables, with their pictures beside the file.
func markdown(tables []*table, missing []absence, pictures string) string {
	var b strings.Builder
	b.WriteString("\n## Beside others\n\nThe same work in one run on the same machine.\n")
	for _, t := range tables {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n![%s](%s/%s.svg)\n\n", t.Title, t.Note, t.Title, pictures, t.Plot)
		fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(t.Columns, " | "), strings.Repeat("---|", len(t.Columns)))
		for _, row := range t.Rows {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		}
	}
	if len(missing) > 0 {
		b.WriteString("\nLeft out:\n\n")
		for _, m := range missing {
			fmt.Fprintf(&b, "- %s: %s\n", m.Name, m.Reason)
		}
	}
	return b.String()
}

// draw writes a table's picture, if there is something to see: bars on a logarithmic scale, ours in a colour of their own.
func (t *table) draw(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	bars := slices.DeleteFunc(slices.Clone(t.Bars), func(b bar) bool { return b.Value <= 0 })
	if len(bars) == 0 {
		return nil
	}
	slices.Reverse(bars) // the first on top
	least := bars[0].Value
	for _, b := range bars {
		least = min(least, b.Value)
	}
	scale := decades{math.Floor(math.Log10(least)) - 0.3}
	p := plot.New()
	p.X.Label.Text, p.X.Tick.Marker, p.X.Min = t.Unit, scale, 0
	var names []string
	for i, b := range bars {
		names = append(names, b.Name)
		one := make(plotter.Values, len(bars))
		one[i] = scale.of(b.Value)
		chart, err := plotter.NewBarChart(one, vg.Points(12))
		if err != nil {
			return fmt.Errorf("draw %s: %w", t.Plot, err)
		}
		chart.Horizontal, chart.LineStyle.Width = true, 0
		chart.Color = color.RGBA{R: 150, G: 160, B: 175, A: 255}
		if strings.HasPrefix(b.Name, "Belljar") {
			chart.Color = color.RGBA{R: 200, G: 90, B: 40, A: 255}
		}
		p.Add(chart)
	}
	p.NominalY(names...)
	if err := p.Save(vg.Points(560), vg.Points(float64(60+20*len(bars))), filepath.Join(dir, t.Plot+".svg")); err != nil {
		return fmt.Errorf("draw %s: %w", t.Plot, err)
	}
	return nil
}

// decades is a logarithmic scale for bars, which the library draws from 0: where they begin, as a power of ten.
type decades struct{ low float64 }

func (d decades) of(v float64) float64 { return math.Log10(v) - d.low }

// Ticks marks 1, 2 and 5 of each decade, and writes down the first.
func (d decades) Ticks(_, high float64) []plot.Tick {
	var ticks []plot.Tick
	for decade := math.Ceil(d.low); decade-d.low <= high; decade++ {
		for _, m := range []float64{1, 2, 5} {
			tick := plot.Tick{Value: d.of(m * math.Pow(10, decade))}
			if m == 1 {
				tick.Label = strconv.FormatFloat(math.Pow(10, decade), 'g', -1, 64)
			}
			if tick.Value <= high {
				ticks = append(ticks, tick)
			}
		}
	}
	return ticks
}
