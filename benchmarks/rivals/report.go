package main

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// table is one table of the report, with a picture of what counts in it.
type table struct {
	title, note string
	columns     []string
	rows        [][]string
	plot        string // the picture's name without its ending
	unit        string // of its bars
	bars        []bar
}

type bar struct {
	name, lang string
	value      float64
}

// markdown writes the tables, with their pictures beside the file.
func markdown(tables []*table, missing []absence, pictures string) string {
	var b strings.Builder
	b.WriteString("\n## Beside others\n\nThe same work in one run on the same machine.\n")
	for _, t := range tables {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n![%s](%s/%s.svg)\n\n", t.title, t.note, t.title, pictures, t.plot)
		fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(t.columns, " | "), strings.Repeat("---|", len(t.columns)))
		for _, row := range t.rows {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		}
	}
	if len(missing) > 0 {
		b.WriteString("\nLeft out:\n\n")
		for _, m := range missing {
			fmt.Fprintf(&b, "- %s: %s\n", m.name, m.reason)
		}
	}
	return b.String()
}

// draw writes a table's picture: bars on a logarithmic scale, ours in a colour of their own.
func (t *table) draw(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	bars := slices.Clone(t.bars)
	slices.Reverse(bars) // the first on top
	least := bars[0].value
	for _, b := range bars {
		least = min(least, b.value)
	}
	scale := decades{math.Floor(math.Log10(least)) - 0.3}
	p := plot.New()
	p.X.Label.Text, p.X.Tick.Marker, p.X.Min = t.unit, scale, 0
	var names []string
	for i, b := range bars {
		names = append(names, b.name)
		one := make(plotter.Values, len(bars))
		one[i] = scale.of(b.value)
		chart, err := plotter.NewBarChart(one, vg.Points(12))
		if err != nil {
			return fmt.Errorf("draw %s: %w", t.plot, err)
		}
		chart.Horizontal, chart.LineStyle.Width = true, 0
		chart.Color = color.RGBA{R: 150, G: 160, B: 175, A: 255}
		if strings.HasPrefix(b.name, "Belljar") {
			chart.Color = color.RGBA{R: 200, G: 90, B: 40, A: 255}
		}
		p.Add(chart)
	}
	p.NominalY(names...)
	if err := p.Save(vg.Points(560), vg.Points(float64(60+20*len(bars))), filepath.Join(dir, t.plot+".svg")); err != nil {
		return fmt.Errorf("draw %s: %w", t.plot, err)
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
