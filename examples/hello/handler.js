function handler(event) {
  return { message: `Hello, ${event.name}!` };
}
