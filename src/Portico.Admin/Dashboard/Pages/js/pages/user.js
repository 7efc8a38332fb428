// One user: what to hand out, how much it used, from where it comes, and everything that can be changed.

import { h, fill, renew } from '../dom.js';
import { t, word } from '../texts.js';
import { get, send, userPath } from '../api.js';
import { poll } from '../poll.js';
import { link } from '../router.js';
import { bytes, count, day, dayHour, moment, rate, shortDay } from '../format.js';
import { sum } from '../amounts.js';
import { Chart } from '../components/chart.js';
import { plainTable } from '../components/table.js';
import { ask, confirmed } from '../components/dialog.js';
import { tell, warn } from '../components/toast.js';
import {
  button,
  card,
  copyable,
  facts,
  field,
  heading,
  problem,
  quotaMeter,
  select,
  stateBadge,
  when,
} from '../components/parts.js';
import { qrPicture } from '../components/qrpicture.js';
import { userForm } from '../components/userform.js';
import { networkOf } from '../networks.js';

const pause = 10_000,
  historyPause = 60_000,
  hours = 3_600_000,
  days = 24 * hours;
const mostSessions = 200;

// How many slots each choice shows.
const spans = { hours: 48, month: 30, days: 400 };

export async function show(page, { rest: [name = '', listener = null], onLeave, isLeft }) {
  let user = null,
    linksShown = '',
    history = { hours: [], days: [] };
  const range = select(
    ['hours', 'month', 'days'].map(one => [one, t(`user.${one}`)]),
    'hours',
    { 'aria-label': t('overview.range'), onchange: drawHistory },
  );
  const chart = new Chart({ title: t('user.usage'), kind: 'bars', controls: range });
  const [trouble, state, links, places] = [h('div'), h('div'), h('div'), h('div')];
  const actions = h('div', { class: 'buttons' });
  fill(
    page,
    h('p', { class: 'crumbs' }, h('a', { href: link('users') }, t('users.title'))),
    heading(name),
    trouble,
    actions,
    h('div', { class: 'grid' }, state, links),
    chart.element,
    places,
  );
  document.title = `${name} – Portico`;

  onLeave(() => chart.stop());
  onLeave(poll(refresh, pause));
  onLeave(
    poll(async () => {
      try {
        history = await get(`/api/history?user=${encodeURIComponent(name)}`);
        drawHistory();
      } catch (error) {
        fill(trouble, problem(error, refresh));
      }
    }, historyPause),
  );

  async function refresh() {
    try {
      const { users } = await get(userPath(name));
      if (isLeft()) return;
      user = users.find(one => one.status.listener === listener) ?? users[0];
      fill(trouble);
      draw(users);
    } catch (error) {
      fill(trouble, problem(error, refresh));
    }
  }

  function draw(users) {
    const { status } = user;
    const isOfFile = status.source === 'file';
    if (actions.children.length === 0) drawActions(isOfFile);
    renew(
      state,
      card(
        t('state'),
        users.length > 1 &&
          h(
            'p',
            null,
            t('user.otherListeners'),
            ' ',
            users.map(one => [h('a', { href: link('user', name, one.status.listener) }, one.status.listener), ' ']),
          ),
        isOfFile && h('p', { class: 'hint' }, t('user.ofFile')),
        facts([
          [t('state'), stateBadge(status.state)],
          [t('user.source'), [word('source', status.source), status.listener && [' · ', h('bdi', null, status.listener)]]],
          [t('connections'), limited(status.connections, status.maxConnections)],
          [t('networks'), limited(status.networks, status.maxNetworks)],
          [t('bytes.sent'), bytes(status.sentBytes)],
          [t('bytes.received'), bytes(status.receivedBytes)],
          [t('user.quota'), quotaMeter(status.quota)],
          status.quota && [
            t('user.period'),
            [t(`period.${status.quota.period}`), status.quota.until && [' · ', t('user.until', { day: day(status.quota.until) })]],
          ],
          [t('user.down'), rate(status.downRate)],
          [t('user.up'), rate(status.upRate)],
          [t('users.lastSeen'), when(status.lastSeen)],
          [t('user.expiresAt'), status.expiresAt ? moment(status.expiresAt) : t('never')],
          [t('group'), status.group && h('bdi', null, status.group)],
          [t('user.domain'), user.domain && h('bdi', { dir: 'ltr' }, user.domain)],
          [t('user.formerSecret'), t(user.hasFormerSecret ? 'yes' : 'no')],
          [t('user.note'), user.note && h('span', { class: 'prewrap', dir: 'auto' }, user.note)],
        ]),
      ),
    );
    drawLinks();
    drawPlaces();
  }

  // Whoever scans a code must not have it drawn anew under the camera.
  function drawLinks() {
    const shown = JSON.stringify(user.links);
    if (shown === linksShown) return;
    linksShown = shown;
    const picture = h('div', { class: 'qr-place' });
    const pick = select(
      user.links.map((it, at) => [String(at), `${it.listener} · ${it.protocol}`]),
      '0',
      { onchange: () => drawLink() },
    );
    const texts = h('div');
    function drawLink() {
      const one = user.links[Number(pick.value)];
      fill(picture, qrPicture(one.tMe ?? one.tg, t('user.qr', { name })) ?? h('p', { class: 'hint' }, t('user.noQr')));
      fill(texts, one.tMe && copyable(t('user.link'), one.tMe), one.tg && copyable(t('user.appLink'), one.tg));
    }

    fill(
      links,
      card(
        t('user.links'),
        user.links.length === 0
          ? h('p', { class: 'hint' }, t('user.noLinks'))
          : [
              user.links.length > 1 && field(t('user.whichLink'), pick),
              picture,
              texts,
              h('p', { class: 'hint' }, t('user.linkIsSecret')),
            ],
      ),
    );
    if (user.links.length > 0) drawLink();
  }

  function drawPlaces() {
    const networks = new Map();
    for (const session of user.sessions) {
      if (session.address) networks.set(networkOf(session.address), (networks.get(networkOf(session.address)) ?? 0) + 1);
    }

    renew(
      places,
      h(
        'div',
        { class: 'grid' },
        card(
          t('networks'),
          networks.size === 0
            ? h('p', { class: 'hint' }, t('user.noNetworks'))
            : plainTable(
                t('networks'),
                [t('network'), t('connections')],
                [...networks].map(([network, number]) => [h('bdi', { dir: 'ltr' }, network), count(number)]),
              ),
        ),
        card(
          t('sessions.title'),
          user.sessions.length === 0
            ? h('p', { class: 'hint' }, t('sessions.none'))
            : plainTable(
                t('sessions.title'),
                [t('address'), t('protocol'), t('dc'), t('sessions.since'), t('users.traffic')],
                user.sessions
                  .slice(0, mostSessions)
                  .map(it => [
                    h('bdi', { dir: 'ltr' }, it.address ?? t('none')),
                    it.protocol ?? t('none'),
                    count(it.dc),
                    when(it.since),
                    bytes(sum(it.receivedBytes, it.sentBytes)),
                  ]),
              ),
        ),
      ),
    );
  }

  function drawHistory() {
    const isByHour = range.value === 'hours';
    const slot = isByHour ? hours : days;
    const rows = complete(isByHour ? history.hours : history.days, spans[range.value], slot);
    chart.set({
      times: rows.map(row => row.at),
      slot,
      write: bytes,
      isBytes: true,
      when: isByHour ? dayHour : shortDay,
      series: [
        { label: t('bytes.sent'), values: rows.map(row => row.sentBytes) },
        { label: t('bytes.received'), values: rows.map(row => row.receivedBytes) },
      ],
    });
  }

  function drawActions(isOfFile) {
    fill(
      actions,
      !isOfFile && button(t('user.edit'), edit, 'primary'),
      !isOfFile && button(t('user.rotate'), rotate),
      button(t('users.resetUsage'), () => sure('resetUsage', () => send('POST', userPath(name, 'reset-usage')))),
      button(t('user.disconnect'), () => sure('disconnect', () => send('POST', userPath(name, 'disconnect')))),
      !isOfFile && button(t('remove'), remove, 'danger'),
    );
  }

  async function edit() {
    const form = userForm(user);
    const answer = await ask({
      title: t('user.edit'),
      body: form.element,
      action: t('save'),
      submit: () => send('PATCH', userPath(name), form.read()),
    });
    if (answer) await done(answer, t('saved'));
  }

  async function rotate() {
    const grace = select(
      [
        [0, 'now'],
        [3600, 'hour'],
        [86_400, 'day'],
        [604_800, 'week'],
        [2_592_000, 'month'],
      ].map(([seconds, key]) => [String(seconds), t(`grace.${key}`)]),
      '86400',
    );
    const answer = await ask({
      title: t('user.rotate'),
      body: [h('p', null, t('user.rotateText')), field(t('user.grace'), grace)],
      action: t('user.rotate'),
      submit: () => send('POST', userPath(name, 'rotate'), { graceSeconds: Number(grace.value) }),
    });
    if (answer) await done(answer, t('user.rotated'));
  }

  async function sure(what, run) {
    const answer = await confirmed(t(`user.${what}`), t(`user.${what}Question`, { name }), t(`user.${what}`), run);
    if (!answer) return;
    await done(answer, what === 'disconnect' ? t('user.ended', { count: answer.ended }) : t('saved'));
  }

  async function remove() {
    const answer = await confirmed(t('remove'), t('user.removeQuestion', { name }), t('remove'), () =>
      send('DELETE', userPath(name)),
    );
    if (!answer) return;
    tell(t('user.removed', { name }));
    if (answer.notKept) warn(answer.notKept);
    location.hash = link('users');
  }

  async function done(answer, text) {
    tell(text);
    if (answer.notKept) warn(answer.notKept);
    await refresh();
  }
}

// The proxy leaves out what had no traffic; a chart and a table want it there.
function complete(entries, count, slot) {
  const first = (Math.floor(Date.now() / slot) - count + 1) * slot;
  const rows = Array.from({ length: count }, (_, index) => ({ at: first + index * slot, sentBytes: 0, receivedBytes: 0 }));
  for (const entry of entries) {
    const row = rows[Math.floor((new Date(entry.start) - first) / slot)];
    if (!row) continue;
    row.sentBytes = sum(row.sentBytes, entry.sentBytes);
    row.receivedBytes = sum(row.receivedBytes, entry.receivedBytes);
  }
  return rows;
}

const limited = (current, most) => (most === null ? count(current) : t('ofMost', { part: current, all: most }));
