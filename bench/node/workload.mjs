// How workloads are timed, chosen and printed, and their handlers and events. The Rust, C and Go programs beside this
// one have the same under the same names; whoever changes one, changes all.

export const started = process.hrtime.bigint();

export const ECHO = `function handler(event) { return event; }`;
export const EVENT = { a: 1 };

// The handler and the event of upstream's own benchmarks.
export const REDIRECT = `
        function handler(event) {
            event.request.uri = "/redirected.html";
            return event
        }`;
export const REQUEST = { request: { uri: "/index.html" } };

// Handlers that use their host event.n times. This binding puts "host:" before the names of modules.
export const ADD = `
import * as host from "host:host";
function handler(event) {
    let sum = 0;
    for (let i = 0; i < event.n; i++) sum = host.add(sum, i);
    return sum;
}`;
export const ECHO_BYTES = `
import * as host from "host:host";
function handler(event) {
    const data = new Uint8Array(event.bytes);
    let sum = 0;
    for (let i = 0; i < event.n; i++) sum += host.echo(data).length;
    return sum;
}`;
export const PRINT = `
const line = "x".repeat(100);
function handler(event) {
    for (let i = 0; i < event.n; i++) console.log(line);
    return event.n;
}`;

// eventOf is an event whose JSON has so many bytes.
export function eventOf(bytes) {
  return { text: "x".repeat(bytes - `{"text":""}`.length) };
}

const wanted = process.argv.slice(2);

// BENCH_SCALE multiplies the operations.
const scale = Math.max(1, Number.parseInt(process.env.BENCH_SCALE ?? "1", 10) || 1);

// measure runs a workload if the command line names it, or nothing, and prints the value of one operation.
export async function measure(name, unit, workload) {
  if (wanted.length > 0 && !wanted.includes(name)) return;
  const value = await workload();
  console.log(`${name}\t${unit}\t${value.toFixed(1)}`);
}

// each is the mean time of an operation, in nanoseconds.
export async function each(warmUp, operations, operation) {
  for (let i = 0; i < warmUp; i++) await operation();
  operations *= scale;
  const start = process.hrtime.bigint();
  for (let i = 0; i < operations; i++) await operation();
  return since(start) / operations;
}

// part is the mean time of what counts of an operation, which says itself how long that took.
export async function part(warmUp, operations, operation) {
  for (let i = 0; i < warmUp; i++) await operation();
  operations *= scale;
  let total = 0;
  for (let i = 0; i < operations; i++) total += await operation();
  return total / operations;
}

// oneMore is what a call with 1 + more uses costs more than one with a single use, for each.
export async function oneMore(operations, more, call) {
  const one = await each(2, operations, () => call(1));
  const many = await each(2, operations, () => call(1 + more));
  return (many - one) / more;
}

// throughput is how many operations end in a second when each of the functions is called again and again, all of them
// at the same time.
export async function throughput(warmUp, operations, functions) {
  const all = (times) => Promise.all(functions.map(async (operation) => {
    for (let i = 0; i < times; i++) await operation();
  }));
  await all(warmUp);
  operations *= scale;
  const start = process.hrtime.bigint();
  await all(operations);
  return (functions.length * operations * 1e9) / since(start);
}

// since is the time from a start to now, in nanoseconds.
export function since(start) {
  return Number(process.hrtime.bigint() - start);
}
