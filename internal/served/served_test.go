package served

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// On the host: that vmrun passes connections on to its machine is what vmrun's own tests show.
func TestServer(t *testing.T) {
	t.Setenv("HYPERLIGHT_VM", "never")
	server := Start(t, "testdata/server", "127.0.0.1:{port}", "a {port} b")
	response, err := http.Get(server.URL)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, "[a "+server.URL[len("http://127.0.0.1:"):]+" b]\n", string(body))
	assert.Contains(t, server.Output(), "ready\n")

	server.Stop()
	_, err = http.Get(server.URL)
	assert.Error(t, err)
	server.Stop()
}

func TestServerThatEndsAtOnce(t *testing.T) {
	t.Setenv("HYPERLIGHT_VM", "never")
	test := &failing{TB: t}
	func() {
		defer func() { assert.Equal(t, test, recover()) }()
		Start(test, "testdata/server")
	}()
	assert.Equal(t, "the server ended before it answered: exit status 7", test.reason)
}

// failing is a test that may fail.
type failing struct {
	testing.TB
	reason string
}

func (f *failing) Fatal(args ...any) {
	f.reason = args[0].(error).Error()
	panic(f)
}
