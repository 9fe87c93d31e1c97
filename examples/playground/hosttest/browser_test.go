package hosttest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

var screenshots = flag.String("screenshots", "", "write pictures for the docs into this `folder`")

const (
	// patience is for whatever the page shall show. The emulated machine takes seconds for what takes milliseconds
	// elsewhere, and the host may be busy.
	patience = 2 * time.Minute

	width, height = 1200, 860
)

// startBrowser starts Chromium, for as long as the test runs.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	require.NoError(t, err, "these tests need Chromium: apt-get install chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.NoSandbox, // as root it has none; the pages are ours
		chromedp.DisableGPU,
		chromedp.WindowSize(width, height),
	)
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithErrorf(t.Logf))
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx), "start %s", program)
	return ctx
}

// page is a tab of its own, with storage of its own.
type page struct {
	t   *testing.T
	ctx context.Context

	mutex  sync.Mutex
	errors []string // what the browser complained about, such as exceptions in the page and breaches of its policy
}

// open opens the playground, as on a system that prefers that colour scheme.
func open(t *testing.T, browserCtx context.Context, url, scheme string) *page {
	t.Helper()
	p := &page{t: t}
	ctx, cancel := chromedp.NewContext(browserCtx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.note))
	t.Cleanup(cancel)
	p.ctx, cancel = context.WithTimeout(ctx, 4*patience)
	t.Cleanup(cancel)
	p.prefer(scheme)
	p.do(chromedp.EmulateViewport(width, height))
	p.visit(url)
	p.mostTime()
	t.Cleanup(func() {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		require.Empty(t, p.errors, "the browser complained")
	})
	return p
}

func (p *page) note(event any) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		p.errors = append(p.errors, fmt.Sprintf("%+v", event.ExceptionDetails))
	case *log.EventEntryAdded:
		if event.Entry.Level == log.EntryLevelError {
			p.errors = append(p.errors, event.Entry.Text+" "+event.Entry.URL)
		}
	}
}

// visit loads a page, and waits until it can be used.
func (p *page) visit(url string) {
	p.t.Helper()
	p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(url)) // only another fragment would be no load
	p.waitFor(`document.body.dataset.ready === "true"`)
}

func (p *page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Do(p.ctx, actions...))
}

// call sends a command of the DevTools protocol.
func call[P, R any](p *page, command cdp.Command[P, R], params P) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, command, params)
	require.NoError(p.t, err)
}

// prefer says which colour scheme the system has.
func (p *page) prefer(scheme string) {
	p.t.Helper()
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// eval is the value of a JavaScript expression in the page.
func eval[T any](p *page, expression string) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	require.NoError(p.t, err, expression)
	return value
}

// execute runs statements in the page.
func (p *page) execute(statements string) {
	p.t.Helper()
	eval[bool](p, "(() => { "+statements+"; return true })()")
}

// waitFor waits until the expression is true.
func (p *page) waitFor(expression string) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); !eval[bool](p, "!!("+expression+")"); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("the page did not come to %s; it shows:\n%s", expression, eval[string](p, "document.body.innerText"))
		}
	}
}

func (p *page) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// text is what an element shows.
func (p *page) text(selector string) string {
	p.t.Helper()
	return eval[string](p, fmt.Sprintf("document.querySelector(%q).innerText", selector))
}

// press presses a key in whatever has the focus.
func (p *page) press(key string, modifiers ...kb.Modifier) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(key, chromedp.KeyModifiers(modifiers...)))
}

// write replaces what is in an editor, as somebody who pastes does: typed, the text would get closing brackets.
func (p *page) write(editor, text string) {
	p.t.Helper()
	p.click(editor + " .cm-content")
	p.press("a", kb.ModifierCtrl)
	p.execute(fmt.Sprintf(`
		const clipboardData = new DataTransfer();
		clipboardData.setData("text/plain", %q);
		document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))`, text))
}

// read is what is in an editor.
func (p *page) read(editor string) string {
	p.t.Helper()
	return eval[string](p, fmt.Sprintf(`[...document.querySelectorAll(%q)].map((line) => line.textContent).join("\n")`, editor+" .cm-line"))
}

// run runs the handler, and waits for what comes of it: "ok" or "failed".
func (p *page) run() string {
	p.t.Helper()
	p.click("#run")
	return p.ended()
}

func (p *page) ended() string {
	p.t.Helper()
	p.waitFor(`document.body.dataset.busy === "false" && document.querySelector("#result").dataset.state`)
	return eval[string](p, `document.querySelector("#result").dataset.state`)
}

// sample takes one from the gallery.
func (p *page) sample(name string) {
	p.t.Helper()
	p.click("#samples")
	p.click("#sample-" + name)
}

// picture takes a screenshot for the docs, if they are wanted.
func (p *page) picture(name string, height int64) {
	p.t.Helper()
	if *screenshots == "" {
		return
	}
	p.slide("wallClock", 2000) // the default
	p.slide("cpuTime", 1000)
	p.do(chromedp.EmulateViewport(width, height))
	p.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 0, 0))
	p.execute(`
		document.querySelector("#toast").hidden = true;
		document.querySelector("#console").scrollTop = 1e6;
		document.activeElement.blur()`)
	taken, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	require.NoError(p.t, err)
	quantize := exec.Command("pngquant", "--speed", "1", "-")
	quantize.Stdin = bytes.NewReader(taken)
	small, err := quantize.Output()
	require.NoError(p.t, err, "pictures need pngquant: apt-get install pngquant")
	require.NoError(p.t, os.MkdirAll(*screenshots, 0o755))
	require.NoError(p.t, os.WriteFile(filepath.Join(*screenshots, name+".png"), small, 0o644))
}

// tab presses the Tab key until an element has the focus.
func (p *page) tab(selector string) {
	p.t.Helper()
	for range 60 {
		if eval[bool](p, fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
			return
		}
		p.press(kb.Tab)
	}
	p.t.Fatalf("the Tab key does not get to %s", selector)
}
