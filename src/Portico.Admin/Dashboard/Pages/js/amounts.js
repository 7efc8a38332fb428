// Sums and comparisons of numbers that may be a BigInt (json.js).

/** The sum, exact. */
export function sum(...amounts) {
  const quick = amounts.reduce((all, amount) => all + (typeof amount === 'bigint' ? NaN : amount), 0);
  return Number.isSafeInteger(quick) || (Number.isFinite(quick) && !Number.isInteger(quick))
    ? quick
    : amounts.reduce((all, amount) => all + BigInt(amount), 0n);
}

/** For sorting; null comes last. */
export function compare(a, b) {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Which part of the whole, 0 to 1. */
export function share(part, whole) {
  if (Number(whole) <= 0) return 1;
  return Math.min(1, Math.max(0, Number(part) / Number(whole)));
}
