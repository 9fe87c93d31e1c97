package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// The bounds of a store. Without them a guest could fill the host's memory.
const (
	storeKeys       = 32
	storeKeyBytes   = 64
	storeValueBytes = 1 << 10
)

// store is what handlers can reach outside of their sandbox: import * as store from "store". It is Go's memory, so it
// outlives restores, which rewind the guest's. Each visitor has one.
type store struct {
	mu     sync.Mutex
	values map[string]any
}

func newStore() *store { return &store{values: map[string]any{}} }

// register makes it callable from JavaScript.
func (s *store) register(proto *hyperlight.ProtoJSSandbox) error {
	for name, function := range map[string]any{"get": s.get, "set": s.set, "keys": s.keys} {
		if err := proto.Register("store", name, function); err != nil {
			return err
		}
	}
	return nil
}

// get is null for a key that was not set.
func (s *store) get(key string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[key]
}

func (s *store) set(key string, value any) error {
	if len(key) > storeKeyBytes {
		return fmt.Errorf("a key has at most %d bytes", storeKeyBytes)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if len(text) > storeValueBytes {
		return fmt.Errorf("a value has at most %d bytes", storeValueBytes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.values[key]; !there && len(s.values) == storeKeys {
		return fmt.Errorf("the store has room for %d keys", storeKeys)
	}
	s.values[key] = value
	return nil
}

func (s *store) keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := slices.AppendSeq(make([]string, 0, len(s.values)), maps.Keys(s.values)) // none are [], not null
	slices.Sort(keys)
	return keys
}
