// Host functions: call Go from JavaScript
//
// "store" is a module that this server wrote in Go: get, set and keys. It is yours alone, and small. It is not part of the
// guest's memory, so a restore does not rewind it.

import * as store from "store";

let here = 0;

function handler(event) {
  here++;
  store.set("visits", (store.get("visits") ?? 0) + 1);
  store.set("last", event.from);
  return { visitsInGo: store.get("visits"), visitsInTheGuest: here, keys: store.keys() };
}
