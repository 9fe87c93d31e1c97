// Light, dark, or as the system: the button goes round.

import { announce, byId } from "./dom.js";

const themes = ["system", "light", "dark"];
const words = { system: "as the system", light: "light", dark: "dark" };
const button = byId("theme");

function use(theme) {
  document.documentElement.dataset.theme = theme;
  const text = `Theme: ${words[theme]}`;
  button.setAttribute("aria-label", text);
  button.title = text;
}

export function themeButton() {
  let theme = localStorage.getItem("theme");
  if (!themes.includes(theme)) theme = "system";
  use(theme);
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    localStorage.setItem("theme", theme);
    use(theme);
    announce(`Theme: ${words[theme]}`);
  });
}
