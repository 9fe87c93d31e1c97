package main

import (
	"fmt"
	"net"
	"testing"
)

// unbuffered is a connection to the server where a write waits until it is read.
func (p *playground) unbuffered(t *testing.T) (client net.Conn, end func()) {
	client, server := net.Pipe()
	listener := &oneConn{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	listener.conns <- server
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.server.http.Serve(listener) // until it is closed
	}()
	return client, func() {
		close(listener.closed)
		client.Close()
		<-ended
	}
}

type oneConn struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

func requestText(body string) string {
	return fmt.Sprintf("POST /run HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// busy is how many sessions do something.
func (s *server) busy() int {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	busy := 0
	for _, s := range s.sessions.byID {
		if s.cancel != nil {
			busy++
		}
	}
	return busy
}

// empty says whether there are no sessions.
func (s *server) empty() bool {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	return len(s.sessions.byID) == 0
}
