function handler(event) {
  return { message: `Hello, ${event.name}! All of this came in one file.` };
}
