// Console: output that comes while the handler runs
//
// A sieve of Eratosthenes that tells how far it is. The pane on the right shows each line as it is printed.

function handler({ upTo }) {
  const composite = new Uint8Array(upTo + 1);
  let primes = 0;
  let next = 0;
  for (let i = 2; i <= upTo; i++) {
    if (i >= next) {
      console.log(`${String(Math.floor((100 * i) / upTo)).padStart(3)} %   ${primes} primes below ${i}`);
      next += upTo / 10;
    }
    if (composite[i]) continue;
    primes++;
    for (let j = i * i; j <= upTo; j += i) composite[j] = 1;
  }
  return { upTo, primes };
}
