package hyperlight_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func ExampleCall() {
	type Order struct {
		Customer string    `json:"customer"`
		Prices   []float64 `json:"prices"`
	}
	type Invoice struct {
		Text  string  `json:"text"`
		Total float64 `json:"total"`
	}
	loaded := newLoaded(`
		function handler(order) {
			const total = order.prices.reduce((sum, price) => sum + price, 0);
			return { text: "Dear " + order.customer, total };
		}`)
	defer loaded.Close()
	invoice, err := hyperlight.Call[Invoice](context.Background(), loaded, "greet", Order{"Ada", []float64{1.5, 2.25}})
	fmt.Println(invoice.Text, invoice.Total, err)
	// Output: Dear Ada 3.75 <nil>
}

// A result that does not fit is an error, but the handler has run.
func ExampleCall_errors() {
	loaded := newLoaded(`let calls = 0; function handler() { return { calls: String(++calls) }; }`)
	defer loaded.Close()
	type Reply struct {
		Calls int `json:"calls"`
	}
	_, err := hyperlight.Call[Reply](context.Background(), loaded, "greet", nil)
	var mismatch *json.UnmarshalTypeError
	if errors.Is(err, hyperlight.ErrResultDecoding) && errors.As(err, &mismatch) {
		fmt.Println(mismatch.Field, "is a", mismatch.Value)
	}
	_, err = hyperlight.Call[Reply](context.Background(), loaded, "greet", make(chan int))
	fmt.Println(errors.Is(err, hyperlight.ErrEventEncoding))

	raw, err := hyperlight.Call[json.RawMessage](context.Background(), loaded, "greet", nil)
	fmt.Println(string(raw), err)
	// Output:
	// calls is a string
	// true
	// {"calls":"2"} <nil>
}

func ExampleRun() {
	result, err := hyperlight.Run(context.Background(),
		"function handler(event) { return `Hello, ${event.name}!`; }",
		[]byte(`{"name":"World"}`))
	fmt.Println(string(result), err)
	// Output: "Hello, World!" <nil>
}

func ExampleRun_errors() {
	_, err := hyperlight.Run(context.Background(), "function handler() {\n  return 1 +* 2;\n}", []byte(`{}`))
	var failure *hyperlight.Error
	var exception *hyperlight.JSException
	if errors.As(err, &failure) && errors.As(err, &exception) {
		fmt.Printf("%s: %s, line %d\n", failure.Op, exception.Message, exception.Frames()[0].Line)
	}
	// Output: Load: unexpected token in expression: '*', line 2
}

func ExampleJSException_Frames() {
	loaded := newLoaded(`
function check(order) {
  if (!order.customer) throw new Error("nobody to bill");
}
function handler(order) {
  check(order);
}`)
	defer loaded.Close()
	_, err := hyperlight.Call[any](context.Background(), loaded, "greet", map[string]any{})
	var exception *hyperlight.JSException
	if errors.As(err, &exception) {
		fmt.Println(exception.Message)
		for _, frame := range exception.Frames() {
			fmt.Printf("%s:%d:%d %s\n", frame.File, frame.Line, frame.Column, frame.Function)
		}
	}
	// Output:
	// nobody to bill
	// ./greet.js:3:34 check
	// ./greet.js:6:9 handler
}

func ExampleThrown() {
	loaded := newLoaded(`function handler(status) { throw status; }`)
	defer loaded.Close()
	_, err := hyperlight.Call[any](context.Background(), loaded, "greet", 404)
	var exception *hyperlight.JSException
	if errors.As(err, &exception) && exception.Thrown != hyperlight.ThrownError {
		fmt.Println(exception.Thrown, exception.Message)
	}
	// Output: number 404
}
