package hyperlight_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHostileCallers of the package soak uses everything that its table has, and methods by themselves. Nothing may be
// missing there.
func TestHostileCallersKnowEverything(t *testing.T) {
	table, err := parser.ParseFile(token.NewFileSet(), "soak/callers_table_test.go", nil, 0)
	require.NoError(t, err)
	known := map[string]bool{}
	ast.Inspect(table, func(node ast.Node) bool {
		if selector, ok := node.(*ast.SelectorExpr); ok {
			known[selector.Sel.Name] = true
		}
		return true
	})
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := 0
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		for _, name := range exported(file) {
			assert.True(t, known[name], "the table lacks %s", name)
			found++
		}
	}
	require.Greater(t, found, 100)
}

// exported gives the functions, types and variables that a file exports.
func exported(file *ast.File) (names []string) {
	add := func(name *ast.Ident) {
		if name.IsExported() {
			names = append(names, name.Name)
		}
	}
	for _, declaration := range file.Decls {
		switch declaration := declaration.(type) {
		case *ast.FuncDecl:
			if declaration.Recv == nil {
				add(declaration.Name)
			}
		case *ast.GenDecl:
			for _, spec := range declaration.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(spec.Name)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						if declaration.Tok == token.VAR {
							add(name)
						}
					}
				}
			}
		}
	}
	return names
}
