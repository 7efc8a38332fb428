import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, read } from './dashboard.mjs';

// All that the formats ask of a page is its language.
globalThis.document = { documentElement: { lang: 'en' } };
const { use } = await load('texts.js');
const { bytes, count, day, duration, exactBytes, moment, percent, rate } = await load('format.js');

function speak(language) {
  document.documentElement.lang = language;
  use(JSON.parse(read(`texts/${language}.json`)), language);
}

test('Bytes have the largest unit that leaves a digit', () => {
  speak('en');
  for (const [value, text] of [
    [0, '0 B'],
    [1023, '1,023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [53687091200, '50 GiB'],
    [1048575, '1,023 KiB'],
    [9223372036854775807n, '7.9 EiB'],
    [1125899906842624n, '1 PiB'],
    [null, '–'],
    [12.4, '12 B'],
  ])
    assert.equal(bytes(value), text, String(value));
  assert.equal(rate(2097152), '2 MiB/s');
});

test('Numbers look as the language writes them', () => {
  speak('fa');
  assert.equal(count(1234), '۱٬۲۳۴');
  assert.match(bytes(1536), /۱٫۵/);
  speak('ru');
  assert.equal(bytes(1536), '1,5 КиБ');
});

test('What a form shows is read back without a loss', () => {
  for (const [value, text] of [
    [53687091200, '50 GiB'],
    [1500, '1500'],
    [1536, '1536'],
    [1048576, '1 MiB'],
    [9223372036854775807n, '9223372036854775807'],
    [1152921504606846976n, '1048576 TiB'],
    [0, '0'],
    [null, ''],
  ])
    assert.equal(exactBytes(value), text);
});

test('Times and shares are told, and what is no time stays itself', () => {
  speak('en');
  assert.equal(duration(90061), '1 day 1 hr');
  assert.equal(duration(0), '0 sec');
  assert.equal(percent(0.4567), '46%');
  assert.equal(day('2026-12-01'), 'Dec 1, 2026');
  assert.equal(moment('<b>'), '<b>');
  assert.equal(moment(null), '–');
});
