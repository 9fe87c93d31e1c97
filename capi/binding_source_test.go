package capi

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// goSource is this package's source text, parsed, with the types that can be known without its imports.
type goSource struct {
	fset  *token.FileSet
	files map[string]*ast.File
	scope *types.Scope
	info  *types.Info

	functions map[types.Object]*ast.FuncDecl
	bindings  []binding
	// strays are prototypes in comments that belong to no function.
	strays []string
}

// binding is a Go function and the C prototype in the last line of its comment.
type binding struct {
	file      string
	function  *ast.FuncDecl
	prototype prototype
}

func parseSource(sources map[string]string) (*goSource, error) {
	s := &goSource{
		fset:  token.NewFileSet(),
		files: map[string]*ast.File{},
		info: &types.Info{
			Defs:  map[*ast.Ident]types.Object{},
			Uses:  map[*ast.Ident]types.Object{},
			Types: map[ast.Expr]types.TypeAndValue{},
		},
		functions: map[types.Object]*ast.FuncDecl{},
	}
	names := slices.Sorted(maps.Keys(sources))
	files := make([]*ast.File, len(names))
	for i, name := range names {
		file, err := parser.ParseFile(s.fset, name, sources[name], parser.ParseComments)
		if err != nil {
			return nil, err
		}
		s.files[name], files[i] = file, file
	}
	config := types.Config{Importer: onlyUnsafe{}, Error: func(error) {}}
	pkg, _ := config.Check("capi", s.fset, files, s.info)
	s.scope = pkg.Scope()
	for _, name := range names {
		s.collect(name)
	}
	return s, nil
}

// onlyUnsafe imports no package but unsafe: what comes from others has no type, and need not have one.
type onlyUnsafe struct{}

func (onlyUnsafe) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	return nil, errors.ErrUnsupported
}

// collect finds the functions of a file and the prototypes in its comments.
func (s *goSource) collect(name string) {
	owned := map[*ast.CommentGroup]bool{}
	for _, declaration := range s.files[name].Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		s.functions[s.info.Defs[function.Name]] = function
		prototypes := prototypesIn(function.Doc)
		if len(prototypes) != 1 || function.Doc == nil || !strings.HasSuffix(strings.TrimSpace(function.Doc.Text()), ";") {
			continue
		}
		owned[function.Doc] = true
		s.bindings = append(s.bindings, binding{name, function, prototypes[0]})
	}
	for _, group := range s.files[name].Comments {
		if owned[group] {
			continue
		}
		for _, p := range prototypesIn(group) {
			s.strays = append(s.strays, fmt.Sprintf("%s: %s", s.fset.Position(group.Pos()), p.text))
		}
	}
}

// prototypesIn finds the lines of a comment that declare an ABI function.
func prototypesIn(group *ast.CommentGroup) []prototype {
	var found []prototype
	if group == nil {
		return nil
	}
	for line := range strings.Lines(group.Text()) {
		if p, ok := parsePrototype(line); ok && strings.HasPrefix(p.name, "hljs_") {
			found = append(found, p)
		}
	}
	return found
}

// isBinding says whether a function is one of those under a prototype.
func (s *goSource) isBinding(function *ast.FuncDecl) bool {
	return slices.ContainsFunc(s.bindings, func(b binding) bool { return b.function == function })
}

// receiver is the name of a method's type, or "".
func receiver(function *ast.FuncDecl) string {
	if function.Recv == nil {
		return ""
	}
	expr := function.Recv.List[0].Type
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	name, _ := expr.(*ast.Ident)
	return name.Name
}

// constants are the values of the constants of a type of this package.
func (s *goSource) constants(typeName string) map[string]string {
	found := map[string]string{}
	for _, name := range s.scope.Names() {
		constant, ok := s.scope.Lookup(name).(*types.Const)
		if ok && typeString(constant.Type()) == typeName {
			found[name] = constant.Val().String()
		}
	}
	return found
}

// resultTypes are the types that a function returns, as they are written.
func resultTypes(function *ast.FuncDecl) []string {
	var result []string
	if function.Type.Results == nil {
		return nil
	}
	for _, field := range function.Type.Results.List {
		for range max(1, len(field.Names)) {
			result = append(result, types.ExprString(field.Type))
		}
	}
	return result
}

// typeString is a type's name, without this package's.
func typeString(t types.Type) string {
	return types.TypeString(t, func(pkg *types.Package) string {
		if pkg == types.Unsafe {
			return pkg.Name()
		}
		return ""
	})
}
