// The HTTP API. Writing requests carry a header that no other site can make a browser send, beside the cookie of the session.

import { parse } from './json.js';

const patience = 30_000;

/** What the API refused, with the members of its problem document. */
export class ApiError extends Error {
  constructor(status, problem = {}) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.status = status;
    this.key = problem.key ?? null;
    this.errors = Array.isArray(problem.errors) ? problem.errors : [];
  }
}

/** Nobody answered: the proxy is away, or the way to it. */
export class Unreachable extends Error {}

/** Told when an answer says that the session is over. */
export const signedOut = new EventTarget();

/** Asks for something. */
export const get = (path, options) => ask('GET', path, undefined, options);

/** Changes something. */
export const send = (method, path, body, options) => ask(method, path, body, options);

/** The path of a user. A name of dots alone would be taken for a way up by the browser, so it is refused here. */
export function userPath(name, action = '') {
  if (/^\.{1,2}$/.test(name)) throw new ApiError(400, { detail: `${name}: this name cannot be part of an address` });
  return `/api/users/${encodeURIComponent(name)}${action && `/${action}`}`;
}

/** All pages of a list, until `most` rows are there; `each` is called with what came so far. */
export async function pages(path, member, most, each = () => {}) {
  const rows = [];
  let cursor = null,
    first;
  do {
    const page = await get(`${path}?limit=250${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    first ??= page;
    rows.push(...page[member]);
    cursor = page.next;
    each(rows);
  } while (cursor !== null && cursor !== undefined && rows.length < most);
  return { rows, first, isWhole: cursor === null || cursor === undefined };
}

async function ask(method, path, body, { timeout = patience, isQuiet = false } = {}) {
  const headers = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-Portico'] = '1';
  if (body !== undefined) headers['Content-Type'] = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  let answer, text;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(timeout),
    });
    text = await answer.text();
  } catch (error) {
    throw new Unreachable(error.message);
  }

  const content = contentOf(text);
  if (answer.ok) return content;
  if (answer.status === 401 && !isQuiet) signedOut.dispatchEvent(new Event('out'));
  throw new ApiError(answer.status, content ?? {});
}

// What is no JSON came from somebody in between; the status is all that counts then.
function contentOf(text) {
  if (text.length === 0) return null;
  try {
    return parse(text);
  } catch {
    return null;
  }
}
