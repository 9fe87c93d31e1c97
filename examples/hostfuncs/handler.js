import * as kv from "kv";

// The last four readings of each sensor, a byte each. Nothing is kept here: the store does that.
export function handler({ sensor, reading }) {
  const readings = new Uint8Array([...before(sensor), reading]).slice(-4);
  const version = kv.put(sensor, readings);
  return { sensor, readings: Array.from(readings), version, all: kv.list() };
}

function before(sensor) {
  try {
    return kv.get(sensor); // a Uint8Array
  } catch (error) {
    if (!error.message.includes("no such key")) throw error;
    return [];
  }
}
