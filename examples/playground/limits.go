package main

import (
	"fmt"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// limits are what a visitor chose for a run.
type limits struct {
	WallClock int `json:"wallClock"` // milliseconds
	CPUTime   int `json:"cpuTime"`   // milliseconds
	Heap      int `json:"heap"`      // MiB
	Print     int `json:"print"`     // KiB
}

// limit is one of them, as the page shows it: a slider.
type limit struct {
	Name    string `json:"name"`
	Label   string `json:"label"`
	Unit    string `json:"unit"`
	Help    string `json:"help"`
	Min     int    `json:"min"`
	Max     int    `json:"max"`
	Step    int    `json:"step"`
	Default int    `json:"default"`
}

// The bounds of what visitors may choose. The page asks for them, so that it cannot have others.
var bounds = []limit{
	{"wallClock", "Wall clock", "ms", "How long a run may take, by the clock on the wall.", 100, 10_000, 100, 2000},
	{"cpuTime", "CPU time", "ms", "How much processor time a run may use.", 50, 5000, 50, 1000},
	{"heap", "Heap", "MiB", "What a handler can allocate. Another size boots another sandbox.", 4, 32, 4, 8},
	{"print", "Console", "KiB", "How much a run may print. The rest is dropped.", 1, 256, 1, 64},
}

// values are in the order of bounds.
func (l *limits) values() []*int {
	return []*int{&l.WallClock, &l.CPUTime, &l.Heap, &l.Print}
}

func defaultLimits() limits {
	var l limits
	for i, value := range l.values() {
		*value = bounds[i].Default
	}
	return l
}

func (l limits) check() error {
	for i, value := range l.values() {
		if b := bounds[i]; *value < b.Min || *value > b.Max {
			return fmt.Errorf("limit %q is %d %s, and has to be from %d to %d", b.Name, *value, b.Unit, b.Min, b.Max)
		}
	}
	return nil
}

func (l limits) wallClock() time.Duration { return time.Duration(l.WallClock) * time.Millisecond }

// onCall are the limits as options of a call.
func (l limits) onCall() []hyperlight.CallOption {
	return []hyperlight.CallOption{
		hyperlight.WithPrintLimit(l.Print << 10),
		hyperlight.WithMonitors(
			hyperlight.WallClock(l.wallClock()),
			hyperlight.CPUTime(time.Duration(l.CPUTime)*time.Millisecond),
		),
	}
}
