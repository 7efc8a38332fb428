// The words of the pages, out of one file for each language. None stands in the code.

import { parse } from './json.js';

/** Languages by their own names. */
export const languages = { en: 'English', ru: 'Русский', fa: 'فارسی', zh: '中文' };

let words = {};
let rules = new Intl.PluralRules('en');
let numbers = new Intl.NumberFormat('en');

/** Reads the words of a language; everything that is drawn afterwards speaks it. */
export async function load(language) {
  const answer = await fetch(`texts/${language}.json`);
  if (!answer.ok) throw new Error(`texts/${language}.json: ${answer.status}`);
  use(parse(await answer.text()), language);
}

/** Takes words that are there already. */
export function use(given, language) {
  words = given;
  rules = new Intl.PluralRules(language);
  numbers = new Intl.NumberFormat(language);
}

/** Whether there are words for something that the API names. */
export const has = key => Object.hasOwn(words, key);

/** The words for a key. `{count}` chooses the plural form, and each `{name}` is replaced; numbers are written as the language does. */
export function t(key, values = {}) {
  let text = Object.hasOwn(words, key) ? words[key] : key;
  if (typeof text === 'object') text = text[rules.select(Number(values.count))] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? written(values[name]) : whole));
}

/** The words for a name of the API's, or that name where there are none. */
export const word = (group, name) => (has(`${group}.${name}`) ? t(`${group}.${name}`) : String(name));

const written = value => (typeof value === 'number' || typeof value === 'bigint' ? numbers.format(value) : String(value));
