// The figures of the last run.

import { byId, element } from "./dom.js";

export function milliseconds(value) {
  if (value === null || value === undefined) return "unknown";
  if (value < 10) return `${value.toFixed(2)} ms`;
  return value < 1000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(2)} s`;
}

export function bytes(value) {
  if (value < 1024) return `${value} B`;
  return value < 1 << 20 ? `${(value / 1024).toFixed(1)} KiB` : `${(value / (1 << 20)).toFixed(1)} MiB`;
}

export function showStats(stats) {
  const figures = [];
  // Otherwise the handler was not called.
  if (stats.wallClock) figures.push(["Wall clock", milliseconds(stats.wallClock)], ["CPU time", milliseconds(stats.cpuTime)]);
  if (stats.resultBytes) figures.push(["Result", bytes(stats.resultBytes)]);
  if (stats.boot) figures.push(["Boot", milliseconds(stats.boot)]);
  if (stats.load) figures.push(["Load", milliseconds(stats.load)]);
  if (stats.terminatedBy) figures.push(["Stopped by", stats.terminatedBy]);
  if (stats.printDropped) figures.push(["Output dropped", bytes(stats.printDropped)]);
  byId("stats").replaceChildren(
    ...figures.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))),
  );
}

// showGuest says what has become of the sandbox.
export function showGuest(state) {
  const runs = `${state.runs} ${state.runs === 1 ? "run" : "runs"}`;
  const texts = { none: "no sandbox yet", ready: `ready · ${runs}`, poisoned: "stopped in mid-run", unrecoverable: "lost", closed: "closed" };
  let text = texts[state.status] ?? state.status;
  if (state.snapshot) text += ` · snapshot of run ${state.snapshotRuns}`;
  byId("guest").dataset.status = state.status;
  byId("guest-text").textContent = text;
}
