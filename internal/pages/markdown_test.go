package pages

import (
	"regexp"
	"strings"
)

// page is a Markdown file.
type page struct {
	file   string // below the root of the repository
	text   string // without code blocks
	blocks []block
}

// block is code between fences.
type block struct {
	language string
	marker   string // the line before it
	lines    []string
}

// parsePage reads as much of Markdown as this repository uses.
func parsePage(file, text string) page {
	p := page{file: file}
	var prose []string
	var code *block
	before := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && code == nil:
			code = &block{language: fence, marker: before}
		case isFence:
			p.blocks = append(p.blocks, *code)
			code = nil
		case code != nil:
			code.lines = append(code.lines, line)
		case !strings.HasPrefix(line, "    "):
			prose = append(prose, line)
		}
		before = line
	}
	p.text = strings.Join(prose, "\n")
	return p
}

var (
	spanPattern    = regexp.MustCompile("`([^`]+)`")
	sourcePattern  = regexp.MustCompile(`\b(?:src|srcset|href)="([^"]+)"`)
	linkPattern    = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noAnchor       = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// spans are the code in running text.
func (p page) spans() []string {
	var spans []string
	for _, match := range spanPattern.FindAllStringSubmatch(p.text, -1) {
		spans = append(spans, strings.Join(strings.Fields(match[1]), " "))
	}
	return spans
}

// links are where the page's links lead.
func (p page) links() []string {
	var links []string
	text := spanPattern.ReplaceAllString(p.text, "code") // What looks like a link in code is none.
	for _, match := range linkPattern.FindAllStringSubmatch(text, -1) {
		links = append(links, match[1])
	}
	for _, match := range sourcePattern.FindAllStringSubmatch(text, -1) { // of a <picture>
		links = append(links, match[1])
	}
	return links
}

// anchors are what links can name in the page, as GitHub makes them of headings.
func (p page) anchors() []string {
	var anchors []string
	for _, match := range headingPattern.FindAllStringSubmatch(p.text, -1) {
		heading := linkPattern.ReplaceAllStringFunc(match[1], func(link string) string {
			return link[1:strings.Index(link, "]")]
		})
		heading = noAnchor.ReplaceAllString(strings.ToLower(heading), "")
		anchors = append(anchors, strings.ReplaceAll(heading, " ", "-"))
	}
	return anchors
}

// rows are the cells of all rows of all tables, without headers.
func (p page) rows() [][]string {
	var rows [][]string
	lines := strings.Split(p.text, "\n")
	for i, line := range lines {
		if !isRow(line) || isRule(line) || i+1 < len(lines) && isRule(lines[i+1]) {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		rows = append(rows, cells)
	}
	return rows
}

func isRow(line string) bool  { return strings.HasPrefix(line, "|") }
func isRule(line string) bool { return strings.HasPrefix(line, "| ---") }
