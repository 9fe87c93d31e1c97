package capi

import "sync"

// functions maps the user data of callbacks to Go functions, of whatever type the callback needs. C
// carries the key, an integer: a Go pointer must not be stored in C memory.
var functions table

// table hands out keys for functions, of different types. Keys are never reused, so a stale one finds
// nothing.
type table struct {
	mu      sync.RWMutex
	next    uintptr
	entries map[uintptr]any
}

func (t *table) add(function any) uintptr {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.entries == nil {
		t.entries = make(map[uintptr]any)
	}
	t.next++
	t.entries[t.next] = function
	return t.next
}

// get finds a function, or nothing.
func (t *table) get(key uintptr) any {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.entries[key]
}

func (t *table) remove(key uintptr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.entries, key)
}

func (t *table) len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.entries)
}
