#!/bin/sh
# Makes node_modules.zip of what package-lock.json names: `go generate`, after a change of package.json and `npm install
# --package-lock-only`. npm checks the packages' digests. Only what a guest can import comes along, in English, and
# the licences.
set -eu
cd "$(dirname "$0")"
npm ci --ignore-scripts --no-audit --no-fund
rm -f node_modules.zip
# The same files, in the same order and with the same time, make the same archive.
find node_modules/nanoid node_modules/dayjs/esm node_modules/lodash-es -name '*.js' ! -path '*/bin/*' \
  \( ! -path '*/locale/*' -o -name en.js \) >files
ls node_modules/*/package.json node_modules/*/LICENSE >>files
LC_ALL=C sort -o files files
TZ=UTC xargs touch -d 2000-01-01T00:00:00Z <files
TZ=UTC zip -X -q -9 node_modules.zip -@ <files
rm -rf node_modules files
