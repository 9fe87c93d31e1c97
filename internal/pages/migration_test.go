package pages

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The names of upstream's Node.js binding, as its published addon and upstream's documentation of that version have them.
func namesOfNode(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/js-host-api-0.4.0.txt")
	require.NoError(t, err)
	return strings.Fields(string(text))
}

const migration = "docs/migrating-from-js-host-api.md"

// Each name of the binding has a row, and each row a name of the binding, and a name in Go that exists.
func TestMigration(t *testing.T) {
	problems := wrongMigrations(readCode(t, root), readPage(t, filepath.Join(root, migration)), namesOfNode(t))
	assert.Empty(t, problems)
}

func TestWrongMigrationsAreFound(t *testing.T) {
	_, c := smallRepository(t)
	const header = "| js-host-api | Go |\n| --- | --- |\n"
	for text, problem := range map[string]string{
		header + "| `A.b` | `New` |\n": "",
		header:                         "A.b has no row",
		header + "| `A.b` | `New` |\n| `A.c` | `New` |\n":                "there is no A.c",
		header + "| `A.b` | `Old` |\n":                                   "A.b: there is no Old in Go",
		header + "| `A.b` | none |\n":                                    "A.b has no name in Go",
		header + "| `A.b` | `New` |\n" + "\n```js\na.b();\na.c(d);\n```": "the program calls c, which is no method there",
	} {
		assert.Equal(t, problem, strings.Join(wrongMigrations(c, parsePage("page.md", text), []string{"A.b"}), "; "), text)
	}
}

var callPattern = regexp.MustCompile(`\.(\w+)\(`)

func wrongMigrations(c code, p page, names []string) []string {
	var problems []string
	found := map[string]bool{}
	for _, cells := range p.rows() {
		name := strings.Trim(cells[0], "`")
		if found[name] = true; !slices.Contains(names, name) {
			problems = append(problems, "there is no "+name)
		}
		inGo := (page{text: cells[1]}).spans()
		if len(inGo) == 0 {
			problems = append(problems, name+" has no name in Go")
		}
		for _, symbol := range inGo {
			if !c.symbols[symbol] {
				problems = append(problems, name+": there is no "+symbol+" in Go")
			}
		}
	}
	methods := map[string]bool{"log": true} // of console
	for _, name := range names {
		if !found[name] {
			problems = append(problems, name+" has no row")
		}
		_, method, _ := strings.Cut(name, ".")
		methods[method] = true
	}
	for _, b := range p.blocks {
		for _, call := range callPattern.FindAllStringSubmatch(strings.Join(b.lines, "\n"), -1) {
			if b.language == "js" && !methods[call[1]] {
				problems = append(problems, "the program calls "+call[1]+", which is no method there")
			}
		}
	}
	return problems
}
