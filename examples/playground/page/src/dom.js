// Small helpers for the document.

export const byId = (id) => document.getElementById(id);

// element makes one. Texts may come from guests, so they only ever become text.
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// announce tells those who do not see the page.
export function announce(text) {
  byId("status").textContent = text;
}

let hiding;

// toast shows a short note, and announces it.
export function toast(text) {
  const note = byId("toast");
  note.textContent = text;
  note.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (note.hidden = true), 4000);
  announce(text);
}
