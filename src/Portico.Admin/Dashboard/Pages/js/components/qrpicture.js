// A code as a picture: dark on light in every theme, with the quiet zone of four modules that readers need.

import { s } from '../dom.js';
import { encode } from '../qr.js';

const quiet = 4;

/** The picture, or null where the text is too long for a code. */
export function qrPicture(text, label) {
  let code;
  try {
    code = encode(text);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }

  const runs = [];
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) {
      const begin = x;
      while (x < code.size && code.isDark(x, y)) x++;
      if (x > begin) runs.push(`M${begin + quiet} ${y + quiet}h${x - begin}v1H${begin + quiet}z`);
    }
  }

  const side = code.size + 2 * quiet;
  return s(
    'svg',
    { class: 'qr', viewBox: `0 0 ${side} ${side}`, role: 'img', 'aria-label': label, 'shape-rendering': 'crispEdges' },
    s('rect', { width: side, height: side, fill: '#fff' }),
    s('path', { d: runs.join(''), fill: '#000' }),
  );
}
