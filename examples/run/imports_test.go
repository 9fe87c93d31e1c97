package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestModules(t *testing.T) {
	inFolder(t, map[string]string{
		"h.js":    "import { tax } from 'user:tax';\nexport function handler(price) { return price + tax(price); }",
		"tax.js":  "import rate from 'user:rate';\nexport const tax = (price) => price * rate;",
		"half.js": "export default 0.5;",
		"bad.js":  "export default",
	})
	require.Equal(t, outcome{stdout: "15\n"}, tryRun("", "h.js", "10", "--module=tax.js", "--module", "rate=half.js"))
	require.Equal(t, outcome{exitFailure, "", "nowhere.js: no such file or directory\n"}, tryRun("", "h.js", "--module=nowhere.js"))

	got := tryRun("", "h.js", "--module=tax.js", "--module", "rate=bad.js")
	require.Equal(t, exitFailure, got.exitCode)
	require.Regexp(t, `^h\.js: Uncaught .*\n    at .*rate:1:\d+\n$`, got.stderr)

	require.Equal(t, outcome{exitFailure, "", "half.js: Module name must not contain ':'\n"}, tryRun("", "h.js", "--module=a:b=half.js"))
}

func TestFiles(t *testing.T) {
	inFolder(t, nil)
	for name, content := range map[string]string{
		"site/handlers/area.js":                "import { square } from '../lib/math.js';\nimport { unit } from 'units';\nexport function handler(event) { return 3 * square(event.radius) + unit; }",
		"site/lib/math.js":                     "export const square = (x) => x * x;",
		"site/node_modules/units/package.json": `{ "exports": "./m.js" }`,
		"site/node_modules/units/m.js":         "export const unit = ' m²';",
		"area.js":                              "import { square } from './lib/math.js';\nexport function handler(event) { return square(event.radius); }",
		"secret.js":                            "export default 'secret';",
		"out.js":                               "import secret from './link.js';\nexport function handler() { return secret; }",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	}
	require.NoError(t, os.Symlink("../secret.js", "site/link.js"))

	event := `{"radius":2}`
	require.Equal(t, outcome{stdout: "\"12 m²\"\n"}, tryRun("", "site/handlers/area.js", event, "--fs=site"))
	require.Equal(t, outcome{stdout: "4\n"}, tryRun("", "area.js", event, "--fs", "site"), "outside of the folder it is at its root")

	got := tryRun("", "out.js", "--fs=site")
	require.Equal(t, exitFailure, got.exitCode)
	require.Regexp(t, `^out\.js: Uncaught Error (resolving|loading) module './link.js'`, got.stderr, "nothing leads out of the folder")

	require.Equal(t, outcome{exitFailure, "", "nowhere: no such file or directory\n"}, tryRun("", "area.js", "--fs=nowhere"))
	require.Equal(t, outcome{exitFailure, "", "area.js: not a directory\n"}, tryRun("", "area.js", "--fs=area.js"))
}

// What is printed at the top level shows whether the script was loaded.
func TestSnapshot(t *testing.T) {
	script := "import { step } from 'user:step';\nprint('loading\\n');\nlet n = 0;\nexport function handler() { return n += step; }"
	files := map[string]string{"h.js": script, "step.js": "export const step = 1;", "two.js": "export const step = 2;"}
	inFolder(t, files)
	try := func(args ...string) outcome {
		return tryRun("", append([]string{"h.js", "--snapshot=kept", "--repeat=2"}, args...)...)
	}
	require.Equal(t, outcome{stdout: "1\n2\n", stderr: "loading\n"}, try("--module=step.js"))
	require.Equal(t, outcome{stdout: "1\n2\n"}, try("--module=step.js"), "from the snapshot, which is from before the first call")
	require.Equal(t, outcome{stdout: "2\n4\n", stderr: "loading\n"}, try("--module=step=two.js"), "another module")
	require.Equal(t, outcome{stdout: "1\n2\n", stderr: "loading\n"}, try("--module=step.js", "--heap=12MiB"), "another size")
	require.Equal(t, outcome{stdout: "1\n2\n", stderr: "loading\n"}, try("--module=step.js", "--fs=."), "another loader")
	require.Equal(t, outcome{stdout: "1\n2\n"}, try("--module=step.js", "--fs=."))
	require.NoError(t, os.WriteFile("h.js", []byte(script+"\n"), 0o600))
	require.Equal(t, outcome{stdout: "1\n2\n", stderr: "loading\n"}, try("--module=step.js"), "another script")
	require.Equal(t, outcome{stdout: "1\n2\n"}, try("--module=step.js"))

	got := tryRun("", "step.js", "--snapshot=nowhere/kept")
	require.Equal(t, exitFailure, got.exitCode)

	require.NoError(t, os.WriteFile("kept/index.json", []byte("{"), 0o600))
	got = try("--module=step.js")
	require.Equal(t, exitFailure, got.exitCode)
	require.Empty(t, got.stdout)
	require.Regexp(t, `^kept: .*; remove the folder, or name another with --snapshot\n$`, got.stderr)
}
