#!/bin/sh
# Makes marked.js and marked.LICENSE.md from the npm package marked, at the version below: its ES module
# as it was published, and a handler behind it. Needs npm and its registry.
set -eu

version=18.2.1
sha256=d66c5213fc203466186060105b01f51896764ba64b3797d2620d02e28e34b8ca

cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(
  cd "$folder"
  npm pack --silent "marked@$version" >/dev/null
  echo "$sha256  marked-$version.tgz" | sha256sum --check --quiet
  tar -xzf "marked-$version.tgz"
)
module=$folder/package/lib/marked.esm.js

# The module exports marked, but inside it has another name, since it is minified.
name=$(sed -n 's/^.*export{.*[{,]\([^ ,{]*\) as marked[,}].*$/\1/p' "$module")
if [ -z "$name" ]; then
  echo "$0: there is no export named marked in the module" >&2
  exit 1
fi

{
  cat "$module"
  cat <<HANDLER

// From here on by make-marked.sh; all above is marked $version as published, licence in marked.LICENSE.md.
export function handler(event) {
  return { html: $name.parse(event.markdown) };
}
HANDLER
} >marked.js
cp "$folder/package/LICENSE" marked.LICENSE.md
chmod 644 marked.LICENSE.md
