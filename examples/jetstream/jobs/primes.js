// Counts primes.
function handler(event) {
  const primes = [];
  for (let n = 2; n <= event.upTo; n++) {
    if (!primes.some((prime) => n % prime === 0)) primes.push(n);
  }
  return { upTo: event.upTo, primes: primes.length };
}
