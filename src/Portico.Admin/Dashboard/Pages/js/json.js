// JSON whose whole numbers stay exact: bytes of years go beyond 2^53, where a Number begins to guess.

const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const whole = /^-?\d+$/;
const maybeLong = /\d{16}|\d[eE]/;

const knowsSource = (() => {
  let source;
  JSON.parse('1', (key, value, context) => {
    source = context?.source;
    return value;
  });
  return source === '1';
})();

/** Like JSON.parse, but whole numbers that a Number cannot hold come as BigInt. */
export function parse(text, useSource = knowsSource) {
  // Most answers have no such number, and looking at every value costs more than all the rest.
  if (!maybeLong.test(text)) return JSON.parse(text);
  return useSource
    ? JSON.parse(text, (key, value, context) => (isInexact(value) && whole.test(context.source) ? BigInt(context.source) : value))
    : parseMarked(text);
}

const isInexact = value => typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);

// For browsers whose parser does not show what stood there: long numbers become texts with a mark that nobody else can know,
// and come back as numbers.
function parseMarked(text) {
  const mark = [...crypto.getRandomValues(new Uint32Array(4))].join('-') + ':';
  return JSON.parse(marked(text, mark), (key, value) =>
    typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  );
}

function marked(text, mark) {
  let result = '',
    kept = 0;
  for (let at = 0; at < text.length;) {
    const character = text[at];
    if (character === '"') {
      at = endOfText(text, at);
    } else if (character === '-' || (character >= '0' && character <= '9')) {
      number.lastIndex = at;
      const found = number.exec(text)?.[0] ?? character;
      if (found.length > 15 && whole.test(found) && isInexact(Number(found))) {
        result += `${text.slice(kept, at)}"${mark}${found}"`;
        kept = at + found.length;
      }
      at += found.length;
    } else {
      at++;
    }
  }
  return result + text.slice(kept);
}

function endOfText(text, at) {
  for (at++; at < text.length && text[at] !== '"'; at++) {
    if (text[at] === '\\') at++;
  }
  return at + 1;
}
