// Exception: an error is shown at its line
//
// The stack is on the right, too; its lines are links.

function price(item) {
  if (typeof item.price !== "number") {
    throw new TypeError(`${item.name} has no price`);
  }
  return item.price * item.count;
}

function handler(order) {
  const total = order.items.map((item) => price(item)).reduce((a, b) => a + b, 0);
  return { total };
}
