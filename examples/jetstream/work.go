package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// workSettings are what the command work was told.
type workSettings struct {
	name      string
	to        connection
	listen    string // the address of a server of its own, if there is no URL
	data      string
	streams   streamSettings
	sandboxes sandboxSettings
	retries   retries
	grace     time.Duration
}

// check refuses what cannot work.
func (s workSettings) check() error {
	switch {
	case s.sandboxes.size < 1:
		return errors.New("--sandboxes must be at least 1")
	case s.sandboxes.bounds.Time < 0 || s.sandboxes.bounds.CPU < 0:
		return errors.New("--time and --cpu must not be negative; 0 is no limit")
	case s.retries.attempts < 1 || s.retries.first <= 0 || s.retries.most < s.retries.first:
		return errors.New("--attempts must be at least 1, --backoff above 0, and --backoff-max no less than --backoff")
	case s.streams.ackWait < time.Second:
		return errors.New("--ack-wait must be at least 1s")
	case s.grace < 0:
		return errors.New("--grace must not be negative")
	}
	return nil
}

// work is the command: a worker, until ctx ends.
func (s workSettings) work(ctx context.Context, log *slog.Logger) (err error) {
	if err := s.check(); err != nil {
		return err
	}
	log = log.With("worker", s.name)
	if s.to.url == "" {
		own, err := startServer(s.listen, s.data, log)
		if err != nil {
			return err
		}
		defer own.stop()
		s.to.url = own.url()
		log.Info("NATS server", "url", s.to.url, "data", own.store)
	}
	conn, err := s.to.connect(s.name, log)
	if err != nil {
		return err
	}
	defer conn.Close()
	streams, err := openStreams(ctx, conn, s.streams)
	if err != nil {
		return err
	}
	sandboxes, err := newSandboxes(ctx, s.sandboxes)
	if err != nil {
		return err
	}
	// All that used them has ended by then.
	defer func() { err = errors.Join(err, sandboxes.close(context.WithoutCancel(ctx))) }()
	w := &worker{s.name, streams, sandboxes, s.retries, s.grace, log}
	if err := w.work(ctx); err != nil {
		return err
	}
	// What was given back is on its way.
	if err := conn.FlushTimeout(10 * time.Second); err != nil {
		return fmt.Errorf("tell the server: %w", err)
	}
	return nil
}
