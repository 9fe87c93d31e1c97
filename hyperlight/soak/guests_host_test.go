package soak_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// hostUnderAttack is the host of the hostile guests: its functions count their calls, and find fault with arguments that
// cannot be.
type hostUnderAttack struct {
	mu     sync.Mutex
	calls  int
	faults []string
	canary []byte // what it hands out again and again
	shown  []byte // what guests printed
}

const canarySays = "what the host keeps for itself"

func newHostUnderAttack() *hostUnderAttack { return &hostUnderAttack{canary: []byte(canarySays)} }

// begin forgets what other guests did.
func (v *hostUnderAttack) begin() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calls, v.faults, v.shown = 0, nil, nil
}

// state is what guests did since begin.
func (v *hostUnderAttack) state() (calls int, faults []string, shown string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	faults = slices.Clone(v.faults)
	if string(v.canary) != canarySays {
		faults = append(faults, fmt.Sprintf("the host's own bytes are %q", v.canary))
	}
	return v.calls, faults, string(v.shown)
}

// called notes a call with these arguments.
func (v *hostUnderAttack) called(args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calls++
	for _, arg := range args {
		if fault := faultOf(arg, 0); fault != "" {
			v.faults = append(v.faults, fault)
		}
	}
}

// faultOf says what is wrong with a value from the guest, or nothing.
func faultOf(value any, depth int) string {
	// 64 levels below each argument, as upstream counts.
	if depth > 65 {
		return "an argument is nested too deeply"
	}
	switch value := value.(type) {
	case nil, bool, float64, []byte:
	case string:
		if !utf8.ValidString(value) {
			return fmt.Sprintf("a text is no UTF-8: %q", value)
		}
	case []any:
		for _, element := range value {
			if fault := faultOf(element, depth+1); fault != "" {
				return fault
			}
		}
	case map[string]any:
		for key, element := range value {
			if fault := faultOf(key, depth); fault != "" {
				return fault
			}
			if fault := faultOf(element, depth+1); fault != "" {
				return fault
			}
		}
	default:
		return fmt.Sprintf("an argument is %T", value)
	}
	return ""
}

func (v *hostUnderAttack) print(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.shown = append(v.shown, text...)
}

type record struct {
	Name string
	Size uint8
	Data []byte
	Next *record
}

var errHost = errors.New("no")

// register gives a sandbox all functions, in the module "host".
func (v *hostUnderAttack) register(proto *hyperlight.ProtoJSSandbox) error {
	functions := functions{
		"nothing": func() { v.called() },
		"add":     func(a, b float64) float64 { v.called(a, b); return a + b },
		"whole":   func(n int) int { v.called(float64(n)); return n },
		"text":    func(text string) string { v.called(text); return text },
		"length":  func(text string) int { v.called(text); return len(text) },
		"bytes":   func(data []byte) int { v.called(data); return len(data) },
		"echo":    func(value any) any { v.called(value); return value },
		"blobs": func(blobs [][]byte) (total int) {
			v.called()
			for _, blob := range blobs {
				total += len(blob)
			}
			return total
		},
		"record": func(r record) record { v.called(r.Name, r.Data); return r },
		"map":    func(m map[string]int) int { v.called(); return len(m) },
		"many":   func(all ...string) int { v.called(); return len(all) },
		"shared": func() []byte { v.called(); return v.canary },
		"fail":   func() error { v.called(); return errHost },
		"panics": func() { v.called(); panic("on purpose") },
		"goexit": func() { v.called(); runtime.Goexit() },
	}
	for name, function := range functions {
		if err := proto.Register("host", name, function); err != nil {
			return err
		}
	}
	return proto.RegisterRaw("host", "raw", func(_ context.Context, args hyperlight.RawValue) (hyperlight.RawValue, error) {
		v.called()
		return args, nil
	})
}
