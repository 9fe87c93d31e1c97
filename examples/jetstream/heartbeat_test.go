package main

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A job stays with its worker for as long as that shows signs of life, and not for ever without.
func TestHeartbeat(t *testing.T) {
	own, err := startServer("127.0.0.1:0", "", newLog(t.Output()))
	require.NoError(t, err)
	defer own.stop()
	conn, err := connection{url: own.url()}.connect(t.Name(), newLog(t.Output()))
	require.NoError(t, err)
	defer conn.Close()
	s, err := openStreams(t.Context(), conn, streamSettings{replicas: 1, ackWait: 2 * time.Second})
	require.NoError(t, err)
	submit(t, s, "long", "text", "")
	msg, err := nextMessage(s)
	require.NoError(t, err)

	stop := heartbeat(msg, s.ackWait)
	_, err = s.workers.Next(jetstream.FetchMaxWait(3 * s.ackWait))
	assert.ErrorIs(t, err, nats.ErrTimeout)
	stop()
	msg, err = nextMessage(s)
	require.NoError(t, err)
	metadata, err := msg.Metadata()
	require.NoError(t, err)
	assert.EqualValues(t, 2, metadata.NumDelivered)
}
