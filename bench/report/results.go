package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// The sizes of results.
const (
	sizeQuick = "quick"
	sizeFull  = "full"
)

// What a figure may count. Others are what a program prints, such as KiB.
const (
	unitInstructions = "instructions"
	unitNanoseconds  = "ns"
)

// results are all figures of one run, and what they were measured with.
type results struct {
	Size     string            `json:"size"`
	Unit     string            `json:"unit"`     // of what contestants that are counted print as ns
	Versions map[string]string `json:"versions"` // of everything that has a say
	Figures  figures           `json:"figures"`
}

// figures are by contestant, and then by workload.
type figures map[string]map[string]figure

type figure struct {
	Value float64 `json:"value"` // of one operation
	Unit  string  `json:"unit"`
}

// of gives a figure, and whether it is there.
func (r *results) of(contestant, workload string) (figure, bool) {
	f, ok := r.Figures[contestant][workload]
	return f, ok
}

// ratio is how many times the one figure is the other, and whether both are there.
func (r *results) ratio(of, to key) (float64, bool) {
	one, ok := r.of(of.contestant, of.workload)
	other, too := r.of(to.contestant, to.workload)
	if !ok || !too || other.Value == 0 {
		return 0, false
	}
	return one.Value / other.Value, true
}

// key names a figure.
type key struct{ contestant, workload string }

func (k key) String() string { return k.contestant + " " + k.workload }

func load(file string) (*results, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r results
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s is not what `collect` writes: %w", file, err)
	}
	return &r, nil
}

func (r *results) save(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
