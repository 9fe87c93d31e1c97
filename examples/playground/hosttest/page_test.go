// Package hosttest tests the playground's page as a visitor has it: in a real Chromium, which talks to the server in
// the emulated machine, or wherever guests run here.
//
//	go test . -args -screenshots ../../../docs/playground
//
// also writes the pictures in the docs.
package hosttest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/internal/served"
)

// All of these share a server, which takes its time to boot, and a browser. Each has a tab, and so a sandbox, of its own.
func TestPage(t *testing.T) {
	server := served.Start(t, "..", "--listen", "127.0.0.1:{port}", "--sessions-per-address", "32", "--rate", "1000", "--burst", "1000")
	chromium := startBrowser(t)
	for _, test := range []struct {
		name   string
		scheme string
		do     func(p *page)
	}{
		{"a handler returns a result", "light", testResult},
		{"an exception is shown at its line", "light", testException},
		{"an error of syntax is shown at its line", "light", testSyntax},
		{"an event that is no JSON is marked", "light", testEvent},
		{"an endless loop is stopped", "light", testEndless},
		{"a visitor stops a run", "light", testStop},
		{"a snapshot brings the state back", "light", testSnapshot},
		{"the console shows output", "dark", testConsole},
		{"a link carries code, event and limits", "light", testShare},
		{"a reload keeps the code", "light", testReload},
		{"the keyboard is enough", "light", testKeyboard},
		{"it can be read aloud", "light", testNames},
		{"light and dark", "dark", testTheme},
		{"a small screen", "light", testSmall},
	} {
		t.Run(test.name, func(t *testing.T) { test.do(open(t, chromium, server.URL, test.scheme)) })
	}
}

func testResult(p *page) {
	p.write("#code", `const handler = (event) => ({ twice: 2 * event.n, text: "<b>bold</b>" });`)
	p.write("#event", `{ "n": 21 }`)
	require.Equal(p.t, "ok", p.run())
	require.Equal(p.t, "{\n  \"twice\": 42,\n  \"text\": \"<b>bold</b>\"\n}", p.text("#result"), "a guest's text is never markup")
	require.Equal(p.t, "returned", p.text("#verdict"))
	require.Contains(p.t, p.text("#stats"), "CPU time")
	require.Equal(p.t, "ready · 1 run", p.text("#guest"))
	require.Contains(p.t, p.text("#status"), "Returned", "for those who do not see it")
}

func testException(p *page) {
	p.sample("exception")
	require.Equal(p.t, "failed", p.run())
	require.Contains(p.t, p.text("#result"), "cake has no price")
	require.Contains(p.t, p.text(".bad-line"), "throw new TypeError")
	require.Equal(p.t, "cake has no price", p.text(".line-message"))
	// The line as the gutter counts it is the one that the stack names.
	require.Regexp(p.t, `price\s+line 7:`, p.text(".stack"))
	require.Contains(p.t, p.text("#status"), "Line 7.")
	p.picture("error", 800)

	p.click(".frame-place")
	require.True(p.t, eval[bool](p, `document.querySelector("#code .cm-content") === document.activeElement`), "a link to a line goes there")
	p.press("x")
	require.True(p.t, eval[bool](p, `document.querySelector(".bad-line") === null`), "what was changed may be right")
}

func testSyntax(p *page) {
	p.write("#code", "function handler(event) {\n  return event +;\n}")
	require.Equal(p.t, "failed", p.run())
	require.Contains(p.t, p.text("#result"), "unexpected token in expression: ';'")
	require.Equal(p.t, "  return event +;", eval[string](p, `document.querySelector(".bad-line").textContent`))
}

func testEvent(p *page) {
	p.write("#event", "{\n  \"a\": }")
	p.waitFor(`document.querySelector("#event .cm-lint-marker-error")`)
	require.Equal(p.t, "failed", p.run())
	require.Contains(p.t, p.text("#result"), "The event is not JSON")
	require.NotContains(p.t, p.text("#stats"), "CPU time", "nothing was run")
}

func testEndless(p *page) {
	p.sample("endless")
	p.slide("wallClock", 2000)
	p.slide("cpuTime", 300)
	require.Equal(p.t, "failed", p.run())
	require.Equal(p.t, "stopped", p.text("#verdict"))
	require.Regexp(p.t, "Stopped after (300 ms of CPU time|2000 ms by the wall clock)", p.text("#result"))
	require.Equal(p.t, "stopped in mid-run", p.text("#guest"))
	require.Equal(p.t, "true", eval[string](p, `document.querySelector("#snapshot").ariaDisabled`))

	p.mostTime()
	p.write("#code", `const handler = () => "still here";`)
	require.Equal(p.t, "ok", p.run())
	require.Equal(p.t, `"still here"`, p.text("#result"))
}

func testStop(p *page) {
	p.write("#code", `function handler() { console.log("on my way"); for (;;); }`)
	p.click("#run")
	p.waitFor(`document.querySelector("#console").innerText.includes("on my way")`)
	require.Equal(p.t, "true", eval[string](p, `document.body.dataset.busy`), "output comes before the end")
	p.click("#stop")
	require.Equal(p.t, "failed", p.ended())
	require.Contains(p.t, p.text("#result"), "Stopped by you")
}

func testSnapshot(p *page) {
	p.write("#code", `let n = 0; const handler = () => ++n;`)
	require.Equal(p.t, "ok", p.run())
	p.click("#snapshot")
	p.waitFor(`document.querySelector("#guest").innerText.includes("snapshot of run 1")`)
	p.idle()
	for _, want := range []string{"2", "3"} {
		require.Equal(p.t, "ok", p.run())
		require.Equal(p.t, want, p.text("#result"))
	}
	p.click("#restore")
	p.waitFor(`document.querySelector("#console").innerText.includes("Restored to what it was after 1 run")`)
	p.idle()
	require.Equal(p.t, "ready · 1 run · snapshot of run 1", p.text("#guest"))
	require.Equal(p.t, "ok", p.run())
	require.Equal(p.t, "2", p.text("#result"))

	p.click("#reset")
	p.waitFor(`document.querySelector("#guest").innerText === "no sandbox yet"`)
	p.idle()
	require.Equal(p.t, "ok", p.run())
	require.Equal(p.t, "1", p.text("#result"))

	p.click("#clear")
	p.sample("state")
	require.Equal(p.t, "ok", p.run())
	p.click("#snapshot")
	p.waitFor(`document.querySelector("#guest").innerText.includes("snapshot of run 1")`)
	p.idle()
	require.Equal(p.t, "ok", p.run())
	p.picture("light", 800)
}

func testConsole(p *page) {
	p.sample("mandelbrot")
	require.Equal(p.t, "ok", p.run())
	printed := p.text("#console .printed")
	require.Len(p.t, strings.Split(strings.TrimRight(printed, "\n"), "\n"), 25)
	require.Contains(p.t, printed, "@@@@@@@@")
	p.picture("dark", 960)

	p.slide("print", 1)
	p.write("#code", `function handler() { for (let i = 0; i < 1000; i++) console.log("<i>line</i>", i); return "done"; }`)
	require.Equal(p.t, "ok", p.run())
	require.Equal(p.t, `"done"`, p.text("#result"))
	require.Contains(p.t, p.text("#stats"), "Output dropped")
	require.Contains(p.t, p.text("#console"), "<i>line</i> 0\n")
	p.click("#clear")
	require.NotContains(p.t, p.text("#console"), "line")
}

func testShare(p *page) {
	const source = "// “shared” – with ünïcode 🙂\nconst handler = (event) => event;"
	p.write("#code", source)
	p.write("#event", `{ "of": "ours" }`)
	p.slide("heap", 12)
	p.click("#share")
	p.waitFor(`document.querySelector("#toast").innerText.startsWith("The link is")`)
	link := eval[string](p, "location.href")

	p.visit(strings.Split(link, "#")[0])
	p.sample("async")
	p.visit(link)
	require.Equal(p.t, source, p.read("#code"))
	require.Equal(p.t, `{ "of": "ours" }`, p.read("#event"))
	require.Equal(p.t, "12 MiB", p.text("#limits output[for=limit-heap]"))

	p.visit(link[:len(link)-8] + "AAAAAAAA")
	p.waitFor(`document.querySelector("#toast").innerText.includes("The link is damaged")`)
}

func testReload(p *page) {
	p.write("#code", `const handler = () => "a draft";`)
	p.waitFor(`sessionStorage.getItem("draft")?.includes("a draft")`)
	p.do(chromedp.Reload())
	p.waitFor(`document.body.dataset.ready === "true"`)
	require.Equal(p.t, `const handler = () => "a draft";`, p.read("#code"))
}

func testKeyboard(p *page) {
	for _, reachable := range []string{
		"#samples", "#share", "#theme", "#run", "#stop", "#snapshot", "#restore", "#reset", "#code .cm-content", "#event .cm-content",
		"#limit-wallClock", "#limit-print", "#result", "#clear", "#console", "footer a",
	} {
		p.tab(reachable)
	}

	p.execute(`document.activeElement.blur()`)
	p.tab("#samples")
	p.press(kb.Enter)
	p.tab("#sample-state")
	p.press(kb.Enter)
	p.waitFor(`document.activeElement.matches("#code .cm-content")`)
	p.press(kb.Enter, kb.ModifierCtrl)
	require.Equal(p.t, "ok", p.ended())
	require.Contains(p.t, p.text("#result"), `"calls": 1`)

	p.tab("#run") // around the page
	p.press(kb.Enter)
	p.waitFor(`document.querySelector("#result").innerText.includes('"calls": 2')`)
	p.idle()
	require.True(p.t, eval[bool](p, `document.activeElement.id === "run"`), "a button keeps the focus")
}

// testNames asks the browser what it tells a screen reader.
func testNames(p *page) {
	require.Empty(p.t, eval[[]string](p, `[...document.querySelectorAll("button, input, select, [role=textbox], section, dialog")]
		.filter((e) => !(e.ariaLabel || e.labels?.length || e.getAttribute("aria-labelledby") || e.textContent.trim()))
		.map((e) => e.outerHTML)`))
	require.Equal(p.t, "Handler, JavaScript", eval[string](p, `document.querySelector("#code .cm-content").ariaLabel`))
	require.Equal(p.t, "polite", eval[string](p, `document.querySelector("#status").ariaLive`))
	require.Equal(p.t, "10,000 ms", eval[string](p, `document.querySelector("#limit-wallClock").ariaValueText`))
	require.Equal(p.t, "log", eval[string](p, `document.querySelector("#console").role`))
}

func testTheme(p *page) {
	const background = `getComputedStyle(document.body).backgroundColor`
	dark := eval[string](p, background)
	p.click("#theme") // light
	light := eval[string](p, background)
	require.NotEqual(p.t, dark, light)
	p.visit(eval[string](p, "location.href"))
	require.Equal(p.t, light, eval[string](p, background), "the choice is kept")
	p.click("#theme") // dark
	require.Equal(p.t, dark, eval[string](p, background))
	p.prefer("light")
	require.Equal(p.t, dark, eval[string](p, background), "whatever the system prefers")
	p.click("#theme") // as the system
	require.Equal(p.t, light, eval[string](p, background))
}

func testSmall(p *page) {
	p.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	require.LessOrEqual(p.t, eval[int](p, `document.documentElement.scrollWidth`), 360, "nothing sticks out")
	p.click("#samples")
	require.LessOrEqual(p.t, eval[int](p, `document.querySelector("dialog").getBoundingClientRect().right`), 360)
}

// slide moves a limit.
func (p *page) slide(limit string, to int) {
	p.t.Helper()
	p.execute(fmt.Sprintf(`
		const slider = document.querySelector("#limit-%s");
		slider.value = %d;
		slider.dispatchEvent(new Event("input"))`, limit, to))
}

// mostTime lets runs take as long as a visitor can choose: a machine that is slow makes no test fail.
func (p *page) mostTime() {
	p.t.Helper()
	p.slide("wallClock", 10_000)
	p.slide("cpuTime", 5000)
}

// idle waits until the page does nothing.
func (p *page) idle() {
	p.t.Helper()
	p.waitFor(`document.body.dataset.busy === "false"`)
}
