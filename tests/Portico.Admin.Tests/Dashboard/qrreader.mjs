// Reads a code's modules back: level M, byte mode, no damage. It finds the data by rules of its own and checks that every block is
// a codeword, so that a wrong table or a wrong order cannot pass.

// Table 9 as it stands in the standard: groups of [blocks, codewords of a block, data codewords of them].
const table = [
  [[1, 26, 16]],
  [[1, 44, 28]],
  [[1, 70, 44]],
  [[2, 50, 32]],
  [[2, 67, 43]],
  [[4, 43, 27]],
  [[4, 49, 31]],
  [
    [2, 60, 38],
    [2, 61, 39],
  ],
  [
    [3, 58, 36],
    [2, 59, 37],
  ],
  [
    [4, 69, 43],
    [1, 70, 44],
  ],
  [
    [1, 80, 50],
    [4, 81, 51],
  ],
  [
    [6, 58, 36],
    [2, 59, 37],
  ],
  [
    [8, 59, 37],
    [1, 60, 38],
  ],
  [
    [4, 64, 40],
    [5, 65, 41],
  ],
  [
    [5, 65, 41],
    [5, 66, 42],
  ],
  [
    [7, 73, 45],
    [3, 74, 46],
  ],
  [
    [10, 74, 46],
    [1, 75, 47],
  ],
  [
    [9, 69, 43],
    [4, 70, 44],
  ],
  [
    [3, 70, 44],
    [11, 71, 45],
  ],
  [
    [3, 67, 41],
    [13, 68, 42],
  ],
  [[17, 68, 42]],
  [[17, 74, 46]],
  [
    [4, 75, 47],
    [14, 76, 48],
  ],
  [
    [6, 73, 45],
    [14, 74, 46],
  ],
  [
    [8, 75, 47],
    [13, 76, 48],
  ],
];

// Table E.1.
const centres = [
  [],
  [6, 18],
  [6, 22],
  [6, 26],
  [6, 30],
  [6, 34],
  [6, 22, 38],
  [6, 24, 42],
  [6, 26, 46],
  [6, 28, 50],
  [6, 30, 54],
  [6, 32, 58],
  [6, 34, 62],
  [6, 26, 46, 66],
  [6, 26, 48, 70],
  [6, 26, 50, 74],
  [6, 30, 54, 78],
  [6, 30, 56, 82],
  [6, 30, 58, 86],
  [6, 34, 62, 90],
  [6, 28, 50, 72, 94],
  [6, 26, 50, 74, 98],
  [6, 30, 54, 78, 102],
  [6, 28, 54, 80, 106],
  [6, 32, 58, 84, 110],
];

// Table C.1 for level M: the 15 bits for each mask.
const formats = [0x5412, 0x5125, 0x5e7c, 0x5b4b, 0x45f9, 0x40ce, 0x4f97, 0x4aa0];

const masks = [
  (i, j) => (i + j) % 2,
  i => i % 2,
  (i, j) => j % 3,
  (i, j) => (i + j) % 3,
  (i, j) => (Math.floor(i / 2) + Math.floor(j / 3)) % 2,
  (i, j) => ((i * j) % 2) + ((i * j) % 3),
  (i, j) => (((i * j) % 2) + ((i * j) % 3)) % 2,
  (i, j) => (((i + j) % 2) + ((i * j) % 3)) % 2,
];

/** The text of a code, or an exception that says what is wrong with it. */
export function readCode(size, isDark) {
  const version = (size - 17) / 4;
  const at = (row, column) => (isDark(column, row) ? 1 : 0);
  const mask = maskOf(size, at);
  const words = [];
  for (const [row, column] of way(size, version)) words.push(at(row, column) ^ (masks[mask](row, column) === 0 ? 1 : 0));
  const bytes = Array.from({ length: words.length >> 3 }, (_, index) =>
    parseInt(words.slice(8 * index, 8 * index + 8).join(''), 2),
  );
  return textOf(dataOf(bytes, table[version - 1]), version);
}

function maskOf(size, at) {
  const places = [
    [8, 0],
    [8, 1],
    [8, 2],
    [8, 3],
    [8, 4],
    [8, 5],
    [8, 7],
    [8, 8],
    [7, 8],
    [5, 8],
    [4, 8],
    [3, 8],
    [2, 8],
    [1, 8],
    [0, 8],
  ];
  const others = Array.from({ length: 15 }, (_, index) => (index < 7 ? [size - 1 - index, 8] : [8, size - 15 + index]));
  const [first, second] = [places, others].map(way => parseInt(way.map(([row, column]) => at(row, column)).join(''), 2));
  if (first !== second) throw new Error('the two copies of the format differ');
  if (!at(size - 8, 8)) throw new Error('the dark module is light');
  const mask = formats.indexOf(first);
  if (mask < 0) throw new Error(`format ${first.toString(2)} is none of level M`);
  return mask;
}

function* way(size, version) {
  for (let right = size - 1, isUp = true; right > 0; right -= 2, isUp = !isUp) {
    if (right === 6) right--;
    for (let step = 0; step < size; step++) {
      const row = isUp ? size - 1 - step : step;
      for (const column of [right, right - 1]) if (isData(row, column, size, version)) yield [row, column];
    }
  }
}

function isData(row, column, size, version) {
  if (row === 6 || column === 6) return false;
  if ((row < 9 && column < 9) || (row < 9 && column >= size - 8) || (row >= size - 8 && column < 9)) return false;
  if (version >= 7 && ((row < 6 && column >= size - 11) || (column < 6 && row >= size - 11))) return false;
  const list = centres[version - 1],
    last = list.at(-1);
  return !list.some(y =>
    list.some(
      x =>
        !(y === 6 && x === 6) &&
        !(y === 6 && x === last) &&
        !(y === last && x === 6) &&
        Math.abs(row - y) <= 2 &&
        Math.abs(column - x) <= 2,
    ),
  );
}

function dataOf(bytes, groups) {
  const blocks = groups.flatMap(([count, length, data]) => Array.from({ length: count }, () => ({ length, data, words: [] })));
  let at = 0;
  for (let index = 0; index < Math.max(...blocks.map(block => block.data)); index++) {
    for (const block of blocks) if (index < block.data) block.words.push(bytes[at++]);
  }
  for (let index = 0; index < blocks[0].length - blocks[0].data; index++) for (const block of blocks) block.words.push(bytes[at++]);
  if (at !== bytes.length) throw new Error(`${bytes.length} codewords instead of ${at}`);
  blocks.forEach((block, number) => {
    for (let root = 0; root < block.length - block.data; root++) {
      if (valueAt(block.words, power(root)) !== 0) throw new Error(`block ${number} is no codeword`);
    }
  });
  return blocks.flatMap(block => block.words.slice(0, block.data));
}

// By shifts and sums, not by tables of logarithms.
function product(a, b) {
  let result = 0;
  for (; b > 0; b >>= 1, a = a & 0x80 ? (a << 1) ^ 0x11d : a << 1) if (b & 1) result ^= a;
  return result;
}

const power = exponent => (exponent === 0 ? 1 : product(2, power(exponent - 1)));

const valueAt = (words, x) => words.reduce((value, word) => product(value, x) ^ word, 0);

function textOf(data, version) {
  const bits = data.map(byte => byte.toString(2).padStart(8, '0')).join('');
  const long = version < 10 ? 8 : 16;
  if (bits.slice(0, 4) !== '0100') throw new Error(`mode ${bits.slice(0, 4)}`);
  const count = parseInt(bits.slice(4, 4 + long), 2);
  const end = 4 + long + 8 * count;
  const bytes = Uint8Array.from({ length: count }, (_, index) =>
    parseInt(bits.slice(4 + long + 8 * index, 12 + long + 8 * index), 2),
  );
  const rest = bits.slice(end + Math.min(4, bits.length - end));
  const filling = rest.slice(rest.length % 8);
  if (!/^(1110110000010001)*(11101100)?$/.test(filling)) throw new Error('the filling is none');
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}
