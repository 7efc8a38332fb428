// Short news at the edge of the page, read aloud. Errors stay until they are closed.

import { h } from '../dom.js';
import { t } from '../texts.js';
import { Unreachable } from '../api.js';

const shownFor = 6000,
  mostShown = 4;

const calm = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' });
const urgent = h('div', { class: 'toasts', role: 'alert', 'aria-live': 'assertive' });

/** Where they appear; belongs into the page once. */
export const toastCorner = () => h('div', { class: 'toast-corner' }, urgent, calm);

/** Something went as wanted. */
export function tell(text) {
  const toast = add(calm, 'toast', text);
  setTimeout(() => toast.remove(), shownFor);
}

/** Something went wrong. */
export function warn(error) {
  add(urgent, 'toast toast-bad', typeof error === 'string' ? error : wordsOf(error));
}

/** What an error says to a reader. */
export function wordsOf(error) {
  if (error instanceof Unreachable) return t('error.unreachable');
  const details = (error.errors ?? []).slice(0, 5).map(it => `${it.key}: ${it.problem}`);
  return details.length > 0 ? [error.message, ...details].join('\n') : error.message;
}

function add(place, kind, text) {
  const toast = h(
    'div',
    { class: kind },
    h('p', { dir: 'auto' }, text),
    h('button', { type: 'button', class: 'quiet', 'aria-label': t('close'), onclick: () => toast.remove() }, '×'),
  );
  place.append(toast);
  while (place.children.length > mostShown) place.firstChild.remove();
  return toast;
}
