// Always fails.
function total(order) {
  return order.items.length;
}

function handler(event) {
  return total(event.order);
}
