package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// limits are what users of this server may take of it.
type limits struct {
	sandboxes   int           // events handled at a time
	perFunction int           // of them, those of one function
	functions   int           // how many there may be
	cpuTime     time.Duration // of an event
	time        time.Duration // of an event, the wait for a sandbox included
	loadTime    time.Duration // of a function's top-level code
}

const (
	maxScriptBytes = 256 << 10
	maxEventBytes  = 256 << 10
	maxPrintBytes  = 4 << 10 // in the log, for each event
)

// server is HTTP in front of a pool.
type server struct {
	limits    limits
	pool      *hyperlight.Pool
	functions functions
	http      http.Server
	cancel    context.CancelCauseFunc // ends all requests
}

// errShutdown is why requests end that take longer than the grace period.
var errShutdown = errors.New("the server shuts down")

func newServer(ctx context.Context, limits limits) (*server, error) {
	if err := hyperlight.EnableMetrics(); err != nil {
		return nil, err
	}
	pool, err := hyperlight.NewPool(ctx, hyperlight.Template{}, hyperlight.PoolSize(limits.sandboxes),
		hyperlight.PoolTenants(addFunction, hyperlight.TenantLimits{LoadTime: limits.loadTime}))
	if err != nil {
		return nil, err
	}
	s := &server{limits: limits, pool: pool, functions: functions{limits: limits, byName: map[string]*function{}}}
	metrics, err := metricsHandler(pool)
	if err != nil {
		return nil, errors.Join(err, pool.Close(ctx))
	}
	routes := http.NewServeMux()
	routes.HandleFunc("PUT /functions/{name}", answer(s.put))
	routes.HandleFunc("POST /functions/{name}", answer(s.post))
	routes.HandleFunc("DELETE /functions/{name}", answer(s.delete))
	routes.Handle("GET /metrics", metrics)
	requests, cancel := context.WithCancelCause(context.Background())
	s.cancel = cancel
	s.http = http.Server{
		Handler:           routes,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	return s, nil
}

func (s *server) serve(listener net.Listener) error {
	if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// stop takes no more requests, lets those that run go on for the grace period, ends the rest, and closes the pool.
func (s *server) stop(grace time.Duration) error {
	patient, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if s.http.Shutdown(patient) != nil {
		s.cancel(errShutdown) // stops their guests
	}
	hurried, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(s.http.Shutdown(hurried), s.pool.Close(hurried))
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// put makes a function of the body, or a new version of one. It is used from when it has been loaded without error:
// until then, and if it cannot be, the old one stays.
func (s *server) put(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if !validName.MatchString(name) {
		return failure{http.StatusBadRequest, "invalid_name", "a name is up to 63 of a-z, 0-9 and -, a letter first", ""}
	}
	script, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxScriptBytes))
	if err != nil {
		return err
	}
	version := newVersion(name, string(script))
	ctx, cancel := context.WithTimeout(version.in(r.Context()), s.limits.time+s.limits.loadTime)
	defer cancel()
	lease, err := s.pool.AcquireTenant(ctx, version.key())
	if err != nil {
		return loadFailure(err)
	}
	lease.Release()
	replaced, err := s.functions.put(version)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if replaced != nil {
		status = http.StatusOK
		if *replaced != version {
			s.pool.Forget(replaced.key())
		}
	}
	writeJSON(w, status, map[string]string{"name": name, "version": version.digest})
	return nil
}

// post handles an event, the body, with a function.
func (s *server) post(w http.ResponseWriter, r *http.Request) error {
	event, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEventBytes))
	if err != nil {
		return err
	}
	result, err := s.call(r.Context(), r.PathValue("name"), event)
	switch {
	case errors.Is(err, hyperlight.ErrNoValue):
		w.WriteHeader(http.StatusNoContent)
	case err != nil:
		return err
	default:
		writeJSON(w, http.StatusOK, json.RawMessage(result))
	}
	return nil
}

// call runs a function in a clean guest, within its limits.
func (s *server) call(ctx context.Context, name string, event []byte) ([]byte, error) {
	version, done, err := s.functions.begin(name)
	if err != nil {
		return nil, err
	}
	defer done()
	ctx, cancel := context.WithTimeout(version.in(ctx), s.limits.time)
	defer cancel()
	return s.pool.HandleTenantEvent(ctx, version.key(), name, event,
		hyperlight.WithMonitors(hyperlight.CPUTime(s.limits.cpuTime)),
		hyperlight.WithPrintLimit(maxPrintBytes),
		hyperlight.WithPrintFunc(func(text string) { slog.Info("printed", "function", name, "text", text) }))
}

func (s *server) delete(w http.ResponseWriter, r *http.Request) error {
	deleted, err := s.functions.delete(r.PathValue("name"))
	if err != nil {
		return err
	}
	s.pool.Forget(deleted.key())
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// writeJSON is the end of a request: what fails here has no client any more.
func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		slog.Debug("the client is gone", "error", err)
	}
}
