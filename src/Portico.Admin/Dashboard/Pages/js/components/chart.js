// Lines or bars over time, with the same numbers as a table below for whoever reads rather than looks.

import { h, s, fill } from '../dom.js';
import { t } from '../texts.js';
import { plainTable } from './table.js';

const height = 168,
  edge = { top: 10, bottom: 22, end: 8 },
  steps = 3,
  letter = 6.4;

/**
 * `series` are { label, values }, one value for each of `times` (milliseconds, rising); `slot` is the time between two;
 * `write` writes a value, `when` a time, `isBytes` chooses steps that are round in units of 1024.
 */
export class Chart {
  #content = null;
  #at = null;
  #drawing = s('svg', { class: 'chart', height, tabindex: 0, role: 'img' });
  #readout = h('p', { class: 'readout', 'aria-live': 'polite' });
  #table = h('details', { class: 'numbers' });
  #legend = h('ul', { class: 'legend' });

  /** The element for the page. */
  element;

  constructor({ title, kind = 'line', controls = null }) {
    this.title = title;
    this.kind = kind;
    this.element = h(
      'section',
      { class: 'card chart-card' },
      h('div', { class: 'chart-head' }, h('h2', null, title), controls, this.#readout),
      this.#legend,
      this.#drawing,
      this.#table,
    );
    this.#drawing.addEventListener('pointermove', event => this.#point(event));
    this.#drawing.addEventListener('pointerleave', () => this.#show(null));
    this.#drawing.addEventListener('blur', () => this.#show(null));
    this.#drawing.addEventListener('keydown', event => this.#key(event));
    this.#table.addEventListener('toggle', () => this.#fillTable());
    this.sizes = new ResizeObserver(() => this.#draw());
    this.sizes.observe(this.element);
  }

  /** Other numbers. */
  set(content) {
    this.#content = content;
    if (this.#at >= content.times.length) this.#at = null;
    fill(
      this.#legend,
      content.series.length < 2
        ? []
        : content.series.map((one, index) =>
            h('li', { class: `series-${index}` }, h('span', { class: 'swatch', 'aria-hidden': 'true' }), one.label),
          ),
    );
    if (!this.#table.firstChild) this.#table.append(h('summary', null, t('chart.numbers')));
    this.#fillTable();
    this.#draw();
  }

  /** No more work. */
  stop() {
    this.sizes.disconnect();
  }

  #draw() {
    const content = this.#content;
    const width = Math.floor(this.#drawing.getBoundingClientRect().width);
    if (!content || width === 0) return;
    const { times, series, write, when, slot, isBytes } = content;
    this.#drawing.setAttribute('aria-label', this.#summary());
    this.#drawing.setAttribute('viewBox', `0 0 ${width} ${height}`);
    if (times.length === 0) {
      fill(this.#drawing, s('text', { x: width / 2, y: height / 2, class: 'axis', 'text-anchor': 'middle' }, t('chart.nothing')));
      return;
    }

    const isBars = this.kind === 'bars';
    const begin = times[0] - (isBars ? slot / 2 : 0),
      span = Math.max(1, times.at(-1) + (isBars ? slot / 2 : 0) - begin);
    const top = rounded(Math.max(...times.map((_, at) => this.#heightAt(at))), isBytes);
    const lines = Array.from({ length: steps + 1 }, (_, index) => ({
      value: (top * index) / steps,
      text: write((top * index) / steps),
    }));
    // Room for the longest text beside the lines; units are words in some languages.
    const side = 16 + letter * Math.max(...lines.map(line => line.text.length));
    const room = { width: width - side - edge.end, height: height - edge.top - edge.bottom };
    const x = time => side + ((time - begin) / span) * room.width;
    const y = value => edge.top + room.height * (1 - Number(value) / top);
    this.place = { x, y, width };

    fill(
      this.#drawing,
      lines.map(({ value }) => s('line', { class: 'rule', x1: side, x2: width - edge.end, y1: y(value), y2: y(value) })),
      lines.map(({ value, text }) => s('text', { class: 'axis', x: side - 8, y: y(value) + 4, 'text-anchor': 'end' }, text)),
      marks(times, width).map(([at, anchor]) =>
        s(
          'text',
          {
            class: 'axis',
            x: anchor === 'start' ? side : anchor === 'end' ? width - edge.end : x(times[at]),
            y: height - 5,
            'text-anchor': anchor,
          },
          when(times[at]),
        ),
      ),
      isBars ? this.#bars(x, y, Math.max(1, (slot / span) * room.width)) : series.map((one, index) => this.#line(one, index, x, y)),
      this.#cursor(),
    );
  }

  // Bars of several series stand upon each other.
  #heightAt(at) {
    const values = this.#content.series.map(one => Number(one.values[at] ?? 0));
    return this.kind === 'bars' ? values.reduce((all, one) => all + one, 0) : Math.max(...values);
  }

  #line(one, index, x, y) {
    const { times } = this.#content;
    const points = one.values.map((value, at) => `${x(times[at]).toFixed(1)} ${y(value).toFixed(1)}`);
    const area =
      this.#content.series.length === 1 &&
      s('path', {
        class: `area series-${index}`,
        d: `M${x(times[0])} ${y(0)}L${points.join('L')}L${x(times.at(-1))} ${y(0)}Z`,
      });
    // A single point is a line of hardly any length, whose round ends are seen.
    const way = points.length === 1 ? `M${points[0]}h.1` : `M${points.join('L')}`;
    return [area, s('path', { class: `line series-${index}`, d: way })];
  }

  #bars(x, y, width) {
    const { times, series } = this.#content;
    const gap = width > 4 ? 2 : 0;
    const parts = series.map(() => []);
    times.forEach((time, at) => {
      let below = 0;
      series.forEach((one, index) => {
        const value = Number(one.values[at]);
        if (value > 0) {
          const left = x(time) - width / 2 + gap / 2;
          const [from, to, wide] = [y(below), y(below + value), width - gap].map(length => length.toFixed(1));
          parts[index].push(`M${left.toFixed(1)} ${from}V${to}h${wide}V${from}Z`);
        }
        below += value;
      });
    });
    return parts.map((part, index) => part.length > 0 && s('path', { class: `bar series-${index}`, d: part.join('') }));
  }

  #cursor() {
    this.cursor = s('line', { class: 'cursor', y1: edge.top, y2: height - edge.bottom, visibility: 'hidden' });
    if (this.#at !== null) queueMicrotask(() => this.#show(this.#at));
    return this.cursor;
  }

  #point(event) {
    const { times } = this.#content ?? {};
    if (!times?.length || !this.place) return;
    const left = event.clientX - this.#drawing.getBoundingClientRect().left;
    let best = 0;
    times.forEach((time, at) => {
      if (Math.abs(this.place.x(time) - left) < Math.abs(this.place.x(times[best]) - left)) best = at;
    });
    this.#show(best);
  }

  #key(event) {
    const count = this.#content?.times.length ?? 0;
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || count === 0) return;
    event.preventDefault();
    this.#show(Math.min(count - 1, Math.max(0, (this.#at ?? count) + step)));
  }

  #show(at) {
    this.#at = at;
    if (!this.cursor || !this.#content) return;
    if (at === null || !this.place) {
      this.cursor.setAttribute('visibility', 'hidden');
      this.#readout.textContent = '';
      return;
    }

    const { times, series, write, when } = this.#content;
    for (const side of ['x1', 'x2']) this.cursor.setAttribute(side, this.place.x(times[at]));
    this.cursor.setAttribute('visibility', 'visible');
    this.#readout.textContent = [
      when(times[at]),
      ...series.map(one => `${series.length > 1 ? `${one.label} ` : ''}${write(one.values[at])}`),
    ].join(' · ');
  }

  #summary() {
    const { series, write, times } = this.#content;
    if (times.length === 0) return `${this.title}: ${t('chart.nothing')}`;
    return [
      this.title,
      ...series.map(one =>
        t('chart.summary', {
          label: one.label,
          last: write(one.values.at(-1)),
          most: write(one.values.reduce((a, b) => (b > a ? b : a))),
        }),
      ),
    ].join('. ');
  }

  // Long tables are made only for whoever opens them.
  #fillTable() {
    this.#table.querySelector('.scroller')?.remove();
    if (!this.#table.open || !this.#content) return;
    const { times, series, write, when } = this.#content;
    const rows = times.map((time, at) => [when(time), ...series.map(one => write(one.values[at]))]).reverse();
    this.#table.append(plainTable(this.title, [t('chart.time'), ...series.map(one => one.label)], rows));
  }
}

// The least round number above, so that each third of it is a number to read.
function rounded(most, isBytes) {
  if (!(most > 0)) return isBytes ? steps * 1024 : steps;
  if (isBytes) return steps * 2 ** Math.max(10, Math.ceil(Math.log2(most / steps)));
  for (let size = 1; ; size *= 10) {
    for (const factor of [1, 2, 5]) if (steps * factor * size >= most) return steps * factor * size;
  }
}

// Which times are written: first and last, and one or two between where there is room.
function marks(times, width) {
  const last = times.length - 1;
  if (last < 2) return times.map((_, at) => [at, at === 0 ? 'start' : 'end']);
  const between = width > 640 ? [0.25, 0.5, 0.75] : width > 380 ? [0.5] : [];
  return [[0, 'start'], ...between.map(part => [Math.round(part * last), 'middle']), [last, 'end']];
}
