# shellcheck shell=bash
# The licences of what is in the library: of the crates that are linked into it and into its guest, and of the C code
# that comes with them. cargo knows which crates these are; their texts lie in their folders.

# linked_crates: a line "NAME vVERSION|LICENCE|REPOSITORY" for each crate in the library or its guest.
linked_crates() {
  local tree=(cargo tree --locked --edges "normal,no-proc-macro" --prefix none --format '{p}|{l}|{r}')
  {
    "${tree[@]}" --manifest-path "$ROOT/Cargo.toml" -p "$SHIM_CRATE" --target x86_64-unknown-linux-gnu
    # The guest's own target is described only to its build; by this flag cargo chooses the same dependencies.
    RUSTFLAGS="--cfg hyperlight" "${tree[@]}" --manifest-path "$(upstream_folder hyperlight-js-runtime)/Cargo.toml" \
      --target x86_64-unknown-none
  } | sed -e 's/ (\*)$//' -e 's/ ([^|]*)|/|/' | grep -v "^$SHIM_CRATE " | LC_ALL=C sort -u
}

# license_files FOLDER: of a crate, and of the C code inside.
license_files() {
  find "$1" -name '.?*' -prune -o -type f -not -name '*.yml' \( -iname 'licen[sc]e*' -o -iname 'copying*' -o \
    -iname 'copyright*' -o -iname 'notice*' -o -iname 'unlicense*' \) -print | LC_ALL=C sort
}

# third_party_licenses FILE...: what is linked in, and each text once. FILEs are further texts. Needs what it names to
# have been downloaded, as it has after a build.
third_party_licenses() {
  local crates folder name license repository file files list="" texts="" number
  local -A numbers=()
  folder=$(dirname "$(upstream_folder hyperlight-js)")
  crates=$(linked_crates)
  while IFS='|' read -r name license repository; do
    files=$(license_files "$folder/${name/ v/-}")
    list+=$'\n'"${name/ v/ } ($license)${repository:+ $repository}"$'\n  '
    if [[ -z $files ]]; then
      [[ $license =~ ^(MIT|Apache-2\.0)$ ]] || die "the crate $name has no licence text, and $license is none that is known here"
      list+="its crate has no text: $license, below"
      continue
    fi
    while IFS= read -r file; do add_text; done <<<"$files"
  done <<<"$crates"
  for file in "$@"; do
    list+=$'\n'"$(basename "$(dirname "$file")")"$'\n  '
    add_text
  done
  cat <<TEXT
$LIBRARY_NAME $(version) is licensed under the Apache License 2.0. These are in it, in its guest, or in both; their
licences are below, under the numbers given. Rust's standard library is in both, too: it is licensed under MIT OR Apache-2.0.
$list

MIT:

$(<"$ROOT/scripts/licenses/MIT.txt")

Apache-2.0:

$(<"$ROOT/LICENSE")
$texts
TEXT
}

# add_text: for third_party_licenses, adds $file to its texts, unless that has it, and its number to its list.
add_text() {
  local hash
  hash=$(tr -d '[:space:]' <"$file" | hash_of_input)
  number=${numbers[$hash]:-}
  if [[ -z $number ]]; then
    number=$((${#numbers[@]} + 1))
    numbers[$hash]=$number
    texts+=$'\n'"[$number]"$'\n\n'"$(tr -d '\r\0' <"$file")"$'\n'
  fi
  list+="[$number]"
}
