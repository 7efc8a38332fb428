// Connections that are open, as they come and go.

import { h, fill } from '../dom.js';
import { t, word } from '../texts.js';
import { pages, send } from '../api.js';
import { poll } from '../poll.js';
import { link } from '../router.js';
import { bytes, count } from '../format.js';
import { sum } from '../amounts.js';
import { store } from '../store.js';
import { Table } from '../components/table.js';
import { tell, warn } from '../components/toast.js';
import { button, field, heading, problem, when } from '../components/parts.js';

const pause = 15_000,
  most = 25_000,
  drawPause = 500;

export async function show(page, { onLeave, isLeft, query }) {
  let sessions = new Map(),
    isWhole = true,
    timer = 0;
  const ended = new Set();
  const search = h('input', { type: 'search', autocomplete: 'off', value: query.get('search') ?? '', oninput: () => draw() });
  const found = h('p', { class: 'hint', role: 'status' });
  const trouble = h('div');
  const table = new Table({
    label: t('sessions.title'),
    empty: t('sessions.none'),
    keyOf: it => it.id,
    sort: { id: 'since', isDown: true },
    columns: [
      {
        id: 'user',
        title: t('user.name'),
        value: it => it.user,
        kind: 'name',
        cell: it =>
          it.user === null
            ? t(it.state === 'cover' ? 'sessions.stranger' : 'sessions.unknown')
            : h('a', { href: link('user', it.user, it.listener), dir: 'auto' }, it.user),
      },
      {
        id: 'address',
        title: t('address'),
        value: it => it.address,
        kind: 'w-l',
        cell: it => h('bdi', { dir: 'ltr', title: it.address }, it.address ?? t('none')),
      },
      {
        id: 'state',
        title: t('state'),
        value: it => it.state,
        kind: 'w-m',
        wide: true,
        cell: it => word('session', it.state),
      },
      {
        id: 'listener',
        title: t('listener'),
        value: it => it.listener,
        kind: 'w-m',
        wide: true,
        cell: it => h('bdi', null, it.listener),
      },
      {
        id: 'protocol',
        title: t('protocol'),
        value: it => it.protocol,
        kind: 'w-m',
        wide: true,
        cell: it => it.protocol ?? t('none'),
      },
      { id: 'dc', title: t('dc'), value: it => it.dc, kind: 'w-s number', wide: true, cell: it => count(it.dc) },
      { id: 'since', title: t('sessions.since'), value: it => it.since, kind: 'w-m', wide: true, cell: it => when(it.since) },
      { id: 'bytes', title: t('users.traffic'), value: total, kind: 'w-m number', wide: true, cell: it => bytes(total(it)) },
      {
        id: 'kick',
        title: t('sessions.action'),
        kind: 'w-m',
        cell: it =>
          h(
            'button',
            {
              type: 'button',
              'aria-label': t('sessions.kickOne', { name: it.user ?? it.address ?? it.id }),
              onclick: () => kick(it),
            },
            t('sessions.kick'),
          ),
      },
    ],
  });
  fill(
    page,
    heading(t('sessions.title')),
    h('div', { class: 'filters' }, field(t('sessions.search'), search)),
    found,
    trouble,
    table.element,
  );

  onLeave(() => table.stop());
  onLeave(() => clearTimeout(timer));
  onLeave(poll(refresh, pause));
  store.addEventListener('happened', happened);
  onLeave(() => store.removeEventListener('happened', happened));

  async function refresh() {
    try {
      ended.clear();
      const list = await pages('/api/sessions', 'sessions', most);
      if (isLeft()) return;
      isWhole = list.isWhole;
      // What has ended while the pages came is not to come back.
      sessions = new Map(list.rows.filter(it => !ended.has(it.id)).map(it => [it.id, it]));
      fill(trouble);
      draw();
    } catch (error) {
      fill(trouble, problem(error, refresh));
    }
  }

  function happened({ detail }) {
    if (!detail.session) return;
    if (detail.type === 'session_closed') {
      ended.add(detail.session);
      if (!sessions.delete(detail.session)) return;
    } else if (detail.type === 'session_opened') {
      sessions.set(detail.session, {
        address: null,
        receivedBytes: 0,
        sentBytes: 0,
        ...sessions.get(detail.session),
        id: detail.session,
        listener: detail.listener ?? '',
        state: 'relaying',
        user: detail.user ?? null,
        protocol: detail.protocol ?? null,
        dc: detail.dc ?? null,
        since: detail.at,
      });
    } else {
      return;
    }

    timer ||= setTimeout(draw, drawPause);
  }

  function draw() {
    clearTimeout(timer);
    timer = 0;
    const words = search.value.trim().toLowerCase();
    const rows = [...sessions.values()].filter(
      it =>
        words === '' || [it.user, it.address, it.listener, it.protocol, it.id].some(text => text?.toLowerCase().includes(words)),
    );
    table.set(rows);
    const text = [t('sessions.found', { count: rows.length }), !isWhole && t('sessions.more', { count: most })]
      .filter(Boolean)
      .join(' ');
    if (found.textContent !== text) found.textContent = text;
  }

  async function kick(session) {
    try {
      const { ended: isEnded } = await send('DELETE', `/api/sessions/${encodeURIComponent(session.id)}`);
      sessions.delete(session.id);
      draw();
      tell(t(isEnded ? 'sessions.kicked' : 'sessions.gone'));
    } catch (error) {
      warn(error);
    }
  }
}

const total = session => sum(session.receivedBytes, session.sentBytes);
