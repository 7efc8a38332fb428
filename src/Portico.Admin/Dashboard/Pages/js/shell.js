// What stands around every page: the way to the pages, how they look, who is signed in, whether news come.

import { h, fill } from './dom.js';
import { t, languages, load } from './texts.js';
import { send } from './api.js';
import { store } from './store.js';
import { link, route } from './router.js';
import { toastCorner, warn } from './components/toast.js';
import { select, problem } from './components/parts.js';

const pages = {
  overview: () => import('./pages/overview.js'),
  users: () => import('./pages/users.js'),
  user: () => import('./pages/user.js'),
  sessions: () => import('./pages/sessions.js'),
  settings: () => import('./pages/settings.js'),
  doctor: () => import('./pages/doctor.js'),
  events: () => import('./pages/events.js'),
};

const inNavigation = ['overview', 'users', 'sessions', 'settings', 'doctor', 'events'];

let main,
  navigation,
  live,
  leave = [],
  shown = 0,
  again = () => {};

/** Builds what stays. */
export function frame() {
  main = h('main', { id: 'main', tabindex: -1 });
  navigation = h('nav', { 'aria-label': t('nav.label') });
  live = h('span', { class: 'live', role: 'status' });
  const skip = h(
    'a',
    {
      class: 'skip',
      href: '#main',
      onclick: event => {
        event.preventDefault();
        (main.querySelector('h1') ?? main).focus();
      },
    },
    t('nav.skip'),
  );
  const leaving = h('button', { type: 'button', class: 'quiet', onclick: signOut }, t('nav.signOut'));
  const looks = h(
    'div',
    { class: 'looks' },
    select(Object.entries(languages), document.documentElement.lang, { 'aria-label': t('look.language'), onchange: speak }),
    select(
      ['auto', 'light', 'dark'].map(theme => [theme, t(`look.${theme}`)]),
      document.documentElement.dataset.theme ?? 'auto',
      { 'aria-label': t('look.theme'), onchange: paint },
    ),
  );
  const header = h(
    'header',
    { class: 'top' },
    h(
      'a',
      { class: 'brand', href: link('overview') },
      h('img', { src: 'icon.svg', alt: '', width: 28, height: 28 }),
      h('span', null, 'Portico'),
    ),
    navigation,
    h('div', { class: 'aside' }, live, looks, leaving),
  );
  document.body.replaceChildren(skip, header, main, toastCorner());
  store.removeEventListener('state', showState);
  store.addEventListener('state', showState);
  showState();
}

/** Whether pages are shown rather than the place to sign in. */
export const isSignedIn = () => document.body.classList.contains('signed-in');

/** Shows a page in place of the one that is there. */
export async function showPage(where) {
  again = () => showPage(route());
  const turn = begin(true);
  const name = Object.hasOwn(pages, where.page) ? where.page : 'overview';
  showNavigation(name === 'user' ? 'users' : name);
  document.title = `${t(`${name}.title`)} – Portico`;
  main.setAttribute('aria-busy', 'true');
  try {
    const page = await pages[name]();
    if (turn !== shown) return;
    const content = h('div', { class: `page page-${name}` });
    fill(main, content);
    await page.show(content, {
      ...where,
      onLeave: undo => (turn === shown ? leave.push(undo) : undo()),
      isLeft: () => turn !== shown,
    });
  } catch (error) {
    if (turn === shown) fill(main, h('h1', { tabindex: -1 }, t(`${name}.title`)), problem(error, again));
  } finally {
    if (turn === shown) {
      main.removeAttribute('aria-busy');
      main.querySelector('h1')?.focus({ preventScroll: true });
    }
  }
}

/** Shows where one signs in; `done` goes on. */
export async function showLogin(done) {
  again = () => showLogin(done);
  const turn = begin(false);
  document.title = `${t('login.title')} – Portico`;
  const page = await import('./pages/login.js');
  if (turn === shown) page.show(main, done);
}

function begin(isSignedIn) {
  for (const undo of leave.splice(0)) undo();
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  document.body.classList.toggle('signed-in', isSignedIn);
  scrollTo(0, 0);
  return ++shown;
}

function showNavigation(current) {
  fill(
    navigation,
    inNavigation.map(name => h('a', { href: link(name), 'aria-current': name === current ? 'page' : null }, t(`${name}.title`))),
  );
  navigation.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

function showState() {
  live.className = `live live-${store.state}`;
  fill(live, t(`live.${store.state}`));
}

async function signOut() {
  try {
    await send('DELETE', '/api/session', undefined, { isQuiet: true });
  } catch (error) {
    if (error.status !== 401) return warn(error);
  }
  store.stop();
  location.reload();
}

async function speak(event) {
  const language = event.target.value;
  try {
    await load(language);
  } catch (error) {
    return warn(error);
  }
  keep('portico.language', language);
  document.documentElement.lang = language;
  document.documentElement.dir = language === 'fa' ? 'rtl' : 'ltr';
  frame();
  again();
}

function paint(event) {
  const theme = event.target.value;
  keep('portico.theme', theme);
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function keep(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Then it holds until the page is closed.
  }
}
