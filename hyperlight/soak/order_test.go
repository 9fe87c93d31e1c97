package soak_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// Some sandboxes go through random steps of their lives. What each step returns, and what everything is like
// afterwards, has to be what a model says (order_model_test.go). A failure prints the last steps of the sandbox, in
// the words of the program; the same seed takes them again, also of one part alone.
func TestOrder(t *testing.T) {
	steps := 0
	for part := range size(2, 40) {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			w := newWorld(t, nil)
			w.run(size(300, 500))
			w.report()
			steps += w.steps
		})
	}
	figure(t, "random steps", steps)
}

// Several of them at a time, who restore each other's snapshots. Who restores which depends on time, too.
func TestOrderAtOnce(t *testing.T) {
	var market market
	t.Run("all", func(t *testing.T) {
		for part := range 4 {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, &market)
				w.run(size(100, 1000))
			})
		}
	})
	figure(t, "snapshots that sandboxes of several goroutines shared", len(market.images))
	for _, image := range market.images {
		require.NoError(t, image.snapshot.Close())
	}
}

// market is where worlds put some of their snapshots, for all. Nobody closes those.
type market struct {
	mu     sync.Mutex
	images []*image
}

// takes says whether it has taken a snapshot.
func (m *market) takes(i *image) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.images) == 6 {
		return false
	}
	m.images = append(m.images, i)
	return true
}

func (m *market) all() []*image {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.images)
}

// world is some sandboxes and snapshots, and the model of each.
type world struct {
	t        *testing.T
	random   *rand.Rand
	dir      string // for snapshots
	lives    []*oneLife
	images   []*image
	market   *market // nil: none
	triggers [2]*hyperlight.Trigger
	fired    [2]bool
	steps    int
	numbers  int // of lives and images
	tally    map[string]int
}

func newWorld(t *testing.T, m *market) *world {
	w := &world{t: t, random: chance(t, 0), dir: t.TempDir(), lives: make([]*oneLife, 3), market: m, tally: map[string]int{}}
	if m != nil {
		w.lives = w.lives[:1]
	}
	for i := range w.triggers {
		var err error
		w.triggers[i], err = hyperlight.NewTrigger("order")
		require.NoError(t, err)
	}
	t.Cleanup(w.close)
	return w
}

// close ends everything, so that what was saved can be deleted.
func (w *world) close() {
	for _, l := range w.lives {
		if l == nil {
			continue
		}
		_ = l.proto.Close()
		if l.js != nil {
			_ = l.js.Close()
		}
		if l.loaded != nil {
			_ = l.loaded.Close()
		}
	}
	for _, i := range w.images {
		_ = i.snapshot.Close()
	}
}

// run takes random steps.
func (w *world) run(steps int) {
	for w.steps = 1; w.steps <= steps; w.steps++ {
		i := w.random.IntN(len(w.lives))
		if l := w.lives[i]; l == nil || l.isOver() && w.oneIn(4) {
			w.lives[i] = w.born()
		}
		l := w.lives[i]
		step := w.pick(l.possible())
		w.tally[step.name]++
		step.take(w, l)
		w.check(l)
		if w.steps%50 == 0 || w.steps == steps {
			w.checkAll()
		}
	}
}

func (w *world) oneIn(n int) bool { return w.random.IntN(n) == 0 }

// pickFrom picks one of several.
func pickFrom[T any](w *world, all []T) T { return all[w.random.IntN(len(all))] }

// step is something to do with a sandbox. How often is relative to the others that are possible.
type step struct {
	name   string
	weight int
	take   func(*world, *oneLife)
}

func (w *world) pick(steps []step) step {
	total := 0
	for _, s := range steps {
		total += s.weight
	}
	n := w.random.IntN(total)
	for _, s := range steps {
		if n -= s.weight; n < 0 {
			return s
		}
	}
	panic("unreachable")
}

// note writes down what is to be done, before it is.
func (w *world) note(l *oneLife, format string, args ...any) {
	l.history = append(l.history, fmt.Sprintf("%d: ", w.steps)+fmt.Sprintf(format, args...))
}

// noted adds what came of it.
func (w *world) noted(l *oneLife, format string, args ...any) {
	l.history[len(l.history)-1] += " -> " + fmt.Sprintf(format, args...)
}

func (w *world) fail(l *oneLife, format string, args ...any) {
	w.t.Helper()
	history := l.history[max(0, len(l.history)-30):]
	w.t.Fatalf("sandbox %d, step %d, -seed %d: %s\nits last steps:\n  %s\nthe model: %v",
		l.number, w.steps, *seed, fmt.Sprintf(format, args...), strings.Join(history, "\n  "), l.guest)
}

// expect compares how a step failed with the ways in which it may, none of which is that it may not fail.
func (w *world) expect(l *oneLife, op string, err error, wants ...error) {
	w.t.Helper()
	w.noted(l, "%v", err)
	if len(wants) == 0 || wants[0] == nil {
		if err != nil {
			w.fail(l, "%s: %v; the model says that it works", op, err)
		}
		return
	}
	var e *hyperlight.Error
	if !errors.As(err, &e) || e.Op != op || e.Message == "" {
		w.fail(l, "%s: %v is no error of that; the model says %v", op, err, wants)
	}
	for _, want := range wants {
		if errors.Is(err, want) {
			return
		}
	}
	w.fail(l, "%s: %v; the model says %v", op, err, wants)
}

// check compares what a sandbox tells of itself with its model.
func (w *world) check(l *oneLife) {
	w.t.Helper()
	objects := map[string][2]any{"proto": {l.proto.Status(), l.protoIs}, "its configuration": {l.proto.Config(), l.config}}
	if l.js != nil {
		objects["sandbox"] = [2]any{l.js.Status(), l.jsIs}
	}
	if l.loaded != nil {
		objects["loaded sandbox"] = [2]any{l.loaded.Status(), l.loadedIs}
		_, ok := l.loaded.LastCallStats()
		objects["whether there are statistics"] = [2]any{ok, l.counted && refusedFor(l.loadedIs) == nil}
	}
	for _, handle := range l.interrupts {
		objects["whether the micro-VM is gone"] = [2]any{handle.Dropped(), l.gone}
	}
	for what, is := range objects {
		if is[0] != is[1] {
			w.fail(l, "%s: %v; the model says %v", what, is[0], is[1])
		}
	}
}

// checkAll looks at everything that is there: each counter of each sandbox, and each snapshot.
func (w *world) checkAll() {
	w.t.Helper()
	for _, l := range w.lives {
		if l == nil {
			continue
		}
		w.check(l)
		if l.loaded != nil && refusedFor(l.loadedIs) == nil {
			for _, handler := range slices.Sorted(maps.Keys(l.guest.handlers)) {
				w.handle(l, handler, look, nil)
				w.check(l)
			}
		}
	}
	for _, i := range w.images {
		if sizes := i.snapshot.Config(); !i.closed && sizes != i.config || i.closed && sizes != (hyperlight.Config{}) {
			w.t.Fatalf("snapshot %d, step %d, -seed %d: %+v; the model says %+v, closed %v",
				i.number, w.steps, *seed, sizes, i.config, i.closed)
		}
	}
}

// report says how often each step was taken.
func (w *world) report() {
	var counts []string
	for _, table := range [][]step{protoSteps, jsSteps, loadedSteps, anySteps} {
		for _, s := range table {
			counts = append(counts, fmt.Sprintf("%s %d", s.name, w.tally[s.name]))
		}
	}
	w.t.Log(strings.Join(counts, ", "))
}
