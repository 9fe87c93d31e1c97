// What this program does to the emulated machine.
import { writeFileSync } from "node:fs";

// expediteGracePeriods has the machine's kernel end RCU's grace periods at once, or not any more.
// The binding runs each call on whichever thread of its pool is free. Linux before 6.13 waits for a grace period
// when a virtual CPU changes threads: 12 ms in which nothing is executed. A host that is not the machine stays as it is.
export function expediteGracePeriods(on) {
  if (process.env.HYPERLIGHT_VM_INSIDE) writeFileSync("/sys/kernel/rcu_expedited", on ? "1" : "0");
}
