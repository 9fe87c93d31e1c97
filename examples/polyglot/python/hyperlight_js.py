"""Hyperlight's JavaScript sandboxes for Python 3.9 and later: one file that needs the standard library only.

    with Sandbox({"hello": "function handler(event) { return 'Hello, ' + event.name; }"}) as sandbox:
        print(sandbox.handle_event("hello", {"name": "World"}))

It calls the functions of the C ABI with ctypes; capi/hyperlight_js.h documents them. There, text and bytes are
pointer and length, and a function that can fail returns a code and takes an `hljs_error **` last.
"""

import ctypes
import json
import os
from ctypes import POINTER, byref, c_char_p, c_size_t, c_uint32, c_void_p

ABI_VERSION = 1
LIBRARY_NAME = "libhyperlight_js_capi.so"

OBJECT, OUT = c_void_p, POINTER(c_void_p)  # an object; where one, or bytes, are written to
BYTES = [c_char_p, c_size_t]
HOST_FUNCTION = ctypes.CFUNCTYPE(None, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t)

# Functions that return a code. All take an error as well, last.
FALLIBLE = {
    "hljs_builder_new": [OUT],
    "hljs_builder_build": [OBJECT, OUT],
    "hljs_proto_sandbox_register": [OBJECT, *BYTES, *BYTES, HOST_FUNCTION, c_void_p, c_void_p],
    "hljs_proto_sandbox_load_runtime": [OBJECT, OUT],
    "hljs_sandbox_add_handler": [OBJECT, *BYTES, *BYTES, *BYTES],
    "hljs_sandbox_get_loaded_sandbox": [OBJECT, OBJECT, OUT],
    "hljs_loaded_sandbox_handle_event": [
        OBJECT, *BYTES, *BYTES, c_uint32, POINTER(c_void_p), c_size_t, OBJECT, OUT, POINTER(c_size_t),
    ],
    "hljs_host_call_return_json": [OBJECT, *BYTES, *BYTES],
    "hljs_host_call_return_bytes": [OBJECT, *BYTES],
    "hljs_host_call_fail": [OBJECT, *BYTES],
}
FREE = [
    "hljs_builder_free", "hljs_proto_sandbox_free", "hljs_sandbox_free", "hljs_loaded_sandbox_free", "hljs_error_free",
]
ERROR_TEXTS = ["hljs_error_message", "hljs_error_js_message", "hljs_error_js_stack"]


class Error(Exception):
    """A call that failed: why, as a number that never changes its meaning and as a text."""

    def __init__(self, code, message, js_message="", js_stack=""):
        super().__init__(f"{message} (code {code})")
        self.code = code
        self.message = message
        self.js_message = js_message  # of the exception, if JavaScript threw one
        self.js_stack = js_stack


def find_library():
    """The file that HYPERLIGHT_JS_LIBRARY names, or the one that ./build.sh has built."""
    named = os.environ.get("HYPERLIGHT_JS_LIBRARY")
    if named:
        return named
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cache = os.environ.get("HYPERLIGHT_JS_CACHE") or os.path.join(caches, "hyperlight-js-go")
    return os.path.join(cache, "lib", f"abi-{ABI_VERSION}", LIBRARY_NAME)


class Library:
    """The native library. It is never unloaded."""

    def __init__(self, path=None):
        self.c = ctypes.CDLL(path or find_library())
        self.c.hljs_abi_version.restype = c_uint32
        version = self.c.hljs_abi_version()
        if version != ABI_VERSION:
            raise ImportError(f"the library has version {version} of the ABI, and this client needs {ABI_VERSION}")
        for name, parameters in FALLIBLE.items():
            self._declare(name, c_uint32, *parameters, OUT)
        for name in FREE:
            self._declare(name, None, OBJECT)
        for name in ERROR_TEXTS:
            self._declare(name, None, OBJECT, OUT, POINTER(c_size_t))
        self._declare("hljs_buffer_free", None, c_void_p, c_size_t)

    def _declare(self, name, result, *parameters):
        function = getattr(self.c, name)
        function.restype, function.argtypes = result, parameters

    def call(self, name, *arguments):
        """Calls a function that can fail, and raises what it says."""
        error = c_void_p()
        code = getattr(self.c, name)(*arguments, byref(error))
        if code == 0:
            return
        try:
            raise Error(code, *(self._text_of(error, text) for text in ERROR_TEXTS))
        finally:
            self.c.hljs_error_free(error)

    def _text_of(self, error, function):
        text, length = c_void_p(), c_size_t()
        getattr(self.c, function)(error, byref(text), byref(length))
        return read(text, length).decode()

    def make(self, name, *arguments):
        """Calls a function that gives an object. `with` frees it."""
        pointer = c_void_p()
        self.call(name, *arguments, byref(pointer))
        return Object(self, pointer, GIVES[name])


# Which function frees what these give.
GIVES = {
    "hljs_builder_new": "hljs_builder_free",
    "hljs_builder_build": "hljs_proto_sandbox_free",
    "hljs_proto_sandbox_load_runtime": "hljs_sandbox_free",
    "hljs_sandbox_get_loaded_sandbox": "hljs_loaded_sandbox_free",
}


class Object:
    """An object of the library that this side owns."""

    def __init__(self, library, pointer, free):
        self.pointer = pointer
        self._free = getattr(library.c, free)

    def __enter__(self):
        return self.pointer

    def __exit__(self, *_):
        pointer, self.pointer = self.pointer, c_void_p()  # NULL, which every function refuses
        self._free(pointer)


class Sandbox:
    """JavaScript handlers in a micro-VM of their own. Use it in a `with` statement, which frees it.

    `handlers` are sources by name, each with a function `handler(event)`. `host_functions` are Python functions by
    module and name, such as {("shop", "price"): price}; JavaScript imports them: import * as shop from "shop". They
    take and return what JSON can hold, and bytes, which are Uint8Arrays there. What they raise, JavaScript can catch.
    """

    def __init__(self, handlers, host_functions=None, library=None):
        self._library = library = library or Library()
        self._callbacks = []  # The sandbox calls them as long as it lives.
        with library.make("hljs_builder_new") as builder, library.make("hljs_builder_build", builder) as proto:
            for (module, name), function in (host_functions or {}).items():
                callback = host_function(library, function)
                self._callbacks.append(callback)
                library.call("hljs_proto_sandbox_register", proto, *text(module), *text(name), callback, None, None)
            with library.make("hljs_proto_sandbox_load_runtime", proto) as sandbox:
                for name, source in handlers.items():
                    library.call("hljs_sandbox_add_handler", sandbox, *text(name), *text(source), None, 0)
                self._loaded = library.make("hljs_sandbox_get_loaded_sandbox", sandbox, None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._loaded.__exit__()

    def handle_event(self, name, event):
        """Runs a handler. The event and the result are what JSON can hold."""
        result, length = c_void_p(), c_size_t()
        self._library.call(
            "hljs_loaded_sandbox_handle_event", self._loaded.pointer, *text(name), *text(json.dumps(event)),
            1, None, 0, None, byref(result), byref(length),
        )
        try:
            return json.loads(read(result, length))
        finally:
            self._library.c.hljs_buffer_free(result, length)


def host_function(library, function):
    """What the library calls when the guest calls `function`."""

    def callback(_user_data, call, args, args_len, blobs, blobs_len):
        try:
            result = function(*decode(ctypes.string_at(args, args_len), ctypes.string_at(blobs, blobs_len)))
            if isinstance(result, bytes):
                library.call("hljs_host_call_return_bytes", call, result, len(result))
            else:
                library.call("hljs_host_call_return_json", call, *encode(result))
        except BaseException as failure:  # Nothing may get past here: below is no Python.
            message = f"{type(failure).__name__}: {failure}".encode(errors="replace")
            library.call("hljs_host_call_fail", call, message, len(message))

    return HOST_FUNCTION(callback)


def number(data, offset):
    return int.from_bytes(data[offset:offset + 4], "little")


def decode(args, blobs):
    """The arguments of a host function. {"__bin__":N} stands for the blob N; `blobs` holds their count, and for each
    its length and its bytes."""
    found, offset = [], 4
    for _ in range(number(blobs, 0)):
        start = offset + 4
        offset = start + number(blobs, offset)
        found.append(blobs[start:offset])

    def blob(value):
        index = value.get("__bin__")
        return found[index] if len(value) == 1 and type(index) is int and 0 <= index < len(found) else value

    return json.loads(args, object_hook=blob)


def encode(result):
    """The result of a host function as JSON and blobs, the other way round."""
    blobs = []

    def blob(value):
        if not isinstance(value, bytes):
            raise TypeError(f"{type(value).__name__} is neither JSON nor bytes")
        blobs.append(len(value).to_bytes(4, "little") + value)
        return {"__bin__": len(blobs) - 1}

    encoded = text(json.dumps(result, default=blob))
    packed = len(blobs).to_bytes(4, "little") + b"".join(blobs) if blobs else b""
    return (*encoded, packed, len(packed))


def text(value):
    data = value.encode()
    return data, len(data)


def read(data, length):
    return ctypes.string_at(data, length.value) if length.value else b""
