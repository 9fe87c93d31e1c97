// What this program does to the emulated machine.
import { writeFileSync } from "node:fs";

// expediteGracePeriods makes the machine's kernel end RCU's grace periods at once, or leaves them to the timer's ticks again.
// The binding runs each call on whichever thread of its pool is free. Linux before 6.13 waits for a grace period
// when a virtual CPU changes threads (KVM's vcpu->pid): 12 ms in which nothing is executed, so that a count of
// instructions would say nothing. A host that is not the machine stays as it is.
export function expediteGracePeriods(on) {
  if (process.env.HYPERLIGHT_VM_INSIDE) writeFileSync("/sys/kernel/rcu_expedited", on ? "1" : "0");
}
