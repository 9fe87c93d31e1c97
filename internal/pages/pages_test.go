package pages

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

func TestLinks(t *testing.T) {
	for _, p := range allPages(t) {
		for _, problem := range brokenLinks(root, p) {
			t.Errorf("%s: %s", p.file, problem)
		}
	}
}

func TestDocs(t *testing.T) {
	c := readCode(t, root)
	docs := docsPages(t)
	require.NotEmpty(t, docs)
	for _, p := range docs {
		known := c
		if p.file == migration {
			known.symbols = maps.Clone(c.symbols)
			for _, name := range namesOfNode(t) {
				known.symbols[name] = true
			}
		}
		for _, problem := range slices.Concat(unknownNames(known, p), codeOfNoExample(c, p)) {
			t.Errorf("%s: %s", p.file, problem)
		}
	}
}

func TestErrorTables(t *testing.T) {
	c := readCode(t, root)
	text, err := os.ReadFile(filepath.Join(root, "docs/errors.md"))
	require.NoError(t, err)
	for _, problem := range wrongErrors(c, parsePage("docs/errors.md", string(text))) {
		t.Error(problem)
	}
}

// allPages are the Markdown files of the repository.
func allPages(t *testing.T) []page {
	t.Helper()
	var pages []page
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{".git", "target", "node_modules"}, entry.Name()) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			pages = append(pages, readPage(t, path))
		}
		return nil
	}))
	return pages
}

// docsPages are those that speak of the code.
func docsPages(t *testing.T) []page {
	t.Helper()
	files, err := filepath.Glob(root + "/docs/*.md")
	require.NoError(t, err)
	var pages []page
	for _, file := range append(files, filepath.Join(root, "SECURITY.md")) {
		pages = append(pages, readPage(t, file))
	}
	return pages
}

func readPage(t *testing.T, path string) page {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	file, err := filepath.Rel(root, path)
	require.NoError(t, err)
	return parsePage(file, string(text))
}

// brokenLinks are those to files and headings that are not there.
func brokenLinks(root string, p page) []string {
	var problems []string
	for _, link := range p.links() {
		if strings.Contains(link, "://") {
			continue
		}
		target, anchor, _ := strings.Cut(link, "#")
		linked := p
		if target != "" {
			file := filepath.Join(filepath.Dir(p.file), target)
			if _, err := os.Stat(filepath.Join(root, file)); err != nil {
				problems = append(problems, link+" leads nowhere")
				continue
			}
			if anchor != "" {
				text, _ := os.ReadFile(filepath.Join(root, file))
				linked = parsePage(file, string(text))
			}
		}
		if anchor != "" && !slices.Contains(linked.anchors(), anchor) {
			problems = append(problems, link+" names no heading")
		}
	}
	return problems
}

var (
	// X, X.Y, hyperlight.X, and calls of them.
	symbolPattern = regexp.MustCompile(`^\*?(hyperlight\.)?([A-Z]\w*)(\.[A-Z]\w*)?(?:\[.*\])?(?:[({].*[)}])?$`)
	// x.Y: a method or a field of something.
	memberPattern = regexp.MustCompile(`^([a-z]\w*)\.([A-Z]\w*)(?:\[.*\])?(?:\(.*\))?$`)
	// words_like_this: of Rust, or of the C ABI.
	snakePattern = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)+$`)
	// Capitals are environment variables, abbreviations and the like.
	capitals = regexp.MustCompile(`^[A-Z0-9_]+$`)
)

// Names that are neither of this repository nor wrong.
var (
	ofJavaScript = []string{"Uint8Array", "Math", "Promise", "Date", "Object", "Array", "Error", "RegExp"}
	ofGo         = []string{"context", "errors", "fmt", "fs", "http", "json", "os", "runtime", "slices", "slog", "sync", "t", "time"}
)

// unknownNames are names in code spans that nothing has.
func unknownNames(c code, p page) []string {
	var problems []string
	for _, span := range p.spans() {
		known := true
		if match := symbolPattern.FindStringSubmatch(span); match != nil && !capitals.MatchString(span) {
			name := match[2] + match[3]
			known = c.symbols[name] || match[1] == "" && (c.tests[name] || c.members[name] || slices.Contains(ofJavaScript, match[2]))
		} else if match := memberPattern.FindStringSubmatch(span); match != nil && !slices.Contains(ofGo, match[1]) {
			known = c.members[match[2]]
		} else if snakePattern.MatchString(span) {
			known = regexp.MustCompile(`\b` + span + `\b`).MatchString(c.rest)
		}
		if !known {
			problems = append(problems, fmt.Sprintf("nothing is called `%s`", span))
		}
	}
	return problems
}

var markerPattern = regexp.MustCompile(`^<!-- (\w+) -->$`)

// codeOfNoExample is Go code that is not a part of the example, or of the function of one, that the line before it
// names, as in <!-- ExampleNew -->. Examples run as tests, so what the pages show works.
func codeOfNoExample(c code, p page) []string {
	var problems []string
	for _, b := range p.blocks {
		if b.language != "go" {
			continue
		}
		match := markerPattern.FindStringSubmatch(b.marker)
		switch {
		case match == nil:
			problems = append(problems, fmt.Sprintf("no example is named before the code %q", b.lines[0]))
		case !contains(c.examples[match[1]], b.lines):
			problems = append(problems, fmt.Sprintf("%s does not have the code %q", match[1], b.lines[0]))
		}
	}
	return problems
}

// contains says whether the lines follow each other in a text, whatever their common indentation there.
func contains(text string, wanted []string) bool {
	lines := strings.Split(text, "\n")
	for i := range lines {
		if i+len(wanted) > len(lines) {
			return false
		}
		indentation, ok := strings.CutSuffix(lines[i], wanted[0])
		if !ok || strings.Trim(indentation, "\t") != "" {
			continue
		}
		if slices.EqualFunc(lines[i:i+len(wanted)], wanted, func(line, wanted string) bool {
			return line == wanted || line == indentation+wanted
		}) {
			return true
		}
	}
	return false
}

var errorName = regexp.MustCompile("^`(Err\\w+)`$")

// wrongErrors compares the tables, whose first two columns are a sentinel and the codes that match it, with the
// code.
func wrongErrors(c code, p page) []string {
	var problems []string
	described := map[string]bool{}
	for _, cells := range p.rows() {
		match := errorName.FindStringSubmatch(cells[0])
		if match == nil {
			continue
		}
		name := match[1]
		if described[name] {
			problems = append(problems, name+" is described twice")
		}
		described[name] = true
		var expected []string
		for code, sentinels := range c.codes {
			if slices.Contains(sentinels, name) {
				expected = append(expected, code)
			}
		}
		var found []string
		for _, match := range spanPattern.FindAllStringSubmatch(cells[1], -1) {
			found = append(found, match[1])
		}
		slices.Sort(expected)
		slices.Sort(found)
		if !slices.Equal(expected, found) {
			problems = append(problems, fmt.Sprintf("%s matches %v, not %v", name, expected, found))
		}
	}
	for _, name := range c.exported("Err") {
		if !described[name] && name != "Error" {
			problems = append(problems, name+" is in no table")
		}
	}
	for name := range described {
		if !c.symbols[name] {
			problems = append(problems, name+" does not exist")
		}
	}
	for _, name := range c.exported("Code") {
		if !slices.Contains(p.spans(), name) {
			problems = append(problems, name+" is nowhere")
		}
	}
	return problems
}
