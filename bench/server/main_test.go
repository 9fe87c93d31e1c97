package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFlags(t *testing.T) {
	s, err := parseFlags([]string{"--strategies", "reuse,renew", "--clients", "1,16", "--pools", "", "--duration", "3s"})
	require.NoError(t, err)
	require.Equal(t, []string{"reuse", "renew"}, s.strategies)
	require.Equal(t, []int{1, 16}, s.clients)
	require.Empty(t, s.pools)
	require.Equal(t, 3*time.Second, s.bounds.duration)

	for want, args := range map[string][]string{
		`no strategy "keep"; there are: reload, renew, restore, reuse`: {"--strategies", "keep"},
		`--clients: "x" is no number`:                                  {"--clients", "1,x"},
		"--duration is 2m0s: use more than 0, and at most 1m":          {"--duration", "2m"},
		"--requests is 0: use 1 to 1000000":                            {"--requests", "0"},
		"0 clients or sandboxes: use 1 to 256":                         {"--pools", "0"},
		"500 clients or sandboxes: use 1 to 256":                       {"--renew-clients", "500"},
		"there are 1 arguments, but only flags are known":              {"reuse"},
	} {
		_, err := parseFlags(args)
		require.ErrorContains(t, err, want)
	}
}
