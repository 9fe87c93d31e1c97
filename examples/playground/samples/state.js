// State: count, take a snapshot, go back to it
//
// Variables of the module live as long as the sandbox. Run this a few
// times, press Snapshot, run it again, and press Restore: the guest's
// whole memory is what it was.

let calls = 0;
const history = [];

function handler(event) {
  calls++;
  history.push(event.note);
  console.log("Call number", calls);
  return { calls, history };
}
