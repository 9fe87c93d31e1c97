package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// embedded is a NATS server inside this program.
type embedded struct {
	server    *server.Server
	store     string // the folder of its streams
	temporary bool   // so that it goes with the server
}

// startServer starts a server that listens on an address such as 127.0.0.1:4222, and keeps its streams in a folder, or
// in a temporary one if that is "".
func startServer(address, folder string, log *slog.Logger) (*embedded, error) {
	host, port, err := splitAddress(address)
	if err != nil {
		return nil, err
	}
	e := &embedded{store: folder, temporary: folder == ""}
	if e.temporary {
		if e.store, err = os.MkdirTemp("", "jetstream-"); err != nil {
			return nil, err
		}
	}
	e.server, err = server.NewServer(&server.Options{
		Host: host, Port: port, NoSigs: true,
		// Without these the server makes them out of what the machine has at the moment.
		JetStream: true, StoreDir: e.store, JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 1 << 30,
	})
	if err != nil {
		e.stop()
		return nil, fmt.Errorf("NATS server: %w", err)
	}
	failed := make(serverLog, 1)
	e.server.SetLoggerV2(failed.with(log), false, false, false)
	ready := make(chan bool, 1)
	go e.server.Start()
	go func() { ready <- e.server.ReadyForConnections(time.Minute) }()
	select {
	case text := <-failed:
		err = errors.New(text)
	case yes := <-ready:
		if !yes {
			err = errors.New("it is not ready after a minute")
		}
	}
	if err != nil {
		e.stop()
		return nil, fmt.Errorf("NATS server at %s: %w", address, err)
	}
	return e, nil
}

func splitAddress(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("%q is no address; write one like 127.0.0.1:4222", address)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

func (e *embedded) url() string { return e.server.ClientURL() }

// stop ends the server. Its streams stay, unless their folder is a temporary one.
func (e *embedded) stop() {
	if e.server != nil {
		e.server.Shutdown()
		e.server.WaitForShutdown()
	}
	if e.temporary {
		_ = os.RemoveAll(e.store)
	}
}
