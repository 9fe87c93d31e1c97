package main

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Jobs that fail, each in a way of its own, and what becomes of them.
func TestBadJobs(t *testing.T) {
	url, s := newQueue(t)
	settings := settingsFor(url, "worker")
	settings.retries.attempts = 2
	settings.sandboxes.bounds = limits{Time: duration(5 * time.Second)}
	workHere(t, settings)

	const loop = `while (true);`
	jobs := []struct {
		id, body, result, reason string
		attempts                 int
	}{
		{"poison", `{"script":"function handler() { throw new Error('bad\\nluck'); }"}`, "", "Uncaught bad luck at handler (./job.js:1:31)", 2},
		{"endless", `{"script":"function handler() { ` + loop + ` }","limits":{"time":"500ms"}}`, "", "stopped by its limit: wall-clock", 2},
		{"busy", `{"script":"function handler() { ` + loop + ` }","limits":{"cpu":"300ms"}}`, "", "stopped by its limit: cpu-time", 2},
		{"endless-code", `{"script":"` + loop + ` function handler() {}"}`, "", "stopped by its limit: the time of top-level code", 2},
		{"memory", `{"script":"function handler() { const all = []; while (true) all.push('x'.repeat(100000) + all.length); }"}`, "", "out of memory", 2},
		{"big-result", `{"script":"function handler() { return 'x'.repeat(600000); }"}`, "", "the result is too big; at most it may have 512 KiB", 2},
		{"no-json", `{"script":`, "", "this is no job: unexpected EOF", 1},
		{"two-jobs", `{"script":"a"}{}`, "", "this is no job: there is something behind its JSON", 1},
		{"no-script", `{"event":1}`, "", "this is no job: it has no script", 1},
		{"misspelt", `{"script":"a","limit":{}}`, "", `this is no job: json: unknown field "limit"`, 1},
		{"no-time", `{"script":"a","limits":{"time":"-1s"}}`, "", "-1s", 1},
		{"good", `{"script":"function handler(event) { return event; }"}`, "{}", "", 1},
		{"markup", `{"script":"function handler() { return '<&>'; }"}`, `"<&>"`, "", 1},
		{"no-result", `{"script":"function handler() { }"}`, "null", "", 1},
		{"flaky", `{"script":"import * as job from 'job'; function handler() { if (job.attempt() < 2) throw 1; return job.id(); }"}`, `"flaky"`, "", 2},
	}
	var ids []string
	for _, it := range jobs {
		_, err := s.js.Publish(t.Context(), jobsPrefix+it.id, []byte(it.body))
		require.NoError(t, err)
		ids = append(ids, it.id)
	}
	answers := answersTo(t, s, ids...)
	letters, err := s.deadLetters(t.Context())
	require.NoError(t, err)
	buried := map[string]deadLetter{}
	for _, letter := range letters {
		buried[letter.id] = letter
	}
	for _, it := range jobs {
		t.Run(it.id, func(t *testing.T) {
			a := answers[it.id]
			assert.Equal(t, it.attempts, a.Attempts)
			assert.Equal(t, it.result, string(a.Result))
			letter, dead := buried[it.id]
			assert.Equal(t, it.reason != "", dead)
			if !dead {
				assert.Empty(t, a.Error)
				return
			}
			assert.Contains(t, inOneLine(a.Error), it.reason)
			assert.Equal(t, inOneLine(a.Error), letter.header.Get(headerReason))
			assert.Equal(t, strconv.Itoa(it.attempts), letter.header.Get(headerAttempts))
			assert.Equal(t, "worker", letter.header.Get(headerWorker))
			assert.Equal(t, it.body, string(letter.job))
		})
	}
}

// A job whose workers die never fails in the eyes of one of them; it is not tried for ever all the same.
func TestJobThatNobodyEnds(t *testing.T) {
	_, s := newQueue(t)
	submit(t, s, "deadly", "text", "")
	w := &worker{name: "last", streams: s, retries: retries{attempts: 2}, log: newLog(t.Output())}
	for range w.retries.attempts {
		msg, err := nextMessage(s)
		require.NoError(t, err)
		require.NoError(t, msg.Nak())
	}
	msg, err := nextMessage(s)
	require.NoError(t, err)
	w.newDelivery(msg).handle(t.Context())
	assert.Equal(t, answer{
		ID: "deadly", Error: "none of 2 attempts came to an end: their workers died, or had to stop", Attempts: 2, Worker: "last",
	}, answersTo(t, s, "deadly")["deadly"])
	assert.Equal(t, 1, messages(t, s, deadStream))
}
