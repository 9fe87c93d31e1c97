package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// None of these needs a guest, and none keeps a session.
func TestBadRequests(t *testing.T) {
	p := start(t, func(s *settings) { s.most = defaultSettings().most })
	const expected = `the body has to be {"source": "...", "event": "...", "limits": {...}}: `
	for name, test := range map[string]struct {
		body   string
		status int
		text   string
	}{
		"no JSON":         {"{", http.StatusBadRequest, expected + "unexpected EOF"},
		"no object":       {"7", http.StatusBadRequest, expected + "it is no object, but number"},
		"two":             {"{} {}", http.StatusBadRequest, expected + "something follows it"},
		"wrong type":      {`{"source": 7}`, http.StatusBadRequest, expected + "source is no string, but number"},
		"wrong limit":     {`{"limits": {"heap": "8"}}`, http.StatusBadRequest, expected + "limits.heap is no whole number, but string"},
		"fraction":        {`{"limits": {"heap": 8.5}}`, http.StatusBadRequest, expected + "limits.heap is no whole number, but number 8.5"},
		"limits":          {`{"limits": []}`, http.StatusBadRequest, expected + "limits is no object, but array"},
		"unknown":         {`{"sauce": ""}`, http.StatusBadRequest, expected + `json: unknown field "sauce"`},
		"too long":        {`{"limits": {"wallClock": 10001}}`, http.StatusBadRequest, `limit "wallClock" is 10001 ms, and has to be from 100 to 10000`},
		"too much CPU":    {`{"limits": {"cpuTime": 1000000000}}`, http.StatusBadRequest, `limit "cpuTime" is 1000000000 ms, and has to be from 50 to 5000`},
		"too much heap":   {`{"limits": {"heap": 33}}`, http.StatusBadRequest, `limit "heap" is 33 MiB, and has to be from 4 to 32`},
		"no heap":         {`{"limits": {"heap": 0}}`, http.StatusBadRequest, `limit "heap" is 0 MiB, and has to be from 4 to 32`},
		"prints too much": {`{"limits": {"print": 257}}`, http.StatusBadRequest, `limit "print" is 257 KiB, and has to be from 1 to 256`},
		"negative":        {`{"limits": {"print": -1}}`, http.StatusBadRequest, `limit "print" is -1 KiB, and has to be from 1 to 256`},
		"overflow":        {`{"limits": {"print": 1e99}}`, http.StatusBadRequest, expected + "limits.print is no whole number, but number 1e99"},
		"long code":       {bodyOf(strings.Repeat("x", sourceBytes+1), "", nil), http.StatusRequestEntityTooLarge, "the code has 131073 bytes, and may have 131072"},
		"long event":      {bodyOf("", strings.Repeat("x", eventBytes+1), nil), http.StatusRequestEntityTooLarge, "the event has 131073 bytes, and may have 131072"},
		"too large":       {bodyOf(strings.Repeat("x", bodyBytes), "", nil), http.StatusRequestEntityTooLarge, "the request has more than 1573888 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := p.visitor(t).refused("/run", test.body)
			assert.Equal(t, test.status, status)
			assert.Equal(t, test.text, text)
		})
	}

	t.Run("no JSON by type", func(t *testing.T) {
		response, err := http.Post(p.url+"/run", "text/plain", strings.NewReader("{}"))
		require.NoError(t, err)
		defer response.Body.Close()
		assert.Equal(t, http.StatusUnsupportedMediaType, response.StatusCode)
	})
	t.Run("method", func(t *testing.T) {
		response, err := http.Get(p.url + "/run")
		require.NoError(t, err)
		defer response.Body.Close()
		assert.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
	})
	// done runs after the answer has left.
	assert.Eventually(t, p.server.empty, 10*time.Second, 10*time.Millisecond)
}

// A body that never ends holds a session for as long as it may take to read one.
func TestSlowBody(t *testing.T) {
	p := start(t, func(s *settings) { s.sessions = 1 }, func(s *server) { s.http.ReadTimeout = 300 * time.Millisecond })
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	text := requestText(bodyOf(counter, "{}", nil))
	_, err = conn.Write([]byte(text[:len(text)-9]))
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(30*time.Second)))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, http.StatusRequestTimeout, response.StatusCode)
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.JSONEq(t, `{"error": "the request came too slowly"}`, string(answer))
	assert.Eventually(t, p.server.empty, 10*time.Second, 10*time.Millisecond)
}

func TestOtherSites(t *testing.T) {
	p := start(t, nil)
	for name, headers := range map[string]map[string]string{
		"site":   {"Sec-Fetch-Site": "cross-site"},
		"host":   {"Sec-Fetch-Site": "same-site"},
		"origin": {"Origin": "https://elsewhere.example"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/run", "/stop", "/snapshot", "/restore", "/reset"} {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+path, strings.NewReader("{}"))
				require.NoError(t, err)
				for name, value := range headers {
					request.Header.Set(name, value)
				}
				response, err := http.DefaultClient.Do(request)
				require.NoError(t, err)
				var answer struct{ Error string }
				assert.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
				response.Body.Close()
				assert.Equal(t, http.StatusForbidden, response.StatusCode)
				assert.Equal(t, refuseOrigin.text, answer.Error)
				assert.Empty(t, response.Header.Get("Access-Control-Allow-Origin"))
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	p := start(t, nil)
	get := func(path string) (*http.Response, string) {
		response, err := http.Get(p.url + path)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response, string(body)
	}
	for _, path := range []string{"/", "/app.js", "/app.css", "/icon.svg", "/licenses.txt", "/setup", "/healthz", "/nowhere", "/run"} {
		response, _ := get(path)
		h := response.Header
		assert.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'", path)
		assert.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none'", path)
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
		assert.Equal(t, "DENY", h.Get("X-Frame-Options"), path)
		assert.Equal(t, "no-referrer", h.Get("Referrer-Policy"), path)
		assert.Equal(t, "same-origin", h.Get("Cross-Origin-Opener-Policy"), path)
		assert.Equal(t, "same-origin", h.Get("Cross-Origin-Resource-Policy"), path)
		assert.Empty(t, h.Values("Set-Cookie"), "the session is in a header that no other site can set")
	}

	one, page := get("/")
	other, _ := get("/")
	policy := one.Header.Get("Content-Security-Policy")
	assert.NotContains(t, policy, "unsafe")
	assert.NotContains(t, policy, "NONCE")
	assert.NotEqual(t, policy, other.Header.Get("Content-Security-Policy"), "a nonce is used once")
	assert.Equal(t, "text/html; charset=utf-8", one.Header.Get("Content-Type"))
	assert.Equal(t, "no-store", one.Header.Get("Cache-Control"))
	assert.NotEmpty(t, page)

	script, _ := get("/app.js")
	assert.Contains(t, script.Header.Get("Content-Type"), "javascript")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/app.js", nil)
	require.NoError(t, err)
	request.Header.Set("If-None-Match", script.Header.Get("ETag"))
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, http.StatusNotModified, response.StatusCode)

	var setup struct {
		Samples []sample
		Limits  []limit
	}
	_, text := get("/setup")
	require.NoError(t, json.Unmarshal([]byte(text), &setup))
	assert.Len(t, setup.Samples, len(sampleNames))
	require.Len(t, setup.Limits, 4)
	assert.Equal(t, 60_000, setup.Limits[0].Max, "the operator's")
}

func TestAddress(t *testing.T) {
	for name, test := range map[string]struct {
		remote, forwarded string
		behindProxy       bool
		want              string
	}{
		"v4":                 {"192.0.2.1:99", "", false, "192.0.2.1"},
		"v6 is a network":    {"[2001:db8:1:2:3:4:5:6]:99", "", false, "2001:db8:1:2::/64"},
		"v4 in v6":           {"[::ffff:192.0.2.1]:99", "", false, "192.0.2.1"},
		"link-local":         {"[fe80::1%eth0]:99", "", false, "fe80::/64"},
		"nobody is believed": {"192.0.2.1:99", "198.51.100.7", false, "192.0.2.1"},
		"but a proxy":        {"192.0.2.1:99", "198.51.100.7", true, "198.51.100.7"},
		"what it saw itself": {"192.0.2.1:99", "10.0.0.1, 198.51.100.7", true, "198.51.100.7"},
		"with a port":        {"192.0.2.1:99", "198.51.100.7:1234", true, "198.51.100.7"},
		"no address":         {"192.0.2.1:99", "unknown", true, "192.0.2.1"},
		"no proxy":           {"192.0.2.1:99", "", true, "192.0.2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = test.remote
			if test.forwarded != "" {
				r.Header.Set("X-Forwarded-For", test.forwarded)
			}
			assert.Equal(t, test.want, newVisitors(settings{behindProxy: test.behindProxy}).address(r))
		})
	}
}

func TestAddressesAreForgotten(t *testing.T) {
	v := newVisitors(settings{rate: 1, burst: 2})
	now := time.Now()
	for _, address := range []string{"a", "b", "c"} {
		assert.True(t, v.allow(address, now))
	}
	assert.True(t, v.allow("a", now))
	assert.False(t, v.allow("a", now))
	assert.True(t, v.allow("d", now.Add(time.Minute)))
	assert.Len(t, v.limiters, 1)
}

// What is indented is bounded, whatever it is.
func TestIndented(t *testing.T) {
	for _, text := range []string{`{}`, `[1, {"a": [], "b": "[{,:\"\\"}, [[2]]]`, `"x"`, `7`} {
		into := indented([]byte(text))
		assert.JSONEq(t, text, into)
		assert.LessOrEqual(t, len(into), sizeIndented([]byte(text)))
	}
	bomb := strings.Repeat("[", 5000) + strings.Repeat("1,", 100_000) + "1" + strings.Repeat("]", 5000)
	assert.Greater(t, sizeIndented([]byte(bomb)), 1_000_000_000)
	assert.Equal(t, bomb, indented([]byte(bomb)))
}
