package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// server is the playground.
type server struct {
	settings settings
	log      *slog.Logger
	samples  []sample
	sessions *sessions
	visitors *visitors
	turns    *turns
	http     *http.Server
}

func newServer(s settings, log *slog.Logger) *server {
	samples, err := readSamples()
	if err != nil {
		panic(err) // They are part of the program.
	}
	playground := &server{
		settings: s,
		log:      log,
		samples:  samples,
		sessions: newSessions(s),
		visitors: newVisitors(s),
		turns:    newTurns(s),
	}
	playground.http = &http.Server{
		Handler:           playground.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second, // what may take longer has deadlines of its own
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return playground
}

// handler is all that the server answers.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", s.answering(s.answerPage))
	mux.Handle("GET /app.js", asset("app.js"))
	mux.Handle("GET /app.css", asset("app.css"))
	mux.Handle("GET /icon.svg", asset("icon.svg"))
	mux.Handle("GET /licenses.txt", asset("licenses.txt"))
	mux.Handle("GET /setup", s.answering(s.answerSetup))
	mux.Handle("POST /run", s.answering(s.answerRun))
	mux.Handle("POST /stop", s.answering(s.answerStop))
	mux.Handle("POST /snapshot", s.answering(s.answerSnapshot))
	mux.Handle("POST /restore", s.answering(s.answerRestore))
	mux.Handle("POST /reset", s.answering(s.answerReset))
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	// Pages of other sites cannot use a visitor's browser to run code here.
	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { refuse(w, refuseOrigin) }))
	return protected(origins.Handler(mux))
}

// listenAndServe serves until ctx ends, and then lets runs end.
func (s *server) listenAndServe(ctx context.Context) error {
	listener, err := net.Listen("tcp", s.settings.listen)
	if err != nil {
		return err
	}
	s.log.Info("the playground is open", "url", "http://"+listener.Addr().String())
	return s.serve(ctx, listener)
}

func (s *server) serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go s.sessions.expireUntil(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.shutDown(ctx)
	}()
	if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-ended
	return nil
}

// shutDown waits for ctx to end, and then for runs, which are stopped if they take too long.
func (s *server) shutDown(ctx context.Context) {
	<-ctx.Done()
	s.log.Info("shutting down")
	defer s.sessions.close()
	timer := time.AfterFunc(s.settings.shutdown, s.sessions.close)
	defer timer.Stop()
	last, cancel := context.WithTimeout(context.Background(), s.settings.shutdown+s.settings.slowReader)
	defer cancel()
	if s.http.Shutdown(last) != nil {
		s.log.Warn("some visitors were too slow to read their answers, which are cut off")
		_ = s.http.Close()
	}
}
