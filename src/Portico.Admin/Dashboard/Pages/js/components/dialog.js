// Questions above the page. The browser keeps the focus inside, closes by Escape and gives the focus back.

import { h } from '../dom.js';
import { t } from '../texts.js';
import { wordsOf } from './toast.js';

let counted = 0;

/**
 * Shows a form and waits until it is done or left: the result of `submit`, or null. What `submit` throws stands in the form,
 * which stays open.
 */
export function ask({ title, body, action, isDangerous = false, submit = () => true }) {
  const id = `dialog-${++counted}`;
  const problem = h('p', { class: 'problem', role: 'alert' });
  const confirm = h('button', { type: 'submit', class: isDangerous ? 'danger' : 'primary' }, action);
  const cancel = h('button', { type: 'button', onclick: () => dialog.close() }, t('cancel'));
  let result = null,
    isOut = false;
  const form = h('form', { method: 'dialog', onsubmit: send }, body, problem, h('div', { class: 'buttons' }, cancel, confirm));
  const dialog = h('dialog', { 'aria-labelledby': id }, h('h2', { id }, title), form);

  async function send(event) {
    event.preventDefault();
    if (isOut) return;
    isOut = confirm.disabled = true;
    problem.textContent = '';
    try {
      result = await submit(form);
      dialog.close();
    } catch (error) {
      problem.textContent = wordsOf(error);
    } finally {
      isOut = confirm.disabled = false;
    }
  }

  document.body.append(dialog);
  dialog.showModal();
  // A dangerous question is answered by intent, not by a key that was held too long.
  if (isDangerous) cancel.focus();
  return new Promise(resolve =>
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(result);
    }),
  );
}

/** A question with yes and no. */
export const confirmed = (title, text, action, submit) =>
  ask({ title, body: h('p', { class: 'prewrap', dir: 'auto' }, text), action, isDangerous: true, submit });
