// The colours of code, in the editors and in the result. They are classes, whose colours app.css has.

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { jsonLanguage } from "@codemirror/lang-json";
import { highlightCode, tagHighlighter, tags } from "@lezer/highlight";

const classes = [
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], class: "tok-keyword" },
  { tag: [tags.string, tags.special(tags.string)], class: "tok-string" },
  { tag: tags.regexp, class: "tok-regexp" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], class: "tok-number" },
  { tag: tags.comment, class: "tok-comment" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], class: "tok-function" },
  { tag: [tags.propertyName, tags.attributeName], class: "tok-property" },
  { tag: [tags.className, tags.typeName], class: "tok-type" },
  { tag: tags.invalid, class: "tok-invalid" },
];

export const highlighting = syntaxHighlighting(HighlightStyle.define(classes));

const highlighter = tagHighlighter(classes);

// json is JSON as coloured nodes.
export function json(text) {
  const nodes = document.createDocumentFragment();
  highlightCode(
    text,
    jsonLanguage.parser.parse(text),
    highlighter,
    (part, classNames) => {
      if (!classNames) return nodes.append(part);
      const span = document.createElement("span");
      span.className = classNames;
      span.textContent = part;
      nodes.append(span);
    },
    () => nodes.append("\n"),
  );
  return nodes;
}
