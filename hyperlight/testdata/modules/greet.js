import { greeting } from "./lib/greeting.js";

export function handler(event) {
    return greeting(event.name);
}
