package main

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// pivot is a table of one contestant whose workloads' names have parts: some say which row, the last which column.
type pivot struct {
	name       string // of the file
	contestant string
	pattern    *regexp.Regexp
	// rows are the heads of the columns that say which row, in the order of the pattern's groups.
	rows    []string
	columns []string
}

// pivots are the tables that say of what a workload's name is made.
var pivots = []pivot{
	{
		name: "server", contestant: "server", rows: []string{"strategy", " sandboxes", " clients"},
		pattern: regexp.MustCompile(`^server_(\w+)_pool_(\d+)_clients_(\d+)_(rps|p50|p99)$`),
		columns: []string{"rps", "p50", "p99"},
	},
	{
		name: "boundary", contestant: "boundary", rows: []string{"way"},
		pattern: regexp.MustCompile(`^(?:call|callback)_(.+?)(?:_allocs)?$`),
		columns: []string{"call", "call_allocs", "callback", "callback_allocs"},
	},
}

// split gives the row and the column of a workload.
func (p pivot) split(workload string) (row []string, column string, ok bool) {
	parts := p.pattern.FindStringSubmatch(workload)
	if parts == nil {
		return nil, "", false
	}
	row = parts[1 : 1+len(p.rows)]
	if len(parts) > 1+len(p.rows) {
		return row, parts[len(parts)-1], true
	}
	// The row's name is in the middle of the column's.
	index := p.pattern.FindStringSubmatchIndex(workload)
	return row, workload[:index[2]-1] + workload[index[3]:], true
}

// table is Markdown, or "" if there is no figure for it.
func (p pivot) table(r *results) string {
	cells := map[string]map[string]figure{} // by row and column
	rows := map[string][]string{}
	units := map[string]string{} // by column
	for workload, f := range r.Figures[p.contestant] {
		row, column, ok := p.split(workload)
		if !ok {
			continue
		}
		id := strconv.Quote(row[0])
		for _, part := range row[1:] {
			id += strconv.Quote(part)
		}
		if cells[id] == nil {
			cells[id], rows[id] = map[string]figure{}, row
		}
		cells[id][column], units[column] = f, f.Unit
	}
	if len(cells) == 0 {
		return ""
	}
	columns := slices.DeleteFunc(slices.Clone(p.columns), func(column string) bool { return units[column] == "" })
	head := slices.Clone(p.rows)
	for _, column := range columns {
		head = append(head, " "+columnTitle(column, units[column]))
	}
	table := [][]string{head}
	order := slices.SortedFunc(maps.Keys(rows), func(a, b string) int {
		return slices.CompareFunc(rows[a], rows[b], byNumber)
	})
	for _, id := range order {
		line := slices.Clone(rows[id])
		for _, column := range columns {
			text := ""
			if f, ok := cells[id][column]; ok {
				text = number(f)
			}
			line = append(line, text)
		}
		table = append(table, line)
	}
	return markdown(table)
}

func columnTitle(column, unit string) string {
	if unit == "allocs" {
		return column
	}
	if column == "rps" {
		return unit
	}
	return column + ", " + unit
}

// byNumber compares numbers as such, and other text as text.
func byNumber(a, b string) int {
	one, err := strconv.Atoi(a)
	other, err2 := strconv.Atoi(b)
	if err == nil && err2 == nil {
		return cmp.Compare(one, other)
	}
	return cmp.Compare(a, b)
}
