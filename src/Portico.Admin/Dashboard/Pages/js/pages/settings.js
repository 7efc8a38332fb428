// What runs, and the few things that can be changed without the file.

import { h, fill } from '../dom.js';
import { t, word } from '../texts.js';
import { get, pages, send, ApiError } from '../api.js';
import { count, moment } from '../format.js';
import { confirmed } from '../components/dialog.js';
import { tell, warn, wordsOf } from '../components/toast.js';
import { button, card, field, heading, problem, select } from '../components/parts.js';

const levels = ['trace', 'debug', 'info', 'warn', 'error'];
const mostValues = 2000;

export async function show(page) {
  const report = h('div', { role: 'status' });
  const [tables, config] = [h('div'), h('div')];
  fill(
    page,
    heading(t('settings.title'), button(t('settings.reload'), reload, 'primary')),
    report,
    tables,
    levelCard(),
    telegramCard(),
    config,
  );
  await Promise.all([showTables(), showConfig()]);

  async function reload() {
    try {
      const outcome = await send('POST', '/api/reload');
      fill(report, reportCard(word('reload', outcome.result), outcome.changes, outcome.errors, outcome.warnings));
      await Promise.all([showTables(), showConfig()]);
    } catch (error) {
      fill(
        report,
        error instanceof ApiError && error.errors.length > 0
          ? reportCard(word('reload', 'refused'), [], error.errors, [])
          : card(t('settings.reload'), h('p', { dir: 'auto' }, wordsOf(error))),
      );
    }
  }

  async function showConfig() {
    try {
      const answer = await get('/api/config');
      fill(
        config,
        card(
          t('settings.config'),
          h('p', { class: 'hint' }, t('settings.configHint')),
          Object.entries(answer).map(([key, value]) => branch(key, value)),
        ),
      );
    } catch (error) {
      fill(config, problem(error, showConfig));
    }
  }

  async function showTables() {
    try {
      const policy = await get('/api/policy');
      fill(
        tables,
        card(
          t('settings.tables'),
          policy.tables.length === 0 ? h('p', { class: 'hint' }, t('settings.noTables')) : policy.tables.map(it => tableEditor(it)),
        ),
      );
    } catch (error) {
      fill(tables, problem(error, showTables));
    }
  }
}

function reportCard(title, changes, errors, warnings) {
  const list = (label, rows, second) =>
    rows.length > 0 && [
      h('h3', null, label),
      h(
        'ul',
        null,
        rows.map(row => h('li', { dir: 'auto' }, h('code', null, row.key), ' – ', second(row))),
      ),
    ];
  return card(
    title,
    list(t('settings.errors'), errors, row => row.problem),
    list(t('settings.warnings'), warnings, row => row.problem),
    list(t('settings.changes'), changes, row => word('takesEffect', row.takesEffect)),
    changes.length + errors.length + warnings.length === 0 && h('p', null, t('settings.nothing')),
  );
}

// Sections open and close; everything else is a line.
function branch(key, value) {
  if (value === null || typeof value !== 'object') {
    return h(
      'p',
      { class: 'leaf' },
      h('code', null, key),
      ' ',
      h('span', { class: 'mono', dir: 'auto' }, value === null ? 'null' : String(value)),
    );
  }

  const entries = Object.entries(value);
  if (Array.isArray(value) && value.every(one => one === null || typeof one !== 'object'))
    return branch(key, value.length === 0 ? '[]' : value.join(', '));
  if (entries.length === 0) return branch(key, '{}');
  const list = h('div', { class: 'branch' });
  return h(
    'details',
    {
      ontoggle: event => {
        if (event.target.open && !list.firstChild)
          fill(
            list,
            entries.map(([name, one]) => branch(Array.isArray(value) ? `[${name}]` : name, one)),
          );
      },
    },
    h('summary', null, h('code', null, key)),
    list,
  );
}

function tableEditor({ name, key, size, added, removed }) {
  const address = `/api/tables/${encodeURIComponent(name)}`;
  const text = h('input', { type: 'text', required: true, autocomplete: 'off', dir: 'ltr' });
  const content = h('div');
  const summary = h('summary', null, named(name, key, size));
  const changes = h('p', { class: 'hint' }, t('settings.tableChanges', { added, removed }));
  const box = h(
    'details',
    { ontoggle: () => box.open && !content.firstChild && list() },
    summary,
    changes,
    h(
      'form',
      { class: 'inline', onsubmit: add },
      field(t('settings.value'), text),
      h('button', { type: 'submit' }, t('settings.addValue')),
    ),
    content,
  );
  return box;

  async function list() {
    try {
      const { rows, first, isWhole } = await pages(address, 'values', mostValues);
      if (first.table) fill(summary, named(name, first.table.key, first.table.size));
      fill(
        content,
        rows.length === 0
          ? h('p', { class: 'hint' }, t('settings.tableEmpty'))
          : h(
              'ul',
              { class: 'values' },
              rows.map(value =>
                h(
                  'li',
                  null,
                  h('bdi', { dir: 'ltr' }, value),
                  h(
                    'button',
                    {
                      type: 'button',
                      class: 'quiet',
                      'aria-label': t('settings.removeValue', { value }),
                      onclick: () => edit('DELETE', value),
                    },
                    '×',
                  ),
                ),
              ),
            ),
        !isWhole && h('p', { class: 'hint' }, t('settings.moreValues', { count: mostValues })),
        rows.length > 0 && button(t('settings.removeAll'), removeAll, 'danger'),
      );
    } catch (error) {
      fill(content, problem(error, list));
    }
  }

  async function add(event) {
    event.preventDefault();
    if (await edit('POST', text.value.trim())) text.value = '';
  }

  async function removeAll() {
    const answer = await confirmed(
      t('settings.removeAll'),
      t('settings.removeAllQuestion', { name }),
      t('settings.removeAll'),
      () => send('DELETE', address),
    );
    if (answer) await told(answer);
  }

  async function edit(method, value) {
    try {
      await told(await send(method, address, { value }));
      return true;
    } catch (error) {
      warn(error);
      return false;
    }
  }

  async function told(answer) {
    tell(t('settings.tableChanged', { count: answer.changed }));
    if (answer.notKept) warn(answer.notKept);
    await list();
  }
}

const named = (name, key, size) => [h('bdi', null, name), ' ', h('span', { class: 'hint' }, `${key} · `, count(size))];

function levelCard() {
  const category = h('input', { type: 'text', autocomplete: 'off', placeholder: 'Cover', dir: 'ltr' });
  const level = select(
    levels.map(one => [one, one]),
    'debug',
  );
  const minutes = h('input', { type: 'number', min: 1, max: 1440, value: 10, required: true });
  const result = h('p', { class: 'hint', role: 'status' });
  return card(
    t('settings.log'),
    h('p', { class: 'hint' }, t('settings.logHint')),
    h(
      'form',
      { class: 'inline', onsubmit: change },
      field(t('settings.category'), category, t('settings.categoryHint')),
      field(t('settings.level'), level),
      field(t('settings.minutes'), minutes),
      h('button', { type: 'submit' }, t('settings.setLevel')),
    ),
    result,
  );

  async function change(event) {
    event.preventDefault();
    try {
      const answer = await send('PUT', '/api/log-level', {
        category: category.value.trim() || null,
        level: level.value,
        seconds: 60 * Number(minutes.value),
      });
      result.textContent = t('settings.levelSet', { level: answer.level, was: answer.was, until: moment(answer.until) });
    } catch (error) {
      warn(error);
    }
  }
}

function telegramCard() {
  const result = h('p', { class: 'hint', role: 'status' });
  return card(
    t('settings.telegram'),
    h('p', { class: 'hint' }, t('settings.telegramHint')),
    button(t('settings.refresh'), async () => {
      try {
        const answer = await send('POST', '/api/telegram/refresh', undefined, { timeout: 60_000 });
        result.textContent = t('settings.refreshed', { result: answer.result });
      } catch (error) {
        warn(error);
      }
    }),
    result,
  );
}
