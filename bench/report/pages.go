package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

type tableCommand struct {
	Bench   string `help:"The folder bench/." default:"." type:"existingdir"`
	Results string `help:"The folder of the results, which gets the files." required:"" type:"existingdir"`
	Size    string `help:"Which results: quick or full." enum:"quick,full" default:"full"`
	Pages   bool   `help:"Put tables into the pages that show them."`
}

// Run writes tables and plots. Quick results do not take the place of full ones.
func (t *tableCommand) Run() error {
	full := filepath.Join(t.Results, sizeFull+".json")
	if _, err := os.Stat(full); t.Size == sizeQuick && err == nil {
		fmt.Fprintln(os.Stderr, "tables and plots are those of the full results; `bench full` makes them anew")
		return nil
	}
	r, err := load(filepath.Join(t.Results, t.Size+".json"))
	if err != nil {
		return err
	}
	inserts, err := t.write(r)
	if err != nil || !t.Pages {
		return err
	}
	if r.Unit != unitInstructions {
		return fmt.Errorf("these results are in %s; the pages show instructions", r.Unit)
	}
	for _, page := range []string{"README.md", "../README.md", "../docs/comparison.md"} {
		if err := fill(filepath.Join(t.Bench, page), inserts); err != nil {
			return err
		}
	}
	return nil
}

// noFigures stands for a table of contestants that did not run.
const noFigures = "`./build.sh bench full` measures this, too.\n"

// write writes each table and plot to a file of its own, and gives what pages insert, by the name of their markers.
func (t *tableCommand) write(r *results) (map[string]string, error) {
	inserts := map[string]string{}
	for _, each := range comparisons {
		table := each.table(r)
		if table == "" {
			table = noFigures
		}
		inserts[each.name] = table
	}
	for _, each := range pivots {
		table := each.table(r)
		if table == "" {
			table = noFigures
		}
		inserts[each.name] = table
	}
	inserts["targets"], _ = checkTargets(r) // A page says so when one is missed.
	inserts["versions"] = versionLine(r)
	for _, each := range slices.Sorted(maps.Keys(inserts)) {
		if err := os.WriteFile(filepath.Join(t.Results, each+".md"), []byte(inserts[each]), 0o644); err != nil {
			return nil, err
		}
	}
	for _, each := range comparisons {
		if each.baseline == "" || inserts[each.name] == noFigures {
			continue
		}
		if err := plotRatios(each, r, filepath.Join(t.Results, each.name+".svg")); err != nil {
			return nil, err
		}
	}
	return inserts, plotServer(r, filepath.Join(t.Results, "server.svg"))
}

func versionLine(r *results) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		parts = append(parts, name+" "+r.Versions[name])
	}
	return strings.Join(parts, ", ") + ".\n"
}

// fill replaces what is between the markers of a page, `<!-- bench NAME -->` and `<!-- /bench -->`.
func fill(page string, inserts map[string]string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	filled, err := filled(string(text), inserts)
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	return os.WriteFile(page, []byte(filled), 0o644)
}

func filled(text string, inserts map[string]string) (string, error) {
	const begin, close, end = "<!-- bench ", " -->\n", "<!-- /bench -->"
	var page strings.Builder
	for {
		before, after, found := strings.Cut(text, begin)
		page.WriteString(before)
		if !found {
			return page.String(), nil
		}
		name, after, found := strings.Cut(after, close)
		if !found {
			return "", fmt.Errorf("a marker %q does not end with %q", strings.TrimSpace(begin), strings.TrimSpace(close))
		}
		_, after, found = strings.Cut(after, end)
		if !found {
			return "", fmt.Errorf("what the marker of %q begins is not ended by %q", name, end)
		}
		if inserts[name] == "" {
			return "", fmt.Errorf("there are no figures for the marker of %q", name)
		}
		page.WriteString(begin + name + close + "\n" + inserts[name] + "\n" + end)
		text = after
	}
}
