package capi

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// tracer reads a binding as the processor would run it, through the helpers that it calls, and notes
// what it passes to C.
type tracer struct {
	source *goSource
	words  []string // since the last call
	calls  []nativeCall
	// methods are frame's methods that were used.
	methods []string
	depth   int
}

// nativeCall is one crossing into C: the symbol, and what each argument is made of.
type nativeCall struct {
	symbol string
	words  []string
}

// operand is an expression and what the parameters in it stand for.
type operand struct {
	expr   ast.Expr
	caller map[types.Object]operand
}

func trace(source *goSource, function *ast.FuncDecl) *tracer {
	t := &tracer{source: source}
	t.walk(function, nil)
	return t
}

func (t *tracer) walk(function *ast.FuncDecl, scope map[types.Object]operand) {
	const deepest = 10 // Helpers of this package do not call themselves; a broken one might.
	if t.depth++; t.depth <= deepest {
		ast.Inspect(function.Body, func(node ast.Node) bool {
			if call, ok := node.(*ast.CallExpr); ok {
				t.call(call, scope)
			}
			return true
		})
	}
	t.depth--
}

func (t *tracer) call(call *ast.CallExpr, scope map[types.Object]operand) {
	function := t.source.functions[t.callee(call)]
	if function == nil || t.source.isBinding(function) {
		return // What a binding passes to C is its own affair.
	}
	if receiver(function) != "frame" {
		if receiver(function) == "" {
			t.walk(function, t.bind(function, call, scope))
		}
		return
	}
	method := function.Name.Name
	t.methods = append(t.methods, method)
	switch method {
	case "uint":
		t.words = append(t.words, t.describe(operand{call.Args[0], scope}))
	case "flag": // It passes 0 or 1.
		t.words = append(t.words, "uint32 "+t.source.parameter(operand{call.Args[0], scope}))
	case "call":
		symbol := resolve(t.source, operand{call.Args[0], scope})
		t.calls = append(t.calls, nativeCall{types.ExprString(symbol.expr), t.words})
		t.words = nil
	default:
		t.walk(function, t.bind(function, call, scope))
	}
}

// callee is the function or method of this package that is called, or nil.
func (t *tracer) callee(call *ast.CallExpr) types.Object {
	switch function := call.Fun.(type) {
	case *ast.Ident:
		return t.source.info.Uses[function]
	case *ast.SelectorExpr:
		return t.source.info.Uses[function.Sel]
	}
	return nil
}

// bind says what the parameters of a helper stand for in one call.
func (t *tracer) bind(function *ast.FuncDecl, call *ast.CallExpr, scope map[types.Object]operand) map[types.Object]operand {
	result := map[types.Object]operand{}
	i := 0
	for _, field := range function.Type.Params.List {
		for _, name := range field.Names {
			if i < len(call.Args) {
				result[t.source.info.Defs[name]] = operand{call.Args[i], scope}
			}
			i++
		}
	}
	return result
}

// describe says what an argument is made of. Conversions are looked through: C gets a word anyway,
// and what counts is the type that limits it.
func (t *tracer) describe(o operand) string {
	o = resolve(t.source, o)
	switch expr := o.expr.(type) {
	case *ast.UnaryExpr:
		if expr.Op == token.AND {
			_, field, _ := strings.Cut(types.ExprString(expr.X), ".")
			return "address of " + field + " " + t.typeOf(expr.X)
		}
	case *ast.SelectorExpr:
		if expr.Sel.Name == "ptr" {
			return "object " + snake(t.typeOf(expr.X))
		}
		if types.ExprString(expr.X) == "callbacks" {
			return "callback " + expr.Sel.Name
		}
	case *ast.CallExpr:
		switch function := types.ExprString(expr.Fun); function {
		case "len":
			return "length of " + t.source.parameter(operand{expr.Args[0], o.caller})
		case "unsafe.StringData", "unsafe.SliceData":
			if list, ok := expr.Args[0].(*ast.CallExpr); ok { // It is made of a list of texts.
				return types.ExprString(list.Fun) + " of " + t.source.parameter(operand{list.Args[0], o.caller})
			}
			if list, ok := t.source.info.Types[expr.Args[0]].Type.(*types.Slice); ok && typeString(list.Elem()) != "byte" {
				return "list of " + snake(typeString(list.Elem())) + " " + t.source.parameter(operand{expr.Args[0], o.caller})
			}
			return "bytes of " + t.source.parameter(operand{expr.Args[0], o.caller})
		case "functions.add":
			return "key of a function"
		}
	case *ast.Ident:
		kind := t.typeOf(expr)
		if kind == "uintptr" {
			kind = "word"
		}
		return kind + " " + expr.Name
	}
	return "something unknown, " + types.ExprString(o.expr)
}

// resolve follows an expression through conversions, parentheses and the parameters of helpers.
func resolve(source *goSource, o operand) operand {
	for {
		switch expr := o.expr.(type) {
		case *ast.ParenExpr:
			o.expr = expr.X
			continue
		case *ast.CallExpr:
			if len(expr.Args) == 1 && source.isType(expr.Fun) {
				o.expr = expr.Args[0]
				continue
			}
		case *ast.Ident:
			if given, ok := o.caller[source.info.Uses[expr]]; ok {
				o = given
				continue
			}
		}
		return o
	}
}

// parameter is the name of the binding's parameter that an expression is.
func (s *goSource) parameter(o operand) string { return types.ExprString(resolve(s, o).expr) }

func (s *goSource) isType(expr ast.Expr) bool {
	return s.info.Types[expr].IsType() || types.ExprString(expr) == "unsafe.Pointer"
}

func (t *tracer) typeOf(expr ast.Expr) string {
	known := t.source.info.Types[expr].Type
	if known == nil {
		return "unknown"
	}
	return typeString(known)
}

func (t *tracer) uses(method string) bool { return slices.Contains(t.methods, method) }

// snake turns LoadedSandbox into hljs_loaded_sandbox.
func snake(goType string) string {
	var text strings.Builder
	text.WriteString("hljs")
	for _, r := range goType {
		if r >= 'A' && r <= 'Z' {
			text.WriteByte('_')
		}
		text.WriteRune(r)
	}
	return strings.ToLower(text.String())
}
