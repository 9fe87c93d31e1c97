package soak_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// Everything that the package exports is called with the worst there is, on objects that are nil, zero values, live,
// closed and consumed. It returns, with an error of the package's, and never panics by itself. A sandbox that all of it was
// also tried on answers as before, and nothing is printed.
func TestHostileCallers(t *testing.T) {
	if !inChild(t) {
		return
	}
	objects := newObjects(t)
	random := chance(t, 0)
	calls := 0
	for _, name := range slices.Sorted(maps.Keys(objects.callables)) {
		for round := range size(1, 6) {
			calls += objects.callEachArgument(t, random, objects.callables[name], round)
		}
	}
	objects.check(t)
	figure(t, "functions and methods that hostile callers call", len(objects.callables))
	figure(t, "calls of hostile callers", calls)
}

// The same from 64 goroutines, in any order, on the same objects.
func TestHostileCallersAtOnce(t *testing.T) {
	if !inChild(t) {
		return
	}
	objects := newObjects(t)
	names := slices.Sorted(maps.Keys(objects.callables))
	var calls atomic.Int64
	var all sync.WaitGroup
	for goroutine := range 64 {
		random := chance(t, goroutine)
		all.Go(func() {
			for range size(20, 600) {
				objects.callAny(t, random, objects.callables[names[random.IntN(len(names))]])
				calls.Add(1)
			}
		})
	}
	all.Wait()
	objects.check(t)
	figure(t, "calls of hostile callers from 64 goroutines", calls.Load())
}

// callable is a function, or a method of an object.
type callable struct {
	name     string
	function reflect.Value
}

// objects are what hostile callers call, and call it with.
type objects struct {
	callables      map[string]callable
	live           *hyperlight.LoadedJSSandbox
	sandbox        *hyperlight.JSSandbox
	proto          *hyperlight.ProtoJSSandbox
	closedSnapshot *hyperlight.Snapshot
	pools          pools
}

// endingMethods are methods that would end the objects that are to be as before.
var endingMethods = []string{"Close", "Load", "LoadRuntime", "Unload", "ClearHandlers", "ClearModules", "AddHandler", "RemoveHandler"}

func newObjects(t *testing.T) *objects {
	o := &objects{callables: map[string]callable{}}
	for name, function := range everyFunction {
		o.add("hyperlight."+name, reflect.ValueOf(function))
	}
	for _, value := range everyValue {
		o.addMethods(fmt.Sprintf("%T(%.9q)", value, fmt.Sprint(value)), reflect.ValueOf(value))
	}
	for _, kind := range everyType {
		o.addMethods(fmt.Sprintf("nil %v", kind), reflect.Zero(kind))
		o.addMethods(fmt.Sprintf("zero %v", kind), reflect.New(kind.Elem()))
	}
	o.addUsed(t)

	o.proto = newProto(t, nil)
	o.sandbox = boot(t, newProto(t, nil, hyperlight.WithUpstreamDefaults()))
	require.NoError(t, o.sandbox.AddHandler("there", hyperlight.Script(counter)))
	o.live = load(t, nil, counter)
	for name, object := range map[string]any{"live proto": o.proto, "live sandbox": o.sandbox, "live loaded": o.live} {
		o.addMethods(name, reflect.ValueOf(object))
		for _, method := range endingMethods {
			delete(o.callables, name+"."+method)
		}
	}
	o.pools = newPools(t)
	o.pools.addTo(o)
	return o
}

// addUsed adds what was closed, consumed and released, and errors.
func (o *objects) addUsed(t *testing.T) {
	proto := newProto(t, nil, hyperlight.WithUpstreamDefaults())
	module := proto.HostModule("module")
	sandbox := boot(t, proto)
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(counter)))
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	o.closedSnapshot = snapshot(t, loaded)
	handle, err := loaded.InterruptHandle()
	require.NoError(t, err)
	for _, object := range []interface{ Close() error }{newProto(t, nil), loaded, o.closedSnapshot} {
		require.NoError(t, object.Close())
		o.addMethods(fmt.Sprintf("closed %T", object), reflect.ValueOf(object))
	}
	for _, object := range []any{proto, sandbox, module, handle} {
		o.addMethods(fmt.Sprintf("used %T", object), reflect.ValueOf(object))
	}
	pool := newSmallPool(t, 1)
	lease, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	o.addMethods("used pool", reflect.ValueOf(pool))
	lease.Release()
	o.addMethods("released lease", reflect.ValueOf(lease))
	require.NoError(t, pool.Close(t.Context()))
	trigger, err := hyperlight.NewTrigger("hostile")
	require.NoError(t, err)
	o.addMethods("trigger", reflect.ValueOf(trigger))
	for _, stack := range []string{huge, strings.Repeat("at (", 100_000), "at x (y:99999999999999999999:-1)", "at \x00\xff:1:2", " ( ( ) at :::"} {
		exception := &hyperlight.JSException{Stack: stack, Thrown: "\xff"}
		o.addMethods(fmt.Sprintf("exception %.20q", stack), reflect.ValueOf(exception))
		o.addMethods(fmt.Sprintf("error %.20q", stack), reflect.ValueOf(&hyperlight.Error{Code: 99999, Exception: exception, Monitor: stack}))
	}
}

func (o *objects) add(name string, function reflect.Value) {
	o.callables[name] = callable{name, function}
}

func (o *objects) addMethods(name string, object reflect.Value) {
	for i := range object.NumMethod() {
		method := object.Type().Method(i)
		o.add(name+"."+method.Name, object.Method(i))
	}
}

// callEachArgument calls with each hostile value of each parameter, beside others by chance.
func (o *objects) callEachArgument(t *testing.T, random *rand.Rand, c callable, round int) (calls int) {
	kind := c.function.Type()
	if kind.NumIn() == 0 && round == 0 {
		o.call(t, c, nil)
		return 1
	}
	for parameter := range kind.NumIn() {
		for _, value := range hostileValues(kind.In(parameter), o) {
			arguments := o.arguments(random, kind)
			arguments[parameter] = value
			o.call(t, c, arguments)
			calls++
		}
	}
	return calls
}

func (o *objects) callAny(t *testing.T, random *rand.Rand, c callable) {
	o.call(t, c, o.arguments(random, c.function.Type()))
}

func (o *objects) arguments(random *rand.Rand, kind reflect.Type) []reflect.Value {
	arguments := make([]reflect.Value, kind.NumIn())
	for i := range arguments {
		values := hostileValues(kind.In(i), o)
		arguments[i] = values[random.IntN(len(values))]
		if kind.In(i) == reflect.TypeFor[context.Context]() && random.IntN(4) > 0 { // Most calls end there: boots take time.
			arguments[i] = reflect.ValueOf(endedContext)
		}
	}
	return arguments
}

// call calls, and looks at what comes back.
func (o *objects) call(t *testing.T, c callable, arguments []reflect.Value) {
	defer watch(c.name, arguments)()
	defer func() {
		// What a caller's own code panics with reaches the caller.
		if value := recover(); value != nil && value != any(errHostile) {
			t.Errorf("%s%.300v panics: %v\n%s", c.name, arguments, value, debug.Stack())
		}
	}()
	var results []reflect.Value
	if c.function.Type().IsVariadic() {
		results = c.function.CallSlice(arguments)
	} else {
		results = c.function.Call(arguments)
	}
	for _, result := range results {
		switch result := result.Interface().(type) {
		case error:
			if problem := whatIsWrong(result); problem != "" && !strings.HasSuffix(c.name, ".Unwrap") {
				t.Errorf("%s%.300v: %s: %.300v", c.name, arguments, problem, result)
			}
		case []hyperlight.EventResult:
			for _, event := range result {
				if event.Err != nil && whatIsWrong(event.Err) != "" {
					t.Errorf("%s%.300v: %v", c.name, arguments, event.Err)
				}
			}
		case interface{ Close() error }:
			if !reflect.ValueOf(result).IsNil() {
				assert.NoError(t, result.Close(), c.name)
			}
		case *hyperlight.Lease:
			result.Release() // of nil does nothing
		case *hyperlight.LogForwarder:
			if result != nil {
				assert.NoError(t, result.Stop(context.Background()), c.name)
			}
		}
	}
}

// whatIsWrong says why an error is not one that the package promises, or nothing.
func whatIsWrong(err error) string {
	var e *hyperlight.Error
	switch {
	case errors.Is(err, errHostile) && !errors.As(err, &e): // As it is, of a template for one.
		return ""
	case !errors.As(err, &e):
		return fmt.Sprintf("the error is a %T", err)
	case e.Op == "":
		return "the error has no Op"
	case e.Message == "":
		return "the error has no text"
	case !slices.ContainsFunc(everySentinel, func(sentinel error) bool { return errors.Is(err, sentinel) }):
		return "the error is of no kind"
	case slices.ContainsFunc(neverSentinel, func(sentinel error) bool { return errors.Is(err, sentinel) }):
		return "the error is of a kind that nobody should see"
	}
	return ""
}

// check finds the objects that were to stay as they were as they were.
func (o *objects) check(t *testing.T) {
	assert.Equal(t, hyperlight.StatusReady, o.proto.Status())
	assert.Equal(t, hyperlight.StatusReady, o.sandbox.Status())
	assert.Equal(t, hyperlight.StatusReady, o.live.Status())
	loaded, err := o.sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, loaded)
	result, err := loaded.HandleEvent(t.Context(), "there", []byte("{}"))
	require.NoError(t, err)
	assert.Equal(t, "1", string(result))
	assert.NotEmpty(t, call(t, o.live, "{}"))
	o.pools.check(t)
}
