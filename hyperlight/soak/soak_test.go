package soak_test

import (
	"flag"
	"hash/fnv"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	full = flag.Bool("soak", false, "run the full size of each test, not the quick one")
	seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "what chance begins with")
)

// size is how much of something a test does.
func size(quick, soak int) int {
	if *full {
		return soak
	}
	return quick
}

// chance is random numbers for one test, or one of its goroutines, which has a stream of its own.
func chance(t *testing.T, stream int) *rand.Rand {
	t.Helper()
	if stream == 0 {
		t.Logf("-seed %d", *seed)
	}
	name := fnv.New64()
	name.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(*seed, name.Sum64()+uint64(stream)))
}

// figure reports a number for the page that `./build.sh soak` writes, which finds it by its first word and the tabs.
func figure(t *testing.T, what string, value any) {
	t.Helper()
	t.Logf("figure: %s\t%s\t%v", t.Name(), what, value)
}
