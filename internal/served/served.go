// Package served starts an example that is a server, for a test that talks to it from the host: with a browser, or a
// client that is not Go. The server runs where guests do, on the host's hypervisor or in the emulated machine, and is
// reached by a port of the host either way.
package served

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// A machine boots in seconds, on a busy host in a minute.
	startLimit = 5 * time.Minute
	// What a test leaves behind that was killed itself ends by this.
	lifeLimit = "20m"
)

// Server is an example that runs.
type Server struct {
	URL string // http://127.0.0.1:PORT, without a slash at its end

	process *os.Process
	output  output
	ended   chan struct{}
	how     string // it ended; set once ended is closed
}

// Start builds the program in folder and runs it with args, in which {port} becomes the port that it shall listen on.
// It returns once the server answers HTTP requests, with whatever status. The server ends with the test.
//
// Files that args name must have absolute paths, of files that exist: they come along into the machine.
func Start(t testing.TB, folder string, args ...string) *Server {
	t.Helper()
	vmrun := os.Getenv("HYPERLIGHT_VMRUN")
	if vmrun == "" {
		t.Fatal("HYPERLIGHT_VMRUN is not set, which says where vmrun is: use ./build.sh test-examples, " +
			"or set it to the file bin/vmrun in the cache of ./build.sh")
	}
	port := freePort(t)
	arguments := []string{build(t, folder)}
	for _, arg := range args {
		arguments = append(arguments, strings.ReplaceAll(arg, "{port}", port))
	}
	cmd := exec.Command(vmrun, arguments...)
	cmd.Dir = t.TempDir() // vmrun packs the working directory
	// HYPERLIGHT_VM_FILES is for tests that run in the machine.
	cmd.Env = append(os.Environ(), "HYPERLIGHT_VM_PORTS="+port, "HYPERLIGHT_VM_FILES=", "HYPERLIGHT_VM_TIMEOUT="+lifeLimit)
	s := &Server{URL: "http://127.0.0.1:" + port, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &s.output, &s.output
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", vmrun, err)
	}
	s.process = cmd.Process
	go func() {
		_ = cmd.Wait()
		s.how = cmd.ProcessState.String()
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("the server printed:\n%s", s.Output())
		}
	})
	if err := s.answers(); err != nil {
		t.Fatal(err)
	}
	return s
}

// Output is what the server has printed so far, to standard output and standard error, and vmrun.
func (s *Server) Output() string { return s.output.String() }

// Stop ends the server, as SIGTERM does, and waits until it has ended. In the emulated machine that is the end of
// the machine: the server does not see the signal.
func (s *Server) Stop() {
	_ = s.process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		_ = s.process.Kill()
		<-s.ended
	}
}

// answers waits for the server.
func (s *Server) answers() error {
	client := http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); {
		response, err := client.Get(s.URL)
		if err == nil {
			return response.Body.Close()
		}
		select {
		case <-s.ended:
			return fmt.Errorf("the server ended before it answered: %s", s.how)
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("the server has not answered for %v", startLimit)
}

// build builds the program in a folder, and returns its path.
func build(t testing.TB, folder string) string {
	t.Helper()
	folder, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), filepath.Base(folder))
	cmd := exec.Command("go", "build", "-o", program, ".")
	cmd.Dir = folder // whose module may be another
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", folder, err, said)
	}
	return program
}

// freePort is a port that nothing listened on a moment ago.
func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// output is a buffer that is read while it is written.
type output struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.text.String()
}
