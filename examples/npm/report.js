import dayjs from "dayjs/esm";
import groupBy from "lodash-es/groupBy.js";
import mapValues from "lodash-es/mapValues.js";
import sumBy from "lodash-es/sumBy.js";
import { customAlphabet } from "nanoid/non-secure";

const newID = customAlphabet("0123456789abcdef", 12);

// Sums up orders by month.
export function handler(orders) {
  const months = groupBy(orders, ({ date }) => dayjs(date).format("MMMM YYYY"));
  return {
    id: newID(),
    months: mapValues(months, (orders) => sumBy(orders, "price")),
    due: dayjs(orders.at(-1).date).add(1, "month").endOf("month").format("D MMM YYYY"),
  };
}
