# shellcheck shell=bash
# Removes what build.sh made, and nothing else.

clean() {
  local entry
  for entry in guest lib target toolchain kernel bin log probe unprotected; do
    [[ -e $CACHE/$entry ]] || continue
    say "removing $CACHE/$entry ($(du -sh "$CACHE/$entry" | cut -f 1))"
    rm -rf "${CACHE:?}/$entry"
  done
  entry=$ROOT/capi/embedded/libhyperlight_js_capi.so
  if [[ -e $entry ]]; then
    say "removing $entry"
    rm -f "$entry"
  fi
  rm -f "$CACHE/lock"
  rmdir "$CACHE" 2>/dev/null || true
  say "packages, rustup's components, and the caches of Go and cargo stay"
}
