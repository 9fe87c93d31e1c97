package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// good are quick results in which each target is reached, and each gate has its figures.
func good() *results {
	r := &results{Size: sizeQuick, Unit: unitInstructions, Figures: figures{"go": {}, "rust": {}, "c": {}}}
	for _, each := range targets {
		r.set(each.of, 1000)
	}
	for _, each := range gates() {
		r.set(each.of, 1000)
		r.set(each.to, 1000)
	}
	r.set(key{"go", "add_load_call_40kb"}, 3000)
	r.set(key{"rust", "add_load_call_40kb"}, 3000)
	r.Figures["go"]["allocs_per_call"] = figure{1, "allocs"}
	return r
}

func (r *results) set(k key, value float64) {
	r.Figures[k.contestant][k.workload] = figure{value, unitInstructions}
}

func TestTargets(t *testing.T) {
	table, err := checkTargets(good())
	require.NoError(t, err)
	assert.Equal(t, len(targets)+2, strings.Count(table, "\n"))
	assert.NotContains(t, table, "missed")

	t.Run("each can be missed", func(t *testing.T) {
		for _, each := range targets {
			r := good()
			is, err := each.value(r)
			require.NoError(t, err)
			f := r.Figures[each.of.contestant][each.of.workload]
			r.set(each.of, f.Value/is*each.atMost*1.001)
			table, err := checkTargets(r)
			require.ErrorContains(t, err, each.what, "what just exceeds it")
			assert.Contains(t, table, "**missed**")
			r.set(each.of, f.Value/is*each.atMost)
			_, err = checkTargets(r)
			if err != nil { // Another target may share the figure.
				assert.NotContains(t, err.Error(), each.what, "what just reaches it")
			}
		}
	})
	t.Run("a figure that is missing is no target reached", func(t *testing.T) {
		for _, each := range targets {
			r := good()
			delete(r.Figures[each.of.contestant], each.of.workload)
			_, err := checkTargets(r)
			require.ErrorIs(t, err, errMissing)
			require.ErrorContains(t, err, each.what)
		}
	})
}

func TestCompare(t *testing.T) {
	t.Run("the same", func(t *testing.T) {
		text, err := compare(good(), good())
		require.NoError(t, err)
		assert.Equal(t, "No figure changed by 1 % or more.\n", text)
	})
	t.Run("each gate", func(t *testing.T) {
		for _, each := range gates() {
			before, after := good(), good()
			was := before.Figures[each.of.contestant][each.of.workload].Value
			after.set(each.of, was*1.029)
			_, err := compare(before, after)
			require.NoError(t, err, "%v", each)
			after.set(each.of, was*1.031)
			text, err := compare(before, after)
			require.ErrorContains(t, err, each.of.String()+" got slower by 3.1 %")
			assert.Contains(t, text, "+3.1 %")
			delete(after.Figures[each.of.contestant], each.of.workload)
			_, err = compare(before, after)
			require.ErrorIs(t, err, errMissing, "%v", each)
		}
	})
	t.Run("what makes all slower counts for nobody", func(t *testing.T) {
		before, after := good(), good()
		for contestant, workloads := range after.Figures {
			for workload, f := range workloads {
				after.set(key{contestant, workload}, f.Value*1.2)
			}
		}
		_, err := compare(before, after)
		require.NoError(t, err)
	})
	t.Run("what got faster, and what is not gated", func(t *testing.T) {
		before, after := good(), good()
		before.set(key{"c", "warm_gc_false"}, 1000)
		after.set(key{"c", "warm_gc_false"}, 1500)
		after.set(key{"go", "host_json"}, 500)
		text, err := compare(before, after)
		require.NoError(t, err)
		assert.Regexp(t, `(?s)\| c \| warm_gc_false \| instructions \| 1,000 \| 1,500 \| \+50.0 % \|.*`+
			`\| go \| host_json \| instructions \| 1,000 \| 500 \| -50.0 % \|`, text, "the worst first")
	})
	t.Run("other results do not compare", func(t *testing.T) {
		after := good()
		after.Unit = unitNanoseconds
		_, err := compare(good(), after)
		require.EqualError(t, err, "quick results in instructions do not compare with quick results in ns")
		after = good()
		after.Size = sizeFull
		_, err = compare(good(), after)
		require.ErrorContains(t, err, "do not compare")
	})
}

func TestTable(t *testing.T) {
	r := &results{Unit: unitInstructions, Figures: figures{
		"rust": {"warm_gc_false": {60000, unitInstructions}, "print": {0.5, unitInstructions}},
		"go":   {"warm_gc_false": {61234.5, unitInstructions}, "batch_100": {57000, unitInstructions}},
	}}
	c := comparison{contestants: own, baseline: "rust", workloads: []row{
		{"warm_gc_false", "warm", ""}, {"batch_100", "batch", "warm_gc_false"}, {"print", "print", ""}, {"pool", "pool", ""},
	}}
	assert.Equal(t, `|  | unit | Rust | Go | Go / Rust |
| --- | --- | ---: | ---: | ---: |
| warm | instructions | 60,000 | 61,234 | 1.021 |
| batch | instructions | 60,000 | 57,000 | 0.950 |
| print | instructions | 0.50 |  |  |
`, c.table(r), "without columns and rows that nobody has figures of")

	c = comparison{contestants: []string{"go"}}
	assert.Equal(t, "|  | unit | Go |\n| --- | --- | ---: |\n| `batch_100` | instructions | 57,000 |\n"+
		"| `warm_gc_false` | instructions | 61,234 |\n", c.table(r), "all workloads, and no ratios")
	assert.Empty(t, comparison{contestants: []string{"c"}}.table(r))
}

func TestPivot(t *testing.T) {
	r := &results{Figures: figures{"server": {
		"server_reuse_pool_4_clients_16_rps": {1234, "requests/s"}, "server_reuse_pool_4_clients_16_p50": {12.34, "us"},
		"server_reuse_pool_4_clients_4_rps": {2, "requests/s"}, "server_other": {1, "ns"},
	}}}
	for _, each := range pivots {
		if each.name == "server" {
			assert.Equal(t, `| strategy | sandboxes | clients | requests/s | p50, us |
| --- | ---: | ---: | ---: | ---: |
| reuse | 4 | 4 | 2 |  |
| reuse | 4 | 16 | 1,234 | 12.3 |
`, each.table(r), "in the order of numbers, without a column that nobody has figures of")
		} else {
			assert.Empty(t, each.table(r))
		}
	}
}

func TestFilled(t *testing.T) {
	const page = "a\n<!-- bench main -->\nold\n<!-- /bench -->\nb\n<!-- bench more -->\n<!-- /bench -->\nc\n"
	inserts := map[string]string{"main": "| new |\n", "more": "| more |\n"}
	want := "a\n<!-- bench main -->\n\n| new |\n\n<!-- /bench -->\nb\n<!-- bench more -->\n\n| more |\n\n<!-- /bench -->\nc\n"
	once, err := filled(page, inserts)
	require.NoError(t, err)
	assert.Equal(t, want, once)
	twice, err := filled(once, inserts)
	require.NoError(t, err)
	assert.Equal(t, want, twice, "it can be done again")

	_, err = filled("<!-- bench main -->\nno end", inserts)
	require.ErrorContains(t, err, `"main"`)
	_, err = filled(page, map[string]string{"main": "| new |\n"})
	require.ErrorContains(t, err, `"more"`, "a marker that nothing is for")
}

func TestParse(t *testing.T) {
	samples := map[string][]figure{}
	require.NoError(t, parse([]byte("a\tns\t3\nb\tKiB\t1.5\n"), samples))
	require.NoError(t, parse([]byte("a\tns\t1\n"), samples))
	require.NoError(t, parse([]byte("a\tns\t20\n"), samples))
	assert.Equal(t, figure{3, "ns"}, median(samples["a"]))
	assert.Equal(t, figure{1.5, "KiB"}, median(samples["b"]))
	assert.Equal(t, figure{3, unitInstructions}, figure{3, "ns"}.counted())
	assert.Equal(t, figure{3, "KiB"}, figure{3, "KiB"}.counted())
	for _, line := range []string{"a 1\n", "a\tns\tfast\n", "a\tns\tNaN\n", "\tns\t1\n", "a\t\t1\n", "a\tns\t1\t2\n"} {
		require.ErrorContains(t, parse([]byte(line), samples), "it printed", "%q", line)
	}
}

// A program that stands for a contestant runs on the host here, as all do that measure no guests.
func TestCollect(t *testing.T) {
	folder := t.TempDir()
	program := filepath.Join(folder, "stand-in")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\nprintf 'scale\\tns\\t%s\\n' \"$BENCH_SCALE\"\n"+
		"printf 'names\\tcount\\t%s\\n' $#\n"), 0o755))
	c := &collectCommand{paths: paths{Bench: ".", Programs: folder}, Size: sizeFull, Mode: "always", Repeat: 3}
	found, err := c.run(contestant{name: "stand-in", place: host})
	require.NoError(t, err)
	assert.Equal(t, map[string]figure{"scale": {2, "ns"}, "names": {0, "count"}}, found)
	c.Size = sizeQuick
	found, err = c.run(contestant{name: "stand-in", place: host})
	require.NoError(t, err)
	assert.Equal(t, map[string]figure{"scale": {1, "ns"}, "names": {float64(len(quick)), "count"}}, found)

	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\nexit 3\n"), 0o755))
	_, err = c.run(contestant{name: "stand-in", place: host})
	require.ErrorContains(t, err, "exit status 3")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755))
	_, err = c.run(contestant{name: "stand-in", place: host})
	require.EqualError(t, err, "it printed no figures")
}

func TestChosen(t *testing.T) {
	names := func(all []contestant) []string {
		var names []string
		for _, one := range all {
			names = append(names, one.name)
		}
		return names
	}
	assert.ElementsMatch(t, own, names(chosen(sizeQuick, nil)), "what stands aside is for the full results")
	assert.Len(t, chosen(sizeFull, nil), len(contestants))
	assert.Equal(t, []string{"node"}, names(chosen(sizeQuick, []string{"node"})), "unless it is asked for")
}

// What is measured quickly is enough for all targets and gates.
func TestQuickIsEnough(t *testing.T) {
	for _, each := range gates() {
		assert.Contains(t, quick, each.of.workload)
		assert.Contains(t, quick, each.to.workload)
	}
	for _, each := range targets {
		assert.Contains(t, quick, each.of.workload)
	}
}

func TestSaveAndPlot(t *testing.T) {
	folder := t.TempDir()
	r := good()
	require.NoError(t, r.save(filepath.Join(folder, "quick.json")))
	again, err := load(filepath.Join(folder, "quick.json"))
	require.NoError(t, err)
	assert.Equal(t, r, again)

	command := &tableCommand{Results: folder, Size: sizeQuick}
	require.NoError(t, command.Run())
	plot, err := os.ReadFile(filepath.Join(folder, "main.svg"))
	require.NoError(t, err)
	assert.Contains(t, string(plot), "warm call")
	table, err := os.ReadFile(filepath.Join(folder, "main.md"))
	require.NoError(t, err)
	assert.Contains(t, string(table), "| warm call | instructions | 1,000 |")

	require.NoError(t, os.WriteFile(filepath.Join(folder, "bad.json"), []byte("[]"), 0o644))
	_, err = load(filepath.Join(folder, "bad.json"))
	require.ErrorContains(t, err, "is not what `collect` writes")
}

func TestVersions(t *testing.T) {
	all := map[string]string{}
	require.NoError(t, crates("../../Cargo.lock", all))
	assert.Regexp(t, `^\d+\.\d+\.\d+$`, all["hyperlight-js"])
	assert.Regexp(t, `^\d+\.\d+\.\d+$`, all["hyperlight-host"])
	for line, want := range map[string]string{
		"gcc (Debian 12.2.0-14+deb12u1) 12.2.1":                 "12.2.1",
		"QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)":    "7.2.22",
		"rustc 1.95.0 (f2d3ce0bd 2026-03-21)":                   "1.95.0",
		"cc (Ubuntu 13.3.0-6ubuntu2~24.04) 13.3.0":              "13.3.0",
		"QEMU emulator version 8.2.2 (Debian 1:8.2.2+ds-0ubu1)": "8.2.2",
	} {
		got, err := versionOf("echo", line)
		require.NoError(t, err)
		assert.Equal(t, want, got, line)
	}
}
