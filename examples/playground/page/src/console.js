// The console: what the handler prints, and, in between, what happened to its sandbox.

import { byId, element } from "./dom.js";

const pane = byId("console");
const mostCharacters = 512 * 1024; // of several runs; then the oldest go

let open; // the text node that further output joins

function add(node) {
  const atEnd = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 40;
  pane.querySelector(".empty")?.remove();
  pane.append(node);
  while (pane.textContent.length > mostCharacters && pane.children.length > 1) pane.firstChild.remove();
  if (atEnd) pane.scrollTop = pane.scrollHeight;
}

export function print(text) {
  if (!open) {
    open = element("pre", { className: "printed" });
    add(open);
  }
  const atEnd = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 40;
  open.append(text);
  if (atEnd) pane.scrollTop = pane.scrollHeight;
}

// note says what happened.
export function note(text) {
  open = undefined;
  add(element("p", { className: "note" }, text));
}

export function begin(number) {
  open = undefined;
  add(element("p", { className: "run-line" }, `Run ${number}`));
}

export function clear() {
  open = undefined;
  pane.replaceChildren(element("p", { className: "empty" }, "What the handler prints appears here, as it comes."));
}
