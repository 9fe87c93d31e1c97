package main

import (
	"fmt"
	"log/slog"

	"github.com/nats-io/nats-server/v2/server"
)

// serverLog gets the text of what keeps the server from running, such as a port that is in use.
type serverLog chan string

func (f serverLog) with(log *slog.Logger) server.Logger { return serverLogger{log, f} }

// serverLogger passes on what is worth knowing about a server inside another program.
type serverLogger struct {
	log    *slog.Logger
	failed serverLog
}

func (l serverLogger) Warnf(format string, values ...any) {
	l.log.Warn("NATS server", "says", fmt.Sprintf(format, values...))
}

func (l serverLogger) Errorf(format string, values ...any) {
	l.log.Error("NATS server", "says", fmt.Sprintf(format, values...))
}

func (l serverLogger) Fatalf(format string, values ...any) {
	select {
	case l.failed <- fmt.Sprintf(format, values...):
	default: // It can only fail once.
	}
}

func (serverLogger) Noticef(string, ...any) {}
func (serverLogger) Debugf(string, ...any)  {}
func (serverLogger) Tracef(string, ...any)  {}
