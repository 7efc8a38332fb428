// The bridge: frames of Telegram's app on one side, requests or WebSockets to this host on the other. It looks into no DATA, makes no
// stream ids and holds no secret. Four parts: the app, frames, requests, carriers; at the end what starts it all.
// A frame is: type (1 byte), stream (3), length of the payload (4), payload; the most significant byte first.
(() => {
'use strict';

// What the gate says. Apps that run no page read these three out of the text by its letters.
const bootstrap="{{bootstrap}}",carrierMode="{{carrierMode}}",batchLimit=2097152;
const base="{{base}}",carriers="{{carriers}}";

const OPEN = 1, DATA = 2, CLOSE = 3, WINDOW = 4, PING = 5, PONG = 6, WELCOME = 0x11, BYE = 0x1f;
const headerLength = 8, mostPayload = 1 << 20, mostFrames = 4096;

// Bytes that may wait for the network; and what a frame counts beside its own, so that many small ones are bounded too.
const mostWaiting = 32 << 20, frameCost = 256;

const socketPatience = 3000, retryPatience = 60000, reminderInterval = 5000;

// Of a request of which nothing is heard, after which a new connection is tried. The proxy holds frames up to 20 s and polls 25 s.
const createSilence = 10000, upSilence = 60000, downSilence = 40000;

// The end of the session, where every other error is only an answer that was lost.
class Wrong extends Error {}

// 1. The app ----------------------------------------------------------------------------------------------------------------------

let app = null; // postControl(object), postFrame(buffer), countTraffic(up, down)
let hello = null, token = null, isWelcome = false, isOver = false;
let reminder = 0, troubles = 0;

// The object that apps inject. It is spelled out at each use, because Android's may be given other functions meanwhile.
const injected = {
  postControl: object => TelegramWebProxy.postMessage(JSON.stringify(object)),
  postFrame: frame => TelegramWebProxy.postMessage(frame),
  countTraffic() {}, // a call into the app for each, and it shows nothing
};

// A port to the page of the app's that frames us in an ordinary browser.
const portOf = port => ({
  postControl: object => port.postMessage(object),
  postFrame: frame => port.postMessage(frame, [frame]),
  countTraffic: (up, down) => port.postMessage({t: 'traffic', up, down}),
});

function waitForApp() {
  const nonce = /^#android=([A-Za-z0-9_-]{43})$/.exec(location.hash);
  // The app compares the address of each message; and a capability need not stand in it any longer.
  history.replaceState(null, '', location.pathname);
  if (nonce && window.TelegramWebProxy) {
    app = injected;
    // First, because the answer comes at once; and never again, because it may be wrapped then.
    TelegramWebProxy.onmessage = event => receive(event.data);
    app.postControl({t: 'tproxy-android-init', v: 1, nonce: nonce[1]});
    begin();
  } else if (parent !== window) {
    addEventListener('message', acceptPort);
  }
}

function acceptPort(event) {
  const init = event.data;
  const isInit = event.source === parent && /^http:\/\/127\.0\.0\.1:[0-9]+$/.test(event.origin) && event.ports.length === 1
    && typeof init === 'object' && init !== null && Object.keys(init).sort().join() === 't,v' && init.t === 'tproxy-init' && init.v === 1;
  if (!isInit) return;
  removeEventListener('message', acceptPort);
  app = portOf(event.ports[0]);
  event.ports[0].onmessage = message => receive(message.data);
  begin();
}

function begin() {
  addEventListener('pagehide', end);
  say('connecting');
}

// Must not throw and must not take long: the app takes either for our death.
function receive(message) {
  if (isOver) return;
  try {
    if (message instanceof ArrayBuffer) receiveFrames(message);
    else if (isClose(message)) end();
  } catch {
    fail();
  }
}

// Text from an injected object, an object from a port; what we do not know is nothing to us.
function isClose(control) {
  if (typeof control === 'object') return control !== null && control.t === 'close';
  try {
    return JSON.parse(control).t === 'close';
  } catch {
    return false;
  }
}

function receiveFrames(buffer) {
  if (hello) return send(cut(buffer));
  hello = buffer;
  createSession().catch(fail);
}

function handOn(frame) {
  try {
    app.postFrame(frame);
  } catch (error) {
    throw new Wrong(error); // not to be taken for a broken connection, after which the next frame would be handed on
  }
}

// Says how it goes, and says so again until it goes well: an app that hears nothing for ten seconds gives up.
function say(state) {
  clearInterval(reminder);
  app.postControl({t: 'status', state});
  if (state === 'connecting' || state === 'reconnecting')
    reminder = setInterval(() => app.postControl({t: 'status', state: 'reconnecting'}), reminderInterval);
}

function fail() {
  if (isOver) return;
  end();
  // The app is perhaps what failed.
  try {
    say('failed');
    app.postControl({t: 'close'});
  } catch {}
}

// The app leaves us a fifth of a second at best.
function end() {
  if (isOver) return;
  isOver = true;
  clearInterval(reminder);
  deleteSession();
  for (const watch of watches) watch.abort();
  if (carrier) carrier.stop();
}

// 2. Frames -----------------------------------------------------------------------------------------------------------------------

const streamOf = frame => frame[1] << 16 | frame[2] << 8 | frame[3];

const payloadLength = (bytes, at) => new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(4);

// The frames of a message of the app's, which holds one or several.
function cut(buffer) {
  const bytes = new Uint8Array(buffer), frames = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < headerLength) throw new Wrong('a part of a frame');
    const length = payloadLength(bytes, at), end = at + headerLength + length;
    if (length > mostPayload || end > bytes.length) throw new Wrong('a part of a frame');
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  return frames;
}

// Takes frames out of a queue, as many as travel together, in one piece.
function takeBatch(queue, most) {
  let count = 0, length = 0;
  while (count < Math.min(queue.length, mostFrames) && (count === 0 || length + queue[count].length <= most))
    length += queue[count++].length;
  const frames = queue.splice(0, count);
  if (count === 1) return frames[0];
  const batch = new Uint8Array(length);
  let at = 0;
  for (const frame of frames) {
    batch.set(frame, at);
    at += frame.length;
  }
  return batch;
}

// Makes frames of what comes from the proxy in pieces of any size: each in memory of its own, as apps take it.
class FrameCutter {
  // lane: the stream that alone may come, 0 for frames of none, null = any. take(frame, type) gets an ArrayBuffer.
  constructor(lane, take) {
    Object.assign(this, {lane, take, header: new Uint8Array(headerLength), frame: null, filled: 0});
  }

  get isBetweenFrames() { return this.filled === 0; }

  push(bytes) {
    for (let at = 0; at < bytes.length;) {
      const target = this.frame || this.header;
      const count = Math.min(target.length - this.filled, bytes.length - at);
      target.set(bytes.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (!this.frame && this.filled === headerLength) this.begin();
      if (this.frame && this.filled === this.frame.length) this.finish();
    }
  }

  // A frame that should not be here costs the app all its connections, so it gets none after it.
  begin() {
    const header = this.header, type = header[0], stream = streamOf(header), length = payloadLength(header, 0);
    const isOfStream = type === DATA || type === CLOSE || type === WINDOW;
    if (!isOfStream && type !== PING && type !== BYE || isOfStream !== stream > 0) throw new Wrong('not a frame of a proxy');
    if (length > mostPayload || this.lane !== null && stream !== this.lane) throw new Wrong('not a frame of this lane');
    this.frame = new Uint8Array(headerLength + length);
    this.frame.set(header);
  }

  finish() {
    const frame = this.frame;
    this.frame = null;
    this.filled = 0;
    this.take(frame.buffer, frame[0]);
  }
}

// 3. Requests ---------------------------------------------------------------------------------------------------------------------

const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

// Without cookies: the proxy takes a request with one for somebody else's.
const requestTo = (path, method, bearer, headers, body) => [base + path, {
  method, body, headers: {Authorization: 'Bearer ' + bearer, ...headers},
  mode: 'same-origin', credentials: 'omit', cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer',
}];

const octets = {'Content-Type': 'application/octet-stream'};

const watches = new Set();

// Gives a request up when nothing was heard of it for a while: a network that went away does not say so.
class Watch {
  constructor(silence) {
    Object.assign(this, {silence, controller: new AbortController(), timer: 0});
    watches.add(this);
    this.touch();
  }

  touch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.abort(), this.silence);
  }

  abort() { this.controller.abort(); }

  stop() {
    clearTimeout(this.timer);
    watches.delete(this);
  }
}

// Something that has to work at last: since when it does not, and how long until the next try.
class Effort {
  constructor() { this.succeeded(); }

  succeeded() {
    if (this.since && --troubles === 0 && isWelcome && !isOver) say('connected');
    this.since = 0;
    this.delay = 250;
  }

  async failed(retryAfter) {
    const now = Date.now();
    if (isOver || this.since && now - this.since > retryPatience) throw new Wrong('it does not work');
    if (!this.since && troubles++ === 0) say('reconnecting');
    this.since = this.since || now;
    // Not all pages at the same moment.
    await pause(retryAfter ? Math.min(retryAfter, 30) * 1000 : this.delay * (1 + Math.random() / 4));
    if (isOver) throw new Wrong('over');
    this.delay = Math.min(2 * this.delay, 5000);
  }
}

// Sends a request until it is answered, each time the same one. take(answer, watch) reads the answer; if it throws anything but Wrong,
// there was none.
async function insist(effort, silence, request, take) {
  while (true) {
    const watch = new Watch(silence);
    let retryAfter = 0;
    try {
      const answer = await fetch(request[0], {...request[1], signal: watch.controller.signal});
      if (answer.status !== 503) {
        const taken = await take(answer, watch);
        effort.succeeded();
        return taken;
      }
      retryAfter = Number(answer.headers.get('Retry-After')) || 0;
    } catch (error) {
      if (error instanceof Wrong) throw error;
    } finally {
      watch.stop();
    }
    await effort.failed(retryAfter);
  }
}

async function createSession() {
  const request = requestTo('api/v1/session', 'POST', bootstrap, octets, hello);
  const welcome = await insist(new Effort(), createSilence, request, async answer => {
    const body = answer.status === 200 && await answer.arrayBuffer();
    if (!body || body.byteLength !== headerLength || new Uint8Array(body)[0] !== WELCOME) throw new Wrong('no session');
    token = answer.headers.get('X-Session-Token');
    return body;
  });
  if (isOver) return deleteSession(); // closed meanwhile
  await findCarrier(welcome);
}

// Lives longer than the page.
function deleteSession() {
  if (!token) return;
  const [url, options] = requestTo('api/v1/session', 'DELETE', token);
  fetch(url, {...options, keepalive: true}).catch(() => {});
}

// 4. Carriers ---------------------------------------------------------------------------------------------------------------------

const held = []; // frames for which there is no carrier yet
let carrier = null, turn = 0;

function send(frames) {
  if (carrier) carrier.send(frames);
  else for (const frame of frames) keep(frame, held);
}

// The first that works. The session takes any of them, and another one if the first could not carry a frame.
async function findCarrier(welcome) {
  const names = inOrder(), effort = new Effort();
  for (; ; turn++) {
    if (turn > 0 && turn % names.length === 0) await effort.failed(0);
    const name = names[turn % names.length], hasLanes = name.endsWith('-lanes');
    const candidate = name.startsWith('https') ? new Requests(hasLanes) : hasLanes ? new LaneSockets() : new Socket();
    try {
      await candidate.start();
    } catch {
      continue;
    }
    if (isOver) return candidate.stop();
    carrier = candidate;
    effort.succeeded();
    if (!isWelcome) {
      isWelcome = true;
      handOn(welcome);
      say('connected');
    }
    return carrier.send(release(held));
  }
}

// A browser has six connections to a host over HTTP/1.1, and a lane of requests keeps one: there it is the last resort.
function inOrder() {
  const navigation = window.performance?.getEntriesByType?.('navigation')[0];
  if (navigation?.nextHopProtocol !== 'http/1.1') return carriers;
  return [...carriers.filter(name => name !== 'https-lanes'), ...carriers.filter(name => name === 'https-lanes')];
}

// Bytes in queues.
let waiting = 0;

const costOf = frames => frames.reduce((sum, frame) => sum + frame.length + frameCost, 0);

function keep(frame, queue) {
  queue.push(frame);
  waiting += costOf([frame]);
  if (waiting > mostWaiting) throw new Wrong('too much waits');
}

// Gives what was kept.
function release(queue) {
  waiting -= costOf(queue);
  return queue.splice(0);
}

// It did not carry a frame, so nothing is lost with it.
function replaceCarrier(frames) {
  carrier = null;
  for (const frame of frames) keep(frame, held);
  turn++;
  findCarrier().catch(fail);
}

// 4.1 Frames in the bodies of requests and of answers, for the session or for each stream.

class Requests {
  constructor(hasLanes) { Object.assign(this, {hasLanes, lanes: new Map()}); }

  start() { this.add(0); }

  stop() {}

  add(stream) {
    const lane = new RequestLane(this.hasLanes ? stream : null, () => this.lanes.delete(stream));
    this.lanes.set(stream, lane);
    lane.poll().catch(fail);
  }

  send(frames) {
    const touched = new Set();
    for (const frame of frames) {
      const stream = this.hasLanes ? streamOf(frame) : 0;
      if (frame[0] === OPEN && !this.lanes.has(stream)) this.add(stream);
      const lane = this.lanes.get(stream);
      if (!lane) continue; // it was on its way when the stream ended
      keep(frame, lane.queue);
      touched.add(lane);
    }
    for (const lane of touched) lane.post().catch(fail);
  }
}

class RequestLane {
  // id: a stream, 0 for frames of none, null = there are no lanes. onClosed() is called when no frames are to be sent any more.
  constructor(id, onClosed) {
    const lane = id === null ? {} : {'X-Lane-ID': String(id)};
    Object.assign(this, {id, onClosed, lane, queue: [], isPosting: false, number: 1, cursor: 0, delivered: 0, room: 128 << 10});
  }

  // One request at a time; what comes meanwhile goes with the next.
  async post() {
    if (this.isPosting) return;
    this.isPosting = true;
    const effort = new Effort();
    while (this.queue.length > 0) {
      const before = costOf(this.queue), body = takeBatch(this.queue, this.room), cost = before - costOf(this.queue);
      const number = String(this.number++), start = Date.now();
      const request = requestTo('api/v1/up', 'POST', token, {...octets, ...this.lane, 'X-Up-Seq': number}, body);
      await insist(effort, upSilence, request, answer => {
        if (answer.status !== 204 || answer.headers.get('X-Up-Ack') !== number) throw new Wrong('frames were refused');
      });
      waiting -= cost;
      app.countTraffic(body.length, 0);
      this.fit(Date.now() - start);
    }
    this.isPosting = false;
  }

  // The proxy gives a body half a minute: on a slow line a whole batch would be too much, and would hold up what comes after it.
  fit(tookMs) {
    if (tookMs < 500) this.room = Math.min(2 * this.room, batchLimit);
    else if (tookMs > 2000) this.room = Math.max(this.room / 2, 32 << 10);
  }

  async poll() {
    const effort = new Effort();
    let isClosed = false;
    while (!isClosed && !isOver) {
      const request = requestTo('api/v1/down', 'POST', token, {...this.lane, 'X-Down-Cursor': String(this.cursor)});
      isClosed = await insist(effort, downSilence, request, (answer, watch) => this.take(answer, watch, effort));
    }
    this.onClosed();
  }

  // Gives whether the lane is closed.
  async take(answer, watch, effort) {
    const cursor = answer.headers.get('X-Down-Cursor');
    if (answer.status === 204 && cursor === String(this.cursor))
      return answer.headers.get('X-Lane-Closed') === '1';
    if (answer.status !== 200 || cursor !== String(this.cursor + 1)) throw new Wrong('no frames');
    await this.takeFrames(answer, watch, effort);
    this.cursor++;
    this.delivered = 0;
    return false;
  }

  // The same cursor is answered with the same bytes: what was handed on before an answer broke off is not handed on again.
  async takeFrames(answer, watch, effort) {
    let position = 0;
    const cutter = new FrameCutter(this.id, (frame, type) => {
      position += frame.byteLength;
      if (position <= this.delivered) return;
      this.delivered = position;
      effort.succeeded();
      app.countTraffic(0, frame.byteLength);
      if (this.id && type === CLOSE) this.close();
      handOn(frame);
    });
    if (answer.body && answer.body.getReader) {
      const reader = answer.body.getReader();
      for (let piece; !(piece = await reader.read()).done; watch.touch()) cutter.push(piece.value);
    } else {
      cutter.push(new Uint8Array(await answer.arrayBuffer()));
    }
    // Not every engine tells a body that was cut off from a whole one.
    const length = answer.headers.get('Content-Encoding') ? null : answer.headers.get('Content-Length');
    if (!cutter.isBetweenFrames || length !== null && position !== Number(length)) throw new Error('cut off');
  }

  close() {
    release(this.queue);
    this.onClosed();
  }
}

// 4.2 Frames in the messages of WebSockets, for the session or for each stream. Nothing here looks again whether there is room: what is
// under way is bounded by the apps' windows, and beyond the bound we give up.

// Keeps its promise when the socket is open; breaks it if that is refused or takes too long.
class Connection {
  constructor(protocol, lane, take, onClosed) {
    const cutter = new FrameCutter(lane, take);
    const socket = this.socket = new WebSocket('wss://' + location.host + base + 'api/v1/ws', protocol);
    socket.binaryType = 'arraybuffer';
    socket.onmessage = event => this.receive(event.data, cutter);
    this.opened = new Promise((resolve, reject) => {
      socket.onopen = () => {
        clearTimeout(this.timer);
        socket.onclose = onClosed;
        resolve();
      };
      socket.onclose = () => {
        this.stop();
        reject(new Error('no WebSocket'));
      };
      this.timer = setTimeout(socket.onclose, socketPatience);
    });
  }

  receive(message, cutter) {
    try {
      if (!(message instanceof ArrayBuffer)) throw new Wrong('text');
      cutter.push(new Uint8Array(message));
      if (!cutter.isBetweenFrames) throw new Wrong('a part of a frame');
      app.countTraffic(0, message.byteLength);
    } catch {
      fail();
    }
  }

  // Takes all of a queue.
  send(queue) {
    while (queue.length > 0) {
      const batch = takeBatch(queue, batchLimit);
      this.socket.send(batch);
      app.countTraffic(batch.length, 0);
    }
    if (this.socket.bufferedAmount > mostWaiting) throw new Wrong('too much waits');
  }

  stop() {
    clearTimeout(this.timer);
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
  }
}

class Socket {
  start() {
    const take = frame => {
      this.hasCarried = true;
      handOn(frame);
    };
    this.connection = new Connection('tproxy-v1.' + token, null, take, () => this.hasCarried ? fail() : replaceCarrier([]));
    return this.connection.opened;
  }

  stop() { this.connection.stop(); }

  send(frames) {
    this.hasCarried = this.hasCarried || frames.length > 0;
    this.connection.send(frames);
  }
}

// Nothing can be tried before there is a stream. Until a socket has opened, this carrier may still be replaced.
class LaneSockets {
  constructor() { Object.assign(this, {lanes: new Map(), hasOpened: false}); }

  start() {}

  stop() {
    for (const lane of this.lanes.values()) lane.connection.stop();
    this.lanes.clear();
  }

  send(frames) {
    const touched = new Set();
    for (const frame of frames) {
      const stream = streamOf(frame);
      if (frame[0] === OPEN) this.lanes.set(stream, {stream, queue: [], isOpen: false, isSecond: false, isClosed: false});
      const lane = this.lanes.get(stream);
      if (!lane || lane.isClosed) continue; // it was on its way when the stream ended; or it is PONG, for which there is no lane
      keep(frame, lane.queue);
      touched.add(lane);
      if (frame[0] === OPEN) this.open(lane);
      else if (frame[0] === CLOSE) this.close(lane);
    }
    for (const lane of touched) this.flush(lane);
  }

  open(lane) {
    const take = (frame, type) => {
      lane.isClosed = lane.isClosed || type === CLOSE;
      handOn(frame);
    };
    lane.connection = new Connection('tproxy-lane-v1.' + token + '.' + lane.stream, lane.stream, take, () => this.lose(lane));
    lane.connection.opened.then(() => {
      this.hasOpened = lane.isOpen = true;
      this.flush(lane);
    }, () => this.retry(lane)).catch(fail);
  }

  flush(lane) {
    if (lane.isOpen && !lane.isClosed) lane.connection.send(release(lane.queue));
  }

  // By the app. What is not open yet need never be: streams that come and go would make a flood of sockets.
  close(lane) {
    this.flush(lane);
    lane.isClosed = true;
    if (lane.isOpen) return;
    release(lane.queue);
    this.lanes.delete(lane.stream);
    lane.connection.stop();
  }

  retry(lane) {
    if (isOver || lane.isClosed || this.lanes.get(lane.stream) !== lane) return;
    if (!this.hasOpened) {
      const frames = [...this.lanes.values()].flatMap(one => release(one.queue));
      this.stop();
      replaceCarrier(frames);
    } else if (lane.isSecond) {
      release(lane.queue);
      // That the session is over shows in nothing else; and with no other stream nothing is lost by giving up.
      if ([...this.lanes.values()].some(other => other.isOpen)) this.lose(lane);
      else fail();
    } else {
      lane.isSecond = true;
      this.open(lane);
    }
  }

  // With a socket goes its stream, of which the app may not know yet.
  lose(lane) {
    this.lanes.delete(lane.stream);
    if (isOver || lane.isClosed) return;
    try {
      handOn(new Uint8Array([CLOSE, lane.stream >> 16, lane.stream >> 8, lane.stream, 0, 0, 0, 0]).buffer);
    } catch {
      fail();
    }
  }
}

waitForApp();
})();
