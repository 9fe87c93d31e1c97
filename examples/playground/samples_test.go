package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each sample keeps the promise of its title.
func TestSamples(t *testing.T) {
	v := start(t, nil).visitor(t)
	promises := map[string]func(*testing.T, ran){
		"hello": func(t *testing.T, r ran) {
			assert.JSONEq(t, `{"message": "Hello, World!"}`, r.result)
			assert.Equal(t, "Somebody called World says hello.\n", r.printed)
		},
		"console": func(t *testing.T, r ran) {
			assert.JSONEq(t, `{"upTo": 100000, "primes": 9592}`, r.result)
			assert.Contains(t, r.printed, " 90 %   8713 primes below 90000")
		},
		"state": func(t *testing.T, r ran) {
			assert.JSONEq(t, `{"calls": 1, "history": ["remember me"]}`, r.result)
		},
		"exception": func(t *testing.T, r ran) {
			require.NotNil(t, r.failure)
			assert.Contains(t, r.failure.Message, "cake has no price")
			assert.Equal(t, "price", r.failure.Frames[0].Function)
			assert.Equal(t, 7, r.failure.Frames[0].Line)
		},
		"endless": stoppedByWallClock,
		"regexp":  stoppedByWallClock,
		"memory": func(t *testing.T, r ran) {
			require.NotNil(t, r.failure)
			assert.Equal(t, "memory", r.failure.Kind)
			assert.Contains(t, r.printed, "got 1 of 20\n")
		},
		"store": func(t *testing.T, r ran) {
			assert.JSONEq(t, `{"visitsInGo": 1, "visitsInTheGuest": 1, "keys": ["last", "visits"]}`, r.result)
		},
		"signature": func(t *testing.T, r ran) {
			assert.JSONEq(t, `{"message": "pay 10 to Ada", "signature": "51c20c0bd63c499f95b946329d238f0802d2cf4d137c9690e300e4f88761969f"}`, r.result)
		},
		"async": func(t *testing.T, r ran) {
			assert.JSONEq(t, `[5, 4, 3, 2, 1]`, r.result)
			assert.Equal(t, "5\n4\n3\n2\n1\nLift-off!\n", r.printed)
		},
		"mandelbrot": func(t *testing.T, r ran) {
			assert.JSONEq(t, `{"x": -0.7, "y": 0, "scale": 1.6}`, r.result)
			assert.Len(t, r.printed, 25*65)
			assert.Contains(t, r.printed, "@@@@")
		},
	}
	samples, err := readSamples()
	require.NoError(t, err)
	files, err := sampleFiles.ReadDir("samples")
	require.NoError(t, err)
	assert.Len(t, files, 2*len(samples), "each file is in the gallery")
	assert.Len(t, promises, len(samples))
	for _, sample := range samples {
		t.Run(sample.Name, func(t *testing.T) {
			l := patient
			if sample.Name == "endless" || sample.Name == "regexp" {
				l = map[string]int{"wallClock": 500, "cpuTime": 60_000}
			}
			r := v.run(sample.Source, sample.Event, l)
			require.Contains(t, promises, sample.Name)
			promises[sample.Name](t, r)
			if r.failure == nil {
				assert.NotEmpty(t, r.result)
			}
		})
	}
}

func stoppedByWallClock(t *testing.T, r ran) {
	require.NotNil(t, r.failure)
	assert.Equal(t, "stopped", r.failure.Kind)
	assert.Equal(t, "wall-clock", r.stats.TerminatedBy)
	assert.NotContains(t, r.printed, "never")
}
