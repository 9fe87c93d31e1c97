// attacks: the call of the handler, by a class
// at: load
// expect: exception
// message: class constructors must be invoked with 'new'
export class handler {}
