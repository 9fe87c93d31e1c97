package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a request finds of the one before, by HTTP.
func TestStrategies(t *testing.T) {
	original := source
	t.Cleanup(func() { source = original })
	source = "let calls = 0; function handler(event) { return { calls: ++calls, event }; }"
	for name, second := range map[string]string{"reuse": "2", "restore": "1", "reload": "1", "renew": "1"} {
		t.Run(name, func(t *testing.T) {
			strategy, err := strategies[name](t.Context(), 1)
			require.NoError(t, err)
			defer strategy.close()
			server := serve(strategy)
			defer server.Close()
			for _, calls := range []string{"1", second} {
				response, err := http.Post(server.URL, "application/json", strings.NewReader(`{"a":1}`))
				require.NoError(t, err)
				body, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				require.JSONEq(t, `{"calls":`+calls+`,"event":{"a":1}}`, string(body))
			}
		})
	}
	require.Len(t, names(), 4, "all strategies are tested")
}

func TestMeasure(t *testing.T) {
	s, err := parseFlags([]string{"--clients", "2", "--pool", "1", "--pools", "1", "--scale-clients", "2", "--requests", "4",
		"--strategies", "restore,reload,renew", "--renew-clients", "1"})
	require.NoError(t, err)
	require.NoError(t, s.run(t.Context()))
}
