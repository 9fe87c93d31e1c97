package soak_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing/fstest"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// hostileContext panics in one of its methods, or never ends, whatever it says.
type hostileContext struct {
	context.Context
	panics string
}

func (c hostileContext) or(method string) {
	if c.panics == method {
		panic(errHostile)
	}
}

func (c hostileContext) Deadline() (time.Time, bool) { c.or("Deadline"); return c.Context.Deadline() }
func (c hostileContext) Done() <-chan struct{}       { c.or("Done"); return c.Context.Done() }
func (c hostileContext) Err() error                  { c.or("Err"); return c.Context.Err() }
func (c hostileContext) Value(key any) any           { c.or("Value"); return c.Context.Value(key) }

// hostileFile is a file system, a file, a writer and a reader that fails, panics, or lies.
type hostileFile struct{ panics bool }

func (f hostileFile) fail() error {
	if f.panics {
		panic(errHostile)
	}
	return errHostile
}

func (f hostileFile) Open(string) (fs.File, error)  { return nil, f.fail() }
func (f hostileFile) Write(p []byte) (int, error)   { return -len(p), f.fail() }
func (f hostileFile) MarshalJSON() ([]byte, error)  { return []byte("}{"), f.fail() }
func (f *hostileFile) UnmarshalJSON(b []byte) error { return f.fail() }

// hostileState is a fmt.State that writes nowhere.
type hostileState struct{ hostileFile }

func (hostileState) Width() (int, bool)     { return math.MinInt, true }
func (hostileState) Precision() (int, bool) { return math.MaxInt, true }
func (hostileState) Flag(int) bool          { return true }

var hostileTexts = []string{
	"", " ", "handler", "a\x00b", "\xff\xfe", "\ud7ff\u202e", "../../../etc/passwd", "host", "user:x", "sha256:" + strings.Repeat("g", 64),
	strings.Repeat("x", 70_000), strings.Repeat("[", 100_000), "/proc/self/mem", "function handler() { return 1; }", "%s%n%!v(PANIC=",
}

// huge is more than sandboxes of upstream's sizes take.
var huge = strings.Repeat("é", 100_000)

// hostileContexts end before a call or never: one that ends meanwhile would rightly poison a sandbox.
var hostileContexts = func() []any {
	all := []any{nil, context.Background(), endedContext}
	for _, method := range []string{"Deadline", "Done", "Err", "Value"} {
		for _, ctx := range []context.Context{context.Background(), forEverContext, endedContext} {
			all = append(all, hostileContext{ctx, method})
		}
	}
	return all
}()

// forEverContext could end, and does not.
var forEverContext, _ = context.WithCancelCause(context.Background())

// hostileValues are arguments for a parameter: the worst ones of its type.
func hostileValues(t reflect.Type, objects *objects) []reflect.Value {
	var all []any
	switch t {
	case reflect.TypeFor[context.Context]():
		all = hostileContexts
	case reflect.TypeFor[time.Duration]():
		all = []any{time.Duration(math.MinInt64), time.Duration(-1), time.Duration(0), time.Duration(math.MaxInt64)}
	case reflect.TypeFor[[]byte]():
		all = []any{[]byte(nil), []byte{}, []byte("null"), []byte("\"\xff\""), bytes.Repeat([]byte("["), 100_000), bytes.Repeat([]byte("1"), 2<<20), []byte("{}")}
	case reflect.TypeFor[[][]byte]():
		all = []any{[][]byte(nil), make([][]byte, 3), [][]byte{[]byte("{"), []byte("1"), nil, []byte("\x00")}, make([][]byte, 10_000)}
	case reflect.TypeFor[any]():
		all = []any{
			nil, make(chan int), func() {}, (func())(nil), math.NaN(), []any{math.Inf(1)}, cycle(), &hostileFile{}, &hostileFile{panics: true},
			(*hostileFile)(nil), map[any]any{1: 2}, func(chan int) {}, func(...context.Context) {}, func() (int, int) { return 1, 2 },
			func() (error, error) { return nil, nil }, struct{ x any }{}, new(int), (*int)(nil), "text", complex(1, 2), //nolint
		}
	case reflect.TypeFor[error]():
		all = []any{nil, (*hyperlight.Error)(nil), &hyperlight.Error{}, errHostile, (*hyperlight.JSException)(nil)}
	case reflect.TypeFor[fs.FS]():
		all = []any{nil, hostileFile{}, hostileFile{panics: true}, fstest.MapFS(nil)}
	case reflect.TypeFor[io.Writer]():
		all = []any{nil, hostileFile{}, hostileFile{panics: true}}
	case reflect.TypeFor[func(string)]():
		all = []any{(func(string))(nil), func(string) { panic(errHostile) }}
	case reflect.TypeFor[func(int, int)]():
		all = []any{(func(int, int))(nil), func(int, int) { panic(errHostile) }}
	case reflect.TypeFor[hyperlight.RawFunc]():
		all = []any{hyperlight.RawFunc(nil), hyperlight.RawFunc(func(context.Context, hyperlight.RawValue) (hyperlight.RawValue, error) { panic(errHostile) })}
	case reflect.TypeFor[hyperlight.TenantSource]():
		all = []any{hyperlight.TenantSource(nil), hyperlight.TenantSource(func(context.Context, string, *hyperlight.JSSandbox) error { panic(errHostile) })}
	case reflect.TypeFor[hyperlight.Template]():
		refuse := func(*hyperlight.ProtoJSSandbox) error { return errHostile }
		all = []any{
			hyperlight.Template{}, hyperlight.Template{Options: []hyperlight.Option{nil}}, hyperlight.Template{Register: refuse},
			hyperlight.Template{Add: func(*hyperlight.JSSandbox) error { return nil }, Register: refuse},
			hyperlight.Template{Add: func(*hyperlight.JSSandbox) error { return nil }, Register: func(*hyperlight.ProtoJSSandbox) error { panic(errHostile) }},
		}
	case reflect.TypeFor[hyperlight.TenantLimits]():
		all = []any{hyperlight.TenantLimits{}, hyperlight.TenantLimits{Tenants: -1}, hyperlight.TenantLimits{Tenants: math.MaxInt, Bytes: math.MaxInt64, LoadTime: math.MaxInt64, Retry: math.MaxInt64}}
	case reflect.TypeFor[hyperlight.JSScript]():
		all = []any{hyperlight.JSScript{}, hyperlight.Script("\x00"), hyperlight.Script("\xff"), hyperlight.Script(huge), hyperlight.Script("1").WithVirtualBase("\x00")}
	case reflect.TypeFor[hyperlight.Caller]():
		all = []any{nil, (*hyperlight.Pool)(nil), &hyperlight.Lease{}, (*hyperlight.LoadedJSSandbox)(nil), objects.live}
	case reflect.TypeFor[*hyperlight.Snapshot]():
		all = []any{(*hyperlight.Snapshot)(nil), &hyperlight.Snapshot{}, objects.closedSnapshot}
	case reflect.TypeFor[*hyperlight.ExecutionStats]():
		all = []any{(*hyperlight.ExecutionStats)(nil), &hyperlight.ExecutionStats{}}
	case reflect.TypeFor[*slog.Logger]():
		all = []any{(*slog.Logger)(nil), &slog.Logger{}}
	case reflect.TypeFor[trace.TracerProvider]():
		all = []any{nil}
	case reflect.TypeFor[fmt.State]():
		all = []any{hostileState{}}
	case reflect.TypeFor[[]hyperlight.Option](), reflect.TypeFor[[]hyperlight.RunOption](), reflect.TypeFor[[]hyperlight.CallOption](),
		reflect.TypeFor[[]hyperlight.BatchOption](), reflect.TypeFor[[]hyperlight.PoolOption](), reflect.TypeFor[[]hyperlight.LoadOption](),
		reflect.TypeFor[[]hyperlight.LogOption](), reflect.TypeFor[[]hyperlight.Monitor]():
		return optionLists(t)
	}
	if all == nil {
		return hostileScalars(t)
	}
	values := make([]reflect.Value, len(all))
	for i, value := range all {
		if values[i] = reflect.New(t).Elem(); value != nil {
			values[i].Set(reflect.ValueOf(value))
		}
	}
	return values
}

// hostileScalars are texts and numbers.
func hostileScalars(t reflect.Type) (values []reflect.Value) {
	add := func(value any) { values = append(values, reflect.ValueOf(value).Convert(t)) }
	switch t.Kind() {
	case reflect.String:
		for _, text := range hostileTexts {
			add(text)
		}
		add(huge)
	case reflect.Bool:
		add(true)
		add(false)
	case reflect.Int, reflect.Int64:
		for _, n := range []int64{0, 1, -1, math.MaxInt32 + 1, math.MinInt64, math.MaxInt64} {
			add(n)
		}
	case reflect.Int32, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		for _, n := range []uint32{0, 1, math.MaxUint32} {
			add(n)
		}
	default:
		panic("no hostile values of type " + t.String())
	}
	return values
}

// optionLists are options of each kind that can be given, bad ones, and one that is given many times.
func optionLists(t reflect.Type) []reflect.Value {
	element := t.Elem()
	lists := []reflect.Value{reflect.Zero(t), reflect.MakeSlice(t, 1, 1), reflect.MakeSlice(t, 7, 7)}
	for _, option := range hostileOptions {
		if value := reflect.ValueOf(option); value.Type().AssignableTo(element) {
			one := reflect.Append(reflect.MakeSlice(t, 0, 1), value)
			lists = append(lists, one, reflect.AppendSlice(one, one))
		}
	}
	return lists
}

// hostileOptions are shared by all callers, of all goroutines.
var hostileOptions = []any{
	hyperlight.WithHeapSize(math.MinInt), hyperlight.WithHeapSize(math.MaxInt), hyperlight.WithScratchSize(math.MaxInt &^ 4095),
	hyperlight.WithInputBufferSize(math.MaxInt), hyperlight.WithOutputBufferSize(-1), hyperlight.WithInterruptRetryDelay(math.MinInt64),
	hyperlight.WithInterruptRetryDelay(math.MaxInt64), hyperlight.WithInterruptSignalOffset(255), hyperlight.WithCrashdump(false),
	hyperlight.WithDebugging(0), hyperlight.WithTracerProvider(nil), hyperlight.PrintOption{}, hyperlight.WithPrintLimit(math.MinInt),
	hyperlight.WithPrint(hostileFile{panics: true}), hyperlight.WithPrintFunc(nil), hyperlight.WithStats(nil),
	hyperlight.WithMonitors(nil), hyperlight.WithMonitors(hyperlight.WallClock(math.MinInt64)), hyperlight.WithMonitors(make([]hyperlight.Monitor, 100)...),
	hyperlight.WithMonitors(&hyperlight.Trigger{}, (*hyperlight.Trigger)(nil)), hyperlight.WithBatchMonitors(hyperlight.CPUTime(0)),
	hyperlight.WithBatchMonitors(nil), hyperlight.WallClock(0), hyperlight.CPUTime(-1), (*hyperlight.Trigger)(nil), &hyperlight.Trigger{},
	hyperlight.StopOnError(), hyperlight.WithoutVerification(), hyperlight.PoolSize(math.MinInt), hyperlight.PoolSize(math.MaxInt),
	hyperlight.PoolQueue(-1), hyperlight.PoolQueue(math.MaxInt), hyperlight.PoolPolicy(-7), hyperlight.PoolProgress(nil),
	hyperlight.PoolTenants(nil, hyperlight.TenantLimits{}), hyperlight.WithLogCapacity(math.MinInt), hyperlight.WithLogCapacity(math.MaxInt),
	hyperlight.WithLogLevel(math.MinInt), hyperlight.WithSpans(true),
}

// cycle is a value that contains itself.
func cycle() any {
	value := map[string]any{}
	value["itself"] = value
	return value
}
