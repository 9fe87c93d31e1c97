import * as shop from "shop";

export function handler({ items }) {
  if (items.length === 0) throw new RangeError("the cart is empty");
  return items.reduce((sum, item) => sum + shop.price(item), 0);
}
