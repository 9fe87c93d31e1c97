package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// What a store refuses. JavaScript sees these as exceptions, and Go finds them again by errors.Is.
var (
	errNoKey  = errors.New("no such key")
	errFull   = errors.New("the store is full")
	errNoUser = errors.New("nobody is logged in")
)

// entry is a value, as functions return it to JavaScript: an object whose keys are those of the tags.
type entry struct {
	Key   string `json:"key"`
	Bytes int    `json:"bytes"`
}

// store keeps bytes for several users, so many keys for each. Sandboxes may share it.
type store struct {
	maxKeys int

	mu     sync.Mutex
	values map[string]map[string]value // by user and key
}

type value struct {
	bytes   []byte
	version int64
}

func newStore(maxKeys int) *store {
	return &store{maxKeys: maxKeys, values: map[string]map[string]value{}}
}

// register makes the store's functions those of the module "kv".
func (s *store) register(proto *hyperlight.ProtoJSSandbox) error {
	kv := proto.HostModule("kv")
	return errors.Join(
		kv.Register("get", s.get),
		kv.Register("put", s.put),
		kv.Register("list", s.list),
	)
}

type userKey struct{}

// withUser says whose keys the functions use that are called in this context. The guest has no say in it.
func withUser(ctx context.Context, user string) context.Context {
	return context.WithValue(ctx, userKey{}, user)
}

// of gives the values of the context's user, and locks the store.
func (s *store) of(ctx context.Context) (values map[string]value, unlock func(), err error) {
	user, ok := ctx.Value(userKey{}).(string)
	if !ok {
		return nil, nil, errNoUser
	}
	s.mu.Lock()
	if s.values[user] == nil {
		s.values[user] = map[string]value{}
	}
	return s.values[user], s.mu.Unlock, nil
}

// get is kv.get(key): its result is a Uint8Array.
func (s *store) get(ctx context.Context, key string) ([]byte, error) {
	values, unlock, err := s.of(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	found, ok := values[key]
	if !ok {
		return nil, errNoKey
	}
	return found.bytes, nil
}

// put is kv.put(key, value): value has to be a Uint8Array, and the result is the number of its version.
func (s *store) put(ctx context.Context, key string, bytes []byte) (int64, error) {
	values, unlock, err := s.of(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	old, exists := values[key]
	if !exists && len(values) >= s.maxKeys {
		return 0, errFull
	}
	values[key] = value{bytes, old.version + 1}
	return old.version + 1, nil
}

// list is kv.list(): an array of objects.
func (s *store) list(ctx context.Context) ([]entry, error) {
	values, unlock, err := s.of(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	entries := []entry{}
	for key, value := range values {
		entries = append(entries, entry{key, len(value.bytes)})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.Key, b.Key) })
	return entries, nil
}
