#!/usr/bin/env bash
# Draws architecture.dot anew, once for light pages and once for dark ones. It takes graphviz and a font as
# wide as Helvetica (apt-get install graphviz fonts-liberation). internal/pages checks that the drawings are of that file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# draw NAME INK BOX ROOM: the colours of lines and text, of what is in a room, and of rooms.
draw() {
  dot -Tsvg architecture.dot -o "architecture-$1.svg" \
    -Gbgcolor=transparent -Gcolor="$2" -Gfontcolor="$2" -Gfillcolor="$4" \
    -Ncolor="$2" -Nfontcolor="$2" -Nfillcolor="$3" \
    -Ecolor="$2" -Efontcolor="$2"
}

draw light '#1f2328' '#ffffff' '#eef2f6'
draw dark '#e6edf3' '#0d1117' '#21262d'
