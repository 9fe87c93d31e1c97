package hyperlight_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// Events and results go through Call as through encoding/json, whatever they are.
func FuzzCall(f *testing.F) {
	for _, text := range []string{
		``, `null`, `{`, `1`, `-0`, `1e400`, `9007199254740993`, `"<&>\u2028"`, `"\ud800"`, "\"\xff\"", `"AQI="`, `"AQ"`, `[1,[2,[3]]]`, ` { "a" : 1 } `,
		`{"name":"x","age":1,"born":"2026-01-02T03:04:05Z","home":{"street":"s","lines":["a"]},"serial":"9007199254740993","picture":"AQI=","raw":[1],"any":{"b":null}}`,
		`{"name":7}`, `{"age":1.5}`, `{"born":"yesterday"}`, `{"serial":1}`, `{"NAME":"a","name":"b"}`, `{"tags":{"a":1}}`, `{"nested":{"a":[true]}}`, `{"unknown":1}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		callsLikeJSON[any](t, text)
		callsLikeJSON[person](t, text)
		callsLikeJSON[*person](t, text)
		callsLikeJSON[string](t, text)
		callsLikeJSON[[]byte](t, text)
		callsLikeJSON[int8](t, text)
		callsLikeJSON[float64](t, text)
		callsLikeJSON[map[string]json.RawMessage](t, text)
		callsLikeJSON[[2]time.Time](t, text)

		raw, err := hyperlight.Call[json.RawMessage](t.Context(), answers(text), "handler", nil)
		require.NoError(t, err)
		require.Equal(t, string(text), string(raw), "what is passed on is passed on as it is")
		_, err = hyperlight.Call[struct{}](t.Context(), answers(text), "handler", nil)
		require.NoError(t, err, "what is not wanted is not looked at")
	})
}

// answers gives any event with the same result.
func answers(result []byte) hyperlight.Caller {
	return callerFunc(func([]byte) ([]byte, error) { return result, nil })
}

// callsLikeJSON decodes a result that is text, and sends what came of it as an event.
func callsLikeJSON[T any](t *testing.T, text []byte) {
	t.Helper()
	var want, zero T
	fails := json.Unmarshal(text, &want)
	got, err := hyperlight.Call[T](t.Context(), answers(text), "handler", nil)
	if fails != nil {
		require.ErrorIs(t, err, hyperlight.ErrResultDecoding)
		require.NotErrorIs(t, err, hyperlight.ErrGuest)
		require.Equal(t, zero, got)
		require.Equal(t, reflect.TypeOf(fails), reflect.TypeOf(errors.Unwrap(err)))
		return
	}
	require.NoError(t, err)
	require.Equal(t, want, got)

	event, fails := json.Marshal(got)
	sent := callerFunc(func(event []byte) ([]byte, error) { return event, nil })
	back, err := hyperlight.Call[json.RawMessage](t.Context(), sent, "handler", got)
	if fails != nil {
		require.ErrorIs(t, err, hyperlight.ErrEventEncoding)
		return
	}
	require.NoError(t, err)
	var escaped bytes.Buffer
	json.HTMLEscape(&escaped, back)
	require.Equal(t, string(event), escaped.String(), "it is the same but for what HTML needs")
}
