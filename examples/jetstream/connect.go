package main

import (
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go"
)

// connection says how to reach a server.
type connection struct {
	url         string // several, separated by commas, for a cluster
	credentials string // a file, or ""
}

// connect waits for nobody: if no server answers, that is an error. Once there was one, the connection is made
// again for as long as it takes.
func (c connection) connect(name string, log *slog.Logger) (*nats.Conn, error) {
	options := []nats.Option{
		nats.Name(name),
		nats.MaxReconnects(-1),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("connection lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(conn *nats.Conn) { log.Info("connected again", "server", conn.ConnectedUrlRedacted()) }),
	}
	if c.credentials != "" {
		options = append(options, nats.UserCredentials(c.credentials))
	}
	conn, err := nats.Connect(c.url, options...)
	if err != nil {
		return nil, fmt.Errorf("no NATS server at %s: %w", c.url, err)
	}
	return conn, nil
}
