import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { load } from './dashboard.mjs';
import { readCode } from './qrreader.mjs';

const { encode } = await load('qr.js');

const most = 997; // bytes of version 25 at level M

const text = length => Array.from({ length }, (_, index) => String.fromCharCode(33 + ((index * 7 + length * 13) % 90))).join('');

test('A code of every length says what it was made of', () => {
  const versions = new Set();
  for (let length = 0; length <= most; length += length < 120 ? 1 : 9) {
    const code = encode(text(length));
    versions.add(code.version);
    assert.equal(readCode(code.size, code.isDark), text(length), `${length} bytes`);
  }
  assert.equal(versions.size, 25);
});

test('The longest text of each version and one byte more are read', () => {
  const limits = [
    14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666, 711, 779, 857, 911, 997,
  ];
  limits.forEach((limit, index) => {
    assert.equal(encode(text(limit)).version, index + 1);
    assert.equal(readCode(encode(text(limit)).size, encode(text(limit)).isDark), text(limit));
    if (limit < most) assert.equal(encode(text(limit + 1)).version, index + 2);
  });
});

test('One byte too many is refused', () => assert.throws(() => encode(text(most + 1)), RangeError));

test('Texts that are no ASCII come back', () => {
  const code = encode('имя فارسی 中文 🙂');
  assert.equal(readCode(code.size, code.isDark), 'имя فارسی 中文 🙂');
});

// Rows of modules as 0 and 1, as the npm package qrcode 1.5.4 makes them of these bytes at level M; it chose these masks, too.
for (const [length, mask, hash] of [
  [1, 2, '63fb328a9987d3a325a365020abd6459426710611a2eef9753b5a5809ecf2ab9'],
  [14, 2, 'aa0cbeffaff259c4c31b0a0c7fc15c1d747f6ef9503151f7aae6e763f91956ff'],
  [90, 5, '2de73727ed496f1ad375a9c25ce0a4d1b0233c7832303a9dfab43c45b368292b'],
  [130, 2, 'b8a04308e801d286e62ac5b997e6cff1067f3efb84f35e1c1139645784dfd454'],
  [200, 3, 'a38d48c4cd25a239011f78f888ba29f3efe271d773b41b727740c940011a1a04'],
  [400, 2, '5a971a9f86651b143098f36ea37511f3dc34550176d9e754b98fb1adc5169a0f'],
  [700, 6, 'd60e5918476ee84d52248b1e41095caf280fe02032ef8b88c4623c18a44240ba'],
  [997, 4, '50abdfb8ff53239fe93dd3f0ed928f5310282f101d341eece2ee3b2f461f24e3'],
]) {
  test(`The code of ${length} bytes is the one that another program makes`, () => {
    const code = encode(text(length));
    assert.equal(code.mask, mask);
    const rows = Array.from({ length: code.size }, (_, y) =>
      Array.from({ length: code.size }, (_, x) => (code.isDark(x, y) ? 1 : 0)).join(''),
    );
    assert.equal(createHash('sha256').update(rows.join('\n')).digest('hex'), hash);
  });
}

test('A reader notices one wrong module', () => {
  const code = encode(text(60));
  const turned = (x, y) => code.isDark(x, y) !== (x === 20 && y === 20);
  assert.throws(() => readCode(code.size, turned), /no codeword/);
});
