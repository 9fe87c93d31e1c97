package main

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// heartbeat tells the server, three times in the time that it waits for a sign of life, that a job is being worked on.
// It does so until stop is called. An error is not ours to mend: if the server hears nothing, somebody else gets the job.
func heartbeat(msg jetstream.Msg, ackWait time.Duration) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(ackWait / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				_ = msg.InProgress()
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
