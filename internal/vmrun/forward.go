package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/yamux"
)

// The machine has no network. What connects to a forwarded port on the host becomes a stream of a yamux session over
// portNetwork, and in the machine a connection to the same or another port there. A stream begins with that port's
// number, which one byte answers: whether something listens.

// forward is a TCP port on the host's loopback interface, and the one in the machine that it leads to.
type forward struct{ host, guest uint16 }

// parseForwards reads what --port takes: PORT or HOST:GUEST, several separated by commas.
func parseForwards(text string) ([]forward, error) {
	var forwards []forward
	for part := range strings.SplitSeq(text, ",") {
		host, guest, pair := strings.Cut(strings.TrimSpace(part), ":")
		if !pair {
			guest = host
		}
		from, err := strconv.ParseUint(host, 10, 16)
		to, guestErr := strconv.ParseUint(guest, 10, 16)
		if err != nil || guestErr != nil || from == 0 || to == 0 {
			return nil, fmt.Errorf("%q is no port such as 8080, or HOST:GUEST such as 18080:8080", part)
		}
		forwards = append(forwards, forward{uint16(from), uint16(to)})
	}
	return forwards, nil
}

// forwarder is the host's side: it accepts connections and passes them on.
type forwarder struct {
	listeners []listener
	answers   sync.WaitGroup // connections to which the machine may still send
}

type listener struct {
	net.Listener
	guest uint16 // the port in the machine
}

// listen takes the ports on the host.
func listen(forwards []forward) (*forwarder, error) {
	f := &forwarder{}
	for _, forward := range forwards {
		l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(forward.host))))
		if errors.Is(err, syscall.EADDRINUSE) {
			err = fmt.Errorf("%w: end what listens there, or choose another port: HYPERLIGHT_VM_PORTS=OTHER:%d", err, forward.guest)
		}
		if err != nil {
			f.close()
			return nil, fmt.Errorf("forward a port: %w", err)
		}
		f.listeners = append(f.listeners, listener{l, forward.guest})
	}
	return f, nil
}

// start passes connections on by the given channel to the machine.
func (f *forwarder) start(network io.ReadWriteCloser) error {
	if len(f.listeners) == 0 {
		return nil
	}
	session, err := yamux.Client(network, muxConfig())
	if err != nil {
		return fmt.Errorf("forward ports: %w", err)
	}
	for _, l := range f.listeners {
		go func() {
			for {
				client, err := l.Accept()
				if errors.Is(err, net.ErrClosed) {
					return
				}
				if err != nil { // too many open files, or a client that is gone already
					time.Sleep(10 * time.Millisecond)
					continue
				}
				f.answers.Add(1)
				go f.pass(client.(*net.TCPConn), session, l.guest)
			}
		}()
	}
	return nil
}

// pass connects a client with a port of the machine, until both have ended.
func (f *forwarder) pass(client *net.TCPConn, session *yamux.Session, guest uint16) {
	defer client.Close()
	answered := sync.OnceFunc(f.answers.Done)
	defer answered()
	machine, err := dial(session, guest)
	if err != nil {
		_ = client.SetLinger(0) // a reset, since nothing ended: it never began
		return
	}
	join(client, machine, answered)
}

// dial opens a stream to a port of the machine.
func dial(session *yamux.Session, guest uint16) (*stream, error) {
	s, err := session.OpenStream()
	if err != nil {
		return nil, err
	}
	var listens [1]byte
	if err := binary.Write(s, binary.BigEndian, guest); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if _, err := io.ReadFull(s, listens[:]); err != nil || listens[0] == 0 {
		return nil, errors.Join(fmt.Errorf("nothing listens on port %d of the machine", guest), err, s.Close())
	}
	return &stream{s}, nil
}

// finish waits until clients have what the ended program has sent them, but not for those that do not read.
func (f *forwarder) finish() {
	f.close()
	done := make(chan struct{})
	go func() {
		f.answers.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
	}
}

func (f *forwarder) close() {
	for _, l := range f.listeners {
		_ = l.Close()
	}
}

// serveForwards is the machine's side.
func serveForwards(network io.ReadWriteCloser) error {
	session, err := yamux.Server(network, muxConfig())
	if err != nil {
		return err
	}
	go func() {
		for {
			s, err := session.AcceptStream()
			if err != nil {
				fmt.Println("vmrun init: forward ports:", err)
				return
			}
			go func() {
				if err := reach(&stream{s}); err != nil {
					_ = s.Close()
				}
			}()
		}
	}()
	return nil
}

// reach connects a stream with the port that it asks for.
func reach(s *stream) error {
	var port uint16
	if err := binary.Read(s, binary.BigEndian, &port); err != nil {
		return err
	}
	conn, err := net.DialTCP("tcp4", nil, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(port)})
	if err != nil {
		_, refused := s.Write([]byte{0})
		return errors.Join(err, refused)
	}
	defer conn.Close()
	if _, err := s.Write([]byte{1}); err != nil {
		return err
	}
	join(conn, s, func() {})
	return nil
}

// muxConfig is without time limits: a machine on a busy host is slow, and not gone. Who waits for one that
// is gone hears it from the session's end.
func muxConfig() *yamux.Config {
	c := yamux.DefaultConfig()
	c.EnableKeepAlive = false
	c.ConnectionWriteTimeout = 24 * time.Hour
	c.StreamOpenTimeout = 0
	c.StreamCloseTimeout = 0
	c.LogOutput = io.Discard
	return c
}

// stream is a yamux stream as a connection of which each direction ends by itself.
type stream struct{ *yamux.Stream }

// CloseWrite ends what is sent. In yamux a stream that was closed can still be read.
func (s *stream) CloseWrite() error { return s.Close() }

type halfCloser interface {
	io.ReadWriter
	CloseWrite() error
}

// join copies both directions, each to its end. It calls received when all from the machine's end, b, has arrived.
func join(a, b halfCloser, received func()) {
	var sending sync.WaitGroup
	sending.Go(func() { pump(b, a) })
	pump(a, b)
	received()
	sending.Wait()
}

// pump copies one direction. When nobody takes it any more, who sends must not wait for that: the rest is thrown away.
func pump(to, from halfCloser) {
	if _, err := io.Copy(to, from); err != nil {
		_, _ = io.Copy(io.Discard, from)
	}
	_ = to.CloseWrite()
}
