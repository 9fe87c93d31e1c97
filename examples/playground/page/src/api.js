// What the page asks the server for. Each tab has a session of its own, which is named by a token that only the tab has.

const sessionKey = "session";

function request(path, body) {
  const headers = {};
  const session = sessionStorage.getItem(sessionKey);
  if (session) headers["X-Playground-Session"] = session;
  if (body) headers["Content-Type"] = "application/json";
  return fetch(path, { method: "POST", headers, body: body && JSON.stringify(body) });
}

// refused is the text of an answer that is none.
async function refused(response) {
  try {
    return (await response.json()).error;
  } catch {
    return `the server answered ${response.status} ${response.statusText}`;
  }
}

async function answer(path, body) {
  const response = await request(path, body);
  if (!response.ok) throw Object.assign(new Error(await refused(response)), { status: response.status });
  return response;
}

export const hasSession = () => sessionStorage.getItem(sessionKey) !== null;

export async function setup() {
  const response = await fetch("setup");
  if (!response.ok) throw new Error(await refused(response));
  return response.json();
}

// run calls receive with each message, as it comes.
export async function run(task, receive) {
  const response = await answer("run", task);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const message = JSON.parse(line);
      if (message.type === "session") sessionStorage.setItem(sessionKey, message.session.id);
      receive(message);
    }
  }
}

export const stop = () => answer("stop");
export const snapshot = async () => (await answer("snapshot")).json();
export const restore = async () => (await answer("restore")).json();

export async function reset() {
  await answer("reset");
  sessionStorage.removeItem(sessionKey);
}
