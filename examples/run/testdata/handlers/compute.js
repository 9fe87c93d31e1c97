// Computes: recursion, big integers, floating point, sorting.

// As slow as it looks, on purpose.
function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

function bigFibonacci(n) {
  let [a, b] = [0n, 1n];
  for (let i = 0; i < n; i++) [a, b] = [b, a + b];
  return a;
}

// Pseudo-random numbers that are the same in every engine (mulberry32).
function* random(seed) {
  for (;;) {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    yield (t ^ (t >>> 14)) >>> 0;
  }
}

function take(n, iterator) {
  return Array.from({ length: n }, () => iterator.next().value);
}

function quicksort(list) {
  if (list.length < 2) return list;
  const [pivot, ...rest] = list;
  return [
    ...quicksort(rest.filter((x) => x < pivot)),
    pivot,
    ...quicksort(rest.filter((x) => x >= pivot)),
  ];
}

function statistics(sorted) {
  const sum = sorted.reduce((a, b) => a + b, 0);
  const mean = sum / sorted.length;
  const variance = sorted.reduce((a, b) => a + (b - mean) ** 2, 0) / sorted.length;
  return {
    least: sorted[0],
    median: sorted[sorted.length >> 1],
    greatest: sorted.at(-1),
    mean,
    deviation: Math.sqrt(variance),
  };
}

export function handler({ n, count, seed }) {
  const numbers = take(count, random(seed));
  const own = quicksort(numbers);
  const builtIn = Float64Array.from(numbers).sort();
  const words = numbers.slice(0, 20).map((x) => x.toString(36));
  return {
    fibonacci: fibonacci(n),
    bigFibonacci: String(bigFibonacci(10 * n)),
    agree: own.every((x, i) => x === builtIn[i]),
    statistics: statistics(own),
    // The last digit is the key, so only a stable sort gives this order.
    byLastDigit: numbers.slice(0, 20).sort((a, b) => (a % 10) - (b % 10)),
    words: words.sort(),
    floats: [0.1 + 0.2, 1e21, 1 / 3, -0, 5e-324, 2 ** 53, Math.fround(1.1)],
  };
}
