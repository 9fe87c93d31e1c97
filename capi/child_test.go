//go:build linux && amd64

package capi

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// The loader works once for a process, so each of its tests has a child process of its own: this test
// binary, which does the steps in this environment variable and prints what came of each.
const childVariable = "HYPERLIGHT_JS_CAPI_TEST_STEPS"

// step is something that a child does.
type step struct{ Do, With string }

// outcome is what came of a step.
type outcome struct {
	Place string   // the result of Load
	Text  string   // any other result
	Err   string   // the error's text
	Tried []string // where a LoadFailure looked, each with the reason
	// ABIMismatch is LoadFailure's.
	ABIMismatch bool
	// LoadedFrom is the place in an ErrLoaded.
	LoadedFrom string
}

func load() step              { return step{Do: "Load"} }
func usePath(p string) step   { return step{"UsePath", p} }
func useBytes(p string) step  { return step{"UseBytes", p} }
func embed(p string) step     { return step{"embed", p} }
func buildBlind() step        { return step{Do: "build without descriptors"} }
func remove(p string) step    { return step{"remove", p} }
func doVersion() step         { return step{Do: "Version"} }
func loadConcurrently() step  { return step{Do: "Load from 50 goroutines"} }
func loseCapabilities() step  { return step{Do: "lose capabilities"} }
func showAnonymousFile() step { return step{Do: "show anonymous file"} }

// actions are what the steps do, in the child.
var actions = map[string]func(with string) outcome{
	"Load": func(string) outcome {
		place, err := Load()
		return loadOutcome(place, err)
	},
	"UsePath": func(path string) outcome { return chosenOutcome(UsePath(path)) },
	"UseBytes": func(path string) outcome {
		library, err := os.ReadFile(path)
		if err != nil {
			return outcome{Err: err.Error()}
		}
		return chosenOutcome(UseBytes(library))
	},
	// What the build tag hyperlight_embed does at compile time.
	"embed": func(path string) (o outcome) {
		var err error
		if embedded, err = os.ReadFile(path); err != nil {
			o.Err = err.Error()
		}
		return o
	},
	"remove":                  func(path string) outcome { return errorOutcome(os.Remove(path)) },
	"Version":                 func(string) outcome { return outcome{Text: Version()} },
	"Load from 50 goroutines": func(string) outcome { return loadFromManyGoroutines() },
	"lose capabilities":       func(string) outcome { return errorOutcome(dropCapabilities()) },
	"show anonymous file":     func(string) outcome { return anonymousFile() },
	"metrics":                 useMetrics,
	"build without descriptors": func(string) outcome {
		return buildWithoutDescriptors()
	},
}

func errorOutcome(err error) (o outcome) {
	if err != nil {
		o.Err = err.Error()
	}
	return o
}

func chosenOutcome(err error) outcome {
	o := errorOutcome(err)
	if loaded := (ErrLoaded{}); errors.As(err, &loaded) {
		o.LoadedFrom = loaded.Place
	}
	return o
}

func loadOutcome(place string, err error) outcome {
	o := errorOutcome(err)
	o.Place = place
	if failure := (*LoadFailure)(nil); errors.As(err, &failure) {
		o.ABIMismatch = failure.ABIMismatch
		for _, attempt := range failure.Tried {
			o.Tried = append(o.Tried, fmt.Sprintf("%s: %v", attempt.Place, attempt.Err))
		}
	}
	return o
}

// loadFromManyGoroutines reports an error if two of them disagree.
func loadFromManyGoroutines() outcome {
	const goroutines = 50
	var wait sync.WaitGroup
	start := make(chan struct{})
	results := make([]outcome, goroutines)
	for i := range results {
		wait.Go(func() {
			<-start
			place, err := Load()
			results[i] = loadOutcome(place, err)
			if err == nil {
				results[i].Text = Version()
			}
		})
	}
	close(start)
	wait.Wait()
	for _, result := range results {
		if fmt.Sprint(result) != fmt.Sprint(results[0]) {
			return outcome{Err: fmt.Sprintf("%v differs from %v", result, results[0])}
		}
	}
	return results[0]
}

// runSteps is the child's main function.
func runSteps(text string) {
	var steps []step
	if err := json.Unmarshal([]byte(text), &steps); err != nil {
		panic(err)
	}
	embedded = nil // Whatever the build tag says, the step "embed" decides.
	outcomes := make([]outcome, len(steps))
	for i, step := range steps {
		outcomes[i] = actions[step.Do](step.With)
	}
	if err := json.NewEncoder(os.Stdout).Encode(outcomes); err != nil {
		panic(err)
	}
}

// child is a process to be started.
type child struct {
	program     string // "" is this test binary
	dir         string
	environment map[string]string
}

// run starts the child and returns the outcome of each step.
func (c child) run(t *testing.T, steps ...step) []outcome {
	t.Helper()
	if c.program == "" {
		path, err := os.Executable()
		require.NoError(t, err)
		c.program = path
	}
	text, err := json.Marshal(steps)
	require.NoError(t, err)
	command := exec.Command(c.program)
	command.Dir = c.dir
	command.Env = append(c.environ(t), childVariable+"="+string(text))
	var stderr strings.Builder
	command.Stderr = &stderr
	output, err := command.Output()
	require.NoError(t, err, "the child died:\n%.600s", &stderr)
	var outcomes []outcome
	require.NoError(t, json.Unmarshal(output, &outcomes), "%s", output)
	require.Len(t, outcomes, len(steps))
	return outcomes
}

// last is run, for those who want the last outcome only.
func (c child) last(t *testing.T, steps ...step) outcome {
	t.Helper()
	outcomes := c.run(t, steps...)
	return outcomes[len(outcomes)-1]
}

// environ is the environment of this process without anything that tells where a library is.
func (c child) environ(t *testing.T) []string {
	t.Helper()
	var result []string
	for _, entry := range os.Environ() {
		switch name, _, _ := strings.Cut(entry, "="); name {
		case LibraryVariable, CacheVariable, "LD_LIBRARY_PATH":
		default:
			result = append(result, entry)
		}
	}
	if _, ok := c.environment[CacheVariable]; !ok {
		result = append(result, CacheVariable+"="+t.TempDir())
	}
	result = append(result, "GORACE=atexit_sleep_ms=0") // Otherwise each child takes a second to end.
	for name, value := range c.environment {
		result = append(result, name+"="+value)
	}
	return result
}
