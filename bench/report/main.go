// Report runs the programs of bench/ and says what came out: it writes the figures as JSON, tables in Markdown and
// plots, and compares them with targets and with earlier figures. See ../README.md.
//
//	contestants.go  which programs there are, how they are built, and where they run
//	build.go        builds them
//	collect.go      runs them
//	results.go      the figures, and their JSON
//	versions.go     what they were measured with
//	targets.go      what must be reached
//	compare.go      what got slower
//	tables.go       the tables of workloads by contestant
//	pivot.go        the tables of a single contestant
//	plot.go         the plots
//	pages.go        puts tables into pages
package main

import (
	"github.com/alecthomas/kong"
)

func main() {
	var commands struct {
		Build   buildCommand   `cmd:"" help:"Build the contestants."`
		Collect collectCommand `cmd:"" help:"Run the contestants and write their figures."`
		Table   tableCommand   `cmd:"" help:"Write tables and plots, and put them into the pages that show them."`
		Compare compareCommand `cmd:"" help:"Say what got slower, and fail if what is gated did."`
		Targets targetsCommand `cmd:"" help:"Say which targets are reached, and fail if one is missed."`
	}
	context := kong.Parse(&commands, kong.Name("report"), kong.UsageOnError(),
		kong.Description("Runs the programs of bench/ and says what came out."))
	context.FatalIfErrorf(context.Run())
}
