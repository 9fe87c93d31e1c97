// The draft: what is in the editors outlives a reload of the page, in its tab.

const key = "draft";
let waiting;

// keepDraft keeps what task returns, in a moment.
export function keepDraft(task) {
  clearTimeout(waiting);
  waiting = setTimeout(() => sessionStorage.setItem(key, JSON.stringify(task())), 300);
}

// draft is what was kept, or undefined.
export function draft() {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? undefined;
  } catch {
    return undefined;
  }
}
