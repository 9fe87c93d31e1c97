// The workloads of bench/ on upstream's Node.js binding. See README.md.
import { deepStrictEqual } from "node:assert";
import { readFileSync } from "node:fs";
import {
  ADD, ECHO, ECHO_BYTES, EVENT, PRINT, REDIRECT, REQUEST, each, eventOf, measure, oneMore, part, since, started, throughput,
} from "./workload.mjs";
import { expediteGracePeriods } from "./machine.mjs";
import { boot, call, newProto, start, startProto } from "./sandboxes.mjs";

const LIMIT_MS = 5000; // so long that it never ends a call

// From nothing to an answer.
async function lifecycle() {
  await measure("cold_start", "ns", async () => {
    const loaded = await start(ECHO);
    deepStrictEqual(await call(loaded, EVENT), EVENT);
    const elapsed = since(started);
    await loaded.dispose();
    return elapsed;
  });
  await measure("memory_per_sandbox", "KiB", memory);
  for (const handlers of [1, 2, 5, 10]) {
    const name = `jsload_${handlers}_handler${handlers === 1 ? "" : "s"}`;
    await measure(name, "ns", () => jsload(handlers, false));
    await measure(`${name}_with_snapshot`, "ns", () => jsload(handlers, true));
  }
  await measure("build_and_load_runtime", "ns", () => each(1, 4, async () => (await boot()).dispose()));
  await measure("add_load_handle_unload", "ns", async () => {
    let sandbox = await boot();
    const time = await each(3, 20, async () => {
      sandbox.addHandler("handler", REDIRECT);
      const loaded = await sandbox.getLoadedSandbox();
      await call(loaded, REQUEST);
      sandbox = await loaded.unload();
    });
    await sandbox.dispose();
    return time;
  });
}

async function memory() {
  const sandboxes = 4;
  const startOne = async () => {
    const loaded = await start(ECHO);
    await call(loaded, EVENT);
    return loaded;
  };
  const all = [await startOne()];
  const before = resident();
  for (let i = 0; i < sandboxes; i++) all.push(await startOne());
  const after = resident();
  for (const loaded of all) await loaded.dispose();
  return (after - before) / sandboxes;
}

// resident is the process's resident memory, in KiB.
function resident() {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
}

async function jsload(handlers, withSnapshot) {
  let sandbox = await boot();
  const time = await part(2, 10, async () => {
    const begin = process.hrtime.bigint();
    for (let i = 0; i < handlers; i++) sandbox.addHandler(`function${i}`, REDIRECT);
    const loaded = await sandbox.getLoadedSandbox();
    if (withSnapshot) await loaded.snapshot();
    const elapsed = since(begin);
    sandbox = await loaded.unload();
    return elapsed;
  });
  await sandbox.dispose();
  return time;
}

// Calls: warm ones, upstream's series, sizes, monitors, several at a time.
async function events() {
  for (const gc of [false, true]) {
    await measure(`warm_gc_${gc}`, "ns", () => calls(ECHO, EVENT, 200, 1000, { gc }));
  }
  for (const gc of [true, false]) {
    for (const count of [1, 2, 5, 10]) {
      const name = `handle_${count}_events`, suffix = gc ? "with_gc" : "without_gc";
      await measure(`${name}_${suffix}`, "ns", () => series(count, { gc }));
      await measure(`${name}_with_restore_${suffix}`, "ns", () => seriesWithRestore(count, { gc }));
    }
  }
  for (const [name, bytes, warmUp, operations] of [
    ["event_100b", 100, 50, 300],
    ["event_1kb", 1_000, 50, 300],
    ["event_10kb", 10_000, 10, 50],
    ["event_100kb", 100_000, 10, 80],
    ["event_1mb", 1_000_000, 1, 3],
  ]) {
    await measure(name, "ns", () => calls(ECHO, eventOf(bytes), warmUp, operations, { gc: false }));
  }
  for (const [name, limits] of [
    ["handle_event_no_monitor", {}],
    ["handle_event_wall_clock", { wallClockTimeoutMs: LIMIT_MS }],
    ["handle_event_cpu_time", { cpuTimeoutMs: LIMIT_MS }],
    ["handle_event_wall_and_cpu", { wallClockTimeoutMs: LIMIT_MS, cpuTimeoutMs: LIMIT_MS }],
  ]) {
    await measure(name, "ns", () => calls(REDIRECT, REQUEST, 100, 500, limits));
  }
  for (const sandboxes of [1, 2, 4, 8]) {
    await measure(`throughput_${sandboxes}`, "calls/s", () => several(sandboxes));
  }
}

async function calls(source, event, warmUp, operations, options) {
  const loaded = await start(source);
  const time = await each(warmUp, operations, () => call(loaded, event, options));
  if (source === ECHO) deepStrictEqual(await call(loaded, event, options), event);
  await loaded.dispose();
  return time;
}

async function series(count, options) {
  const loaded = await start(REDIRECT);
  const time = await each(20, 100, async () => {
    for (let i = 0; i < count; i++) await call(loaded, REQUEST, options);
  });
  await loaded.dispose();
  return time;
}

async function seriesWithRestore(count, options) {
  const loaded = await start(REDIRECT);
  const snapshot = await loaded.snapshot();
  const time = await each(3, 15, async () => {
    for (let i = 0; i < count; i++) {
      await call(loaded, REQUEST, options);
      await loaded.restore(snapshot);
    }
  });
  await loaded.dispose();
  return time;
}

// several is what so many sandboxes do at the same time: the calls of one come one after the other.
async function several(sandboxes) {
  const all = [];
  for (let i = 0; i < sandboxes; i++) all.push(await start(ECHO));
  const rate = await throughput(50, 200, all.map((loaded) => () => call(loaded, EVENT, { gc: false })));
  for (const loaded of all) await loaded.dispose();
  return rate;
}

// What a guest asks of its host. Functions return promises, which this binding demands. The value is what one more
// call in the same event costs.
async function hostFunctions() {
  await measure("host_json", "ns", async () => {
    const proto = await newProto();
    proto.register("host", "add", async (a, b) => a + b);
    return oneMoreUse(await startProto(proto, ADD), 5, 100, (n) => ({ n }));
  });
  for (const [name, bytes, operations, more] of [
    ["host_bytes_1kb", 1_000, 5, 50],
    ["host_bytes_1mb", 1_000_000, 2, 2],
  ]) {
    await measure(name, "ns", async () => {
      const proto = await newProto();
      proto.register("host", "echo", async (data) => data);
      return oneMoreUse(await startProto(proto, ECHO_BYTES), operations, more, (n) => ({ n, bytes }));
    });
  }
  await measure("print", "ns", async () => {
    const proto = await newProto({ print: async () => 0 });
    return oneMoreUse(await startProto(proto, PRINT), 5, 100, (n) => ({ n }));
  });
}

async function oneMoreUse(loaded, operations, more, event) {
  const time = await oneMore(operations, more, (uses) => call(loaded, event(uses)));
  await loaded.dispose();
  return time;
}

async function snapshots() {
  await measure("snapshot", "ns", async () => {
    const loaded = await start(ECHO);
    const time = await part(1, 5, async () => {
      await call(loaded, EVENT); // Without it, the snapshot would be the one before.
      const begin = process.hrtime.bigint();
      await loaded.snapshot();
      return since(begin);
    });
    await loaded.dispose();
    return time;
  });
  await measure("restore", "ns", () => restoring(5, 30, async (loaded, snapshot) => {
    await call(loaded, EVENT);
    const begin = process.hrtime.bigint();
    await loaded.restore(snapshot);
    return since(begin);
  }));
  await measure("call_and_restore", "ns", () => restoring(5, 100, async (loaded, snapshot) => {
    const begin = process.hrtime.bigint();
    await call(loaded, EVENT);
    await loaded.restore(snapshot);
    return since(begin);
  }));
}

async function restoring(warmUp, operations, operation) {
  const loaded = await start(ECHO);
  const snapshot = await loaded.snapshot();
  const time = await part(warmUp, operations, () => operation(loaded, snapshot));
  await loaded.dispose();
  return time;
}

expediteGracePeriods(true);
await lifecycle(); // first: the cold start wants a process that has not done anything
await events();
await hostFunctions();
await snapshots();
expediteGracePeriods(false);
await measure("warm_gc_false_waiting", "ns", () => calls(ECHO, EVENT, 10, 50, { gc: false }));
