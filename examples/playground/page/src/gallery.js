// The gallery of samples: a dialog, which the browser closes with Escape.

import { byId, element } from "./dom.js";

const dialog = byId("gallery");

// gallery fills it. choose is called with the sample that was chosen.
export function gallery(samples, choose) {
  for (const sample of samples) {
    const [name, about] = sample.title.split(": ");
    const card = element("button", { type: "button", className: "card", id: `sample-${sample.name}` },
      element("strong", {}, name), element("span", {}, about ?? ""));
    card.addEventListener("click", () => {
      dialog.close();
      choose(sample);
    });
    byId("cards").append(element("li", {}, card));
  }
  byId("samples").addEventListener("click", () => dialog.showModal());
  byId("close-gallery").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (e) => {
    if (e.target === dialog) dialog.close(); // beside it
  });
}
