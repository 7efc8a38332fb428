// What happens, from when the dashboard was opened on.

import { h, fill } from '../dom.js';
import { t, word } from '../texts.js';
import { store } from '../store.js';
import { link } from '../router.js';
import { bytes, duration, moment, second } from '../format.js';
import { sum } from '../amounts.js';
import { Table } from '../components/table.js';
import { badge, button, field, heading, select } from '../components/parts.js';

const types = ['session_opened', 'session_closed', 'reload', 'alarm', 'notice', 'lost'];
const kinds = { alarm: 'bad', lost: 'warn', reload: 'warn', session_opened: 'good' };
const drawPause = 500;

export async function show(page, { onLeave }) {
  let timer = 0,
    isHeld = false;
  const type = select([['', t('events.allTypes')], ...types.map(one => [one, t(`event.${one}`)])], '', { onchange: draw });
  const search = h('input', { type: 'search', autocomplete: 'off', oninput: draw });
  const hold = h(
    'button',
    {
      type: 'button',
      'aria-pressed': 'false',
      onclick: () => {
        isHeld = !isHeld;
        hold.setAttribute('aria-pressed', String(isHeld));
        draw();
      },
    },
    t('events.hold'),
  );
  const table = new Table({
    label: t('events.title'),
    empty: t('events.none'),
    keyOf: it => String(it.number),
    columns: [
      {
        id: 'at',
        title: t('events.at'),
        kind: 'w-m',
        cell: it => h('time', { datetime: it.at, title: moment(it.at) }, second(it.at)),
      },
      {
        id: 'type',
        title: t('events.type'),
        kind: 'w-m',
        cell: it => badge(word('event', it.type), kinds[it.type] ?? 'plain'),
      },
      {
        id: 'text',
        title: t('events.text'),
        kind: 'name',
        cell: it => h('span', { dir: 'auto', title: plain(it) }, textOf(it)),
      },
    ],
  });
  fill(
    page,
    heading(
      t('events.title'),
      hold,
      button(t('events.clear'), () => {
        store.recent = [];
        draw();
      }),
    ),
    h('p', { class: 'hint' }, t('events.hint')),
    h('div', { class: 'filters' }, field(t('users.search'), search), field(t('events.type'), type)),
    table.element,
  );

  const happened = () => {
    if (!isHeld) timer ||= setTimeout(draw, drawPause);
  };
  store.addEventListener('happened', happened);
  onLeave(() => store.removeEventListener('happened', happened));
  onLeave(() => clearTimeout(timer));
  onLeave(() => table.stop());
  draw();

  function draw() {
    clearTimeout(timer);
    timer = 0;
    const words = search.value.trim().toLowerCase();
    table.set(
      store.recent
        .filter(it => (type.value === '' || it.type === type.value) && (words === '' || plain(it).toLowerCase().includes(words)))
        .reverse(),
    );
  }
}

// A line of text, for searching and for who cannot see all of it.
const plain = it =>
  [it.text, it.name, it.user, it.listener, it.protocol, it.reason, it.side, it.result, it.session].filter(Boolean).join(' · ');

function textOf(it) {
  const user = it.user && h('a', { href: link('user', it.user, it.listener ?? '') }, it.user);
  const parts = {
    session_opened: () => [user, it.listener, it.protocol, it.dc !== undefined && t('events.dc', { dc: it.dc })],
    session_closed: () => [
      user,
      it.listener,
      it.reason,
      it.side && word('side', it.side),
      it.seconds !== undefined && duration(it.seconds),
      bytes(sum(it.receivedBytes ?? 0, it.sentBytes ?? 0)),
    ],
    reload: () => [word('reload', it.result)],
    lost: () => [t('events.lost', { count: it.count })],
  }[it.type]?.() ?? [it.name && h('code', null, it.name), it.text];
  return parts.filter(Boolean).flatMap((part, at) => (at === 0 ? [part] : [' · ', part]));
}
