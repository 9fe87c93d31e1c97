package pages

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// code is what pages can name.
type code struct {
	symbols  map[string]bool     // of package hyperlight: X, and X.Y for methods and fields
	members  map[string]bool     // Y of any X.Y
	tests    map[string]bool     // functions of Go tests, with their examples
	examples map[string]string   // the text of examples
	codes    map[string][]string // for each Code of an error, the sentinels that it matches
	rest     string              // Rust, the header, and Go
}

// readCode reads the repository at root.
func readCode(t *testing.T, root string) code {
	t.Helper()
	c := code{
		symbols: map[string]bool{}, members: map[string]bool{}, tests: map[string]bool{},
		examples: map[string]string{}, codes: map[string][]string{},
	}
	var rest strings.Builder
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if entry != nil && entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "target") {
				return filepath.SkipDir
			}
			return err
		}
		extension := filepath.Ext(path)
		if extension != ".rs" && extension != ".h" && extension != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rest.Write(text)
		if extension != ".go" {
			return nil
		}
		return c.readGo(path, text, filepath.Base(filepath.Dir(path)) == "hyperlight")
	}))
	c.rest = rest.String()
	return c
}

func (c *code) readGo(path string, text []byte, isHyperlight bool) error {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if strings.HasSuffix(path, "_test.go") {
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok || function.Recv != nil {
				continue
			}
			c.tests[function.Name.Name] = true
			from, to := fset.Position(function.Pos()).Offset, fset.Position(function.End()).Offset
			c.examples[function.Name.Name] = string(text[from:to])
		}
		return nil
	}
	if isHyperlight {
		for _, declaration := range file.Decls {
			c.addSymbols(declaration)
		}
	}
	return nil
}

func (c *code) addSymbols(declaration ast.Decl) {
	switch declaration := declaration.(type) {
	case *ast.FuncDecl:
		if declaration.Recv == nil {
			c.symbols[declaration.Name.Name] = true
			return
		}
		c.addMember(typeName(declaration.Recv.List[0].Type), declaration.Name.Name)
	case *ast.GenDecl:
		for _, spec := range declaration.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for i, name := range spec.Names {
					c.symbols[name.Name] = true
					if name.Name == "kinds" {
						c.addKinds(spec.Values[i])
					}
				}
			case *ast.TypeSpec:
				c.symbols[spec.Name.Name] = true
				for name := range fields(spec.Type) {
					c.addMember(spec.Name.Name, name)
				}
			}
		}
	}
}

func (c *code) addMember(of, name string) {
	c.symbols[of+"."+name] = true
	c.members[name] = true
}

// fields are those of a struct, or the methods of an interface.
func fields(of ast.Expr) map[string]bool {
	names := map[string]bool{}
	list := &ast.FieldList{}
	switch of := of.(type) {
	case *ast.StructType:
		list = of.Fields
	case *ast.InterfaceType:
		list = of.Methods
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			names[name.Name] = true
		}
	}
	return names
}

func typeName(of ast.Expr) string {
	switch of := of.(type) {
	case *ast.StarExpr:
		return typeName(of.X)
	case *ast.IndexExpr:
		return typeName(of.X)
	case *ast.Ident:
		return of.Name
	}
	return ""
}

// addKinds reads which sentinels each code matches: in each element of the map, the names that begin with Err.
func (c *code) addKinds(kinds ast.Expr) {
	for _, element := range kinds.(*ast.CompositeLit).Elts {
		pair := element.(*ast.KeyValueExpr)
		name := pair.Key.(*ast.Ident).Name
		c.codes[name] = []string{}
		ast.Inspect(pair.Value, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.SelectorExpr: // errors.ErrUnsupported
				return false
			case *ast.Ident:
				if strings.HasPrefix(node.Name, "Err") {
					c.codes[name] = append(c.codes[name], node.Name)
				}
			}
			return true
		})
	}
}

// exported are the exported symbols that begin with a prefix.
func (c *code) exported(prefix string) []string {
	var names []string
	for name := range c.symbols {
		if strings.HasPrefix(name, prefix) && name != prefix && !strings.Contains(name, ".") && ast.IsExported(name[len(prefix):]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
