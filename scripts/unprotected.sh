# shellcheck shell=bash
# The proof that tests can fail. Each patch in scripts/unprotected/ takes one protection out of a copy of the checkout;
# then the test that it names has to fail, and in the way that it says. In front of its diff a patch has:
#
#   Without: what is taken out
#   Package: where the test is. That of rust-shim and capi runs on the host, any other in a micro-VM
#   Test:    arguments of `go test`; for rust-shim, of the tests that cargo builds
#   Feature: if the test needs one: a cargo feature of the library, which is a build tag of the test, too
#   Fails:   an extended regular expression for a line that only this failure prints
#
# In the cache:
#
#   unprotected/tree/              the copy
#   unprotected/NAME.so            the library without that protection
#   log/unprotected/NAME.log       what its test said

unprotected_tree() { echo "$CACHE/unprotected/tree"; }

unprotected_patch() { echo "$ROOT/scripts/unprotected/$1.patch"; }

unprotected_names() { find "$ROOT/scripts/unprotected" -name '*.patch' -printf '%f\n' | sed 's/\.patch$//' | LC_ALL=C sort; }

# check_unprotected NAME...: each is a patch with all of its head.
check_unprotected() {
  local name field
  for name in "$@"; do
    [[ -f $(unprotected_patch "$name") ]] ||
      die "there is no scripts/unprotected/$name.patch; there are: $(unprotected_names | paste -sd ' ')"
    for field in Without Package Test Fails; do
      [[ -n $(patch_head "$name" "$field") ]] || die "scripts/unprotected/$name.patch has no '$field:'"
    done
  done
}

# patch_head NAME FIELD
patch_head() { sed -n "/^diff /q; s/^$2: *//p" "$(unprotected_patch "$1")"; }

# test_unprotected NAME...: all of them if none is named.
test_unprotected() {
  local names=("$@") name
  ((${#names[@]} > 0)) || mapfile -t names < <(unprotected_names)
  check_unprotected "${names[@]}"
  copy_checkout
  mkdir -p "$CACHE/log/unprotected"
  begin_sections
  for name in "${names[@]}"; do test_without "$name"; done
  rm -rf "$CACHE/unprotected"
  summary
}

# copy_checkout: what git knows of, as it is in the working tree. Every file is new, so cargo compiles it anew.
copy_checkout() {
  local tree file
  tree=$(unprotected_tree)
  rm -rf "$tree"
  mkdir -p "$tree"
  (
    cd "$ROOT"
    git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
      [[ ! -e $file ]] || printf '%s\0' "$file"
    done | tar -c --null -T -
  ) | tar -x -m -C "$tree"
}

# apply_patch NAME FLAGS...: to the copy, which is no repository, wherever the cache is.
apply_patch() { GIT_CEILING_DIRECTORIES=$CACHE/unprotected git -C "$(unprotected_tree)" apply "${@:2}" "$(unprotected_patch "$1")"; }

# test_without NAME: prints how the test failed; or what else happened, which is a failure of this one.
test_without() {
  local name=$1 start=$SECONDS log=$CACHE/log/unprotected/$1.log status verdict line
  # Not `if ( ... )`: bash would ignore `set -e` inside.
  set +e
  (
    set -e
    apply_patch "$name"
    run_without "$name" </dev/null
  ) >"$log" 2>&1
  status=$?
  set -e
  line=$(grep -E -m 1 -e "$(patch_head "$name" Fails)" "$log" | sed 's/^[[:space:]]*//' | cut -c 1-160) || true
  if ! apply_patch "$name" -R 2>/dev/null; then
    verdict="FAILED: the patch does not apply"
    copy_checkout
  elif grep -q -e '\[build failed\]' -e '\[setup failed\]' -e 'error: could not compile' "$log"; then
    verdict="FAILED: it does not compile"
  elif ((status == 0)); then
    verdict="FAILED: the test passes without the protection"
  elif [[ -z $line ]]; then
    verdict="FAILED: the test fails in another way"
  else
    printf '%-28s %4ds  %s\n' "$name" $((SECONDS - start)) "$line"
    note_section ok "$name" "$(elapsed_since "$start")"
    return
  fi
  note_section FAILED "$name" "$(elapsed_since "$start")"
  printf '%-28s %4ds  %s\n' "$name" $((SECONDS - start)) "$verdict"
  show_log_end "$log" 15
}

# run_without NAME: runs the test of a patch in the copy, where it is applied.
run_without() {
  local name=$1 package feature arguments limit=9m
  package=$(patch_head "$name" Package)
  feature=$(patch_head "$name" Feature)
  read -ra arguments < <(patch_head "$name" Test)
  cd "$(unprotected_tree)"
  if [[ $package == rust-shim ]]; then
    with_cache_lock cargo_in_copy test "${arguments[@]}"
    return
  fi
  if grep -q '^+++ b/rust-shim/' "$(unprotected_patch "$name")"; then
    export HYPERLIGHT_JS_LIBRARY=$CACHE/unprotected/$name.so
    with_cache_lock build_in_copy "$HYPERLIGHT_JS_LIBRARY" "$feature"
  fi
  # Go's own limit, first, says where a test hangs; the other one is for what stops Go, too.
  arguments=(go test -count=1 -timeout 7m -tags "$feature" "${arguments[@]}" "./$package")
  if [[ $package == capi ]]; then
    CGO_ENABLED=0 timeout "$limit" "${arguments[@]}"
  else
    CGO_ENABLED=0 GOMAXPROCS=4 HYPERLIGHT_VM_TIMEOUT=$limit "${arguments[@]}" -exec "$CACHE/bin/vmrun"
  fi
}

# build_in_copy FILE FEATURE: the feature may be empty.
build_in_copy() {
  cargo_in_copy build --features "$2"
  cp "$CARGO_TARGET_DIR/release/$LIBRARY_NAME" "$1"
}

# cargo_in_copy COMMAND ARGS...: the copy is one more checkout that takes its turn in cargo's target folder.
cargo_in_copy() {
  local tree
  tree=$(unprotected_tree)
  claim "$CARGO_TARGET_DIR/checkout" "$tree" forget_own_crates
  cargo "$1" --manifest-path "$tree/Cargo.toml" --release --locked -p "$SHIM_CRATE" "${@:2}" 9>&-
}
