// attacks: the report of an exception, by what is no Error
// expect: exception
// event: "null"
// thrown: null
// message: null
// event: "undefined"
// thrown: undefined
// message: undefined
// event: "7"
// thrown: number
// message: 7
// event: "-0"
// thrown: number
// message: 0
// event: "1e300"
// thrown: number
// message: 1e+300
// event: "NaN"
// thrown: number
// message: NaN
// event: "true"
// thrown: boolean
// message: true
// event: "'text'"
// thrown: string
// message: text
// event: "'\\ud800'"
// thrown: string
// message: ""
// event: "Symbol('a')"
// thrown: symbol
// message: ""
// event: "1n"
// thrown: bigint
// message: ""
// event: "[1]"
// thrown: array
// message: ""
// event: "({ toString() { throw 1; } })"
// thrown: object
// message: ""
// event: "() => 1"
// thrown: function
// message: ""
// event: "class {}"
// thrown: function
// message: ""
// event: "Promise.resolve()"
// thrown: promise
// message: ""
// event: "new Proxy({}, { get() { throw 1; } })"
// thrown: proxy
// message: ""
// event: "new Proxy(new Error('inside'), {})"
// thrown: proxy
// message: ""
// event: "(() => { const r = Proxy.revocable({}, {}); r.revoke(); return r.proxy; })()"
// thrown: proxy
// message: ""
// event: "Object.create(Error.prototype)"
// thrown: object
// message: ""
// event: "Object.setPrototypeOf(new Error('m'), null)"
// message: m
function handler(event) { throw eval("(" + event + ")"); }
