// Fails at first, as something would that depends on a service which is down for a moment.
import * as job from "job";

export function handler() {
  if (job.attempt() === 1) throw new Error("the service is down");
  return { id: job.id(), attempt: job.attempt() };
}
