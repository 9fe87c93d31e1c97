// Endless loop: limits stop it, and try does not help
//
// The host takes the processor away from the guest, wherever it is. JavaScript cannot catch that. Move the sliders, or
// press Stop.

function handler() {
  let rounds = 0;
  try {
    while (true) {
      rounds++;
    }
  } catch {
    return "never";
  } finally {
    console.log("never, either", rounds);
  }
}
