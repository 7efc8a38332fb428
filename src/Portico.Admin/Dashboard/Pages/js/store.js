// What happens, out of one stream of events for all pages; the newest are kept for whoever comes later.

import { get, ApiError } from './api.js';
import { parse } from './json.js';

const kinds = ['session_opened', 'session_closed', 'reload', 'alarm', 'notice', 'lost'];
const mostKept = 1000,
  retryPause = 5000;

class Store extends EventTarget {
  /** The newest last. Each has a number of its own, which counts up. */
  recent = [];

  /** connecting, live or lost. */
  state = 'connecting';

  #source = null;
  #timer = 0;
  #isWanted = false;
  #number = 0;

  start() {
    this.#isWanted = true;
    if (this.#source) return;
    this.#source = new EventSource('/api/events');
    this.#source.onopen = () => this.#become('live');
    this.#source.onerror = () => this.#failed();
    for (const kind of kinds) this.#source.addEventListener(kind, message => this.#take(kind, message.data));
  }

  stop() {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
    this.recent = [];
    this.#become('connecting');
  }

  #take(kind, text) {
    let happened;
    try {
      happened = { ...parse(text), type: kind, number: ++this.#number };
    } catch {
      return;
    }

    // Where readers were too slow the proxy says only how many events they missed.
    happened.at ??= new Date().toISOString();
    this.recent.push(happened);
    if (this.recent.length > mostKept * 1.2) this.recent.splice(0, this.recent.length - mostKept);
    this.dispatchEvent(new CustomEvent('happened', { detail: happened }));
  }

  // A browser tries again by itself, but not after an answer such as 401 or 503.
  #failed() {
    this.#become('lost');
    if (this.#source?.readyState !== EventSource.CLOSED) return;
    this.#source = null;
    this.#timer = setTimeout(async () => {
      try {
        await get('/api/session');
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return; // somebody has to sign in first
      }
      if (this.#isWanted) this.start();
    }, retryPause);
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }
}

/** The only one. */
export const store = new Store();
