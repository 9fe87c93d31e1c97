package capi

import (
	"regexp"
	"slices"
	"strings"
)

// cHeader is what hyperlight_js.h declares, as far as the bindings depend on it.
type cHeader struct {
	abiVersion string
	enums      map[string]map[string]string // enum, member, value
	prototypes []prototype
}

type prototype struct {
	text   string // as canonical prints it
	result string
	name   string
	params []cParam
}

// cParam is a parameter. Stars belong to the type: {"const uint8_t **", "text"}.
type cParam struct{ ctype, name string }

// takesError says whether the last parameter is the error.
func (p prototype) takesError() bool {
	return len(p.params) > 0 && p.params[len(p.params)-1].ctype == "hljs_error **"
}

var (
	cComment    = regexp.MustCompile(`//[^\n]*|(?s:/\*.*?\*/)`)
	cDirective  = regexp.MustCompile(`(?m)^[ \t]*#.*$`)
	cABIVersion = regexp.MustCompile(`(?m)^#define HLJS_ABI_VERSION (\d+)$`)
	cEnum       = regexp.MustCompile(`enum\s+(\w+)[^{};]*\{([^}]*)\}`)
	cLinkage    = regexp.MustCompile(`extern\s*"C"\s*\{|\}`)
	cToken      = regexp.MustCompile(`\w+|[^\w\s]`)
	cPrototype  = regexp.MustCompile(`^(.*\W)(\w+) \((.*)\) ;$`)
)

// parseHeader reads the header, which cbindgen wrote: it need not understand any other C.
func parseHeader(text string) cHeader {
	text = cComment.ReplaceAllString(text, "")
	h := cHeader{enums: map[string]map[string]string{}}
	if match := cABIVersion.FindStringSubmatch(text); match != nil {
		h.abiVersion = match[1]
	}
	text = cDirective.ReplaceAllString(text, "")
	for _, match := range cEnum.FindAllStringSubmatch(text, -1) {
		h.enums[match[1]] = parseMembers(match[2])
	}
	text = cEnum.ReplaceAllString(text, "")
	text = cLinkage.ReplaceAllString(text, "")
	for _, statement := range strings.SplitAfter(text, ";") {
		if strings.HasPrefix(strings.TrimSpace(statement), "typedef") {
			continue
		}
		if p, ok := parsePrototype(statement); ok {
			h.prototypes = append(h.prototypes, p)
		}
	}
	return h
}

func parseMembers(text string) map[string]string {
	members := map[string]string{}
	for member := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(member, "=")
		if name = strings.TrimSpace(name); name != "" {
			members[name] = strings.TrimSpace(value)
		}
	}
	return members
}

func parsePrototype(text string) (p prototype, ok bool) {
	p.text = canonical(text)
	match := cPrototype.FindStringSubmatch(p.text)
	if match == nil {
		return p, false
	}
	p.result, p.name = strings.TrimSpace(match[1]), match[2]
	for param := range strings.SplitSeq(match[3], ",") {
		tokens := strings.Fields(param)
		if len(tokens) == 0 || len(tokens) == 1 && tokens[0] == "void" {
			continue
		}
		last := len(tokens) - 1
		ctype := strings.ReplaceAll(strings.Join(tokens[:last], " "), "* *", "**")
		p.params = append(p.params, cParam{ctype, tokens[last]})
	}
	return p, true
}

// canonical makes two spellings of the same C equal: one space between any two tokens.
func canonical(c string) string { return strings.Join(cToken.FindAllString(c, -1), " ") }

// The kinds of parameters that the ABI's conventions know.
var paramKinds = []struct {
	kind  string
	ctype *regexp.Regexp
}{
	{"out status", regexp.MustCompile(`^hljs_status \*$`)},
	{"error", regexp.MustCompile(`^hljs_error \*\*$`)},
	{"object", regexp.MustCompile(`^(?:const )?(hljs_\w+) \*$`)},
	{"list of texts", regexp.MustCompile(`^const uint8_t \* const \*$`)},
	{"list of lengths", regexp.MustCompile(`^const size_t \*$`)},
	{"out list of lengths", regexp.MustCompile(`^const size_t \*\*$`)},
	{"out errors", regexp.MustCompile(`^const hljs_error \* const \*\*$`)},
	{"out end", regexp.MustCompile(`^const hljs_error \*\*$`)},
	{"list of objects", regexp.MustCompile(`^const (hljs_\w+) \* const \*$`)},
	{"out object", regexp.MustCompile(`^(hljs_\w+) \*\*$`)},
	{"callback", regexp.MustCompile(`^hljs_\w+_fn$`)},
	{"user data", regexp.MustCompile(`^void \*$`)},
	{"integer", regexp.MustCompile(`^(uint(?:8|16|32|64))_t$`)},
	{"out text", regexp.MustCompile(`^const uint8_t \*\*$`)},
	{"out bytes", regexp.MustCompile(`^uint8_t \*\*$`)},
	{"out length", regexp.MustCompile(`^size_t \*$`)},
	{"bytes", regexp.MustCompile(`^const uint8_t \*$`)},
	{"length", regexp.MustCompile(`^size_t$`)},
	{"out flag", regexp.MustCompile(`^uint32_t \*$`)},
	{"out size", regexp.MustCompile(`^uint64_t \*$`)},
	{"out field", regexp.MustCompile(`^(uint(?:8|32|64))_t \*$`)},
}

// kind classifies a parameter; detail is the object's type, or Go's name of the integer's.
func (p prototype) kind(i int) (kind, detail string) {
	ctype := p.params[i].ctype
	for _, known := range paramKinds {
		match := known.ctype.FindStringSubmatch(ctype)
		switch {
		case match == nil:
		case (known.kind == "out flag" || known.kind == "out size") && p.fills() != "":
		case known.kind == "out text" && i+2 < len(p.params) && p.params[i+2].ctype == "const size_t **":
			return "out texts", ""
		case known.kind == "out length" && strings.HasSuffix(p.params[i-1].ctype, "const **"):
			return "out number", ""
		case known.kind == "out field" && i+1 < len(p.params) && p.params[i+1].ctype == "size_t":
			return "given bytes", ""
		default:
			return known.kind, match[len(match)-1]
		}
	}
	return "", ""
}

// fills is the field of frame for a function with many outputs, "config" or "stats", or "".
func (p prototype) fills() string {
	noun := p.name[strings.LastIndex(p.name, "_")+1:]
	if noun == "config" || noun == "stats" {
		return noun
	}
	return ""
}

// expectedWords says what each native argument must be made of, in the words of tracer.describe.
// The second result holds parameters whose type this test has yet to be taught.
func (p prototype) expectedWords() (words, unknown []string) {
	for i, param := range p.params {
		before := cParam{}
		if i > 0 {
			before = p.params[i-1]
		}
		name := goName(param.name)
		kind, detail := p.kind(i)
		switch kind {
		case "object":
			words = append(words, "object "+detail)
		case "bytes":
			words = append(words, "bytes of "+name)
		case "list of objects":
			words = append(words, "list of "+detail+" "+name)
		case "list of texts":
			words = append(words, "starts of "+name)
		case "list of lengths":
			words = append(words, "lengths of "+goName(before.name))
		case "given bytes":
			words = append(words, "word "+name)
		case "length":
			word := "length of " + goName(before.name)
			switch before.ctype {
			case "uint8_t *":
				word = "word " + name
			case "const size_t *":
				word = "length of " + goName(p.params[i-2].name)
			}
			words = append(words, word)
		case "integer":
			words = append(words, detail+" "+name)
		case "callback":
			words = append(words, "callback "+name)
		case "user data":
			words = append(words, "key of a function")
		case "out object":
			words = append(words, "address of object uintptr")
		case "out text", "out bytes", "out texts":
			words = append(words, "address of data unsafe.Pointer")
		case "out length":
			words = append(words, "address of dataLen uintptr")
		case "out list of lengths":
			words = append(words, "address of lengths unsafe.Pointer")
		case "out errors":
			words = append(words, "address of errors unsafe.Pointer")
		case "out number":
			words = append(words, "address of count uintptr")
		case "out end":
			words = append(words, "address of end uintptr")
		case "out status":
			words = append(words, "address of status uint32")
		case "out flag":
			words = append(words, "address of number uint32")
		case "out size":
			words = append(words, "address of size uint64")
		case "out field":
			words = append(words, "address of "+p.fills()+"."+camel(param.name)+" "+detail)
		case "error":
			words = append(words, "address of err uintptr")
		default:
			unknown = append(unknown, param.ctype+" "+param.name)
		}
	}
	return words, unknown
}

// expectedResults are the result types of the Go function under a prototype.
func (p prototype) expectedResults() []string {
	var results []string
	switch {
	case p.result == "hljs_code" && !p.takesError():
		results = append(results, "Code")
	case p.result != "hljs_code" && p.result != "void":
		results = append(results, strings.TrimSuffix(p.result, "_t"))
	}
	for i := range p.params {
		kind, detail := p.kind(i)
		goType := map[string]string{
			"out object": camel(strings.TrimPrefix(detail, "hljs_")),
			"out text":   "string",
			"out bytes":  "[]byte",
			"out status": "Status",
			"out flag":   "bool",
			"out size":   "uint64",
			"out field":  camel(p.fills()),
			"out texts":  "[][]byte",
			"out errors": "[]*Error",
			"out end":    "*Error",
			"error":      "*Error",
		}[kind]
		if goType != "" && !slices.Contains(results, goType) {
			results = append(results, goType)
		}
	}
	return results
}

// goName turns stop_on_error into stopOnError.
func goName(snake string) string {
	first, rest, _ := strings.Cut(snake, "_")
	return first + camel(rest)
}

// camel turns heap_size into HeapSize, and cpu_time into CPUTime.
func camel(snake string) string {
	var text strings.Builder
	for part := range strings.SplitSeq(snake, "_") {
		switch part {
		case "":
		case "cpu":
			text.WriteString("CPU")
		default:
			text.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return text.String()
}
