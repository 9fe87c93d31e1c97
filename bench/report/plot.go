package main

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// Colours that tell apart on the plots' own light background, whatever the page around it has.
var colours = []color.Color{
	color.RGBA{0xb8, 0xb0, 0xa4, 0xff}, color.RGBA{0x7f, 0x9c, 0xb8, 0xff}, color.RGBA{0x00, 0x7d, 0x9c, 0xff},
	color.RGBA{0xc8, 0x7f, 0x4a, 0xff}, color.RGBA{0x6a, 0x8f, 0x5a, 0xff},
}

// plotRatios draws how many times the baseline's instructions the other contestants execute, as horizontal bars.
func plotRatios(c comparison, r *results, file string) error {
	var rows []row
	for _, each := range c.rows(r) {
		if _, ok := r.ratio(key{"go", each.workload}, c.to(each)); ok {
			rows = append(rows, each)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	p := plot.New()
	p.BackgroundColor = color.RGBA{0xfb, 0xfa, 0xf7, 0xff}
	p.Title.Text = c.title + ": " + r.Unit + ", as a multiple of " + titleOf(c.baseline) + "'s (less is better)"
	p.X.Min = 0
	p.Legend.Top, p.Legend.XOffs = true, vg.Points(-4)
	grid := plotter.NewGrid()
	grid.Horizontal.Width = 0
	p.Add(grid)

	var others []string
	for _, name := range c.present(r) {
		if name != c.baseline {
			others = append(others, name)
		}
	}
	const thick = 5 // points
	for i, name := range others {
		values := make(plotter.Values, len(rows))
		for j, each := range rows {
			ratio, _ := r.ratio(key{name, each.workload}, c.to(each)) // No bar where there is no figure.
			values[len(rows)-1-j] = ratio
		}
		bars, err := plotter.NewBarChart(values, vg.Points(thick))
		if err != nil {
			return err
		}
		bars.Horizontal = true
		bars.Color = colours[i%len(colours)]
		bars.LineStyle.Width = 0
		bars.Offset = vg.Points(thick * (float64(len(others)-1)/2 - float64(i)))
		p.Add(bars)
		p.Legend.Add(titleOf(name), bars)
	}
	one, err := plotter.NewLine(plotter.XYs{{X: 1, Y: -0.5}, {X: 1, Y: float64(len(rows)) - 0.5}})
	if err != nil {
		return err
	}
	one.Color = color.RGBA{0x33, 0x33, 0x33, 0xff}
	p.Add(one)
	p.Legend.Add(titleOf(c.baseline), one)
	p.X.Max = max(p.X.Max, 1.25)

	names := make([]string, len(rows))
	for i, each := range rows {
		names[len(rows)-1-i] = plain(each.what)
	}
	p.NominalY(names...)
	height := vg.Length(len(rows))*vg.Points(thick*float64(len(others))+5) + 70
	return p.Save(vg.Points(700), height, file)
}

// plain is text without Markdown's backquotes.
func plain(text string) string {
	var letters []rune
	for _, letter := range text {
		if letter != '`' {
			letters = append(letters, letter)
		}
	}
	return string(letters)
}
