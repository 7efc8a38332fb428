// A table of any length of which only the rows in sight are drawn. All rows have one height, so that the place of each is known.

import { h } from '../dom.js';
import { t } from '../texts.js';
import { compare } from '../amounts.js';

const rowHeight = 48,
  spare = 6;

/**
 * A column is { id, title, cell(row), value(row), wide, kind }: cell gives what is shown, value what is sorted by, null = not at all;
 * wide ones are left out on a small screen; kind is a class for width and side.
 */
export class Table {
  #rows = [];
  #drawn = new Map();
  #columns;
  #keyOf;
  #sort;
  #selected;
  #onSelect;
  #collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  #body = h('tbody');
  #above = h('td');
  #below = h('td');
  #heads = new Map();
  #all = null;
  #isDue = false;

  /** The element for the page. */
  element;

  constructor({ label, columns, keyOf, empty, sort = null, selected = null, onSelect = () => {} }) {
    this.#columns = columns;
    this.#keyOf = keyOf;
    this.#sort = sort;
    this.#selected = selected;
    this.#onSelect = onSelect;
    this.table = h(
      'table',
      { class: 'rows' },
      h(
        'thead',
        null,
        h(
          'tr',
          { 'aria-rowindex': 1 },
          selected && this.#selectAll(),
          columns.map(column => this.#head(column)),
        ),
      ),
      h('tbody', { class: 'spacer', 'aria-hidden': 'true' }, h('tr', null, this.#above)),
      this.#body,
      h('tbody', { class: 'spacer', 'aria-hidden': 'true' }, h('tr', null, this.#below)),
    );
    this.empty = h('p', { class: 'empty', hidden: true }, empty);
    this.scroller = h('div', { class: 'scroller', role: 'region', tabindex: 0, 'aria-label': label }, this.table);
    this.element = h('div', { class: 'table' }, this.scroller, this.empty);
    this.scroller.addEventListener('scroll', () => this.#later(), { passive: true });
    this.#body.addEventListener('keydown', event => this.#key(event));
    this.sizes = new ResizeObserver(() => this.#later());
    this.sizes.observe(this.scroller);
  }

  /** The rows that are shown, in their order. */
  get rows() {
    return this.#rows;
  }

  /** Other rows, or the same with other content. */
  set(rows) {
    this.#rows = rows;
    this.#order();
    this.redraw();
  }

  /** Draws what is in sight anew. */
  redraw() {
    const focused = this.#focus();
    this.empty.hidden = this.#rows.length > 0;
    this.scroller.hidden = this.#rows.length === 0;
    this.table.setAttribute('aria-rowcount', this.#rows.length + 1);
    this.#draw(true);
    if (focused) (this.#controlsOf(this.#drawn.get(focused.key))[focused.at] ?? this.scroller).focus({ preventScroll: true });
    this.#showAll();
  }

  /** No more work. */
  stop() {
    this.sizes.disconnect();
  }

  #head(column) {
    const kind = classOf(column);
    if (!column.value) return h('th', { scope: 'col', class: kind }, column.title);
    const head = h(
      'th',
      { scope: 'col', class: kind },
      h('button', { type: 'button', class: 'sort', onclick: () => this.#sortBy(column.id) }, column.title),
    );
    this.#heads.set(column.id, head);
    return head;
  }

  #selectAll() {
    this.#all = h('input', {
      type: 'checkbox',
      'aria-label': t('table.selectAll'),
      onchange: () => {
        for (const row of this.#rows) this.#selected[this.#all.checked ? 'add' : 'delete'](this.#keyOf(row));
        this.#onSelect();
        this.redraw();
      },
    });
    return h('td', { class: 'pick' }, this.#all);
  }

  #showAll() {
    if (!this.#all) return;
    const count = this.#rows.reduce((all, row) => all + (this.#selected.has(this.#keyOf(row)) ? 1 : 0), 0);
    this.#all.checked = count > 0 && count === this.#rows.length;
    this.#all.indeterminate = count > 0 && count < this.#rows.length;
  }

  #sortBy(id) {
    this.#sort = { id, isDown: this.#sort?.id === id && !this.#sort.isDown };
    this.#order();
    this.scroller.scrollTop = 0;
    this.redraw();
  }

  // Values are taken out once for each row, not once for each comparison.
  #order() {
    for (const [id, head] of this.#heads) {
      if (id === this.#sort?.id) head.setAttribute('aria-sort', this.#sort.isDown ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }

    const column = this.#sort && this.#columns.find(it => it.id === this.#sort.id);
    if (!column) return;
    const turn = this.#sort.isDown ? -1 : 1;
    const order = (a, b) => (typeof a === 'string' && typeof b === 'string' ? this.#collator.compare(a, b) : compare(a, b));
    this.#rows = this.#rows
      .map(row => ({ row, value: column.value(row) }))
      .sort((a, b) => (isNone(a.value) || isNone(b.value) ? compare(a.value, b.value) : turn * order(a.value, b.value)))
      .map(it => it.row);
  }

  #later() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  // First what comes, then what goes: removing what has the focus makes a layout, and a table too short for its place would be moved.
  #draw(isAnew = false) {
    const sight = this.scroller.clientHeight || innerHeight * 0.7;
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / rowHeight) - spare);
    const last = Math.min(this.#rows.length, Math.ceil((this.scroller.scrollTop + sight) / rowHeight) + spare);
    this.#above.style.height = `${first * rowHeight}px`;
    this.#below.style.height = `${(this.#rows.length - last) * rowHeight}px`;
    const wanted = new Map();
    for (let at = first; at < last; at++) {
      const key = this.#keyOf(this.#rows[at]);
      const line = (!isAnew && this.#drawn.get(key)) || this.#line(this.#rows[at], key);
      line.setAttribute('aria-rowindex', at + 2);
      wanted.set(key, line);
    }

    let place = this.#body.firstChild;
    for (const line of wanted.values()) {
      if (line.parentNode) place = line.nextSibling;
      else this.#body.insertBefore(line, place);
    }

    let isFocusLost = false;
    for (const [key, line] of this.#drawn) {
      if (wanted.get(key) === line) continue;
      isFocusLost ||= line.contains(document.activeElement);
      line.remove();
    }

    this.#drawn = wanted;
    // Whoever scrolls on by the keyboard goes on from the table, not from the top of the page.
    if (isFocusLost && !isAnew) this.scroller.focus({ preventScroll: true });
  }

  #line(row, key) {
    const cells = this.#columns.map(column => h('td', { class: classOf(column) }, h('div', { class: 'cell' }, column.cell(row))));
    if (!this.#selected) return h('tr', { 'data-key': key }, cells);
    const pick = h('input', {
      type: 'checkbox',
      'aria-label': t('table.select', { name: row.name }),
      checked: this.#selected.has(key),
      onchange: () => {
        this.#selected[pick.checked ? 'add' : 'delete'](key);
        this.#onSelect();
        this.#showAll();
      },
    });
    return h('tr', { 'data-key': key }, h('td', { class: 'pick' }, pick), cells);
  }

  // Arrows go from row to row, in the same column of controls.
  #key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    const line = event.target.closest('tr');
    if (step === undefined || !line || event.target.matches('input[type=text], select')) return;
    event.preventDefault();
    const at = this.#controlsOf(line).indexOf(event.target);
    const index = this.#rows.findIndex(row => this.#keyOf(row) === line.dataset.key);
    const next = Math.min(this.#rows.length - 1, Math.max(0, index + step));
    const top = next * rowHeight,
      sight = this.scroller.clientHeight - 2 * rowHeight;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    else if (top > this.scroller.scrollTop + sight) this.scroller.scrollTop = top - sight;
    this.#draw();
    this.#controlsOf(this.#drawn.get(this.#keyOf(this.#rows[next])))[Math.max(0, at)]?.focus({ preventScroll: true });
  }

  #controlsOf(line) {
    return line ? [...line.querySelectorAll('a[href], button, input, select')] : [];
  }

  #focus() {
    const line = document.activeElement?.closest('tr[data-key]');
    if (!line || !this.#body.contains(line)) return null;
    return { key: line.dataset.key, at: this.#controlsOf(line).indexOf(document.activeElement) };
  }
}

const isNone = value => value === null || value === undefined;

const classOf = column => [column.kind, column.wide && 'wide'].filter(Boolean).join(' ') || null;

/** A table of few rows, all drawn. Heads are texts, rows are lists of cells. */
export function plainTable(label, heads, rows) {
  return h(
    'div',
    { class: 'scroller', role: 'region', tabindex: 0, 'aria-label': label },
    h(
      'table',
      { class: 'plain-table' },
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          heads.map(head => h('th', { scope: 'col' }, head)),
        ),
      ),
      h(
        'tbody',
        null,
        rows.map(row =>
          h(
            'tr',
            null,
            row.map((cell, at) => (at === 0 ? h('th', { scope: 'row' }, cell) : h('td', null, cell))),
          ),
        ),
      ),
    ),
  );
}
