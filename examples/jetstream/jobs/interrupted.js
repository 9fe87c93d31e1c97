// Takes very long at first, so that there is time to kill the worker that runs it.
import * as job from "job";

export function handler() {
  while (job.attempt() === 1);
  return "back again";
}
