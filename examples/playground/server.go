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

	stopping context.Context // ends when runs have to
	stop     context.CancelFunc
}

func newServer(s settings, log *slog.Logger) *server {
	samples, err := readSamples()
	if err != nil {
		panic(err) // They are part of the program.
	}
	stopping, stop := context.WithCancel(context.Background())
	return &server{
		settings: s,
		log:      log,
		samples:  samples,
		sessions: newSessions(s),
		visitors: newVisitors(s),
		turns:    newTurns(s),
		stopping: stopping,
		stop:     stop,
	}
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
	return protected(http.NewCrossOriginProtection().Handler(mux))
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
	server := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      15 * time.Second, // streams put it off with each message
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go s.sessions.expireUntil(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.shutDown(ctx, server) }()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}

// shutDown waits for ctx to end, and then for runs, which are stopped if they take too long.
func (s *server) shutDown(ctx context.Context, server *http.Server) error {
	<-ctx.Done()
	s.log.Info("shutting down")
	timer := time.AfterFunc(s.settings.shutdown, s.stop)
	defer timer.Stop()
	defer s.sessions.close()
	last, cancel := context.WithTimeout(context.Background(), s.settings.shutdown+slowestReader)
	defer cancel()
	return server.Shutdown(last)
}
