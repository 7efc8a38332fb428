import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './dashboard.mjs';

const { parse } = await load('json.js');
const { compare, share, sum } = await load('amounts.js');

const knowsSource = [true, false].filter(
  useSource => !useSource || JSON.parse('1', (key, value, context) => context !== undefined),
);

for (const useSource of knowsSource) {
  const way = useSource ? 'with the text of numbers at hand' : 'without the text of numbers';

  test(`Numbers beyond 2^53 stay exact, ${way}`, () => {
    assert.deepEqual(
      parse('{"a":9007199254740993,"b":[9223372036854775807,-9223372036854775808],"c":9007199254740991}', useSource),
      { a: 9007199254740993n, b: [9223372036854775807n, -9223372036854775808n], c: 9007199254740991 },
    );
  });

  test(`Everything else is as JSON says, ${way}`, () => {
    for (const text of [
      '{"a":"9007199254740993","9007199254740993":1}',
      '["\\"9007199254740993","\\\\",0.12345678901234567890,1e20,-1.5E-3]',
      '"12345678901234567890"',
      'null',
      '[]',
      '{"a":{"b":[true,false,null,""]}}',
      '[" 9007199254740993 ", "a:9007199254740993,"]',
      '["\\u0022:9007199254740993"]',
    ]) {
      assert.deepEqual(parse(text, useSource), JSON.parse(text));
    }
  });

  test(`What is no JSON is refused, ${way}`, () => {
    for (const text of ['', '{', '[9007199254740993', '"9007199254740993', '9007199254740993-', '[-]'])
      assert.throws(() => parse(text, useSource), SyntaxError);
  });
}

test('Sums are exact where a number is not', () => {
  assert.equal(sum(1, 2, 3), 6);
  assert.equal(sum(9007199254740991, 2), 9007199254740993n);
  assert.equal(sum(9223372036854775807n, 1), 9223372036854775808n);
});

test('Numbers of both kinds sort together, and none comes last', () => {
  assert.deepEqual([9007199254740993n, null, 5, 9007199254740992n, 7n].sort(compare), [
    5,
    7n,
    9007199254740992n,
    9007199254740993n,
    null,
  ]);
});

test('A share is between none and all', () => {
  assert.deepEqual(
    [share(1, 4), share(5n, 4), share(-1, 4), share(9223372036854775807n, 9223372036854775807n), share(0, 0)],
    [0.25, 1, 0, 1, 1],
  );
});
