// How it goes: the verdict first, then numbers of now, the last hours, and what the proxy depends on.

import { h, fill, renew } from '../dom.js';
import { t, word, has } from '../texts.js';
import { get } from '../api.js';
import { poll } from '../poll.js';
import { link } from '../router.js';
import { bytes, count, duration, hour, moment, percent, rate } from '../format.js';
import { sum, share } from '../amounts.js';
import { Chart } from '../components/chart.js';
import { plainTable } from '../components/table.js';
import { badge, card, facts, heading, problem, select, when } from '../components/parts.js';

const pause = 10_000,
  minute = 60_000;

// How many minutes are shown, and how many of them make a point.
const ranges = { hour: { minutes: 60, joined: 1 }, day: { minutes: 1440, joined: 15 } };

const verdictKinds = { ok: 'good', quiet: 'plain', starting: 'plain', draining: 'plain' };

export async function show(page, { onLeave }) {
  let range = 'hour',
    minutes = [];
  const choice = select(
    [
      ['hour', t('overview.hour')],
      ['day', t('overview.day')],
    ],
    range,
    {
      'aria-label': t('overview.range'),
      onchange: () => {
        range = choice.value;
        draw();
      },
    },
  );
  const [verdict, tiles, parts, trouble] = [h('div'), h('div', { class: 'tiles' }), h('div', { class: 'grid' }), h('div')];
  const charts = {
    clients: new Chart({ title: t('overview.clients') }),
    traffic: new Chart({ title: t('overview.traffic') }),
    comings: new Chart({ title: t('overview.comings') }),
  };
  fill(
    page,
    heading(t('overview.title'), choice),
    trouble,
    verdict,
    tiles,
    h(
      'div',
      { class: 'grid' },
      Object.values(charts).map(chart => chart.element),
    ),
    parts,
  );

  let config = null;
  get('/api/config').then(
    answer => {
      config = answer;
    },
    () => {},
  );

  onLeave(
    poll(async () => {
      try {
        const [overview, status] = await Promise.all([get('/api/overview'), get('/api/status')]);
        minutes = overview.minutes;
        fill(trouble);
        renew(verdict, verdictCard(overview.verdict, overview.storageProblem));
        fill(tiles, tilesOf(overview.now, status));
        renew(parts, partsOf(status, config));
        draw();
      } catch (error) {
        fill(
          trouble,
          problem(error, () => location.reload()),
        );
      }
    }, pause),
  );
  onLeave(() => Object.values(charts).forEach(chart => chart.stop()));

  function draw() {
    const { points, slot } = gathered(minutes, ranges[range]);
    const base = { times: points.map(point => point.at), slot, when: range === 'hour' ? hour : moment };
    const series = (label, read) => ({ label, values: points.map(read) });
    charts.clients.set({
      ...base,
      write: value => count(Math.round(value)),
      series: [series(t('overview.clients'), it => it.clients)],
    });
    charts.traffic.set({
      ...base,
      write: rate,
      isBytes: true,
      series: [series(t('bytes.sent'), it => it.sent), series(t('bytes.received'), it => it.received)],
    });
    charts.comings.set({
      ...base,
      write: value => count(Math.round(value * 10) / 10),
      series: [
        series(t('overview.connects'), it => it.connects),
        series(t('overview.refusals'), it => it.refusals),
        series(t('overview.earlyEnds'), it => it.earlyEnds),
      ],
    });
  }
}

// Clients are a mean over the minutes of each point; what comes and goes is told for a minute, bytes for a second. The newest minute
// may not be over.
function gathered(minutes, { minutes: wanted, joined }) {
  const newest = minutes.length === 0 ? 0 : new Date(minutes.at(-1).at).getTime();
  const groups = new Map();
  for (const one of minutes) {
    const at = new Date(one.at).getTime();
    if (newest - at >= wanted * minute) continue;
    const group = Math.floor(at / (joined * minute)) * joined * minute;
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(one);
  }

  const points = [...groups].map(([at, group]) => {
    const mean = read => group.reduce((all, one) => all + Number(read(one)), 0) / group.length;
    const seconds = group.reduce((all, one) => all + (one.seconds ?? 60), 0);
    const each = (read, span) => (group.reduce((all, one) => all + Number(read(one)), 0) * span) / seconds;
    return {
      at,
      clients: mean(it => it.clients),
      connects: each(it => it.connects, 60),
      refusals: each(it => it.refusals, 60),
      earlyEnds: each(it => it.earlyEnds, 60),
      received: each(it => it.receivedBytes, 1),
      sent: each(it => it.sentBytes, 1),
    };
  });
  return { points, slot: joined * minute };
}

function verdictCard(verdict, storageProblem) {
  const { kind, since = null } = typeof verdict === 'string' ? { kind: verdict } : verdict;
  const known = has(`verdict.${kind}.title`);
  return h(
    'section',
    { class: `card verdict verdict-${verdictKinds[kind] ?? 'bad'}`, 'aria-label': t('verdict.label') },
    h('h2', { dir: 'auto' }, known ? t(`verdict.${kind}.title`) : String(kind)),
    known && h('p', null, t(`verdict.${kind}.text`)),
    storageProblem && h('p', { class: 'problem', dir: 'auto' }, t('overview.storage', { problem: storageProblem })),
    h(
      'p',
      { class: 'hint' },
      since && [t('verdict.since', { time: moment(since) }), ' '],
      h('a', { href: link('doctor') }, t('verdict.doctor')),
    ),
  );
}

function tilesOf(now, status) {
  // Those that are managed are every listener's, and counted once.
  const ofFile = status.listeners.reduce((all, it) => all + Math.max(0, it.users - now.managedUsers), 0);
  const tile = (label, value) => h('div', { class: 'tile' }, h('dt', null, label), h('dd', null, value));
  return h(
    'dl',
    null,
    tile(t('overview.clientsNow'), count(now.clients)),
    tile(t('users.title'), count(now.managedUsers + ofFile)),
    tile(t('bytes.sent'), rate(now.sentPerSecond)),
    tile(t('bytes.received'), rate(now.receivedPerSecond)),
    tile(t('overview.state'), word('proxy', status.state)),
    tile(t('overview.uptime'), duration(status.uptimeSeconds)),
  );
}

function partsOf(status, config) {
  const { cover, memory, descriptors } = status;
  const reach = isThere => badge(t(isThere ? 'reachable' : 'unreachable'), isThere ? 'good' : 'bad');
  const webs = (config?.listeners ?? []).filter(listener => listener.web).map(listener => [listener.name ?? '', listener.web.host]);
  return [
    card(
      t('overview.dcs'),
      status.dcs.length === 0
        ? h('p', { class: 'hint' }, t('overview.noDcs'))
        : plainTable(
            t('overview.dcs'),
            [t('dc'), t('overview.state'), t('connections'), t('bytes.sent'), t('bytes.received')],
            status.dcs.map(dc => [
              count(dc.dc),
              reach(dc.reachable),
              count(sum(dc.connections, dc.linkClients)),
              bytes(dc.sentBytes),
              bytes(dc.receivedBytes),
            ]),
          ),
    ),
    card(
      t('overview.listeners'),
      plainTable(
        t('overview.listeners'),
        [t('listener'), t('address'), t('overview.relaying'), t('overview.strangers'), t('overview.earlyEnds')],
        status.listeners.map(it => [
          h('bdi', null, it.name),
          h('bdi', { dir: 'ltr' }, it.address),
          count(it.relaying),
          count(it.strangers),
          count(it.earlyEnds),
        ]),
      ),
    ),
    card(
      t('overview.cover'),
      facts([
        [t('overview.state'), cover.target ? reach(cover.reachable) : t('overview.noCover')],
        [t('overview.target'), cover.target && h('bdi', { dir: 'ltr' }, cover.target)],
        [t('overview.visitors'), t('ofMost', { part: cover.visitors, all: cover.maxVisitors })],
        ...cover.flights.map(flight => [
          h('bdi', { dir: 'ltr' }, flight.domain),
          flight.problem
            ? h('span', { class: 'problem', dir: 'auto' }, flight.problem)
            : [t('overview.learned'), ' ', when(flight.learnedAt)],
        ]),
      ]),
    ),
    card(
      t('overview.web'),
      webs.length === 0
        ? h('p', { class: 'hint' }, t('overview.noWeb'))
        : facts(webs.map(([name, host]) => [h('bdi', null, name), h('bdi', { dir: 'ltr' }, host)])),
    ),
    card(
      t('overview.machine'),
      facts([
        [t('overview.version'), h('bdi', { dir: 'ltr' }, status.version)],
        [t('overview.mode'), word('mode', status.mode)],
        [
          t('overview.memory'),
          `${t('quota.of', { used: bytes(memory.usedBytes), all: bytes(memory.limitBytes) })} (${percent(
            share(memory.usedBytes, memory.limitBytes),
          )})`,
        ],
        [
          t('overview.descriptors'),
          descriptors.limit === null ? count(descriptors.open) : t('ofMost', { part: descriptors.open, all: descriptors.limit }),
        ],
        status.notReady.length > 0 && [t('overview.notReady'), status.notReady.map(reason => word('notReady', reason)).join(', ')],
      ]),
    ),
  ];
}
