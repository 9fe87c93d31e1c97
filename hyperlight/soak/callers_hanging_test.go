package soak_test

import (
	"fmt"
	"reflect"
	"time"
)

// watch panics with the name of a call that does not end. What it returns is called at the end.
func watch(name string, arguments []reflect.Value) (done func()) {
	// Under the race detector, 64 goroutines boot micro-VMs on one processor.
	timer := time.AfterFunc(10*patience, func() { panic(fmt.Sprintf("%s%.300v hangs", name, arguments)) })
	return func() { timer.Stop() }
}
