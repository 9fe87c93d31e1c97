package pages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The texts in docs/troubleshooting.md are those that users see: the sources have them, or the tests expect them.
func TestTroubleshooting(t *testing.T) {
	p := readPage(t, filepath.Join(root, "docs/troubleshooting.md"))
	texts := readCode(t, root).rest
	scripts, err := filepath.Glob(filepath.Join(root, "scripts/*.sh"))
	require.NoError(t, err)
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		require.NoError(t, err)
		texts += string(text)
	}
	assert.Empty(t, unknownTexts(texts, p))
}

func TestUnknownTextsAreFound(t *testing.T) {
	const header = "| you see | cause |\n| --- | --- |\n"
	for text, problem := range map[string]string{
		header + "| `it is broken` | `nothing of this` |\n": "",
		header + "| `it ... broken` | time |\n":             "",
		header + "| it does nothing | time |\n":             "",
		header + "| `it is bent` | time |\n":                `nothing says "it is bent"`,
		header + "| `it ... bent` | time |\n":               `nothing says "bent"`,
		"nothing":                                           "there is no text",
	} {
		assert.Equal(t, problem, strings.Join(unknownTexts("it is broken", parsePage("page.md", text)), "; "), text)
	}
}

// unknownTexts are those in the first columns of the page's tables that the sources do not have, in pieces where
// an ellipsis stands for what differs.
func unknownTexts(sources string, p page) []string {
	var problems []string
	rows := p.rows()
	if len(rows) == 0 {
		return []string{"there is no text"}
	}
	for _, cells := range rows {
		for _, text := range (page{text: cells[0]}).spans() {
			for piece := range strings.SplitSeq(text, "...") {
				if piece = strings.TrimSpace(piece); !strings.Contains(sources, piece) {
					problems = append(problems, `nothing says "`+piece+`"`)
				}
			}
		}
	}
	return problems
}
