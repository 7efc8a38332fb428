// Numbers, bytes and times as the reader's language writes them.

import { t } from './texts.js';

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
const ready = new Map();

// Making a formatter costs more than a hundred uses of it.
function formatter(kind, options) {
  const language = document.documentElement.lang;
  const key = `${language} ${kind} ${JSON.stringify(options)}`;
  if (!ready.has(key)) ready.set(key, new Intl[kind](language, options));
  return ready.get(key);
}

/** A whole number. */
export const count = value => (value === null || value === undefined ? t('none') : formatter('NumberFormat', {}).format(value));

/** Bytes in the largest unit of 1024 that leaves a digit before the point. */
export function bytes(value) {
  if (value === null || value === undefined) return t('none');
  const exact = typeof value === 'bigint' ? value : BigInt(Math.round(value));
  let unit = 0;
  while (unit < units.length - 1 && exact >> BigInt(10 * (unit + 1)) > 0n) unit++;
  // Tenths are taken while it is exact; afterwards a Number is enough.
  const amount = unit === 0 ? Number(exact) : Number((exact * 10n) >> BigInt(10 * unit)) / 10;
  // Never rounded up to what would be one of the next unit.
  return t(`unit.${units[unit]}`, { amount: count(amount < 100 ? amount : Math.trunc(amount)) });
}

/** Bytes in a second. */
export const rate = value => (value === null || value === undefined ? t('none') : t('unit.perSecond', { amount: bytes(value) }));

/** Bytes as the API reads them back without a loss: 53687091200 is 50 GiB, and what is no such number stays itself. */
export function exactBytes(value) {
  if (value === null || value === undefined) return '';
  const exact = BigInt(value);
  let unit = 0;
  while (unit < 4 && exact !== 0n && exact % (1n << BigInt(10 * (unit + 1))) === 0n) unit++;
  return unit === 0 ? String(exact) : `${exact >> BigInt(10 * unit)} ${units[unit]}`;
}

/** A share of 0 to 1. */
export const percent = value => formatter('NumberFormat', { style: 'percent', maximumFractionDigits: 0 }).format(value);

/** Date and time. */
export const moment = value => dated(value, { dateStyle: 'medium', timeStyle: 'short' });

/** Date alone. Days of the API are days of UTC. */
export const day = value => dated(value, { dateStyle: 'medium', timeZone: 'UTC' });

/** Time of the day. */
export const hour = value => dated(value, { hour: '2-digit', minute: '2-digit' });

/** Time of the day, where there are several days. */
export const dayHour = value => dated(value, { weekday: 'short', hour: '2-digit', minute: '2-digit' });

/** Time of the day with seconds. */
export const second = value => dated(value, { timeStyle: 'medium' });

/** Month and day. */
export const shortDay = value => dated(value, { month: 'short', day: 'numeric', timeZone: 'UTC' });

/** How long ago, or how soon, in one unit. */
export function ago(value, now = Date.now()) {
  const seconds = (new Date(value) - now) / 1000;
  if (Number.isNaN(seconds)) return String(value ?? t('none'));
  const relative = formatter('RelativeTimeFormat', { numeric: 'auto' });
  for (const [unit, size] of [
    ['day', 86400],
    ['hour', 3600],
    ['minute', 60],
  ]) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(Math.trunc(seconds), 'second');
}

/** How long, in the two largest units. */
export function duration(seconds) {
  const parts = [];
  for (const [unit, size] of [
    ['day', 86400],
    ['hour', 3600],
    ['minute', 60],
    ['second', 1],
  ]) {
    const amount = Math.floor(seconds / size);
    if (amount > 0 || (unit === 'second' && parts.length === 0)) {
      parts.push(formatter('NumberFormat', { style: 'unit', unit, unitDisplay: 'short' }).format(amount));
    }
    seconds -= amount * size;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}

function dated(value, options) {
  if (value === null || value === undefined) return t('none');
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? String(value) : formatter('DateTimeFormat', options).format(date);
}
