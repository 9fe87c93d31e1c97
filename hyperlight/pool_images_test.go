package hyperlight

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// cache is a cache of images without snapshots of guests, and what it has dropped.
type cache struct {
	*images
	dropped []*Snapshot
	clock   time.Time
}

func newCache(tenants int, bytes int64) *cache {
	c := &cache{clock: time.Unix(1000, 0)}
	c.images = newImages(TenantLimits{Tenants: tenants, Bytes: bytes}, func(s *Snapshot) { c.dropped = append(c.dropped, s) })
	return c
}

// load adds a tenant's image, as a pool does: the sandbox in which it was loaded holds it, too.
func (c *cache) load(key string, bytes int64) *image {
	loaded := &image{tenant: true, key: key, snapshot: &Snapshot{}, bytes: bytes}
	c.hold(loaded)
	c.add(loaded)
	return loaded
}

func (c *cache) look(key string) *image { return c.find(key, func() time.Time { return c.clock }) }

func TestImagesAreBoundedByCount(t *testing.T) {
	c := newCache(2, 1000)
	a, b := c.load("a", 1), c.load("b", 1)
	c.release(a)
	c.release(b)
	assert.Same(t, a, c.look("a"), "and so it is used more recently than b")
	c.release(c.load("c", 1))
	assert.Equal(t, []*Snapshot{b.snapshot}, c.dropped)
	assert.Nil(t, c.look("b"))
	assert.Same(t, a, c.look("a"))
	assert.EqualValues(t, 1, c.evictions)
	assert.EqualValues(t, 2, c.bytes)
	assert.Equal(t, 2, c.tenants)
}

func TestImagesAreBoundedByBytes(t *testing.T) {
	c := newCache(100, 10)
	for _, key := range []string{"a", "b", "c"} {
		c.release(c.load(key, 4))
	}
	assert.EqualValues(t, 8, c.bytes)
	assert.Nil(t, c.look("a"))
	assert.NotNil(t, c.look("b"))
	c.release(c.load("large", 7))
	assert.EqualValues(t, 7, c.bytes)
	assert.EqualValues(t, 3, c.evictions)
	assert.Len(t, c.dropped, 3)
}

// What a sandbox has costs nothing to keep, whatever the cache can hold.
func TestImagesInUseAreNotDropped(t *testing.T) {
	c := newCache(1, 10)
	a := c.load("a", 6)
	b := c.load("b", 6)
	large := c.load("large", 11)
	assert.Empty(t, c.dropped)
	assert.EqualValues(t, 6, c.bytes, "b, which large does not cost its place")
	for _, held := range []*image{a, b, large, a} {
		assert.Same(t, held, c.look(held.key))
		assert.LessOrEqual(t, c.bytes, int64(10))
		assert.LessOrEqual(t, c.tenants, 1)
	}
	for _, held := range []*image{a, b, large} {
		c.release(held)
	}
	assert.Equal(t, []*Snapshot{b.snapshot, large.snapshot}, c.dropped)
	assert.Same(t, a, c.look("a"))
	c.clear()
	assert.Len(t, c.dropped, 3)
	assert.Empty(t, c.known)
	assert.Zero(t, c.tenants)
}

func TestForgottenImages(t *testing.T) {
	c := newCache(10, 100)
	a := c.load("a", 1)
	c.forget("a")
	c.forget("nobody")
	assert.True(t, a.forgotten.Load())
	assert.Nil(t, c.look("a"))
	assert.Empty(t, c.dropped, "a sandbox has it")

	newer := c.load("a", 1)
	c.release(a)
	assert.Equal(t, []*Snapshot{a.snapshot}, c.dropped)
	assert.Same(t, newer, c.look("a"))
	assert.False(t, newer.forgotten.Load())
	assert.Zero(t, c.evictions)
}

func TestFailuresAreRememberedForATime(t *testing.T) {
	c := newCache(2, 100)
	bad := &image{tenant: true, key: "bad", failure: errors.New("no JavaScript"), retry: c.clock.Add(time.Minute)}
	c.add(bad)
	assert.Same(t, bad, c.look("bad"))
	assert.Zero(t, c.tenants)
	c.clock = c.clock.Add(2 * time.Minute)
	assert.Nil(t, c.look("bad"))
	assert.Empty(t, c.known)

	c.add(bad)
	c.release(c.load("a", 1))
	c.release(c.load("b", 1))
	assert.Empty(t, c.dropped, "the failure made room")
	assert.Zero(t, c.evictions)
	c.forget("a")
	assert.Len(t, c.dropped, 1)
}

// The template's image is no tenant's, and stays.
func TestTheTemplatesImageIsNotCounted(t *testing.T) {
	c := newCache(1, 1)
	base := &image{snapshot: &Snapshot{}}
	c.hold(base)
	c.release(base)
	c.release(base)
	assert.Empty(t, c.dropped)
}

// One that is too large for the cache does not cost the others theirs.
func TestImageTooLargeForTheCache(t *testing.T) {
	c := newCache(100, 10)
	c.release(c.load("a", 4))
	c.release(c.load("b", 4))
	huge := c.load("huge", 11)
	assert.Same(t, huge, c.look("huge"), "as long as a sandbox has it")
	c.release(huge)
	assert.Nil(t, c.look("huge"))
	assert.Equal(t, []*Snapshot{huge.snapshot}, c.dropped)
	assert.NotNil(t, c.look("a"))
	assert.NotNil(t, c.look("b"))
	assert.EqualValues(t, 8, c.bytes)
}
