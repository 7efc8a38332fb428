// QR codes of bytes: ISO/IEC 18004, level M, versions 1 to 25. Section numbers are those of the 2015 edition.

const mostVersion = 25;

// Table 9, level M: codewords for correction in each block, and blocks, from version 1 on.
const correction = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28];
const blocks = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21];

// Table 10: the eight masks.
const masks = [
  (x, y) => (x + y) % 2 === 0,
  (x, y) => y % 2 === 0,
  x => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/** The code of a text: `size` modules a side and `isDark(x, y)`, without the quiet zone. A text that is too long is a RangeError. */
export function encode(text) {
  const bytes = new TextEncoder().encode(text);
  const { version, frame } = smallest(bytes.length);
  const words = interleaved(dataWords(bytes, version, dataLength(frame, version)), version);
  let best = null;
  for (let mask = 0; mask < masks.length; mask++) {
    const modules = drawn(frame, words, mask);
    const cost = penalty(modules, frame.size);
    if (best === null || cost < best.cost) best = { modules, cost, mask };
  }
  return { version, mask: best.mask, size: frame.size, isDark: (x, y) => best.modules[y * frame.size + x] === 1 };
}

function smallest(length) {
  for (let version = 1; version <= mostVersion; version++) {
    const frame = frameOf(version);
    if (headBits(version) + 8 * length <= 8 * dataLength(frame, version)) return { version, frame };
  }
  throw new RangeError(`${length} bytes are too many for a code`);
}

// 7.4.1: mode and count.
const headBits = version => 4 + (version < 10 ? 8 : 16);

const dataLength = (frame, version) => (frame.free >> 3) - correction[version - 1] * blocks[version - 1];

// 6.3: what every code of a version has. `taken` says where no data goes.
function frameOf(version) {
  const size = 17 + 4 * version;
  const modules = new Uint8Array(size * size),
    taken = new Uint8Array(size * size);
  const set = (x, y, dark) => {
    if (x < 0 || y < 0 || x >= size || y >= size) return;
    modules[y * size + x] = dark ? 1 : 0;
    taken[y * size + x] = 1;
  };

  for (let at = 0; at < size; at++) {
    set(at, 6, at % 2 === 0);
    set(6, at, at % 2 === 0);
  }

  for (const [left, top] of [
    [0, 0],
    [size - 7, 0],
    [0, size - 7],
  ])
    rings(set, left + 3, top + 3, 4, distance => distance !== 2 && distance < 4);
  const places = alignment(version, size);
  const last = places.length - 1;
  places.forEach((x, i) =>
    places.forEach((y, j) => {
      const isFinder = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
      if (!isFinder) rings(set, x, y, 2, distance => distance !== 1);
    }),
  );

  // Kept free for what says mask and level; the mask is not known yet.
  for (let bit = 0; bit < 15; bit++) for (const [x, y] of formatPlaces(bit, size)) set(x, y, false);
  set(8, size - 8, true);
  if (version >= 7) {
    const bits = (version << 12) | remainder(version, 0x1f25, 12);
    for (let bit = 0; bit < 18; bit++) {
      const [a, b] = [size - 11 + (bit % 3), Math.floor(bit / 3)];
      set(a, b, (bits >> bit) & 1);
      set(b, a, (bits >> bit) & 1);
    }
  }

  const free = taken.reduce((all, one) => all + 1 - one, 0);
  return { size, modules, taken, free };
}

function rings(set, x, y, reach, isDark) {
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) set(x + dx, y + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
  }
}

// Annex E: evenly spread by an even step from the far edge; only the first gap may be smaller.
function alignment(version, size) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = 2 * Math.ceil((size - 13) / (2 * (count - 1)));
  return [6, ...Array.from({ length: count - 1 }, (_, index) => size - 7 - step * (count - 2 - index))];
}

// 7.9.1: both places of a bit, the least significant first.
function formatPlaces(bit, size) {
  const near = bit < 6 ? [8, bit] : bit === 6 ? [8, 7] : bit === 7 ? [8, 8] : bit === 8 ? [7, 8] : [14 - bit, 8];
  return [near, bit < 8 ? [size - 1 - bit, 8] : [8, size - 15 + bit]];
}

// What a BCH code appends.
function remainder(value, generator, bits) {
  let rest = value << bits;
  for (let bit = 31 - Math.clz32(rest); bit >= bits; bit--) if ((rest >> bit) & 1) rest ^= generator << (bit - bits);
  return rest;
}

// 7.4: mode 0100, count, bytes, terminator, and what fills the rest.
function dataWords(bytes, version, length) {
  const words = new Uint8Array(length);
  let at = 0;
  const put = (value, bits) => {
    for (let bit = bits - 1; bit >= 0; bit--, at++) if ((value >> bit) & 1) words[at >> 3] |= 0x80 >> (at & 7);
  };

  put(4, 4);
  put(bytes.length, headBits(version) - 4);
  for (const byte of bytes) put(byte, 8);
  at = Math.min(at + 4, 8 * length);
  at = (at + 7) & ~7;
  for (let isFirst = true; at < 8 * length; isFirst = !isFirst) put(isFirst ? 0xec : 0x11, 8);
  return words;
}

// 7.5 and 7.6: blocks with what corrects them, a codeword of each in turn. The first blocks may be one shorter.
function interleaved(data, version) {
  const count = blocks[version - 1],
    extra = correction[version - 1];
  const short = Math.floor(data.length / count),
    long = data.length % count;
  const parts = [],
    tails = [];
  const factors = generator(extra);
  for (let index = 0, at = 0; index < count; index++) {
    const part = data.subarray(at, (at += short + (index >= count - long ? 1 : 0)));
    parts.push(part);
    tails.push(checks(part, factors));
  }

  const result = [];
  for (let at = 0; at <= short; at++) for (const part of parts) if (at < part.length) result.push(part[at]);
  for (let at = 0; at < extra; at++) for (const tail of tails) result.push(tail[at]);
  return result;
}

// Powers of 2 in the field of 256 with x^8 + x^4 + x^3 + x^2 + 1.
const power = new Uint8Array(512),
  exponent = new Uint8Array(256);
for (let at = 0, value = 1; at < 255; at++) {
  power[at] = power[at + 255] = value;
  exponent[value] = at;
  value = (value << 1) ^ (value & 0x80 ? 0x11d : 0);
}

const times = (a, b) => (a === 0 || b === 0 ? 0 : power[exponent[a] + exponent[b]]);

// Annex A: the product of x - 2^i, without the leading 1.
function generator(degree) {
  let factors = [1];
  for (let root = 0; root < degree; root++) {
    const next = [...factors, 0];
    factors.forEach((factor, index) => {
      next[index + 1] ^= times(factor, power[root]);
    });
    factors = next;
  }
  return factors.slice(1);
}

function checks(part, factors) {
  const rest = new Uint8Array(factors.length);
  for (const word of part) {
    const lead = word ^ rest[0];
    rest.copyWithin(0, 1);
    rest[rest.length - 1] = 0;
    factors.forEach((factor, index) => {
      rest[index] ^= times(factor, lead);
    });
  }
  return rest;
}

// 7.7.3, 7.8 and 7.9: up and down in columns of two from the right, leaving out the column of the timing pattern.
function drawn(frame, words, mask) {
  const { size, taken } = frame;
  const modules = frame.modules.slice();
  let at = 0,
    isUp = true;
  for (let right = size - 1; right > 0; right -= 2, isUp = !isUp) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step++) {
      const y = isUp ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (taken[y * size + x]) continue;
        const bit = at >> 3 < words.length ? (words[at >> 3] >> (7 - (at & 7))) & 1 : 0;
        modules[y * size + x] = bit ^ (masks[mask](x, y) ? 1 : 0);
        at++;
      }
    }
  }

  // The level M is 00, so the mask is all of it.
  const bits = ((mask << 10) | remainder(mask, 0x537, 10)) ^ 0x5412;
  for (let bit = 0; bit < 15; bit++) for (const [x, y] of formatPlaces(bit, size)) modules[y * size + x] = (bits >> bit) & 1;
  return modules;
}

// 7.8.3: what makes a code hard to read.
function penalty(modules, size) {
  let cost = 0,
    dark = 0;
  const read = (line, at, isRow) => modules[isRow ? line * size + at : at * size + line];
  for (const isRow of [true, false]) {
    for (let line = 0; line < size; line++) {
      for (let at = 0, run = 0; at < size; at++) {
        run = at > 0 && read(line, at, isRow) === read(line, at - 1, isRow) ? run + 1 : 1;
        if (run === 5) cost += 3;
        else if (run > 5) cost++;
      }
      cost += 40 * finderLike(at => read(line, at, isRow), size);
    }
  }

  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = y * size + x,
        one = modules[at];
      dark += one;
      if (x > 0 && y > 0 && one === modules[at - 1] && one === modules[at - size] && one === modules[at - size - 1]) cost += 3;
    }
  }

  return cost + 10 * Math.floor(Math.abs((20 * dark) / (size * size) - 10));
}

// 1011101 with four light modules on one side.
function finderLike(read, size) {
  let found = 0;
  for (let at = 0, bits = 0; at < size; at++) {
    bits = ((bits << 1) | read(at)) & 0x7ff;
    if (at >= 10 && (bits === 0x5d0 || bits === 0x05d)) found++;
  }
  return found;
}
