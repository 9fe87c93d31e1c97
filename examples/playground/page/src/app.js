// The playground's page. Here its parts meet; each has a module of its own:
//
//	editors.js, highlight.js   the handler and its event; colours of code
//	limits.js, gallery.js      sliders, samples
//	result.js, console.js      what comes of a run
//	stats.js                   its figures, and the state of the guest
//	api.js                     what the server is asked for
//	share.js, draft.js         code in the address, code kept from one load of the page to the next
//	theme.js, dom.js           light and dark; small helpers

import * as api from "./api.js";
import * as console from "./console.js";
import { announce, byId, toast } from "./dom.js";
import { draft, keepDraft } from "./draft.js";
import { codeEditor, eventEditor } from "./editors.js";
import { gallery } from "./gallery.js";
import { sliders } from "./limits.js";
import * as result from "./result.js";
import { decode, encode } from "./share.js";
import { bytes, milliseconds, showGuest, showStats } from "./stats.js";
import { themeButton } from "./theme.js";

const buttons = Object.fromEntries(["run", "stop", "snapshot", "restore", "reset"].map((id) => [id, byId(id)]));
const nobody = { status: "none", runs: 0, snapshot: false };

let code, event, limits;
let guest = nobody; // the state of the visitor's sandbox, as the server told it last
let busy = false;
let runs = 0;

// --- Running

async function run() {
  if (busy) return;
  setBusy(true, "run");
  code.clearError();
  console.begin(++runs);
  result.phase("");
  byId("result").parentElement.scrollIntoView({ block: "nearest" });
  let answered = false;
  const hadSession = api.hasSession();
  try {
    await api.run(task(), (message) => {
      answered ||= message.type === "result" || message.type === "failure";
      receive(message, hadSession);
    });
    if (!answered) result.refused("The connection ended before the answer came.");
  } catch (error) {
    result.refused(error.message);
  }
  setBusy(false);
}

function receive(message, hadSession) {
  switch (message.type) {
    case "session":
      if (hadSession && message.session.new) console.note("The sandbox from before was closed. This is a new one.");
      break;
    case "phase":
      if (message.text === "booting") console.note("A new micro-VM");
      result.phase(message.text);
      break;
    case "print":
      console.print(message.text);
      break;
    case "result":
      result.result(message.text);
      break;
    case "failure":
      fail(message.failure);
      break;
    case "stats":
      showStats(message.stats);
      setGuest(message.stats.state);
  }
}

// fail shows a failure, and where in the code it came from.
function fail(failure) {
  result.failure(failure, (frame) => code.goTo(frame));
  const mine = failure.frames?.find((frame) => frame.mine);
  if (mine) code.showError(mine, failure.message);
}

async function stop() {
  enable("stop", false);
  await api.stop().catch((error) => toast(error.message));
}

// --- Snapshots

// change asks for something that changes the guest between runs, and tells with done what it was.
async function change(request, done) {
  setBusy(true);
  try {
    const answer = await request();
    setGuest(answer.state);
    if (answer.failure) fail(answer.failure);
    else report(done(answer));
  } catch (error) {
    if (error.status === 410) setGuest(nobody); // the session is gone
    toast(error.message);
  }
  setBusy(false);
}

function report(text) {
  console.note(text);
  toast(text);
}

const snapshot = () =>
  change(api.snapshot, ({ took, bytes: size, state }) =>
    `Snapshot after ${counted(state.snapshotRuns)}: ${bytes(size)} in ${milliseconds(took)}`);

const restore = () =>
  change(api.restore, ({ took, state }) =>
    `Restored to what it was after ${counted(state.runs)}, in ${milliseconds(took)}`);

const reset = () =>
  change(async () => (await api.reset(), { state: nobody }), () => "The sandbox is gone. The next run boots a new one.");

const counted = (count) => `${count} ${count === 1 ? "run" : "runs"}`;

// --- What can be done now

function setBusy(now, what) {
  busy = now;
  document.body.dataset.busy = now;
  enable("run", !now);
  enable("reset", !now);
  enable("stop", what === "run");
  setGuest(guest);
}

function setGuest(state) {
  guest = state;
  showGuest(state);
  enable("snapshot", !busy && state.status === "ready");
  enable("restore", !busy && state.snapshot);
}

// A button that was really disabled would lose the keyboard's focus.
function enable(id, yes) {
  buttons[id].ariaDisabled = String(!yes);
}

function onClick(id, action) {
  buttons[id].addEventListener("click", () => buttons[id].ariaDisabled === "true" || action());
}

// --- Code

const task = () => ({ source: code.get(), event: event.get(), limits: limits.get() });

function load(shared) {
  code.set(shared.source);
  event.set(shared.event);
  if (shared.limits) limits.set(shared.limits);
}

// changed keeps the code for a reload. The address no longer says what it is.
function changed() {
  if (location.hash) history.replaceState(null, "", location.pathname);
  keepDraft(task);
}

async function share() {
  history.replaceState(null, "", await encode(task()));
  try {
    await navigator.clipboard.writeText(location.href);
    toast("The link is copied. Code, event and limits are in it.");
  } catch {
    toast("The link is in the address bar. Code, event and limits are in it.");
  }
}

// shared is what the address says, if it says something.
async function shared() {
  try {
    return await decode(location.hash);
  } catch (error) {
    toast(`The link is damaged: ${error.message}`);
    return undefined;
  }
}

// --- Keys

function onKey(e) {
  if (e.key !== "Enter" || !(e.ctrlKey || e.metaKey) || e.defaultPrevented) return;
  e.preventDefault();
  run();
}

// --- The beginning

async function begin() {
  themeButton();
  if (/Mac|iPhone|iPad/.test(navigator.platform)) byId("run-key").textContent = "⌘ ↵";
  code = codeEditor(byId("code"), { run, changed });
  event = eventEditor(byId("event"), { run, changed });
  console.clear();

  const { samples, limits: bounds } = await api.setup();
  limits = sliders(bounds, changed);
  gallery(samples, (sample) => {
    load(sample);
    changed();
    code.focus();
    announce(`Sample ${sample.title}`);
  });
  load((await shared()) ?? draft() ?? samples[0]);

  onClick("run", run);
  onClick("stop", stop);
  onClick("snapshot", snapshot);
  onClick("restore", restore);
  onClick("reset", reset);
  byId("clear").addEventListener("click", console.clear);
  byId("share").addEventListener("click", share);
  byId("skip").addEventListener("click", (e) => {
    e.preventDefault(); // which would put it into the address
    code.focus();
  });
  addEventListener("keydown", onKey);
  addEventListener("hashchange", async () => {
    const link = await shared();
    if (link) load(link);
  });
  setBusy(false);
  document.body.dataset.ready = true;
}

begin().catch((error) => result.refused(error.message));
