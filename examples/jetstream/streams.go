package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The names of what is kept at the server. A subject ends with the job's id.
const (
	jobsStream, jobsPrefix       = "JOBS", "jobs."
	answersStream, answersPrefix = "ANSWERS", "answers."
	deadStream, deadPrefix       = "DEAD", "dead."
	workersConsumer              = "workers"
)

const (
	// maxMessage bounds jobs, and their results. Servers take 1 MiB unless they are told otherwise, and a
	// dead letter is a job and its headers.
	maxMessage = 512 << 10
	// duplicates is for how long the server knows which jobs it has been given.
	duplicates = 10 * time.Minute
	// answersAge is for how long answers are kept, and with them the knowledge that a job was answered.
	answersAge = 7 * 24 * time.Hour
)

// streams is what a program has of the server; clients have no workers.
type streams struct {
	js      jetstream.JetStream
	answers jetstream.Stream
	workers jetstream.Consumer
	ackWait time.Duration
}

// streamSettings are those of streams that are made here; those that are there keep theirs.
type streamSettings struct {
	replicas int
	// ackWait is how long the server waits for a sign of life before it hands a job to another worker.
	ackWait time.Duration
}

// findStreams finds what clients use. Workers make it, since they are told how.
func findStreams(ctx context.Context, conn *nats.Conn) (*streams, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	answers, err := js.Stream(ctx, answersStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, fmt.Errorf("the server at %s has no queue of jobs; the first worker makes one, so start it before",
			conn.ConnectedUrlRedacted())
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", answersStream, err)
	}
	return &streams{js: js, answers: answers}, nil
}

// openStreams finds the streams, or makes them.
func openStreams(ctx context.Context, conn *nats.Conn, settings streamSettings) (*streams, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	s := &streams{js: js}
	jobs, err := s.open(ctx, settings, jetstream.StreamConfig{
		Name: jobsStream, Subjects: []string{jobsPrefix + "*"}, Description: "JavaScript jobs that wait, or run",
		Retention:  jetstream.WorkQueuePolicy, // A job goes once it is acknowledged.
		MaxMsgSize: maxMessage, Duplicates: duplicates,
	})
	if err != nil {
		return nil, err
	}
	// Not AllowDirect: only the stream's leader knows for certain whether there is an answer.
	s.answers, err = s.open(ctx, settings, jetstream.StreamConfig{
		Name: answersStream, Subjects: []string{answersPrefix + "*"}, Description: "what became of jobs",
		MaxAge: answersAge, Duplicates: duplicates,
	})
	if err != nil {
		return nil, err
	}
	_, err = s.open(ctx, settings, jetstream.StreamConfig{
		Name: deadStream, Subjects: []string{deadPrefix + "*"}, Description: "jobs that nobody tries again",
		Duplicates: duplicates,
	})
	if err != nil {
		return nil, err
	}
	if err := s.openWorkers(ctx, jobs, settings); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *streams) open(ctx context.Context, settings streamSettings, config jetstream.StreamConfig) (jetstream.Stream, error) {
	config.Storage = jetstream.FileStorage
	config.Replicas = settings.replicas
	stream, err := s.js.CreateStream(ctx, config)
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // With other settings, which are the operator's.
		stream, err = s.js.Stream(ctx, config.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", config.Name, err)
	}
	return stream, nil
}

// openWorkers opens the consumer that all workers share, so that each job goes to one of them.
func (s *streams) openWorkers(ctx context.Context, jobs jetstream.Stream, settings streamSettings) error {
	workers, err := jobs.CreateConsumer(ctx, jetstream.ConsumerConfig{
		Durable:   workersConsumer,
		AckPolicy: jetstream.AckExplicitPolicy,
		AckWait:   settings.ackWait,
		// The workers count. A server that did would drop a job whose workers died without a word.
		MaxDeliver: -1,
		// Jobs that wait to be tried again must not keep the others waiting.
		MaxAckPending: -1,
		// Each idle sandbox of each worker has a request here.
		MaxWaiting: 1 << 16,
	})
	if errors.Is(err, jetstream.ErrConsumerExists) {
		workers, err = jobs.Consumer(ctx, workersConsumer)
	}
	if err != nil {
		return fmt.Errorf("consumer %s of stream %s: %w", workersConsumer, jobsStream, err)
	}
	s.workers, s.ackWait = workers, workers.CachedInfo().Config.AckWait
	return nil
}
