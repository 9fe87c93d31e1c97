// Tests of what the figures rest on, with a real guest: node --test, where there is a hypervisor.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { test } from "node:test";
import { call, newProto, start, startProto } from "./sandboxes.mjs";
import { ADD, ECHO, ECHO_BYTES, PRINT, REDIRECT, REQUEST, each, eventOf, oneMore, part, throughput } from "./workload.mjs";

test("handlers do what they are measured for", async () => {
  for (const bytes of [100, 100_000]) {
    const event = eventOf(bytes);
    strictEqual(JSON.stringify(event).length, bytes);
    const loaded = await start(ECHO);
    deepStrictEqual(await call(loaded, event, { gc: false }), event);
    await loaded.dispose();
  }
  const loaded = await start(REDIRECT);
  deepStrictEqual(await call(loaded, REQUEST), { request: { uri: "/redirected.html" } });
  await loaded.dispose();
});

test("the guest asks its host as often as it is told to", async () => {
  let asked = 0, printed = 0;
  const proto = await newProto({ print: async () => { printed++; return 0; } });
  proto.register("host", "add", async (a, b) => { asked++; return a + b; });
  proto.register("host", "echo", async (data) => { asked++; return data; });
  const sandbox = await proto.loadRuntime();
  for (const [name, source] of Object.entries({ add: ADD, echo: ECHO_BYTES, print: PRINT })) sandbox.addHandler(name, source);
  const loaded = await sandbox.getLoadedSandbox();
  strictEqual(await loaded.callHandler("add", { n: 5 }), 0 + 1 + 2 + 3 + 4);
  strictEqual(await loaded.callHandler("echo", { n: 3, bytes: 1000 }), 3000);
  strictEqual(asked, 8);
  await loaded.callHandler("print", { n: 4 });
  strictEqual(printed, 4);
  await loaded.dispose();
});

test("a snapshot takes back what a handler did", async () => {
  const loaded = await startProto(await newProto(), "let calls = 0; function handler(event) { return ++calls; }");
  const snapshot = await loaded.snapshot();
  for (let i = 0; i < 2; i++) {
    strictEqual(await call(loaded, {}), 1);
    strictEqual(await call(loaded, {}), 2);
    await loaded.restore(snapshot);
  }
  await loaded.dispose();
});

test("what is measured", async () => {
  let times = 0;
  const once = async () => { times++; };
  ok(await each(2, 3, once) > 0);
  strictEqual(times, 2 + 3);
  strictEqual(await part(1, 4, async () => 7), 7);
  let uses = 0;
  await oneMore(3, 10, async (n) => { uses += n; });
  strictEqual(uses, (2 + 3) * 1 + (2 + 3) * 11);
  // Two at a time, or neither would end.
  let waiting;
  const meet = () => new Promise((done) => {
    if (waiting === undefined) {
      waiting = done;
      return;
    }
    waiting();
    waiting = undefined;
    done();
  });
  ok(await throughput(1, 3, [meet, meet]) > 0);
});
