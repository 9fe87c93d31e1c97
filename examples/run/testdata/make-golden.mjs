// Makes golden/ again: what the handlers give under Node.js. Run it after every change of a handler, of its
// event, of document.md or of ../README.md:
//
//     node testdata/make-golden.mjs

import { readFileSync, writeFileSync } from "node:fs";

const here = (path) => new URL(path, import.meta.url);
const read = (path) => readFileSync(here(path), "utf8");

// By way of a data URL, since Node.js takes a file that is called .js for CommonJS.
async function load(name) {
  const source = Buffer.from(read(`handlers/${name}.js`)).toString("base64");
  return import(`data:text/javascript;base64,${source}`);
}

for (const name of ["compute", "text"]) {
  const { handler } = await load(name);
  const event = JSON.parse(read(`handlers/${name}.event.json`));
  writeFileSync(here(`golden/${name}.json`), JSON.stringify(await handler(event)) + "\n");
}

const marked = await load("marked");
for (const [name, path] of [["document", "document.md"], ["README", "../README.md"]]) {
  writeFileSync(here(`golden/${name}.html`), marked.handler({ markdown: read(path) }).html);
}
