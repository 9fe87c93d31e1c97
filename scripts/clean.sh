# shellcheck shell=bash
# Removes what build.sh made, and nothing else.

clean() {
  local entry copy
  for entry in guest lib target toolchain kernel bin log probe unprotected; do
    [[ -e $CACHE/$entry ]] || continue
    say "removing $CACHE/$entry ($(du -sh "$CACHE/$entry" | cut -f 1))"
    rm -rf "${CACHE:?}/$entry"
  done
  for copy in "$ROOT"/{capi,examples}/embedded/"$LIBRARY_NAME"; do
    [[ -e $copy ]] || continue
    say "removing $copy"
    rm -f "$copy"
  done
  rm -f "$CACHE/lock"
  rmdir "$CACHE" 2>/dev/null || true
  say "packages, rustup's components, and the caches of Go and cargo stay"
}
