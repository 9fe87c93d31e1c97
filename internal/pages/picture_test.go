package pages

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The drawings in docs are those of architecture.dot: who changes that has to run docs/architecture.sh.
func TestPicture(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(root, "docs/architecture.dot"))
	require.NoError(t, err)
	wanted := partsOfSource(string(source))
	require.NotEmpty(t, wanted)
	for _, name := range []string{"architecture-light.svg", "architecture-dark.svg"} {
		drawing, err := os.ReadFile(filepath.Join(root, "docs", name))
		require.NoError(t, err)
		parts, err := partsOfDrawing(drawing)
		require.NoError(t, err, name)
		assert.Equal(t, wanted, parts, "%s: run docs/architecture.sh", name)
	}
}

func TestPartsOfPictures(t *testing.T) {
	source := `digraph small {
  graph [label="not of a cluster"]
  subgraph cluster_a {
    graph [label="a room", style=filled]
    x [label="two\nlines"]
  }
  x -> y [label="l", style=bold]
  y -> x
}`
	const drawing = `<svg><g class="graph"><title>small</title>
<g class="cluster"><title>cluster_a</title><text>a room</text></g>
<g class="node"><title>x</title><text>two</text><text>lines</text></g>
<g class="edge"><title>x&#45;&gt;y</title><text>l</text></g>
<g class="edge"><title>y&#45;&gt;x</title></g></g></svg>`
	parts, err := partsOfDrawing([]byte(drawing))
	require.NoError(t, err)
	assert.Equal(t, []string{`cluster cluster_a "a room"`, `edge x->y "l"`, `edge y->x ""`, `node x "two lines"`}, parts)
	assert.Equal(t, parts, partsOfSource(source))
}

var (
	clusterPattern = regexp.MustCompile(`^subgraph (cluster_\w+) {$`)
	nodePattern    = regexp.MustCompile(`^(\w+) \[`)
	edgePattern    = regexp.MustCompile(`^(\w+) -> (\w+)\b`)
	labelPattern   = regexp.MustCompile(`\blabel="([^"]*)"`)
)

// partsOfSource are the clusters, nodes and edges of a graph in the language of graphviz, of which there is one
// statement a line, with their labels, sorted.
func partsOfSource(text string) []string {
	var parts []string
	cluster := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		label := ""
		if match := labelPattern.FindStringSubmatch(line); match != nil {
			label = strings.ReplaceAll(match[1], `\n`, " ")
		}
		if match := clusterPattern.FindStringSubmatch(line); match != nil {
			cluster = match[1]
		} else if match := edgePattern.FindStringSubmatch(line); match != nil {
			parts = append(parts, part("edge", match[1]+"->"+match[2], label))
		} else if match := nodePattern.FindStringSubmatch(line); match == nil || match[1] == "node" || match[1] == "edge" {
			continue
		} else if match[1] != "graph" {
			parts = append(parts, part("node", match[1], label))
		} else if cluster != "" {
			parts = append(parts, part("cluster", cluster, label))
			cluster = ""
		}
	}
	slices.Sort(parts)
	return parts
}

// drawn is a group of an SVG file as graphviz writes it.
type drawn struct {
	Class  string   `xml:"class,attr"`
	Title  string   `xml:"title"`
	Texts  []string `xml:"text"`
	Groups []drawn  `xml:"g"`
}

// partsOfDrawing are the same of an SVG file.
func partsOfDrawing(file []byte) ([]string, error) {
	var svg drawn
	if err := xml.Unmarshal(file, &svg); err != nil {
		return nil, err
	}
	if len(svg.Groups) != 1 {
		return nil, fmt.Errorf("there is not one graph, but %d", len(svg.Groups))
	}
	var parts []string
	for _, group := range svg.Groups[0].Groups {
		parts = append(parts, part(group.Class, group.Title, strings.Join(group.Texts, " ")))
	}
	slices.Sort(parts)
	return parts, nil
}

func part(kind, name, label string) string { return fmt.Sprintf("%s %s %q", kind, name, label) }
