// The fields of a user, for adding one and for changing what was changed and nothing else.

import { h } from '../dom.js';
import { t } from '../texts.js';
import { exactBytes } from '../format.js';
import { field, select } from './parts.js';

const periods = ['none', 'day', 'week', 'month'];

/**
 * The form's content and `read()`: the options of a new user, or a merge patch over those of `detail`. `groups` are those that
 * there are already.
 */
export function userForm(detail = null, groups = []) {
  const status = detail?.status ?? {};
  const quota = status.quota ?? null;
  const input = (name, value, attributes = {}) =>
    h('input', { type: 'text', name, value: value ?? '', autocomplete: 'off', ...attributes });
  const fields = {
    name: input('name', '', { required: true, maxlength: 64, pattern: '[A-Za-z0-9._\\-]+', dir: 'ltr', spellcheck: 'false' }),
    secret: input('secret', '', { pattern: '[0-9A-Fa-f]{32}', maxlength: 32, dir: 'ltr', spellcheck: 'false' }),
    enabled: h('input', { type: 'checkbox', name: 'enabled', checked: detail === null || status.state !== 'disabled' }),
    group: input('group', status.group, { list: 'groups', dir: 'auto' }),
    note: h('textarea', { name: 'note', rows: 2, dir: 'auto', value: detail?.note ?? '' }),
    expiresAt: h('input', { type: 'datetime-local', name: 'expiresAt', value: localTime(status.expiresAt), step: 60 }),
    quotaBytes: input('quotaBytes', exactBytes(quota?.bytes), { dir: 'ltr' }),
    period: select(
      periods.map(period => [period, t(`period.${period}`)]),
      quota?.period ?? 'month',
      { name: 'period' },
    ),
    resetDay: h('input', { type: 'number', name: 'resetDay', min: 1, max: 31, value: quota?.resetDay ?? 1 }),
    down: input('down', exactBytes(status.downRate), { dir: 'ltr' }),
    up: input('up', exactBytes(status.upRate), { dir: 'ltr' }),
    maxConnections: h('input', {
      type: 'number',
      name: 'maxConnections',
      min: 1,
      max: 10_000_000,
      value: status.maxConnections ?? '',
    }),
    maxNetworks: h('input', { type: 'number', name: 'maxNetworks', min: 1, max: 100_000, value: status.maxNetworks ?? '' }),
    domain: input('domain', detail?.domain, { dir: 'ltr', spellcheck: 'false' }),
    adTag: input('adTag', '', { pattern: '[0-9A-Fa-f]{32}', maxlength: 32, dir: 'ltr', spellcheck: 'false' }),
    clearAdTag: h('input', { type: 'checkbox', name: 'clearAdTag' }),
  };
  const before = Object.fromEntries(Object.entries(fields).map(([name, control]) => [name, valueOf(control)]));

  const element = h(
    'div',
    { class: 'form-grid' },
    h(
      'datalist',
      { id: 'groups' },
      groups.map(group => h('option', { value: group })),
    ),
    !detail && field(t('user.name'), fields.name, t('user.nameHint')),
    !detail && field(t('user.secret'), fields.secret, t('user.secretHint')),
    h('div', { class: 'field check' }, h('label', null, fields.enabled, ' ', t('user.enabled'))),
    field(t('group'), fields.group),
    field(t('user.expiresAt'), fields.expiresAt),
    field(t('user.quota'), fields.quotaBytes, t('user.bytesHint')),
    field(t('user.period'), fields.period),
    field(t('user.resetDay'), fields.resetDay, t('user.resetDayHint')),
    field(t('user.down'), fields.down, t('user.rateHint')),
    field(t('user.up'), fields.up),
    field(t('user.maxConnections'), fields.maxConnections),
    field(t('user.maxNetworks'), fields.maxNetworks, t('user.networksHint')),
    field(t('user.domain'), fields.domain),
    field(t('user.adTag'), fields.adTag, detail ? t('user.adTagKept') : null),
    detail && h('div', { class: 'field check' }, h('label', null, fields.clearAdTag, ' ', t('user.clearAdTag'))),
    h('div', { class: 'whole' }, field(t('user.note'), fields.note)),
  );

  const changed = name => valueOf(fields[name]) !== before[name];
  const value = name => valueOf(fields[name]);

  function read() {
    const options = detail ? {} : { name: value('name') };
    const put = (name, written) => {
      if (changed(name)) options[name] = written;
    };
    if (!detail) put('secret', value('secret') || null);
    if (!detail || changed('enabled')) options.enabled = value('enabled');
    for (const name of ['group', 'note', 'domain', 'adTag']) put(name, value(name) || null);
    put('expiresAt', value('expiresAt') ? new Date(value('expiresAt')).toISOString() : null);
    for (const name of ['maxConnections', 'maxNetworks']) put(name, value(name) ? Number(value(name)) : null);
    if (value('clearAdTag')) options.adTag = null;
    for (const name of ['down', 'up']) if (changed(name)) (options.rate ??= {})[name] = amount(value(name));
    readQuota(options);
    return options;
  }

  function readQuota(options) {
    if (!value('quotaBytes')) {
      if (quota) options.quota = null;
      return;
    }

    if (quota && !['quotaBytes', 'period', 'resetDay'].some(changed)) return;
    options.quota = {};
    if (!quota || changed('quotaBytes')) options.quota.bytes = amount(value('quotaBytes'));
    if (!quota || changed('period')) options.quota.period = value('period');
    if (!quota || changed('resetDay')) options.quota.resetDay = Number(value('resetDay')) || 1;
  }

  return { element, read };
}

const valueOf = control => (control.type === 'checkbox' ? control.checked : control.value.trim());

// A number where a Number holds it; longer ones and those with a unit are texts, which the API reads too.
function amount(text) {
  if (text === '') return null;
  return /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text;
}

// What the control for dates wants: the time on the reader's clock, without a zone.
function localTime(value) {
  const date = value ? new Date(value) : null;
  if (!date || Number.isNaN(date.getTime())) return '';
  return new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
