// What takes long comes first: a sieve of all numbers up to 300,000. The snapshot has it done.
const limit = 300_000;
const composite = new Uint8Array(limit + 1);
let primes = 0;
for (let n = 2; n <= limit; n++) {
  if (composite[n]) continue;
  primes++;
  for (let multiple = n * n; multiple <= limit; multiple += n) composite[multiple] = 1;
}

export function handler(from) {
  let next = from + 1;
  while (composite[next]) next++;
  return { next, of: primes };
}
