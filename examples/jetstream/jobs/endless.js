// Never ends.
function handler() {
  while (true);
}
