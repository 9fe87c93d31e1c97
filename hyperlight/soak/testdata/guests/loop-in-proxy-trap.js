// attacks: time, in each trap that a proxy can have
// expect: cancelled
// event: "get"
// event: "set"
// event: "has"
// event: "deleteProperty"
// event: "ownKeys"
// event: "getOwnPropertyDescriptor"
// event: "defineProperty"
// event: "getPrototypeOf"
// event: "setPrototypeOf"
// event: "isExtensible"
// event: "preventExtensions"
// event: "apply"
// event: "construct"
const use = {
	get: (p) => p.a,
	set: (p) => { p.a = 1; },
	has: (p) => "a" in p,
	deleteProperty: (p) => delete p.a,
	ownKeys: (p) => Object.keys(p),
	getOwnPropertyDescriptor: (p) => Object.getOwnPropertyDescriptor(p, "a"),
	defineProperty: (p) => Object.defineProperty(p, "a", { value: 1 }),
	getPrototypeOf: (p) => Object.getPrototypeOf(p),
	setPrototypeOf: (p) => Object.setPrototypeOf(p, {}),
	isExtensible: (p) => Object.isExtensible(p),
	preventExtensions: (p) => Object.preventExtensions(p),
	apply: (p) => p(),
	construct: (p) => new p(),
};
function handler(event) { return use[event](new Proxy(function () {}, { [event]() { for (;;) {} } })); }
