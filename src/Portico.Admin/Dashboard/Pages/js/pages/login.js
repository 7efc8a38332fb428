// Where the token of the configuration is turned into a session of the browser.

import { h, fill } from '../dom.js';
import { t } from '../texts.js';
import { send } from '../api.js';
import { field } from '../components/parts.js';
import { wordsOf } from '../components/toast.js';

export function show(main, done) {
  const token = h('input', {
    type: 'password',
    name: 'token',
    required: true,
    autocomplete: 'current-password',
    spellcheck: 'false',
    dir: 'ltr',
  });
  // There are no names here, but a browser keeps a token only beside one.
  const nameless = h('input', { type: 'text', name: 'username', autocomplete: 'username', value: 'portico', hidden: true });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const go = h('button', { type: 'submit', class: 'primary' }, t('login.action'));
  fill(
    main,
    h(
      'form',
      { class: 'card login', onsubmit: enter },
      h('h1', { tabindex: -1 }, t('login.title')),
      h('p', null, t('login.where')),
      nameless,
      field(t('login.token'), token),
      problem,
      go,
    ),
  );
  token.focus();

  async function enter(event) {
    event.preventDefault();
    go.disabled = true;
    problem.textContent = '';
    try {
      await send('POST', '/api/session', { token: token.value.trim() }, { isQuiet: true });
      token.value = '';
      done();
    } catch (error) {
      problem.textContent = error.status === 401 ? t('login.wrong') : error.status === 429 ? t('login.tooMany') : wordsOf(error);
      go.disabled = false;
      token.select();
    }
  }
}
