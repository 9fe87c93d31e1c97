package main

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Also when the server no longer knows the ids of messages, a job gets no second answer, and no second dead letter.
func TestAnswersOnce(t *testing.T) {
	own, err := startServer("127.0.0.1:0", "", newLog(t.Output()))
	require.NoError(t, err)
	defer own.stop()
	conn, err := connection{url: own.url()}.connect(t.Name(), newLog(t.Output()))
	require.NoError(t, err)
	defer conn.Close()
	const window = 100 * time.Millisecond
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	for name, subject := range map[string]string{answersStream: "answers.*", deadStream: "dead.*"} {
		_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: name, Subjects: []string{subject}, Duplicates: window})
		require.NoError(t, err)
	}
	s := openQueue(t, own.url())
	assert.Equal(t, window, s.answers.CachedInfo().Config.Duplicates, "streams that are there keep their settings")
	submit(t, s, "one", "text", "")
	msg, err := nextMessage(s)
	require.NoError(t, err)

	first := answer{ID: "one", Error: "no\nluck", Attempts: 3, Worker: "first"}
	for i, a := range []answer{first, first, {ID: "one", Result: []byte("1"), Attempts: 1, Worker: "second"}} {
		for _, delay := range []time.Duration{0, 5 * window} {
			time.Sleep(delay)
			counts, published, err := s.settle(t.Context(), msg, a)
			require.NoError(t, err)
			assert.Equal(t, first, counts)
			assert.Equal(t, i == 0 && delay == 0, published)
		}
	}
	assert.Equal(t, 1, messages(t, s, answersStream))
	letters, err := s.deadLetters(t.Context())
	require.NoError(t, err)
	require.Len(t, letters, 1)
	assert.Equal(t, "no luck", letters[0].header.Get(headerReason))
	assert.Equal(t, msg.Data(), letters[0].job)
}

// The first settles it, whatever the others say at the same time.
func TestAnswersOnceAtTheSameTime(t *testing.T) {
	_, s := newQueue(t)
	submit(t, s, "one", "text", "")
	msg, err := nextMessage(s)
	require.NoError(t, err)
	type outcome struct {
		counts    answer
		published bool
		err       error
	}
	outcomes := make(chan outcome)
	const workers = 8
	for i := range workers {
		go func() {
			counts, published, err := s.settle(context.Background(), msg, answer{ID: "one", Result: []byte("1"), Attempts: i})
			outcomes <- outcome{counts, published, err}
		}()
	}
	published := 0
	var all []answer
	for range workers {
		o := <-outcomes
		assert.NoError(t, o.err)
		if o.published {
			published++
		}
		all = append(all, o.counts)
	}
	assert.Equal(t, 1, published)
	for _, a := range all {
		assert.Equal(t, all[0], a)
	}
	assert.Equal(t, 1, messages(t, s, answersStream))
}
