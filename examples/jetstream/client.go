package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// submit puts a job into the queue. If a job with this id is there or was there a short time ago, that is the one.
func (s *streams) submit(ctx context.Context, id string, j job) error {
	if err := checkID(id); err != nil {
		return err
	}
	body, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("job %s: %w", id, err)
	}
	if _, err := s.js.Publish(ctx, jobsPrefix+id, body, jetstream.WithMsgID("job-"+id)); err != nil {
		return fmt.Errorf("submit job %s: %w", id, err)
	}
	return nil
}

// await gives each answer to the jobs that match, which is an id or * for all, those that are there first, until
// enough says true.
func (s *streams) await(ctx context.Context, match string, enough func(answer) bool) error {
	return s.read(ctx, answersStream, answersPrefix+match, func(msg jetstream.Msg) (bool, error) {
		var a answer
		if err := json.Unmarshal(msg.Data(), &a); err != nil {
			return false, fmt.Errorf("%s is no answer: %w", msg.Subject(), err)
		}
		return enough(a), nil
	})
}

// read reads a stream from its beginning, until do says that it has enough.
func (s *streams) read(ctx context.Context, stream, subject string, do func(jetstream.Msg) (enough bool, err error)) error {
	consumer, err := s.js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{FilterSubjects: []string{subject}})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if errors.Is(err, jetstream.ErrNoHeartbeat) { // The client tries again.
			continue
		}
		if err != nil {
			return err
		}
		if enough, err := do(msg); enough || err != nil {
			return err
		}
	}
}

// deadLetter is a job that nobody tries again, and why.
type deadLetter struct {
	id     string
	header nats.Header
	job    []byte
}

// deadLetters gives all that there are.
func (s *streams) deadLetters(ctx context.Context) ([]deadLetter, error) {
	stream, err := s.js.Stream(ctx, deadStream)
	if err != nil {
		return nil, err
	}
	count := int(stream.CachedInfo().State.Msgs)
	var letters []deadLetter
	if count == 0 {
		return nil, nil
	}
	err = s.read(ctx, deadStream, deadPrefix+"*", func(msg jetstream.Msg) (bool, error) {
		letters = append(letters, deadLetter{msg.Subject()[len(deadPrefix):], msg.Headers(), msg.Data()})
		return len(letters) >= count, nil
	})
	return letters, err
}
