package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// handlerName is what stack traces call the scripts.
const handlerName = "job"

// sandboxes runs the scripts of jobs. To the pool each script is a tenant, whose key is the script's digest: it is
// compiled once, and each job gets a guest that is as it was then.
type sandboxes struct {
	pool   *hyperlight.Pool
	size   int
	bounds limits // of all jobs
}

// sandboxSettings say how many there are, what scripts may do, and what they may call.
type sandboxSettings struct {
	size   int
	bounds limits
	// register adds host functions to those that all scripts have; nil adds none.
	register func(*hyperlight.ProtoJSSandbox) error
}

func newSandboxes(ctx context.Context, settings sandboxSettings) (*sandboxes, error) {
	template := hyperlight.Template{
		// A result that fits is one that can be published.
		Options: []hyperlight.Option{hyperlight.WithOutputBufferSize(maxMessage)},
		Register: func(proto *hyperlight.ProtoJSSandbox) error {
			if err := registerJob(proto); err != nil || settings.register == nil {
				return err
			}
			return settings.register(proto)
		},
	}
	tenants := hyperlight.TenantLimits{LoadTime: time.Duration(settings.bounds.Time)} // for top-level code
	pool, err := hyperlight.NewPool(ctx, template,
		hyperlight.PoolSize(settings.size), hyperlight.PoolTenants(addScript, tenants))
	if err != nil {
		return nil, err
	}
	return &sandboxes{pool, settings.size, settings.bounds}, nil
}

func (s *sandboxes) close(ctx context.Context) error { return s.pool.Close(ctx) }

// attempt is one try at a job. The script's host functions find it in their context.
type attempt struct {
	id     string
	number int // from 1 on
	job    job
}

type attemptKey struct{}

// attemptOf gives the attempt whose script, or top-level code, has this context.
func attemptOf(ctx context.Context) attempt {
	a, _ := ctx.Value(attemptKey{}).(attempt)
	return a
}

// addScript is called when a script is new to the pool, on behalf of the job that brings it.
func addScript(ctx context.Context, _ string, sandbox *hyperlight.JSSandbox) error {
	return sandbox.AddHandler(handlerName, hyperlight.Script(attemptOf(ctx).job.Script))
}

// registerJob lets a script know what it is part of: import * as job from "job". With its id, what a job
// does outside of its sandbox can be done once, though the job may run again.
func registerJob(proto *hyperlight.ProtoJSSandbox) error {
	return errors.Join(
		proto.Register("job", "id", func(ctx context.Context) string { return attemptOf(ctx).id }),
		proto.Register("job", "attempt", func(ctx context.Context) int { return attemptOf(ctx).number }))
}

// run runs a job's script, and returns its result as JSON.
func (s *sandboxes) run(ctx context.Context, a attempt) (json.RawMessage, error) {
	digest := sha256.Sum256([]byte(a.job.Script))
	ctx = context.WithValue(ctx, attemptKey{}, a)
	result, err := s.pool.HandleTenantEvent(ctx, hex.EncodeToString(digest[:]), handlerName, a.job.Event,
		hyperlight.WithMonitors(a.job.Limits.within(s.bounds).monitors()...))
	if errors.Is(err, hyperlight.ErrNoValue) {
		return json.RawMessage("null"), nil // A job may be done without a result.
	}
	return result, err
}

func (l limits) monitors() (monitors []hyperlight.Monitor) {
	if l.Time > 0 {
		monitors = append(monitors, hyperlight.WallClock(time.Duration(l.Time)))
	}
	if l.CPU > 0 {
		monitors = append(monitors, hyperlight.CPUTime(time.Duration(l.CPU)))
	}
	return monitors
}
