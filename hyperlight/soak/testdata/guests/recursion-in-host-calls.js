// attacks: both stacks, by a host function whose argument's conversion calls it again
// expect: out of memory
import * as host from "host";
const again = { toJSON: () => host.echo(again) };
function handler() { return host.echo(again); }
