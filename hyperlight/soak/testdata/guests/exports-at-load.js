// attacks: the runtime's look-up of the handler, by exports that are no plain function
// at: load
// expect: cancelled
export const handler = new Proxy(function () {}, { apply() { for (;;) {} }, get() { for (;;) {} } });
