# shellcheck shell=bash
# The library's optional features, and what each asks of cargo.
#
#   target/patched/HASH/         edited copies of upstream's crates, for the feature crashdump
#   target/patched/workspace/    this checkout's crates, in a workspace that uses those copies

# The features asked for: sorted, separated by commas. HYPERLIGHT_JS_FEATURES is the same as --features.
SHIM_FEATURES=

# What is passed through to upstream; a feature that is not is for tests.
known_features() { sed -n '/^\[features\]/,/^\[dep/s/^\([a-z_]*\) = \[".*/\1/p' "$ROOT/rust-shim/Cargo.toml"; }

# use_features LIST: refuses names that the library does not know.
use_features() {
  local name known
  known=$(known_features | paste -sd ' ')
  SHIM_FEATURES=$(tr -s ', ' '\n' <<<"$1" | sed '/^$/d' | LC_ALL=C sort -u | paste -sd ,)
  for name in ${SHIM_FEATURES//,/ }; do
    [[ " $known " == *" $name "* ]] || die "the library has no feature '$name'; it has: ${known// /, }"
  done
}

has_feature() { [[ ,$SHIM_FEATURES, == *,"$1",* ]]; }

# CARGO_ARGUMENTS is what every cargo command that compiles the library takes; set_cargo_arguments sets it.
CARGO_ARGUMENTS=()

set_cargo_arguments() {
  local name
  if has_feature crashdump; then
    make_patched_workspace
    # Its lock file is a copy, in which cargo notes that two crates come from elsewhere.
    CARGO_ARGUMENTS=(--manifest-path "$(patched_workspace)/Cargo.toml" --release)
  else
    CARGO_ARGUMENTS=(--manifest-path "$ROOT/Cargo.toml" --release --locked)
  fi
  for name in ${SHIM_FEATURES//,/ }; do CARGO_ARGUMENTS+=(--features "$SHIM_CRATE/$name"); done
  # Without debug assertions upstream compiles these two features to nothing.
  if has_feature gdb || has_feature print_debug; then
    for name in hyperlight-host hyperlight-js "$SHIM_CRATE"; do
      CARGO_ARGUMENTS+=(--config "profile.release.package.$name.debug-assertions=true")
    done
  fi
}

# --- crashdump
#
# With it upstream 0.4.0 does not compile (E0596: two methods take &self and call one that wants &mut self).
# Nor would it do what it says: a guest that aborts, as all guests do that run out of memory, leaves no dump; a
# dump that could not be written on request counts as written; one that fails after a crash replaces the
# error that tells of the crash; and each is announced on standard output, which is not a library's.
# So the library is compiled against copies of two crates, in which exactly that is different.

patched_workspace() { echo "$CARGO_TARGET_DIR/patched/workspace"; }

# edit_upstream FOLDER: FOLDER has copies of hyperlight-js and hyperlight-host.
edit_upstream() {
  local js=$1/hyperlight-js/src/sandbox host=$1/hyperlight-host/src/hypervisor
  replace_once "$js/js_sandbox.rs" 'fn generate_crashdump(&self)' 'fn generate_crashdump(&mut self)'
  replace_once "$js/loaded_js_sandbox.rs" 'fn generate_crashdump(&self)' 'fn generate_crashdump(&mut self)'
  replace_once "$host/crashdump.rs" 'println!("Core dump created successfully: {}", file_path.display());' ''
  replace_once "$host/crashdump.rs" 'tracing::error!("Failed to create core dump file");' \
    'return Err(new_error!("the core dump {} could not be written", file_path.display()));'
  replace_once "$host/hyperlight_vm/mod.rs" 'self.handle_io(mem_mgr, host_funcs, port, data)?;' \
    'if let Err(e) = self.handle_io(mem_mgr, host_funcs, port, data) { break Err(e.into()); }'
  replace_once "$host/hyperlight_vm/mod.rs" '.map_err(|e| RunVmError::CrashdumpGeneration(Box::new(e)))?;' \
    '.unwrap_or_else(|e| tracing::error!("{e}"));'
}

# replace_once FILE OLD NEW: fails unless OLD is there exactly once.
replace_once() {
  local text
  text=$(<"$1")
  [[ $text == *"$2"* && ${text#*"$2"} != *"$2"* ]] || die "upstream has changed: '$2' is not in $1 exactly once"
  printf '%s%s%s\n' "${text%%"$2"*}" "$3" "${text#*"$2"}" >"$1"
}

# The copies are kept, since cargo judges files by their times.
make_patched_crates() {
  local folder=$1 name new
  [[ ! -d $folder ]] || return 0
  say "copying and editing upstream's crates for the feature crashdump"
  mkdir -p "$(dirname "$folder")"
  rm -rf "$(dirname "$folder")"/.new.* # of an interrupted build
  new=$(mktemp -d "$(dirname "$folder")/.new.XXXXXX")
  for name in hyperlight-js hyperlight-host; do
    cp -R "$(upstream_folder "$name")" "$new/$name"
    # So that cargo looks for no workspace above it.
    printf '\n[workspace]\n' >>"$new/$name/Cargo.toml"
  done
  edit_upstream "$new"
  mv "$new" "$folder"
}

# upstream_folder CRATE: where cargo keeps its source.
upstream_folder() {
  local manifest
  manifest=$(cargo metadata --manifest-path "$ROOT/Cargo.toml" --locked --format-version 1 |
    grep -o "\"manifest_path\":\"[^\"]*/$1-$(locked_version "$1")/Cargo.toml\"" | cut -d '"' -f 4)
  dirname "${manifest:?cargo has no source of $1}"
}

# locked_version CRATE: of a crate that is in Cargo.lock in one version.
locked_version() {
  awk -F '"' -v name="$1" '/^name = / { found = $2 == name } /^version = / && found { print $2 }' "$ROOT/Cargo.lock"
}

# The copies take the place of upstream's crates in the manifest and the lock file of a workspace of their
# own, so the checkout's stay as they are. Its members are this checkout's crates, by links.
make_patched_workspace() {
  local workspace crates member
  workspace=$(patched_workspace)
  crates=$CARGO_TARGET_DIR/patched/$({
    upstream_crates
    declare -f edit_upstream
  } | hash_of_input)
  make_patched_crates "$crates"
  mkdir -p "$workspace"
  for member in rust-shim bench; do ln -sfn "$ROOT/$member" "$workspace/$member"; done
  {
    cat "$ROOT/Cargo.toml"
    printf '\n[patch.crates-io]\n'
    printf '%s = { path = "%s" }\n' hyperlight-js "$crates/hyperlight-js" hyperlight-host "$crates/hyperlight-host"
  } | write_if_changed "$workspace/Cargo.toml"
  if ! cmp -s "$ROOT/Cargo.lock" "$workspace/Cargo.lock.origin"; then
    cp "$ROOT/Cargo.lock" "$workspace/Cargo.lock"
    cp "$ROOT/Cargo.lock" "$workspace/Cargo.lock.origin"
  fi
}
