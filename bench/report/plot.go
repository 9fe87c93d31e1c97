package main

import (
	"cmp"
	"errors"
	"image/color"
	"maps"
	"os"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Colours that tell apart on the plots' own light background, whatever the page around it has.
var colours = []color.Color{
	color.RGBA{0xb8, 0xb0, 0xa4, 0xff}, color.RGBA{0x7f, 0x9c, 0xb8, 0xff}, color.RGBA{0x00, 0x7d, 0x9c, 0xff},
	color.RGBA{0xc8, 0x7f, 0x4a, 0xff}, color.RGBA{0x6a, 0x8f, 0x5a, 0xff},
}

// newPlot has a background of its own: what is around it may be dark.
func newPlot() *plot.Plot {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	p := plot.New()
	p.BackgroundColor = color.RGBA{0xfb, 0xfa, 0xf7, 0xff}
	p.Title.TextStyle.Font.Size, p.Title.Padding = 13, 8
	p.X.Padding = 0
	p.Legend.Top, p.Legend.Padding, p.Legend.YPosition = true, 3, 0
	p.Legend.XOffs, p.Legend.YOffs = -6, -4
	p.Legend.TextStyle.Font.Size = 11
	return p
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
	p := newPlot()
	p.Title.Text = c.title + ": " + r.Unit + ", as a multiple of " + titleOf(c.baseline) + "'s (less is better)"
	p.X.Min = 0
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
	p.X.Max = max(p.X.Max*1.02, 1.3)

	names := make([]string, len(rows))
	for i, each := range rows {
		names[len(rows)-1-i] = plain(each.what)
	}
	p.NominalY(names...)
	height := vg.Length(len(rows))*vg.Points(thick*float64(len(others))+5) + 70
	return write(p, vg.Points(720), height, file)
}

// plotServer draws how many requests each strategy answers against how many clients there are.
func plotServer(r *results, file string) error {
	const sandboxes = "4"
	strategies, unit := map[string]plotter.XYs{}, ""
	var all pivot
	for _, each := range pivots {
		if each.name == "server" {
			all = each
		}
	}
	for workload, f := range r.Figures[all.contestant] {
		row, column, ok := all.split(workload)
		if !ok || column != "rps" || row[1] != sandboxes {
			continue
		}
		clients, err := strconv.Atoi(row[2])
		if err != nil {
			return err
		}
		unit = f.Unit
		strategies[row[0]] = append(strategies[row[0]], plotter.XY{X: float64(clients), Y: f.Value})
	}
	if len(strategies) == 0 {
		return nil
	}
	p := newPlot()
	p.Title.Text = unit + " by clients, with " + sandboxes + " sandboxes (more is better)"
	p.X.Label.Text = "clients"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.Legend.Top, p.Legend.YOffs = false, 6
	p.Add(plotter.NewGrid())
	for i, name := range slices.Sorted(maps.Keys(strategies)) {
		points := strategies[name]
		slices.SortFunc(points, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Color, dots.Color = colours[(i+1)%len(colours)], colours[(i+1)%len(colours)]
		line.Width = 1.5
		p.Add(line, dots)
		p.Legend.Add(name, line)
	}
	return write(p, vg.Points(720), vg.Points(360), file)
}

// write leaves a margin, which p.Save does not.
func write(p *plot.Plot, width, height vg.Length, file string) error {
	canvas, err := draw.NewFormattedCanvas(width, height, "svg")
	if err != nil {
		return err
	}
	all := draw.New(canvas)
	all.SetColor(p.BackgroundColor)
	all.Fill(all.Rectangle.Path())
	p.Draw(draw.Crop(all, 8, -12, 8, -8))
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(out); err != nil {
		return errors.Join(err, out.Close())
	}
	return out.Close()
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
