package main

import (
	"crypto/sha256"
	"encoding/gob"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// payloadEnv names the payload that this test binary is to be.
const payloadEnv = "VMRUN_TEST_PAYLOAD"

// payloads are the programs that the tests run in the machine.
var payloads = map[string]func(){
	"nothing": func() {},
	"report":  reportPayload,
	"flood":   floodPayload,
	"die":     diePayload,
	"sleep":   sleepPayload,
	"panic":   panicPayload,
	"serve":   servePayload,
	"measure": measurePayload,
}

// report is what a program finds in the machine.
type report struct {
	Args       []string
	Env        []string
	Dir        string
	Files      map[string]string // content by the names in reportFiles
	Link       string
	Stdin      [sha256.Size]byte
	KVM        bool
	Listen     string // the error, if any
	TmpExec    string // the error, if any
	Time       time.Time
	CoreLimit  uint64
	Hostname   string
	DevStdoutW string // the error, if any
}

// Where the report payload looks, and what it writes.
const (
	reportFilesEnv = "VMRUN_TEST_FILES" // paths to read, colon-separated
	reportOutEnv   = "VMRUN_TEST_OUT"   // a file to write
	reportOutText  = "written in the machine"
	reportExit     = 7
)

func reportPayload() {
	r := report{Args: os.Args, Env: os.Environ(), Files: make(map[string]string), Time: time.Now()}
	r.Dir, _ = os.Getwd()
	for _, path := range filepath.SplitList(os.Getenv(reportFilesEnv)) {
		if content, err := os.ReadFile(path); err == nil {
			r.Files[path] = string(content)
		}
	}
	r.Link, _ = os.Readlink("link")
	hash := sha256.New()
	_, _ = io.Copy(hash, os.Stdin)
	hash.Sum(r.Stdin[:0])
	if f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0); err == nil {
		const getAPIVersion = 0xae00
		version, _, _ := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), getAPIVersion, 0)
		r.KVM = version == 12
	}
	if l, err := net.Listen("tcp", "localhost:0"); err != nil {
		r.Listen = err.Error()
	} else {
		_ = l.Close()
	}
	r.TmpExec = errorText(runFromTmp())
	if f, err := os.OpenFile("/dev/stdout", os.O_WRONLY, 0); err != nil {
		r.DevStdoutW = err.Error()
	} else {
		_ = f.Close()
	}
	var limit syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_CORE, &limit)
	r.CoreLimit = limit.Cur
	r.Hostname, _ = os.Hostname()
	_ = gob.NewEncoder(os.Stdout).Encode(r)
	if out := os.Getenv(reportOutEnv); out != "" {
		if err := os.WriteFile(out, []byte(reportOutText), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	fmt.Fprint(os.Stderr, "only stderr\r\n\x00no newline")
	os.Exit(reportExit)
}

// runFromTmp runs a copy of this program from the temporary directory.
func runFromTmp() error {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	path := os.TempDir() + "/copy"
	if err := os.WriteFile(path, self, 0o700); err != nil {
		return err
	}
	cmd := exec.Command(path)
	cmd.Env = []string{payloadEnv + "=nothing"}
	return cmd.Run()
}

const floodSize = 20 << 20 // bytes on each stream

// floodBytes is what the flood payload writes to a stream: every byte value,
// hard to compress, the same everywhere.
func floodBytes(stream uint64) []byte {
	random := rand.New(rand.NewPCG(stream, 0))
	buf := make([]byte, floodSize)
	for i := range buf {
		buf[i] = byte(random.Uint32())
	}
	return buf
}

// floodPayload writes both streams at once as fast as it can, leaves a child
// behind that holds them open, and ends at once.
func floodPayload() {
	child := exec.Command("/proc/self/exe")
	child.Env = append(os.Environ(), payloadEnv+"=sleep")
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		panic(err)
	}
	var writing sync.WaitGroup
	for i, f := range []*os.File{os.Stdout, os.Stderr} {
		data := floodBytes(uint64(i))
		writing.Go(func() { _, _ = f.Write(data) })
	}
	writing.Wait()
	if out := os.Getenv(reportOutEnv); out != "" {
		_ = os.Mkdir(out+"/sub", 0o755)
		_ = os.WriteFile(out+"/sub/large", floodBytes(0), 0o644)
		_ = os.WriteFile(out+"/empty", nil, 0o644)
	}
}

func diePayload() {
	fmt.Print("last words")
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func sleepPayload() {
	fmt.Println("ready")
	time.Sleep(time.Hour)
}

// panicPayload makes the machine's kernel panic.
func panicPayload() {
	_ = os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0)
	time.Sleep(time.Hour)
}

// Where the serve payload listens, and how much it lets flow.
const (
	servePort       = 8080
	quietPort       = 8081 // where it does not listen
	sumPort         = 8082
	serveFlood      = "/flood"
	serveFarewell   = "/farewell"
	serveClientLeft = "the client left\n"
)

// servePayload is an HTTP server, and on other ports what HTTP does not show: one that answers with the sum of all
// that it was sent, once that has ended.
func servePayload() {
	sums, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(sumPort))
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			conn, err := sums.Accept()
			if err != nil {
				panic(err)
			}
			go func() {
				sum := sha256.New()
				_, _ = io.Copy(sum, conn)
				_, _ = conn.Write(sum.Sum(nil))
				_ = conn.Close()
			}()
		}
	}()
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	})
	mux.HandleFunc(serveFlood, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(floodBytes(0)) })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write(make([]byte, 64<<10))
		}
		fmt.Print(serveClientLeft)
	})
	mux.HandleFunc(serveFarewell, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = conn.Write(floodBytes(1))
		os.Exit(reportExit)
	})
	panic(http.ListenAndServe(":"+strconv.Itoa(servePort), mux))
}

// measurePayload prints how many CPUs there are and how long the same work
// takes, several times.
func measurePayload() {
	fmt.Println(runtime.NumCPU())
	for range 5 {
		start := time.Now()
		sum := 0
		for i := range 5_000_000 {
			sum += i * i
		}
		elapsed := time.Since(start)
		fmt.Println(strconv.FormatInt(elapsed.Nanoseconds(), 10))
		runtime.KeepAlive(sum)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
