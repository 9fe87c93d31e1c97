// Async: promises, generators, async iteration
//
// A handler may be async. There are no timers: what it waits for has to be settled by JavaScript itself.

async function* countdown(from) {
  for (let i = from; i > 0; i--) {
    yield await Promise.resolve(i);
  }
}

async function handler(event) {
  const numbers = [];
  for await (const number of countdown(event.from)) {
    console.log(number);
    numbers.push(number);
  }
  console.log("Lift-off!");
  return numbers;
}
