//go:build race

package hyperlight_test

const raceEnabled = true
