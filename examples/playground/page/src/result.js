// What came of a run: a result, or a failure with its place in the code.

import { announce, byId, element } from "./dom.js";
import { json } from "./highlight.js";

const pane = byId("result");
const verdict = byId("verdict");

function show(state, word, ...nodes) {
  pane.dataset.state = state;
  verdict.textContent = word;
  verdict.dataset.state = state;
  pane.replaceChildren(...nodes);
  pane.scrollTop = 0;
}

const phases = {
  waiting: "Waiting for a turn …",
  booting: "Booting a micro-VM …",
  loading: "Loading the code …",
  running: "Running …",
};

export function phase(name) {
  show("busy", "", element("p", { className: "empty" }, phases[name] ?? "Sending …"));
}

export function result(text) {
  show("ok", "returned", element("pre", {}, json(text)));
  announce(`Returned ${text.length > 300 ? `${text.length} characters of JSON` : text}`);
}

// failure shows it, with links to the lines of the code. goTo is called with the frame that was chosen.
export function failure(f, goTo) {
  const parts = [element("p", { className: "failure-title" }, f.title)];
  if (f.message) parts.push(element("pre", { className: "failure-message" }, f.message));
  if (f.frames?.length) parts.push(stack(f.frames, goTo));
  if (f.advice) parts.push(element("p", { className: "advice" }, f.advice));
  show("failed", f.kind === "stopped" ? "stopped" : "failed", ...parts);
  const mine = f.frames?.find((frame) => frame.mine);
  announce(`${f.title}. ${f.message ?? ""}${mine ? ` Line ${mine.line}.` : ""}`);
}

function stack(frames, goTo) {
  const list = element("ol", { className: "stack", ariaLabel: "Stack" });
  for (const frame of frames) {
    const place = frame.line ? `${frame.mine ? "line " : `${frame.file}:`}${frame.line}:${frame.column}` : frame.file || "native";
    const name = frame.function || "(here)";
    const item = element("li", {}, element("span", { className: "frame-function" }, name), " ");
    if (frame.mine) {
      const link = element("button", { type: "button", className: "frame-place" }, place);
      link.addEventListener("click", () => goTo(frame));
      item.append(link);
    } else {
      item.append(element("span", { className: "frame-place" }, place));
    }
    list.append(item);
  }
  return list;
}

// refused is for what the server did not even try.
export function refused(text) {
  show("failed", "refused", element("p", { className: "failure-title" }, "The server did not run it"), element("p", { className: "advice" }, text));
  announce(`The server did not run it: ${text}`);
}
