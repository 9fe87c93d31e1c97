// Mandelbrot: a picture, one line after the other
//
// Change the event to look at another part. More iterations take more CPU time.

const shades = " .:-=+*#%@";

function handler({ x, y, scale, iterations }) {
  for (let row = -12; row <= 12; row++) {
    let line = "";
    for (let column = -32; column < 32; column++) {
      const a = x + (column * scale) / 32;
      const b = y + (row * scale) / 16;
      let re = 0;
      let im = 0;
      let i = 0;
      while (i < iterations && re * re + im * im < 4) {
        [re, im] = [re * re - im * im + a, 2 * re * im + b];
        i++;
      }
      line += shades[Math.floor((i * (shades.length - 1)) / iterations)];
    }
    console.log(line);
  }
  return { x, y, scale };
}
