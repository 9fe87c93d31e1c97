package hyperlight_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

var _ hyperlight.Caller = (*hyperlight.LoadedJSSandbox)(nil)

type address struct {
	Street string   `json:"street"`
	Lines  []string `json:"lines,omitempty"`
}

type person struct {
	Name    string            `json:"name"`
	Age     int               `json:"age"`
	Born    time.Time         `json:"born"`
	Home    address           `json:"home"`
	Work    *address          `json:"work"`
	Absent  *address          `json:"absent,omitempty"`
	Tags    map[string]int    `json:"tags"`
	Ratio   float64           `json:"ratio"`
	Serial  int64             `json:"serial,string"`
	Picture []byte            `json:"picture"`
	Raw     json.RawMessage   `json:"raw"`
	Any     any               `json:"any"`
	Nested  map[string][]bool `json:"nested"`
	Secret  string            `json:"-"`
	Small   *big.Int          `json:"small"`
}

// roundTrip calls a handler that returns its event.
func roundTrip[T any](t *testing.T, echo *hyperlight.LoadedJSSandbox, value T) {
	t.Helper()
	back, err := hyperlight.Call[T](t.Context(), echo, "handler", value)
	require.NoError(t, err)
	assert.Equal(t, value, back)
}

func TestCallRoundTrips(t *testing.T) {
	echo := loadHandler(t, `function handler(event) { return event; }`)
	full := person{
		Name: "Zoë <b>&amp;</b> \u2028 😊 \x00", Age: -7, Born: time.Date(1815, 12, 10, 1, 2, 3, 4000, time.UTC),
		Home: address{Street: "12 St James's Sq", Lines: []string{"a", ""}}, Work: &address{Street: "x"},
		Tags: map[string]int{"": 1, "ü": 2}, Ratio: 0.1, Serial: math.MaxInt64, Picture: []byte{0, 255, 128},
		Raw: json.RawMessage(`{"deep":[1,2.5,null]}`), Any: map[string]any{"k": []any{1.5, "s", nil, true}},
		Nested: map[string][]bool{"x": {true, false}, "nil": nil}, Small: big.NewInt(1 << 52),
	}
	roundTrip(t, echo, full)
	roundTrip(t, echo, &full)
	roundTrip(t, echo, []*person{&full, nil})
	roundTrip(t, echo, map[string]person{"a": full})
	roundTrip(t, echo, person{Raw: json.RawMessage(`null`)})
	roundTrip(t, echo, "text")
	roundTrip(t, echo, 7)
	roundTrip(t, echo, int64(1<<53))
	roundTrip(t, echo, -math.MaxFloat64)
	roundTrip(t, echo, math.SmallestNonzeroFloat64)
	roundTrip(t, echo, true)
	roundTrip(t, echo, [3]string{"a", "", "c"})
	roundTrip(t, echo, []byte("bytes are text"))
	roundTrip[any](t, echo, nil)
	roundTrip[*person](t, echo, nil)
	roundTrip[[]string](t, echo, nil)
	roundTrip[any](t, echo, map[string]any{"a": 1.0})
	roundTrip(t, echo, json.RawMessage(`{"a":[1,"<>"]}`))
	roundTrip(t, echo, json.RawMessage(`null`))

	secret, err := hyperlight.Call[person](t.Context(), echo, "handler", person{Secret: "s"})
	require.NoError(t, err)
	assert.Empty(t, secret.Secret)
	raw, err := hyperlight.Call[json.RawMessage](t.Context(), echo, "handler", json.RawMessage(nil))
	require.NoError(t, err)
	assert.Equal(t, "null", string(raw))
}

// What a handler sees, and what comes back when the sides have different types.
func TestCallConvertsByJSON(t *testing.T) {
	loaded := loadHandler(t, `
		function handler(event) {
			return { type: typeof event.picture, keys: Object.keys(event), picture: event.picture, big: 2 ** 53 + 1, unknown: 1 };
		}`)
	reply, err := hyperlight.Call[struct {
		Type, Picture string
		Keys          []string
		Big           json.Number
		Absent        *int
	}](t.Context(), loaded, "handler", struct {
		Picture []byte    `json:"picture"`
		Zero    time.Time `json:"zero,omitzero"`
		Empty   string    `json:",omitempty"`
	}{Picture: []byte("bytes")})
	require.NoError(t, err)
	assert.Equal(t, "string", reply.Type)
	assert.Equal(t, "Ynl0ZXM=", reply.Picture)
	assert.Equal(t, []string{"picture"}, reply.Keys)
	assert.Equal(t, "9007199254740992", reply.Big.String(), "JavaScript has no more digits")
	assert.Nil(t, reply.Absent)
}

func TestCallRoundsIntegersThatJavaScriptRounds(t *testing.T) {
	echo := loadHandler(t, `function handler(event) { return event; }`)
	back, err := hyperlight.Call[int64](t.Context(), echo, "handler", int64(1<<53+1))
	require.NoError(t, err)
	assert.Equal(t, int64(1<<53), back)

	_, err = hyperlight.Call[int64](t.Context(), echo, "handler", int64(math.MaxInt64))
	require.ErrorIs(t, err, hyperlight.ErrResultDecoding, "it came back as 2^63")

	type exact struct {
		N uint64 `json:",string"`
	}
	roundTrip(t, echo, exact{math.MaxUint64})
}

// The characters of HTML are not escaped, or this event would not fit.
func TestCallSendsNoMoreThanItNeeds(t *testing.T) {
	loaded := loadHandler(t, `function handler(event) { return event.length; }`)
	length, err := hyperlight.Call[int](t.Context(), loaded, "handler", strings.Repeat("<&>", 300_000))
	require.NoError(t, err)
	assert.Equal(t, 900_000, length)
	_, err = hyperlight.Call[int](t.Context(), loaded, "handler", strings.Repeat("x", 1<<20))
	require.ErrorIs(t, err, hyperlight.ErrBufferTooSmall)
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
}

// callerFunc is a Caller without a sandbox.
type callerFunc func(event []byte) ([]byte, error)

func (f callerFunc) HandleEvent(_ context.Context, _ string, event []byte, _ ...hyperlight.CallOption) ([]byte, error) {
	return f(event)
}

func TestCallCopiesNoRawMessage(t *testing.T) {
	event, result := json.RawMessage(`{"a": 1}`), []byte(`{"b":2}`)
	raw, err := hyperlight.Call[json.RawMessage](t.Context(), callerFunc(func(got []byte) ([]byte, error) {
		assert.Same(t, &event[0], &got[0])
		return result, nil
	}), "handler", event)
	require.NoError(t, err)
	assert.Same(t, &result[0], &raw[0])
}

var errOwn = errors.New("my own")

type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, errOwn }
func (*failing) UnmarshalJSON([]byte) error  { return errOwn }

type panicking struct{}

func (panicking) MarshalJSON() ([]byte, error) { panic("encoding") }
func (*panicking) UnmarshalJSON([]byte) error  { panic("decoding") }

type cycle struct{ Next *cycle }

func TestCallRefusesWhatHasNoJSON(t *testing.T) {
	loaded := loadHandler(t, counter)
	round := &cycle{}
	round.Next = round
	for name, test := range map[string]struct {
		in    any
		cause error
		text  string
	}{
		"channel":  {make(chan int), &json.UnsupportedTypeError{}, "event of type chan int has no JSON"},
		"function": {map[string]any{"f": func() {}}, &json.UnsupportedTypeError{}, "func()"},
		"complex":  {[]complex128{1}, &json.UnsupportedTypeError{}, "complex128"},
		"NaN":      {struct{ X float64 }{math.NaN()}, &json.UnsupportedValueError{}, "NaN"},
		"infinity": {math.Inf(-1), &json.UnsupportedValueError{}, "event of type float64 has no JSON"},
		"cycle":    {round, &json.UnsupportedValueError{}, "event of type *hyperlight_test.cycle has no JSON"},
		"failing":  {failing{}, errOwn, "my own"},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := hyperlight.Call[map[string]int](t.Context(), loaded, "handler", test.in)
			assert.Nil(t, result)
			require.ErrorIs(t, err, hyperlight.ErrEventEncoding)
			require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
			switch target := test.cause.(type) {
			case *json.UnsupportedTypeError:
				require.ErrorAs(t, err, &target)
			case *json.UnsupportedValueError:
				require.ErrorAs(t, err, &target)
			default:
				require.ErrorIs(t, err, target)
			}
			require.ErrorContains(t, err, test.text)
			assert.Equal(t, "Call", asError(t, err).Op)
			assert.Equal(t, hyperlight.CodeEventEncoding, asError(t, err).Code)
		})
	}
	_, err := hyperlight.Call[any](t.Context(), loaded, "handler", json.RawMessage(`{"cut":`))
	require.ErrorIs(t, err, hyperlight.ErrInvalidJSON, "upstream reads it, as HandleEvent")
	assert.PanicsWithValue(t, "encoding", func() {
		_, _ = hyperlight.Call[any](t.Context(), loaded, "handler", panicking{})
	}, "as encoding/json")
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
	assert.Equal(t, `{"count":1}`, call(t, loaded, `null`), "nothing ran")
}

func TestCallOfResultsThatDoNotFit(t *testing.T) {
	loaded := loadHandler(t, `let count = 0; function handler(event) { count++; return event === "count" ? count : event; }`)
	ran := 0
	check := func(err error, parts ...string) {
		t.Helper()
		ran++
		require.ErrorIs(t, err, hyperlight.ErrResultDecoding)
		assert.NotErrorIs(t, err, hyperlight.ErrInvalidArgument)
		assert.Equal(t, "Call", asError(t, err).Op)
		assert.Equal(t, hyperlight.CodeResultDecoding, asError(t, err).Code)
		for _, part := range append(parts, "the handler ran, but its result does not fit ") {
			assert.ErrorContains(t, err, part)
		}
		assert.Equal(t, hyperlight.StatusReady, loaded.Status())
	}
	mismatch := func(err error) (m *json.UnmarshalTypeError) {
		require.ErrorAs(t, err, &m)
		return m
	}

	type item struct {
		Price int `json:"price"`
	}
	type order struct {
		ID    string `json:"id"`
		Items []item `json:"items"`
	}
	result, err := hyperlight.Call[order](t.Context(), loaded, "handler", json.RawMessage(`{"id":"x","items":[{"price":1},{"price":"free"}]}`))
	assert.Zero(t, result, "no half of a result")
	check(err, "hyperlight_test.order", "items.price", "of type int", "(at byte 46)")
	assert.Equal(t, "items.price", mismatch(err).Field)
	assert.EqualValues(t, 46, mismatch(err).Offset)

	text, err := hyperlight.Call[string](t.Context(), loaded, "handler", 7)
	assert.Empty(t, text)
	check(err, "does not fit string: json: cannot unmarshal number into Go value of type string")
	assert.Equal(t, "number", mismatch(err).Value)

	_, err = hyperlight.Call[uint8](t.Context(), loaded, "handler", 256)
	check(err, "uint8", "256")
	_, err = hyperlight.Call[int](t.Context(), loaded, "handler", 1.5)
	check(err, "int", "1.5")
	_, err = hyperlight.Call[map[int]bool](t.Context(), loaded, "handler", map[string]bool{"x": true})
	check(err, "map[int]bool")
	_, err = hyperlight.Call[[]byte](t.Context(), loaded, "handler", "no base64!")
	check(err, "[]uint8", "base64")
	_, err = hyperlight.Call[time.Time](t.Context(), loaded, "handler", "yesterday")
	check(err, "time.Time")
	var parse *time.ParseError
	require.ErrorAs(t, err, &parse)
	_, err = hyperlight.Call[chan int](t.Context(), loaded, "handler", 1)
	check(err, "chan int")
	_, err = hyperlight.Call[error](t.Context(), loaded, "handler", 1)
	check(err, "does not fit error: ")
	_, err = hyperlight.Call[failing](t.Context(), loaded, "handler", 1)
	check(err, "my own")
	require.ErrorIs(t, err, errOwn)

	ran++
	assert.PanicsWithValue(t, "decoding", func() {
		_, _ = hyperlight.Call[panicking](t.Context(), loaded, "handler", 1)
	}, "as encoding/json")

	count, err := hyperlight.Call[int](t.Context(), loaded, "handler", "count")
	require.NoError(t, err)
	assert.Equal(t, ran+1, count, "the handler ran each time")
}

func TestCallWithoutAResult(t *testing.T) {
	loaded := loadHandler(t, `
		function handler(event) {
			switch (event) {
				case "nothing": return;
				case "a function": return () => 1;
				case "throw": throw new Error("m");
				default: return event;
			}
		}`)
	for _, event := range []any{"nothing", "a function", "text", 1, []int{1}, nil} {
		_, err := hyperlight.Call[struct{}](t.Context(), loaded, "handler", event)
		require.NoError(t, err, "%v", event)
	}
	for _, event := range []string{"nothing", "a function"} {
		_, err := hyperlight.Call[any](t.Context(), loaded, "handler", event)
		require.ErrorIs(t, err, hyperlight.ErrNoValue)
		_, err = hyperlight.Call[*int](t.Context(), loaded, "handler", event)
		require.ErrorIs(t, err, hyperlight.ErrNoValue)
		_, err = hyperlight.Call[json.RawMessage](t.Context(), loaded, "handler", event)
		require.ErrorIs(t, err, hyperlight.ErrNoValue)
	}
	_, err := hyperlight.Call[struct{}](t.Context(), loaded, "handler", "throw")
	require.ErrorIs(t, err, hyperlight.ErrJSException, "only a missing result is fine")
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())

	empty, err := hyperlight.Call[int](t.Context(), loaded, "handler", nil)
	require.NoError(t, err)
	assert.Zero(t, empty, "null, as in encoding/json")
}

func TestCallOfNoCaller(t *testing.T) {
	for _, caller := range []hyperlight.Caller{nil, (*hyperlight.LoadedJSSandbox)(nil), callerFunc(nil)} {
		_, err := hyperlight.Call[any](t.Context(), caller, "handler", 1)
		require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
		assert.EqualError(t, err, "hyperlight: Call: the caller is nil")
	}
	_, err := hyperlight.Call[any](t.Context(), new(hyperlight.LoadedJSSandbox), "handler", 1)
	require.ErrorIs(t, err, hyperlight.ErrClosed)
}

// Whatever HandleEvent refuses, Call refuses, and in the same words.
func TestCallIsHandleEvent(t *testing.T) {
	loaded := loadHandler(t, counter)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		ctx      context.Context
		name     string
		opt      hyperlight.CallOption
		sentinel error
	}{
		{nil, "handler", hyperlight.WithGC(true), hyperlight.ErrInvalidArgument},
		{cancelled, "handler", hyperlight.WithGC(true), context.Canceled},
		{t.Context(), "nobody", hyperlight.WithGC(true), hyperlight.ErrHandlerNotFound},
		{t.Context(), "", hyperlight.WithGC(true), hyperlight.ErrInvalidArgument},
		{t.Context(), "handler", nil, hyperlight.ErrInvalidArgument},
		{t.Context(), "handler", hyperlight.WithStats(nil), hyperlight.ErrInvalidArgument},
	} {
		_, want := loaded.HandleEvent(test.ctx, test.name, []byte(`1`), test.opt)
		_, err := hyperlight.Call[any](test.ctx, loaded, test.name, 1, test.opt)
		require.ErrorIs(t, err, test.sentinel)
		assert.Equal(t, want, err)
		assert.Equal(t, hyperlight.StatusReady, loaded.Status())
	}
	var stats hyperlight.ExecutionStats
	var printed bytes.Buffer
	printing := reload(t, loaded, `function handler(event) { console.log("seen " + event); return null; }`)
	_, err := hyperlight.Call[any](t.Context(), printing, "handler", 1, hyperlight.WithStats(&stats), hyperlight.WithPrint(&printed))
	require.NoError(t, err)
	assert.Positive(t, stats.WallClock)
	assert.Equal(t, "seen 1\n", printed.String())

	require.NoError(t, printing.Close())
	_, err = hyperlight.Call[any](t.Context(), printing, "handler", 1)
	require.ErrorIs(t, err, hyperlight.ErrClosed)
}

func TestCallThatPoisons(t *testing.T) {
	loaded := loadHandler(t, hungry)
	snapshot := takeSnapshot(t, loaded)
	type event struct {
		Eat bool `json:"eat"`
	}
	_, err := hyperlight.Call[map[string]int](t.Context(), loaded, "handler", event{Eat: true})
	require.ErrorIs(t, err, hyperlight.ErrOutOfMemory)
	assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
	_, err = hyperlight.Call[map[string]int](t.Context(), loaded, "handler", event{})
	require.ErrorIs(t, err, hyperlight.ErrPoisoned)
	restore(t, loaded, snapshot)
	reply, err := hyperlight.Call[map[string]int](t.Context(), loaded, "handler", event{})
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"count": 1}, reply)
}
