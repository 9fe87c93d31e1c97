package capi

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTable(t *testing.T) {
	var functions table
	assert.Nil(t, functions.get(0), "0 is NULL in C, and no key")
	assert.Nil(t, functions.get(1))
	functions.remove(1)
	assert.Zero(t, functions.len())

	var called []string
	add := func(name string) uintptr {
		return functions.add(func(text string) { called = append(called, name+text) })
	}
	first, second := add("first "), add("second ")
	assert.Equal(t, 2, functions.len())
	functions.get(second).(func(string))("a")
	functions.get(first).(func(string))("b")
	assert.Equal(t, []string{"second a", "first b"}, called)

	functions.remove(second)
	assert.Nil(t, functions.get(second))
	assert.NotNil(t, functions.get(first))
	functions.remove(second)
	assert.Equal(t, 1, functions.len())

	third := add("third ")
	assert.NotContains(t, []uintptr{0, first, second}, third, "keys are not used again")
}

func TestTableHoldsFunctionsOfAllTypes(t *testing.T) {
	var functions table
	print := functions.add(func(string) {})
	host := functions.add(HostFunction(nothing))
	assert.IsType(t, func(string) {}, functions.get(print))
	assert.IsType(t, HostFunction(nil), functions.get(host))
}

func TestTableIsEmptyInTheEnd(t *testing.T) {
	const goroutines, rounds = 16, 500
	var functions table
	var wait sync.WaitGroup
	keys := make(chan uintptr, goroutines*rounds)
	for range goroutines {
		wait.Go(func() {
			for range rounds {
				found := 0
				key := functions.add(func(string) { found++ })
				functions.get(key).(func(string))("")
				if found != 1 {
					t.Errorf("key %d is another function's", key)
				}
				functions.remove(key)
				if functions.get(key) != nil {
					t.Errorf("key %d is still there", key)
				}
				keys <- key
			}
		})
	}
	wait.Wait()
	close(keys)
	assert.Zero(t, functions.len())
	distinct := map[uintptr]bool{}
	for key := range keys {
		distinct[key] = true
	}
	assert.Len(t, distinct, goroutines*rounds)
}
