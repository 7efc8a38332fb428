// All users, to search, sort and change in one go.

import { h, fill } from '../dom.js';
import { t, word } from '../texts.js';
import { get, pages, send, userPath } from '../api.js';
import { poll } from '../poll.js';
import { link } from '../router.js';
import { bytes, count, day } from '../format.js';
import { sum } from '../amounts.js';
import { Table } from '../components/table.js';
import { ask } from '../components/dialog.js';
import { tell, warn } from '../components/toast.js';
import { button, field, heading, problem, quotaMeter, select, stateBadge, when } from '../components/parts.js';
import { userForm } from '../components/userform.js';
import { inTurn } from '../inturn.js';

const wholePause = 60_000,
  usagePause = 10_000,
  most = 100_000;
const states = ['active', 'disabled', 'expired', 'quota'];

const keyOf = user => `${user.listener}/${user.name}`;

export async function show(page, { onLeave, query }) {
  const selected = new Set();
  let users = new Map();
  let revision = null,
    epoch = null;

  const search = h('input', { type: 'search', autocomplete: 'off', value: query.get('search') ?? '', oninput: () => filter() });
  const group = select([['', t('users.allGroups')]], '', { onchange: () => filter() });
  const state = select([['', t('users.allStates')], ...states.map(one => [one, word('state', one)])], '', {
    onchange: () => filter(),
  });
  const found = h('p', { class: 'hint', role: 'status' });
  const trouble = h('div');
  const bulk = h('div', { class: 'bulk', role: 'group', 'aria-label': t('users.bulk'), hidden: true });
  const table = new Table({
    label: t('users.title'),
    empty: t('users.none'),
    keyOf,
    selected,
    onSelect: showBulk,
    sort: { id: 'name', isDown: false },
    columns: [
      { id: 'name', title: t('user.name'), value: it => it.name, kind: 'name', cell: nameCell },
      { id: 'state', title: t('state'), value: it => it.state, kind: 'w-m', cell: it => stateBadge(it.state) },
      {
        id: 'connections',
        title: t('connections'),
        value: it => it.connections,
        kind: 'w-s number',
        wide: true,
        cell: it => count(it.connections),
      },
      {
        id: 'networks',
        title: t('networks'),
        value: it => it.networks,
        kind: 'w-s number',
        wide: true,
        cell: it => count(it.networks),
      },
      { id: 'bytes', title: t('users.traffic'), value: total, kind: 'w-m number', wide: true, cell: it => bytes(total(it)) },
      {
        id: 'quota',
        title: t('user.quota'),
        value: it => it.quota?.usedBytes ?? null,
        kind: 'w-l',
        wide: true,
        cell: it => quotaMeter(it.quota),
      },
      {
        id: 'lastSeen',
        title: t('users.lastSeen'),
        value: it => it.lastSeen,
        kind: 'w-m',
        wide: true,
        cell: it => when(it.lastSeen),
      },
      {
        id: 'expiresAt',
        title: t('users.expires'),
        value: it => it.expiresAt,
        kind: 'w-m',
        wide: true,
        cell: it => day(it.expiresAt),
      },
    ],
  });
  fill(
    page,
    heading(t('users.title'), button(t('users.add'), add, 'primary')),
    h('div', { class: 'filters' }, field(t('users.search'), search), field(t('group'), group), field(t('state'), state)),
    found,
    trouble,
    bulk,
    table.element,
  );

  onLeave(() => table.stop());
  onLeave(poll(whole, wholePause));
  onLeave(poll(usage, usagePause, usagePause));

  async function whole() {
    try {
      // On the first visit the first page is shown at once; later ones wait for the whole list, or rows would come and go. Sorting
      // for each page would take longer than all of them are under way.
      const { rows } = await pages('/api/users', 'users', most, first => users.size === 0 && take(first));
      take(rows);
      for (const key of selected) if (!users.has(key)) selected.delete(key);
      fill(trouble);
      showBulk();
    } catch (error) {
      fill(trouble, problem(error, whole));
    }
  }

  function take(rows) {
    users = new Map(rows.map(user => [keyOf(user), user]));
    showGroups();
    filter();
  }

  // Between two whole lists only what has moved.
  async function usage() {
    let news;
    try {
      news = await get(`/api/usage${revision === null ? '' : `?since=${encodeURIComponent(revision)}`}`);
    } catch {
      return; // the next whole list says what is wrong
    }
    const isNew = epoch !== null && epoch !== news.epoch;
    [epoch, revision] = [news.epoch, news.revision];
    if (isNew) return whole();
    let isChanged = false;
    for (const one of news.users) {
      const user = users.get(keyOf(one));
      if (!user) continue;
      isChanged = true;
      const quota = user.quota && { ...user.quota, usedBytes: one.usedBytes };
      const { receivedBytes, sentBytes, connections, lastSeen } = one;
      users.set(keyOf(one), { ...user, receivedBytes, sentBytes, connections, lastSeen, quota });
    }
    if (isChanged) filter();
  }

  function filter() {
    const words = search.value.trim().toLocaleLowerCase();
    const rows = [...users.values()].filter(
      user =>
        (words === '' || user.name.toLocaleLowerCase().includes(words) || (user.group ?? '').toLocaleLowerCase().includes(words)) &&
        (group.value === '' || user.group === group.value) &&
        (state.value === '' || user.state === state.value),
    );
    table.set(rows);
    const text = t('users.found', { count: rows.length, all: users.size });
    if (found.textContent !== text) found.textContent = text;
  }

  function groups() {
    return [...new Set([...users.values()].map(user => user.group).filter(Boolean))].sort();
  }

  function showGroups() {
    const chosen = group.value;
    fill(
      group,
      h('option', { value: '' }, t('users.allGroups')),
      groups().map(one => h('option', { value: one }, one)),
    );
    group.value = chosen;
    if (group.selectedIndex < 0) group.value = '';
  }

  function showBulk() {
    bulk.hidden = selected.size === 0;
    if (bulk.hidden) return;
    fill(
      bulk,
      h('span', null, t('users.selected', { count: selected.size })),
      button(t('users.enable'), () => change('enable', user => send('PATCH', userPath(user.name), { enabled: true }))),
      button(t('users.disable'), () => change('disable', user => send('PATCH', userPath(user.name), { enabled: false }))),
      button(t('users.resetUsage'), () => change('resetUsage', user => send('POST', userPath(user.name, 'reset-usage')), true)),
      button(t('remove'), () => change('remove', user => send('DELETE', userPath(user.name))), 'danger'),
      button(
        t('users.clear'),
        () => {
          selected.clear();
          showBulk();
          table.redraw();
        },
        'quiet',
      ),
    );
  }

  // Users of the file are for the file to change; only what they used can be reset.
  async function change(what, run, isForFileToo = false) {
    const chosen = [...selected].map(key => users.get(key)).filter(Boolean);
    const able = chosen.filter(user => isForFileToo || user.source !== 'file');
    const left = chosen.length - able.length;
    const notes = [t(`users.${what}Question`, { count: able.length }), left > 0 && t('users.ofFile', { count: left })];
    if (able.length === 0) return warn(t('users.ofFile', { count: left }));
    const progress = h('progress', { max: able.length, value: 0, 'aria-label': t('users.progress') });
    let failed = [],
      isStopped = false;
    const isDone = await ask({
      title: t(`users.${what}`),
      body: [h('p', { class: 'prewrap' }, notes.filter(Boolean).join('\n')), progress],
      action: t(`users.${what}`),
      isDangerous: what === 'remove',
      submit: async form => {
        form.closest('dialog').addEventListener('close', () => {
          isStopped = true;
        });
        failed = await inTurn(
          able,
          run,
          done => {
            progress.value = done;
          },
          () => isStopped,
        );
        return true;
      },
    });
    if (!isDone && progress.value === 0) return;
    if (failed.length > 0) {
      warn(
        [t('users.failed', { count: failed.length }), ...failed.slice(0, 3).map(it => `${it.item.name}: ${it.error.message}`)].join(
          '\n',
        ),
      );
    } else {
      tell(t('users.done', { count: progress.value }));
    }
    selected.clear();
    await whole();
  }

  async function add() {
    const form = userForm(null, groups());
    let name = '';
    const answer = await ask({
      title: t('users.add'),
      body: form.element,
      action: t('users.add'),
      submit: () => {
        const options = form.read();
        name = options.name;
        return send('POST', '/api/users', options);
      },
    });
    if (!answer) return;
    tell(t('users.added', { name }));
    if (answer.notKept) warn(answer.notKept);
    location.hash = link('user', name);
  }
}

const total = user => sum(user.receivedBytes, user.sentBytes);

function nameCell(user) {
  return [
    h('a', { href: link('user', user.name, user.listener), title: user.name, dir: 'auto' }, user.name),
    user.group && h('span', { class: 'group', title: user.group, dir: 'auto' }, user.group),
  ];
}
