package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// The gallery: NAME.js and its event NAME.json. A file begins with "// Title" and comment lines that describe it.
//
//go:embed samples
var sampleFiles embed.FS

// sampleNames are in the order of the gallery.
var sampleNames = []string{
	"hello", "console", "state", "exception", "endless", "regexp", "memory", "store", "signature", "async", "mandelbrot",
}

// sample is one of the gallery.
type sample struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Source string `json:"source"`
	Event  string `json:"event"`
}

func readSamples() ([]sample, error) {
	samples := make([]sample, 0, len(sampleNames))
	for _, name := range sampleNames {
		source, err := sampleFiles.ReadFile(path.Join("samples", name+".js"))
		if err != nil {
			return nil, err
		}
		event, err := sampleFiles.ReadFile(path.Join("samples", name+".json"))
		if err != nil {
			return nil, err
		}
		headline, _, _ := strings.Cut(string(source), "\n")
		title, isComment := strings.CutPrefix(headline, "// ")
		if !isComment || !json.Valid(event) {
			return nil, fmt.Errorf("sample %s: it has to begin with a comment, and its event has to be JSON", name)
		}
		samples = append(samples, sample{name, title, string(source), strings.TrimSpace(string(event))})
	}
	return samples, nil
}

// answerSetup tells the page what there is: the gallery and the limits.
func (s *server) answerSetup(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, map[string]any{"samples": s.samples, "limits": s.settings.most.bounds()})
	return nil
}
