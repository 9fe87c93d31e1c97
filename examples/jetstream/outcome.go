package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The headers of a dead letter, besides those that the job had. Its body is the job's, as it came.
const (
	headerReason   = "Job-Error"
	headerAttempts = "Job-Attempts"
	headerWorker   = "Job-Worker"
)

// settle answers a job, and writes a dead letter if it failed. It returns the answer that counts. That is another one if
// there was one: of a worker that died before it could acknowledge the job, or that was taken for dead.
func (s *streams) settle(ctx context.Context, msg jetstream.Msg, a answer) (counts answer, published bool, err error) {
	body, err := a.encode()
	if err != nil {
		return answer{}, false, err
	}
	published, err = s.publishOnce(ctx, nats.NewMsg(answersPrefix+a.ID), "answer-"+a.ID, body)
	if err != nil {
		return answer{}, false, fmt.Errorf("publish the answer: %w", err)
	}
	if !published {
		first, found, err := s.answerTo(ctx, a.ID)
		if err != nil {
			return answer{}, false, err
		}
		if found { // It may be so old that the server dropped it just now.
			a = first
		}
	}
	if a.failed() {
		err = s.bury(ctx, msg, a)
	}
	return a, published, err
}

// bury writes the dead letter of a job.
func (s *streams) bury(ctx context.Context, msg jetstream.Msg, a answer) error {
	letter := nats.NewMsg(deadPrefix + a.ID)
	for name, values := range msg.Headers() {
		if !strings.HasPrefix(name, "Nats-") { // Those are for the server, and about the other stream.
			letter.Header[name] = slices.Clone(values)
		}
	}
	letter.Header.Set(headerReason, inOneLine(a.Error))
	letter.Header.Set(headerAttempts, strconv.Itoa(a.Attempts))
	letter.Header.Set(headerWorker, a.Worker)
	if _, err := s.publishOnce(ctx, letter, "dead-"+a.ID, msg.Data()); err != nil {
		return fmt.Errorf("publish the dead letter: %w", err)
	}
	return nil
}

// publishOnce publishes unless its subject has a message already, however old. The message id does the same for
// a while only, but makes a repeated request a success, as it is if the server's word got lost.
func (s *streams) publishOnce(ctx context.Context, msg *nats.Msg, id string, body []byte) (published bool, err error) {
	msg.Data = body
	ack, err := s.js.PublishMsg(ctx, msg, jetstream.WithMsgID(id), jetstream.WithExpectLastSequencePerSubject(0))
	if refusal := (*jetstream.APIError)(nil); errors.As(err, &refusal) &&
		(refusal.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
			refusal.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return !ack.Duplicate, nil
}

// answerTo looks for the answer to a job.
func (s *streams) answerTo(ctx context.Context, id string) (a answer, found bool, err error) {
	raw, err := s.answers.GetLastMsgForSubject(ctx, answersPrefix+id)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return answer{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(raw.Data, &a)
	}
	if err != nil {
		return answer{}, false, fmt.Errorf("look for an answer: %w", err)
	}
	return a, true, nil
}

// inOneLine makes a text fit for a header. The answer has more of it.
func inOneLine(text string) string { return shortened(strings.Join(strings.Fields(text), " "), 1024) }
