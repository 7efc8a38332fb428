import assert from 'node:assert/strict';
import { test } from 'node:test';
import { files, load, read } from './dashboard.mjs';

const { languages, t, use, word } = await load('texts.js');
const words = Object.fromEntries(Object.keys(languages).map(language => [language, JSON.parse(read(`texts/${language}.json`))]));
const sources = files('.js').map(read).join('\n');

const places = text =>
  [...new Set((typeof text === 'string' ? [text] : Object.values(text)).flatMap(one => one.match(/\{\w+\}/g) ?? []))].sort();

test('There is a file for each language and no other', () =>
  assert.deepEqual(
    files('.json').map(name => name.replace(/^texts[\\/]|\.json$/g, '')),
    Object.keys(languages).sort(),
  ));

test('What chooses the language before the words are there knows the same languages', () => {
  const known = /const known = \[(.*)\]/.exec(read('js/early.js'))[1];
  assert.deepEqual(known.match(/\w+/g), Object.keys(languages));
});

for (const language of Object.keys(languages)) {
  test(`No text is missing in ${language}, and none is too many`, () =>
    assert.deepEqual(Object.keys(words[language]), Object.keys(words.en)));

  test(`Texts in ${language} name what those in English name`, () => {
    for (const [key, text] of Object.entries(words[language])) assert.deepEqual(places(text), places(words.en[key]), key);
  });

  test(`Texts in ${language} have a form for each number`, () => {
    const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const [key, text] of Object.entries(words[language])) {
      assert.equal(typeof text, typeof words.en[key], key);
      if (typeof text === 'object') for (const form of wanted) assert.ok(text[form], `${key} has no form ${form}`);
      else assert.notEqual(text.trim(), '', key);
    }
  });
}

test('Every text that the pages ask for is there', () => {
  const asked = [...sources.matchAll(/\b(?:t|has)\('([^']+)'/g)].map(match => match[1]);
  assert.ok(asked.length > 150);
  assert.deepEqual(
    [...new Set(asked)].filter(key => !(key in words.en)),
    [],
  );
});

// Keys that are put together: t(`users.${what}`) asks for any of users.*.
test('Every text is asked for by some page', () => {
  const whole = new Set([...sources.matchAll(/'([a-zA-Z]+(?:\.[a-zA-Z]+)*)'/g)].map(match => match[1]));
  const begun = [...sources.matchAll(/\bt\(`([a-zA-Z]+\.)\$\{[^}]*\}([A-Za-z.]*)`/g)].map(match => [match[1], match[2]]);
  const groups = [...sources.matchAll(/\bword\('(\w+)'/g)].map(match => `${match[1]}.`);
  const isPage = key => /^\w+\.title$/.test(key);
  const isAsked = key =>
    whole.has(key) ||
    isPage(key) ||
    groups.some(group => key.startsWith(group)) ||
    begun.some(([begin, end]) => key.startsWith(begin) && key.endsWith(end));
  assert.deepEqual(
    Object.keys(words.en).filter(key => !isAsked(key)),
    [],
  );
});

test('Words follow the number as the language has it', () => {
  use(words.ru, 'ru');
  assert.deepEqual(
    [1, 3, 5, 21].map(count => t('sessions.found', { count })),
    ['1 соединение', '3 соединения', '5 соединений', '21 соединение'],
  );
  use(words.en, 'en');
  assert.deepEqual(
    [1, 1000].map(count => t('sessions.found', { count })),
    ['1 connection', '1,000 connections'],
  );
});

test('What is put into a text is not looked into again', () => {
  use(words.en, 'en');
  assert.equal(t('user.removed', { name: '{name} $& <b>' }), '{name} $& <b> is removed');
});

test('What there is no word for is called as the API calls it', () => {
  use(words.en, 'en');
  assert.equal(word('state', 'active'), 'active');
  assert.equal(word('state', 'something_new'), 'something_new');
  assert.equal(word('state', 'toString'), 'toString');
});
