// What can keep clients out, looked at on demand.

import { h, fill } from '../dom.js';
import { t, word } from '../texts.js';
import { send } from '../api.js';
import { moment } from '../format.js';
import { badge, button, heading, problem } from '../components/parts.js';

const patience = 60_000;
const order = ['fail', 'warn', 'skip', 'ok'];
const kinds = { ok: 'good', warn: 'warn', fail: 'bad' };

// What was found last stays while one looks at other pages.
let last = null;

export async function show(page, { isLeft }) {
  const run = button(t('doctor.run'), examine, 'primary');
  const result = h('div', { class: 'findings' });
  const state = h('p', { class: 'hint', role: 'status' }, t('doctor.hint'));
  fill(page, heading(t('doctor.title'), run), state, result);
  if (last) draw();

  async function examine() {
    run.disabled = true;
    state.textContent = t('doctor.running');
    fill(result, h('progress', { 'aria-label': t('doctor.running') }));
    try {
      last = { at: Date.now(), answer: await send('POST', '/api/doctor', undefined, { timeout: patience }) };
      if (!isLeft()) draw();
    } catch (error) {
      state.textContent = '';
      fill(result, problem(error, examine));
    } finally {
      run.disabled = false;
    }
  }

  function draw() {
    const { ok, warn, fail, findings } = last.answer;
    state.textContent = [t('doctor.sum', { ok, warn, fail }), t('doctor.at', { time: moment(last.at) })].join(' ');
    const sorted = [...findings].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
    fill(
      result,
      sorted.map(it =>
        h(
          'article',
          { class: `card finding finding-${kinds[it.verdict] ?? 'plain'}` },
          h(
            'h2',
            null,
            badge(word('verdictWord', it.verdict), kinds[it.verdict]),
            ' ',
            h('bdi', null, it.check),
            ' ',
            h('code', { class: 'hint' }, it.finding),
          ),
          h('p', { class: 'prewrap', dir: 'auto' }, it.text),
          it.cure && h('p', { class: 'cure prewrap' }, h('strong', null, t('doctor.cure')), ' ', h('bdi', null, it.cure)),
        ),
      ),
    );
  }
}
