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

// maxima are the most that visitors may choose. Whoever runs the playground sets them.
type maxima struct {
	wallClock, cpuTime time.Duration
	heap               int // MiB
	print              int // KiB
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
	flag    string // which sets Max
}

// bounds are those of what visitors may choose. The page asks for them, so that it cannot have others.
func (m maxima) bounds() []limit {
	all := []limit{
		{"wallClock", "Wall clock", "ms", "How long a run may take, by the clock on the wall.",
			100, int(m.wallClock.Milliseconds()), 100, 2000, "max-wall-clock"},
		{"cpuTime", "CPU time", "ms", "How much processor time a run may use.",
			50, int(m.cpuTime.Milliseconds()), 50, 1000, "max-cpu-time"},
		{"heap", "Heap", "MiB", "What a handler can allocate. Another size boots another sandbox.",
			4, m.heap, 4, 8, "max-heap"},
		{"print", "Console", "KiB", "How much a run may print. The rest is dropped.",
			1, m.print, 1, 64, "max-print"},
	}
	for i := range all {
		all[i].Default = min(all[i].Default, all[i].Max)
	}
	return all
}

// values are in the order of bounds.
func (l *limits) values() []*int {
	return []*int{&l.WallClock, &l.CPUTime, &l.Heap, &l.Print}
}

func (m maxima) defaults() limits {
	var l limits
	for i, b := range m.bounds() {
		*l.values()[i] = b.Default
	}
	return l
}

// check does not bring a limit into bounds by itself: who asks for a minute should not wonder why it was ten seconds.
func (m maxima) check(l limits) error {
	for i, b := range m.bounds() {
		if value := *l.values()[i]; value < b.Min || value > b.Max {
			return fmt.Errorf("limit %q is %d %s, and has to be from %d to %d", b.Name, value, b.Unit, b.Min, b.Max)
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
