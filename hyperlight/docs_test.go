package hyperlight_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A reader of upstream's docs is at home here: what each exported symbol is called there, or that there is
// nothing like it, stands in its comment.
func TestDocsNameUpstream(t *testing.T) {
	names := regexp.MustCompile(`\b[Uu]pstream\b`)
	for name, comment := range documented(t) {
		assert.Regexp(t, names, comment, "the comment of %s", name)
	}
}

// documented gives the comments of all exported symbols. Those of a group share the group's.
func documented(t *testing.T) map[string]string {
	t.Helper()
	fset := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}
	docs, err := doc.NewFromFiles(fset, files, "github.com/hyperlight-go/hyperlight-js/hyperlight")
	require.NoError(t, err)
	comments := map[string]string{}
	functions := func(prefix string, all []*doc.Func) {
		for _, f := range all {
			comments[prefix+f.Name] = f.Doc
		}
	}
	values := func(all []*doc.Value) {
		for _, group := range all {
			comments[strings.Join(group.Names, ", ")] = group.Doc
		}
	}
	functions("", docs.Funcs)
	values(docs.Consts)
	values(docs.Vars)
	for _, kind := range docs.Types {
		comments[kind.Name] = kind.Doc
		functions("", kind.Funcs)
		functions(kind.Name+".", kind.Methods)
		values(kind.Consts)
		values(kind.Vars)
	}
	require.Greater(t, len(comments), 50)
	return comments
}
