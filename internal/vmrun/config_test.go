package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"512M": 512 << 20, "4G": 4 << 30} {
		if got, err := parseSize(text); got != want || err != nil {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "G", "4", "0M", "-1G", "4.5G", "99999999999G", "2097152G"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func TestTestOutputs(t *testing.T) {
	got := testOutputs([]string{
		"-test.v=true", "-test.coverprofile=/w/cover", "-test.cpuprofile=cpu.out", "-test.outputdir=/out",
		"-test.testlogfile=/w/log", "-coverprofile=no",
	})
	slices.Sort(got)
	if want := []string{"/out/cpu.out", "/w/cover"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = testOutputs([]string{"-test.fuzz=FuzzX", "-test.fuzzcachedir=/cache"})
	if want := []string{"testdata/fuzz", "/cache"}; !slices.Equal(got, want) {
		t.Errorf("fuzzing: got %q, want %q", got, want)
	}
}

func TestNamedInArgs(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "a.js", "")
	write(t, "@odd", "")
	got := namedInArgs([]string{"a.js", "@a.js", "-f=a.js", "x=a.js", "-f=x=a.js", "--flag", "absent", "{\"a\":1}", ".", "@odd", ""})
	if want := []string{"a.js", "a.js", "a.js", "a.js", "a.js", "@odd"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWants(t *testing.T) {
	cfg := &config{outs: []string{"/w/out", "/w/dir"}}
	for path, want := range map[string]bool{
		"/w/out": true, "/w/dir/sub/x": true, "/w/outer": false, "/w": false, "/w/dir/../../etc/passwd": false, "": false,
	} {
		if got := cfg.wants(path); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
}

func TestListTree(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{
		"go.mod", "a.go", "sub/b.go", "testdata/.hidden", ".git/config", "other/go.mod", "other/c.go",
		"target/CACHEDIR.TAG", "target/debug/x",
	} {
		write(t, filepath.Join(dir, path), "")
	}
	large, err := os.Create(filepath.Join(dir, "large"))
	if err != nil {
		t.Fatal(err)
	}
	if err := large.Truncate(maxTreeFile + 1); err != nil {
		t.Fatal(err)
	}
	_ = large.Close()
	entries, err := listTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if !e.IsDir() {
			rel, _ := filepath.Rel(dir, e.path)
			got = append(got, rel)
		}
	}
	if want := []string{"a.go", "go.mod", "sub/b.go", "testdata/.hidden"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
