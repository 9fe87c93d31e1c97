// The sliders. The server says which there are, and what they may be.

import { byId, element } from "./dom.js";

// sliders makes them. changed is called when the visitor moves one.
export function sliders(limits, changed) {
  const inputs = {};
  for (const limit of limits) {
    const id = `limit-${limit.name}`;
    const output = element("output", { htmlFor: id });
    const input = element("input", {
      id, type: "range", min: limit.min, max: limit.max, step: limit.step, value: limit.default, title: limit.help, "aria-describedby": `${id}-help`,
    });
    input.addEventListener("input", () => {
      show(limit, input, output);
      changed();
    });
    inputs[limit.name] = { input, show: () => show(limit, input, output) };
    show(limit, input, output);
    byId("limits").append(
      element("div", { className: "slider" },
        element("label", { htmlFor: id }, limit.label), output, input,
        element("span", { id: `${id}-help`, className: "announcer" }, limit.help)),
    );
  }
  return {
    get: () => Object.fromEntries(Object.entries(inputs).map(([name, { input }]) => [name, input.valueAsNumber])),
    set(values) {
      for (const [name, { input, show }] of Object.entries(inputs)) {
        if (Number.isInteger(values?.[name])) input.value = values[name];
        show();
      }
    },
  };
}

function show(limit, input, output) {
  const text = `${input.valueAsNumber.toLocaleString("en")} ${limit.unit}`;
  output.value = text;
  input.setAttribute("aria-valuetext", text);
  input.style.setProperty("--filled", `${(100 * (input.valueAsNumber - limit.min)) / (limit.max - limit.min)}%`);
}
