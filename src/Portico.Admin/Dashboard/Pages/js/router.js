// Which page an address means. It stands behind the #, so the server has one page to serve.

/** The parts behind the #, decoded: #/user/alice/main is user, alice, main. */
export function route(hash = location.hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/').map(decoded);
  return { page: page || 'overview', rest, query: new URLSearchParams(query) };
}

/** The address of a page. */
export const link = (page, ...rest) =>
  `#/${[page, ...rest]
    .filter(part => part !== '')
    .map(encodeURIComponent)
    .join('/')}`;

/** Calls back for each new page. */
export const watch = changed => addEventListener('hashchange', () => changed(route()));

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
