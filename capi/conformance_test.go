//go:build linux && amd64

package capi

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The program in conformance/ uses the header as a C programmer would.

// vmrunVariable names the program that runs guests, internal/vmrun; build.sh sets it.
const vmrunVariable = "HYPERLIGHT_VMRUN"

var (
	asC   = []string{"cc", "-std=c11"}
	asCxx = []string{"c++", "-std=c++17", "-x", "c++"}
	// These see the library's allocations too: what it forgets to free, or frees twice.
	sanitized = []string{"-fsanitize=address,undefined", "-fno-sanitize-recover=all"}
)

// conformanceProgram compiles it, next to a copy of the library.
func conformanceProgram(t *testing.T, compiler []string, flags ...string) string {
	t.Helper()
	folder := t.TempDir()
	program := filepath.Join(folder, "conformance")
	copyFile(t, realLibrary(t), filepath.Join(folder, LibraryName))
	require.NoError(t, os.Symlink(LibraryName, filepath.Join(folder, Soname)))
	sources, err := filepath.Glob(filepath.Join("conformance", "*.c"))
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	args := append(compiler[1:len(compiler):len(compiler)], "-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-o", program)
	args = append(append(args, flags...), sources...)
	args = append(args, "-x", "none", "-pthread", "-L"+folder, "-lhyperlight_js_capi", "-Wl,-rpath,$ORIGIN")
	compileC(t, compiler[0], args...)
	return program
}

func TestConformance(t *testing.T) {
	for name, test := range map[string]struct{ compiler, flags []string }{
		"C":            {asC, nil},
		"C++":          {asCxx, nil},
		"C, sanitized": {asC, sanitized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needCompiler(t, test.compiler[0])
			output, err := exec.Command(conformanceProgram(t, test.compiler, test.flags...)).CombinedOutput()
			assert.NoError(t, err, "%s", output)
			assert.Regexp(t, `^conformance, host: \d+ checks, 0 failed\n$`, string(output))
		})
	}
}

// Valgrind sees what the sanitizer does not: reads of uninitialised memory, in the library too. What the library keeps
// for the process (its logs, its metrics) is still reachable at the end, and no leak; but Rust holds a hash table by a
// pointer into its middle, so valgrind calls those "possibly lost".
func TestConformanceUnderValgrind(t *testing.T) {
	t.Parallel()
	_, err := exec.LookPath("valgrind")
	require.NoError(t, err, "install valgrind and libc6-dbg, or use ./build.sh test, which does")
	command := exec.CommandContext(t.Context(), "valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full",
		"--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect", conformanceProgram(t, asC))
	output, err := command.CombinedOutput()
	assert.NoError(t, err, "%s", output)
	assert.Regexp(t, `^conformance, host: \d+ checks, 0 failed\n$`, string(output))
}

// The same program with guests, where they run: in the emulated machine, if need be.
func TestConformanceWithGuests(t *testing.T) {
	for name, flags := range map[string][]string{"C": nil, "C, sanitized": sanitized} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := conformanceProgram(t, asC, flags...)
			command := exec.CommandContext(t.Context(), vmrun(t), "--timeout=5m", program, "guest")
			command.Dir = filepath.Dir(program)
			command.Env = append(os.Environ(), LibraryVariable+"="+filepath.Join(command.Dir, LibraryName))
			output, err := command.CombinedOutput()
			assert.NoError(t, err, "%s", output)
			assert.Regexp(t, `(?m)^conformance, host and guest: \d+ checks, 0 failed\r?$`, string(output))
		})
	}
}

// vmrun is the program that runs guests.
func vmrun(t *testing.T) string {
	t.Helper()
	path := os.Getenv(vmrunVariable)
	if path == "" {
		folder, err := CacheFolder()
		require.NoError(t, err)
		path = filepath.Join(folder, "bin", "vmrun")
	}
	_, err := os.Stat(path)
	require.NoError(t, err, "this test needs the runner of guests: use ./build.sh test, or set %s to what "+
		"`go -C internal/vmrun build` makes", vmrunVariable)
	return path
}

// The header stands alone, in every dialect that its users may compile.
func TestHeaderCompilesAlone(t *testing.T) {
	for _, dialect := range [][]string{
		{"cc", "-std=c99", "-x", "c"},
		{"cc", "-std=c11", "-x", "c"},
		{"cc", "-std=c2x", "-x", "c"},
		{"c++", "-std=c++11", "-x", "c++"},
		{"c++", "-std=c++20", "-x", "c++"},
	} {
		t.Run(dialect[1], func(t *testing.T) {
			needCompiler(t, dialect[0])
			source := filepath.Join(t.TempDir(), "empty")
			require.NoError(t, os.WriteFile(source, []byte("int main(void) { return HLJS_CODE_OK; }\n"), 0o600))
			header, err := filepath.Abs(headerFile)
			require.NoError(t, err)
			args := append(dialect[1:len(dialect):len(dialect)], "-Wall", "-Wextra", "-Werror", "-pedantic",
				"-fsyntax-only", "-include", header, source)
			compileC(t, dialect[0], args...)
		})
	}
}

// needCompiler says what to do where there is none.
func needCompiler(t *testing.T, compiler string) {
	t.Helper()
	_, err := exec.LookPath(compiler)
	require.NoError(t, err, "install gcc and g++, or use ./build.sh test, which does")
}
