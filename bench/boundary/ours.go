package main

import (
	"errors"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// ours is the way of package hyperlight. Of the functions of capi these two do least besides the crossing: Features
// copies a text, which is empty unless the library was built with features; BuilderSetPrint puts a function into a table, and
// what is called back takes the one before out of it.
type ours struct{ builder capi.Builder }

func newOurs(*library) (way, error) {
	builder, failure := capi.BuilderNew()
	if failure != nil {
		return nil, errors.New(failure.Message)
	}
	return &ours{builder}, nil
}

func (*ours) name() string { return "ours" }

func (*ours) call(times int) (text string) {
	for range times {
		text = capi.Features()
	}
	return text
}

func (o *ours) callback(times int) {
	for range times {
		if failure := capi.BuilderSetPrint(o.builder, nothing); failure != nil {
			panic(failure.Message)
		}
	}
}

func nothing(string) {}
