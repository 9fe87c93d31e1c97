// The two editors: the handler and its event.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import { json } from "@codemirror/lang-json";
import { bracketMatching, indentOnInput, syntaxTree } from "@codemirror/language";
import { lintGutter, lintKeymap, linter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Annotation, Prec, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration, EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers, WidgetType,
} from "@codemirror/view";
import { element } from "./dom.js";
import { highlighting } from "./highlight.js";

const nonce = document.querySelector("meta[name=csp-nonce]").nonce;

// What the page puts in is no change of the visitor's.
const loaded = Annotation.define();

// Tab is not bound, so that the keyboard gets out of an editor as it gets in; Ctrl+] and Ctrl+[ indent.
function common(label, actions) {
  return [
    EditorView.cspNonce.of(nonce),
    EditorView.contentAttributes.of({ "aria-label": label }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged && !update.transactions.some((t) => t.annotation(loaded))) actions.changed();
    }),
    Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => (actions.run(), true) }])),
    highlightSpecialChars(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    highlighting,
    highlightSelectionMatches(),
    EditorView.lineWrapping,
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
  ];
}

// The line that an exception came from, and below it what the exception says. An edit takes both away.
const markLine = StateEffect.define(); // of { at, message }, or null
const badLine = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    if (transaction.docChanged) return Decoration.none;
    for (const effect of transaction.effects) {
      if (effect.is(markLine)) marks = effect.value ? marked(effect.value) : Decoration.none;
    }
    return marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function marked({ at, message }) {
  return Decoration.set([
    Decoration.line({ class: "bad-line" }).range(at.from),
    Decoration.widget({ widget: new Message(message), side: 1, block: true }).range(at.to),
  ]);
}

class Message extends WidgetType {
  constructor(text) {
    super();
    this.text = text;
  }
  eq(other) {
    return other.text === this.text;
  }
  toDOM() {
    return element("div", { className: "line-message" }, this.text);
  }
}

export function codeEditor(parent, actions) {
  const view = new EditorView({
    parent,
    extensions: [
      lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), lintGutter(), badLine, javascript(), autocompletion(),
      common("Handler, JavaScript", actions),
    ],
  });
  return { ...textOf(view), ...errorsOf(view), focus: () => view.focus() };
}

export function eventEditor(parent, actions) {
  const view = new EditorView({
    parent,
    extensions: [json(), linter(jsonErrors, { delay: 400 }), lintGutter(), common("Event, JSON", actions)],
  });
  return textOf(view);
}

// jsonErrors says what the browser has against the event, at the first place where the editor cannot read it: browsers
// do not always tell.
function jsonErrors(view) {
  const text = view.state.doc.toString();
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    let from = 0;
    syntaxTree(view.state).iterate({ enter: (node) => void (node.type.isError && (from ||= node.from)) });
    return [{ from, to: Math.min(from + 1, text.length), severity: "error", message: error.message }];
  }
}

function textOf(view) {
  return {
    get: () => view.state.doc.toString(),
    // Undo brings back what was there.
    set: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: 0 }, scrollIntoView: true, annotations: loaded.of(true) }),
  };
}

function errorsOf(view) {
  // Columns are near what failed, and those of syntax errors are not right: see hyperlight.Frame.
  const place = ({ line, column }) => {
    const at = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
    return { at, from: Math.min(at.from + Math.max(column - 1, 0), at.to) };
  };
  return {
    clearError: () => view.dispatch(setDiagnostics(view.state, []), { effects: markLine.of(null) }),
    showError(frame, message) {
      const { at, from } = place(frame);
      const word = view.state.wordAt(from);
      const range = word ? { from: word.from, to: word.to } : { from: at.from, to: at.to };
      view.dispatch(setDiagnostics(view.state, [{ ...range, severity: "error", message }]), {
        effects: [markLine.of({ at, message }), EditorView.scrollIntoView(at.from, { y: "nearest", yMargin: 60 })],
      });
    },
    goTo(frame) {
      view.dispatch({ selection: { anchor: place(frame).from }, scrollIntoView: true });
      view.focus();
    },
  };
}

