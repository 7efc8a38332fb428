// Small pieces that several pages show.

import { h } from '../dom.js';
import { t, word } from '../texts.js';
import { bytes, ago, moment, percent } from '../format.js';
import { share } from '../amounts.js';
import { tell, wordsOf } from './toast.js';

/** The head of a page: the one h1, which gets the focus when the page is opened, and what can be done there. */
export const heading = (text, ...actions) =>
  h('div', { class: 'page-head' }, h('h1', { tabindex: -1, dir: 'auto' }, text), h('div', { class: 'buttons' }, actions));

/** A card with a heading. */
export const card = (title, ...content) => h('section', { class: 'card' }, h('h2', null, title), content);

/** A state as a word beside a mark; the colour says the same once more. */
export const badge = (text, kind = 'plain') => h('span', { class: `badge badge-${kind}` }, text);

const stateKinds = { active: 'good', disabled: 'plain', expired: 'bad', quota: 'bad' };

/** The state of a user. */
export const stateBadge = state => badge(word('state', state), stateKinds[state] ?? 'plain');

/** A button. */
export const button = (text, onclick, kind = null) => h('button', { type: 'button', class: kind, onclick }, text);

/** A field with its label. */
export function field(label, control, hint = null) {
  const id = control.id || `field-${Math.random().toString(36).slice(2)}`;
  control.id = id;
  if (hint) control.setAttribute('aria-describedby', `${id}-hint`);
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label),
    control,
    hint && h('p', { class: 'hint', id: `${id}-hint` }, hint),
  );
}

/** A choice out of [value, text] pairs. */
export const select = (pairs, value, attributes = {}) =>
  h(
    'select',
    { ...attributes, value: undefined },
    pairs.map(([one, text]) => h('option', { value: one, selected: one === value }, text)),
  );

/** A time as how long ago, with the whole of it for who asks. */
export const when = value =>
  value === null || value === undefined ? t('never') : h('time', { datetime: value, title: moment(value) }, ago(value));

/** How much of a quota is used. */
export function quotaMeter(quota) {
  if (!quota) return t('none');
  const part = share(quota.usedBytes, quota.bytes);
  const text = t('quota.of', { used: bytes(quota.usedBytes), all: bytes(quota.bytes) });
  return h(
    'div',
    { class: 'quota' },
    h('meter', {
      min: 0,
      max: 1,
      low: 0.8,
      high: 0.99,
      optimum: 0,
      value: part,
      'aria-label': t('quota.share', { share: percent(part) }),
    }),
    h('span', null, text),
  );
}

/** Terms and what they are. */
export const facts = pairs =>
  h(
    'dl',
    { class: 'facts' },
    pairs.filter(Boolean).map(([term, value]) => h('div', null, h('dt', null, term), h('dd', null, value ?? t('none')))),
  );

/** What stands where something could not be had. */
export const problem = (error, again) =>
  h(
    'div',
    { class: 'card problem-card', role: 'alert' },
    h('p', { class: 'prewrap', dir: 'auto' }, wordsOf(error)),
    button(t('again'), again),
  );

/** A text with a button that copies it. */
export function copyable(label, text) {
  const input = h('input', {
    type: 'text',
    readonly: true,
    value: text,
    'aria-label': label,
    class: 'mono',
    dir: 'ltr',
    onfocus: () => input.select(),
  });
  return h(
    'div',
    { class: 'copyable' },
    input,
    button(t('copy'), () => copy(input)),
  );
}

// Pages that came without TLS from another machine have no clipboard of the new kind.
async function copy(input) {
  try {
    await navigator.clipboard.writeText(input.value);
  } catch {
    input.select();
    if (!document.execCommand('copy')) return;
  }
  tell(t('copied'));
}
