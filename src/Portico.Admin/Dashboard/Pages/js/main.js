// The beginning: words, then whether somebody is signed in, then the page of the address.

import { load } from './texts.js';
import { get, signedOut, ApiError } from './api.js';
import { store } from './store.js';
import { route, watch } from './router.js';
import { frame, isSignedIn, showPage, showLogin } from './shell.js';

await load(document.documentElement.lang);
frame();

signedOut.addEventListener('out', () => {
  if (!isSignedIn()) return; // several requests were refused at once
  store.stop();
  showLogin(begin);
});

function begin() {
  store.start();
  showPage(route());
}

watch(where => {
  if (isSignedIn()) showPage(where);
});

try {
  await get('/api/session', { isQuiet: true });
  begin();
} catch (error) {
  // Where nobody answers, the page itself says so and tries again.
  if (error instanceof ApiError && error.status === 401) showLogin(begin);
  else begin();
}
