"""Tests of the client, with guests: python3 -m unittest."""

import io
import unittest
from contextlib import redirect_stdout

import hello
from hyperlight_js import Error, Library, Sandbox

INVALID_ARGUMENT, JS_EXCEPTION, HANDLER_NOT_FOUND, INVALID_JSON = 1, 60, 41, 44

CALLS = """
import * as host from "host";
function handler(event) { return host.f(...event); }
"""


class Recorder(Library):
    """A library that remembers what it made."""

    def __init__(self):
        super().__init__()
        self.made = []

    def make(self, name, *arguments):
        made = super().make(name, *arguments)
        self.made.append(made)
        return made


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.library = Recorder()

    def tearDown(self):
        self.assertGreaterEqual(len(self.library.made), 3)
        for made in self.library.made:
            self.assertIsNone(made.pointer.value, "everything is freed")

    def sandbox(self, source, function=None):
        functions = {("host", "f"): function} if function else None
        return Sandbox({"handler": source}, functions, self.library)

    def fails(self, sandbox, event, code):
        with self.assertRaises(Error) as caught:
            sandbox.handle_event("handler", event)
        self.assertEqual(code, caught.exception.code)
        return caught.exception

    def test_values_arrive(self):
        for event in (None, True, 0.1, -7, "\0ä\U0001f600", [], {"a": [{"b": None}]}):
            with self.sandbox("function handler(event) { return event; }") as sandbox:
                self.assertEqual(event, sandbox.handle_event("handler", event))

    def test_host_function(self):
        calls = []

        def f(*args):
            calls.append(args)
            return {"count": len(args), "args": args}

        with self.sandbox(CALLS, f) as sandbox:
            self.assertEqual({"count": 0, "args": []}, sandbox.handle_event("handler", []))
            event = [None, "\0ä", {"__bin__": 0}, {"__bin__": "x"}, [1.5]]
            self.assertEqual({"count": 5, "args": event}, sandbox.handle_event("handler", event))
        self.assertEqual([(), tuple(event)], calls)

    def test_bytes_both_ways(self):
        source = """
            import * as host from "host";
            function handler() {
                const { parts } = host.f({ data: new Uint8Array([1, 2, 255]) }, new Uint8Array());
                return parts.map((part) => part instanceof Uint8Array ? Array.from(part) : part);
            }
        """
        with self.sandbox(source, lambda a, b: {"parts": [a["data"], b, bytes(2), "x"]}) as sandbox:
            self.assertEqual([[1, 2, 255], [], [0, 0], "x"], sandbox.handle_event("handler", None))

    def test_failures_of_host_functions(self):
        def f(kind):
            if kind == "raise":
                raise ValueError("no such thing: ä")
            if kind == "exit":
                raise SystemExit(1)
            return {"value": object(), "number": float("nan"), "big": "x" * (1 << 20)}[kind]

        with self.sandbox(CALLS, f) as sandbox:
            for kind, text in {
                "raise": "ValueError: no such thing: ä",
                "exit": "SystemExit: 1",
                "value": "TypeError: object is neither JSON nor bytes",
                "number": "the result is not JSON",
                "big": "of the input buffer",
                "key": "KeyError: 'key'",
            }.items():
                self.assertIn(text, self.fails(sandbox, [kind], JS_EXCEPTION).js_message)

    def test_failures(self):
        with self.sandbox("function handler(event) { throw new TypeError('thrown'); }") as sandbox:
            error = self.fails(sandbox, 1, JS_EXCEPTION)
            self.assertEqual("thrown", error.js_message)
            self.assertIn("at handler", error.js_stack)
            self.fails(sandbox, float("nan"), INVALID_JSON)
            with self.assertRaises(Error) as caught:
                sandbox.handle_event("nobody", 1)
            self.assertEqual(HANDLER_NOT_FOUND, caught.exception.code)
            self.assertEqual("", caught.exception.js_message)
        self.assertEqual("loaded is NULL", self.fails(sandbox, 1, INVALID_ARGUMENT).message)

    def test_bad_source(self):
        with self.assertRaises(Error) as caught:
            self.sandbox("function handler( {")
        self.assertEqual(JS_EXCEPTION, caught.exception.code)
        with self.assertRaises(Error) as caught:
            self.sandbox("\0")
        self.assertEqual(INVALID_ARGUMENT, caught.exception.code)


class ExampleTest(unittest.TestCase):
    def test_readme_shows_what_it_prints(self):
        output = io.StringIO()
        with redirect_stdout(output):
            hello.main()
        shown = "".join("    " + line for line in output.getvalue().splitlines(keepends=True))
        with open("README.md", encoding="utf-8") as readme:
            self.assertIn("\n\n" + shown + "\n", readme.read())


class LibraryTest(unittest.TestCase):
    def test_missing(self):
        with self.assertRaises(OSError):
            Library("/nowhere/library.so")


if __name__ == "__main__":
    unittest.main()
