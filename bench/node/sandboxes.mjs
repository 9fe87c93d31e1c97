// Upstream's binding, and sandboxes with the sizes that all contestants use.
import { createRequire } from "node:module";

// The addon itself. The package around it, which gives errors their codes, is not on npm.
const { SandboxBuilder } = createRequire(import.meta.url)("@hyperlight-dev/js-host-api-linux-x64-gnu");

export async function newProto({ print } = {}) {
  const builder = new SandboxBuilder();
  builder.setHeapSize(8 << 20);
  builder.setScratchSize(16 << 20);
  builder.setInputBufferSize(1 << 20);
  builder.setOutputBufferSize(1 << 20);
  if (print) builder.setHostPrintFn(print);
  return builder.build();
}

export async function boot() {
  return (await newProto()).loadRuntime();
}

// start makes a sandbox with one handler, called "handler".
export async function start(source) {
  return startProto(await newProto(), source);
}

export async function startProto(proto, source) {
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler("handler", source);
  return sandbox.getLoadedSandbox();
}

export function call(loaded, event, options) {
  return loaded.callHandler("handler", event, options);
}
