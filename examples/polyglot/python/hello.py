"""Runs JavaScript handlers in a micro-VM, from Python. See README.md in this folder."""

from hyperlight_js import Error, Sandbox

HELLO = "function handler(event) { return { message: `Hello, ${event.name}!` }; }"

ORDER = """
import * as shop from "shop";

function handler(order) {
    const total = order.items.reduce((sum, item) => sum + shop.price(item.name, { count: item.count }).total, 0);
    return { total, receipt: Array.from(shop.sign(new Uint8Array([total]))) };
}
"""

PRICES = {"apple": 2, "pear": 3}


def price(name, options):
    return {"total": PRICES[name] * options["count"]}


def sign(data):
    return data + b"\x2a"


def main():
    handlers = {"hello": HELLO, "order": ORDER}
    with Sandbox(handlers, {("shop", "price"): price, ("shop", "sign"): sign}) as sandbox:
        print(sandbox.handle_event("hello", {"name": "World"}))
        print(sandbox.handle_event("order", {"items": [{"name": "apple", "count": 5}, {"name": "pear", "count": 1}]}))
        try:
            sandbox.handle_event("order", {"items": [{"name": "plum", "count": 1}]})
        except Error as error:
            print(error.code, error.js_message)
        try:
            sandbox.handle_event("goodbye", None)
        except Error as error:
            print(error)


if __name__ == "__main__":
    main()
