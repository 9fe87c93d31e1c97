package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestParseForwards(t *testing.T) {
	got, err := parseForwards("8080, 18081:8081")
	if want := []forward{{8080, 8080}, {18081, 8081}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "0", "x", "8080:", ":8080", "65536", "1:2:3", "8080,", "127.0.0.1:80", "-1"} {
		if got, err := parseForwards(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// freePorts returns ports of the host that nothing listened on a moment ago.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func TestServerInTheMachine(t *testing.T) {
	ports := freePorts(t, 3)
	r := newRun(t, "serve", nil)
	r.Env = append(r.Env, fmt.Sprintf("HYPERLIGHT_VM_PORTS=%d:%d,%d:%d,%d:%d",
		ports[0], servePort, ports[1], quietPort, ports[2], sumPort))
	r.Stdout = nil
	stdout, err := r.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	server := fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	dial := func(port int) *net.TCPConn {
		conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn.(*net.TCPConn)
	}
	echo := func(text string) (string, error) {
		response, err := http.Post(server+"/echo", "text/plain", strings.NewReader(text))
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		return string(answer), err
	}
	eventually(t, "the server answers", func() bool {
		answer, err := echo("hello")
		return err == nil && answer == "hello"
	})

	t.Run("many connections at once", func(t *testing.T) {
		var asking sync.WaitGroup
		for i := range 20 {
			asking.Go(func() {
				text := strings.Repeat(fmt.Sprintf("%d ", i), 50_000)
				if answer, err := echo(text); err != nil || answer != text {
					t.Errorf("%d of %d bytes came back, %v", len(answer), len(text), err)
				}
			})
		}
		asking.Wait()
	})

	t.Run("a client that ends its direction first", func(t *testing.T) {
		conn := dial(ports[2])
		data := floodBytes(2)
		if _, err := conn.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		sum, err := io.ReadAll(conn)
		if want := sha256.Sum256(data); err != nil || !bytes.Equal(sum, want[:]) {
			t.Errorf("%x, %v, want %x", sum, err, want)
		}
	})

	t.Run("a client that reads late holds up itself alone", func(t *testing.T) {
		response, err := http.Get(server + serveFlood)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		for range 3 {
			if answer, err := echo("meanwhile"); err != nil || answer != "meanwhile" {
				t.Errorf("%q, %v", answer, err)
			}
		}
		if flood, err := io.ReadAll(response.Body); err != nil || !bytes.Equal(flood, floodBytes(0)) {
			t.Errorf("%d bytes differ from the %d sent, %v", len(flood), floodSize, err)
		}
	})

	t.Run("a server hears that its client left", func(t *testing.T) {
		response, err := http.Get(server + "/endless")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, response.Body, 10<<20); err != nil {
			t.Error(err)
		}
		_ = response.Body.Close()
		line := make([]byte, len(serveClientLeft))
		if _, err := io.ReadFull(stdout, line); err != nil || string(line) != serveClientLeft {
			t.Errorf("the server said %q, %v", line, err)
		}
	})

	t.Run("where nothing listens, the connection is reset", func(t *testing.T) {
		conn := dial(ports[1])
		if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("error %v, want a reset", err)
		}
	})

	t.Run("what the program sent before its end arrives", func(t *testing.T) {
		conn := dial(ports[0])
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", serveFarewell); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, floodBytes(1)) {
			t.Errorf("%d bytes differ from the %d sent, %v", len(got), floodSize, err)
		}
	})
	_ = r.Wait()
	if code := r.ProcessState.ExitCode(); code != reportExit {
		t.Errorf("exit code %d, want %d; stderr:\n%s", code, reportExit, &r.stderr)
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := newRun(t, "serve", []string{"--port", fmt.Sprintf("%d:8080", l.Addr().(*net.TCPAddr).Port)})
	if code := r.exitCode(t); code != exitInfra {
		t.Errorf("exit code %d, want %d", code, exitInfra)
	}
	if got := r.stderr.String(); !strings.Contains(got, "address already in use") || !strings.Contains(got, "HYPERLIGHT_VM_PORTS=OTHER:8080") {
		t.Errorf("stderr %q", got)
	}
}
