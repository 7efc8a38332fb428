// The bridge: frames of Telegram's app on one side, requests or WebSockets to this host on the other. It looks into no DATA and holds no
// secret. Five parts: the app, frames, requests, sessions, carriers.
// A frame: type (1 byte), stream (3), length of the payload (4), payload; the most significant byte first.
(() => {
'use strict';

// What the gate says. Apps that run no page read the first three out of the text, letter by letter.
const bootstrap="{{bootstrap}}",carrierMode="{{carrierMode}}",batchLimit=2097152;
const base="{{base}}",carriers="{{carriers}}";

const OPEN = 1, DATA = 2, CLOSE = 3, WINDOW = 4, PING = 5, WELCOME = 0x11, BYE = 0x1f;
const headerLength = 8, mostPayload = 1 << 20, mostFrames = 4096;

// Bytes that may wait for the network; and what a frame counts beside its own, for many are small.
const mostWaiting = 32 << 20, frameCost = 256;

const socketPatience = 3000, lanePatience = 10000, retryPatience = 60000, reminderInterval = 5000;

// A session that ends sooner was not meant to last; and so many of them in a row are enough.
const youth = 60000, mostLosses = 3;

// Until a request of which nothing is heard is sent again. The proxy holds frames up to 20 s and polls 25 s.
const createSilence = 10000, upSilence = 60000, downSilence = 40000;

// The end of all, where other errors are only answers that were lost; and the end of the session alone.
class Wrong extends Error {}
class Over extends Wrong {}

// 1. The app

let app = null; // postControl(object), postFrame(buffer), countTraffic(up, down)
let hello = null, isWelcome = false, isOver = false;
let state = '', reminder = 0;

const page = location.pathname + location.search;

// The object that apps inject. Its name is spelled out at each use: Android gives it other functions after the first.
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
  // The app compares the address of each message, and nobody else need see the capability in it.
  history.replaceState(null, '', location.pathname);
  if (nonce && window.TelegramWebProxy) {
    app = injected;
    // First, as the answer comes at once; and never again, as it may be wrapped then.
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

// Must not throw nor take long: the app takes either for our death.
function receive(message) {
  if (isOver) return;
  try {
    if (message instanceof ArrayBuffer) receiveFrames(message);
    else if (isClose(message)) end();
  } catch {
    fail();
  }
}

// Text from an injected object, an object from a port.
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
  createSession(bootstrap).catch(fail);
}

function handOn(frame) {
  const bytes = new Uint8Array(frame);
  if (bytes[0] === CLOSE) open.delete(streamOf(bytes));
  try {
    app.postFrame(frame);
  } catch (error) {
    throw new Wrong(error); // this is no broken connection
  }
  if (bytes[0] === BYE) end(); // the app will not have any more
}

function closeStream(stream) {
  try {
    handOn(new Uint8Array([CLOSE, stream >> 16, stream >> 8, stream, 0, 0, 0, 0]).buffer);
  } catch {
    fail();
  }
}

// Says how it goes, and again until it goes well: an app that hears nothing for ten seconds gives up.
function say(news) {
  state = news;
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
  leaveSession();
}

// 2. Frames

const streamOf = frame => frame[1] << 16 | frame[2] << 8 | frame[3];

const payloadLength = (bytes, at) => new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(4);

// The frames of a message of the app's, which holds one or several.
function cut(buffer) {
  const bytes = new Uint8Array(buffer), frames = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < headerLength) throw new Wrong('frame');
    const length = payloadLength(bytes, at), end = at + headerLength + length;
    if (length > mostPayload || end > bytes.length) throw new Wrong('frame');
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  return frames;
}

// Takes frames out of a queue, as many as travel together.
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

// Makes frames of what comes in pieces: each in memory of its own, as apps take it.
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

  // A frame that should not be here would cost the app all its connections.
  begin() {
    const header = this.header, type = header[0], stream = streamOf(header), length = payloadLength(header, 0);
    const isOfStream = type === DATA || type === CLOSE || type === WINDOW;
    if (!isOfStream && type !== PING && type !== BYE || isOfStream !== stream > 0)
      throw new Wrong('frame');
    if (length > mostPayload || this.lane !== null && stream !== this.lane)
      throw new Wrong('frame');
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

// 3. Requests

const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

// What the work of a session that was left waits for.
const never = new Promise(() => {});

// Without cookies: the proxy takes a request with one for somebody else's.
const strictly = {mode: 'same-origin', credentials: 'omit', cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer'};

const requestTo = (path, method, bearer, headers, body) =>
  [base + path, {...strictly, method, body, headers: {Authorization: 'Bearer ' + bearer, ...headers}}];

const octets = {'Content-Type': 'application/octet-stream'};

const watches = new Set();

// Gives a request up of which nothing is heard: a network that went away does not say so.
class Watch {
  constructor(silence) {
    Object.assign(this, {silence, controller: new AbortController()});
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

// Something that has to work: since when it does not, and how long until the next try.
class Effort {
  constructor() { Object.assign(this, {session, since: 0, delay: 250}); }

  get isVain() { return this.session !== session; }

  succeeded() {
    if (this.since && !this.isVain && --troubles === 0 && carrier) say('connected');
    this.since = 0;
    this.delay = 250;
  }

  async failed(retryAfter) {
    if (this.isVain) await never;
    const now = Date.now();
    if (this.since && now - this.since > retryPatience) throw new Wrong('time');
    if (!this.since && troubles++ === 0) say('reconnecting');
    this.since = this.since || now;
    // Not all pages at the same moment.
    await pause(retryAfter ? Math.min(retryAfter, 30) * 1000 : this.delay * (1 + Math.random() / 4));
    if (this.isVain) await never;
    this.delay = Math.min(2 * this.delay, 5000);
  }
}

// Sends the same request until it is answered. take(answer, watch) reads the answer; if it throws anything but Wrong, there was none.
async function insist(effort, silence, request, take) {
  while (true) {
    const watch = new Watch(silence);
    let retryAfter = 0;
    try {
      const answer = await fetch(request[0], {...request[1], signal: watch.controller.signal});
      if (answer.status !== 503) {
        const taken = await take(answer, watch);
        if (effort.isVain) await never;
        effort.succeeded();
        return taken;
      }
      retryAfter = Number(answer.headers.get('Retry-After')) || 0;
    } catch (error) {
      if (error instanceof Wrong && !effort.isVain) throw error;
    } finally {
      watch.stop();
    }
    await effort.failed(retryAfter);
  }
}

// 4. Sessions

let session = 0, token = null, bornMs = 0, losses = 0, troubles = 0;

const open = new Set(); // streams of this session

async function createSession(bearer) {
  const request = requestTo('api/v1/session', 'POST', bearer, octets, hello);
  const welcome = await insist(new Effort(), createSilence, request, async answer => {
    const body = answer.status === 200 && await answer.arrayBuffer();
    if (!body || body.byteLength !== headerLength || new Uint8Array(body)[0] !== WELCOME)
      throw new Wrong('session');
    token = answer.headers.get('X-Session-Token');
    if (isOver) leaveSession(); // closed meanwhile
    return body;
  });
  bornMs = Date.now();
  await findCarrier(welcome);
}

const isYoung = () => Date.now() - bornMs < youth;

// The last request lives longer than the page.
function leaveSession() {
  session++;
  if (!token) return;
  const [url, options] = requestTo('api/v1/session', 'DELETE', token);
  fetch(url, {...options, keepalive: true}).catch(() => {});
  token = null;
  for (const watch of watches) watch.abort();
  if (carrier) carrier.stop();
}

// The proxy was restarted, or the network cuts sockets. Another page would take the app seconds; this one asks for the token of one.
async function startAgain() {
  losses = isYoung() ? losses + 1 : 0;
  if (losses > mostLosses) throw new Wrong('losses');
  distrustsSockets = distrustsSockets || isYoung() && carrier?.hasSockets;
  leaveSession();
  carrier = null;
  turn = waiting = troubles = 0;
  let strange = 0;
  say('reconnecting');
  open.forEach(closeStream);
  const bearer = await insist(new Effort(), createSilence, [page, strictly], async answer => {
    const found = answer.status === 200 && /strap="([A-Za-z0-9_-]{43})"/.exec(await answer.text());
    if (!found) throw ++strange < 5 ? new Error() : new Wrong('page'); // one that stops shows its site
    return found[1];
  });
  await createSession(bearer);
}

function stumble(error) {
  if (isOver) return;
  if (error instanceof Over) startAgain().catch(fail);
  else fail();
}

// For a while the app sends frames of streams that it does not know to be closed.
function isWanted(frame) {
  const stream = streamOf(frame);
  if (frame[0] === OPEN) open.add(stream);
  return stream === 0 || (frame[0] === CLOSE ? open.delete(stream) : open.has(stream));
}

// 5. Carriers

const held = []; // frames for which there is no carrier yet
let carrier = null, turn = 0, distrustsSockets = false;

function send(frames) {
  const wanted = frames.filter(isWanted);
  if (carrier) carrier.send(wanted);
  else for (const frame of wanted) keep(frame, held);
}

// The first that works. The session takes any of them, until one has carried a frame.
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
    if (!isWelcome) handOn(welcome);
    isWelcome = true;
    if (state !== 'connected') say('connected');
    return carrier.send(release(held));
  }
}

// A browser has six connections to a host over HTTP/1.1, and a lane of requests keeps one: there they are the last resort.
function inOrder() {
  const navigation = window.performance?.getEntriesByType?.('navigation')[0];
  const isLast = name => name === 'https-lanes' && navigation?.nextHopProtocol === 'http/1.1' || distrustsSockets && name.startsWith('web');
  return [...carriers.filter(name => !isLast(name)), ...carriers.filter(isLast)];
}

let waiting = 0; // bytes in queues

const costOf = frames => frames.reduce((sum, frame) => sum + frame.length + frameCost, 0);

function keep(frame, queue) {
  queue.push(frame);
  waiting += costOf([frame]);
  if (waiting > mostWaiting) throw new Wrong('room');
}

function release(queue) {
  waiting -= costOf(queue);
  return queue.splice(0);
}

// It carried no frame, so nothing is lost.
function replaceCarrier(frames) {
  carrier = null;
  for (const frame of frames) keep(frame, held);
  turn++;
  findCarrier().catch(stumble);
}

// 5.1 Frames in bodies of requests and answers, for the session or for each stream.

class Requests {
  constructor(hasLanes) { Object.assign(this, {hasLanes, lanes: new Map()}); }

  start() { this.add(0); }

  stop() {}

  add(stream) {
    const lane = new RequestLane(this.hasLanes ? stream : null, () => this.lanes.delete(stream));
    this.lanes.set(stream, lane);
    lane.poll().catch(stumble);
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
    for (const lane of touched) lane.post().catch(stumble);
  }
}

class RequestLane {
  // id: a stream, 0 for frames of none, null = there are no lanes. onClosed(): no frames are to be sent any more.
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
        if (answer.status !== 204 || answer.headers.get('X-Up-Ack') !== number)
          throw new Over('up');
      });
      waiting -= cost;
      app.countTraffic(body.length, 0);
      this.fit(Date.now() - start);
    }
    this.isPosting = false;
  }

  // The proxy gives a body half a minute: on a slow line a full batch would be too much, and would hold up the next.
  fit(tookMs) {
    if (tookMs < 500) this.room = Math.min(2 * this.room, batchLimit);
    else if (tookMs > 2000) this.room = Math.max(this.room / 2, 32 << 10);
  }

  async poll() {
    const effort = new Effort();
    let isClosed = false;
    while (!isClosed) {
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
    if (answer.status !== 200 || cursor !== String(this.cursor + 1)) throw new Over('down');
    await this.takeFrames(answer, watch, effort);
    this.cursor++;
    this.delivered = 0;
    return false;
  }

  // The same cursor gives the same bytes: what was handed on before an answer broke off is not handed on again.
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
    if (!cutter.isBetweenFrames || length !== null && position !== Number(length))
      throw new Error('cut');
  }

  close() {
    release(this.queue);
    this.onClosed();
  }
}

// 5.2 Frames in messages of WebSockets. What is under way is bounded by the apps' windows, so nothing waits for room.

class Connection {
  constructor(protocol, lane, patience, take, onClosed) {
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
        reject();
      };
      this.timer = setTimeout(socket.onclose, patience);
    });
  }

  receive(message, cutter) {
    try {
      if (!(message instanceof ArrayBuffer)) throw new Wrong('text');
      cutter.push(new Uint8Array(message));
      if (!cutter.isBetweenFrames) throw new Wrong('frame');
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
    if (this.socket.bufferedAmount > mostWaiting) throw new Wrong('room');
  }

  stop() {
    clearTimeout(this.timer);
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
  }
}

class Socket {
  constructor() { Object.assign(this, {hasCarried: false, hasSockets: true}); }

  start() {
    const take = frame => {
      this.hasCarried = true;
      handOn(frame);
    };
    const onClosed = () => this.hasCarried ? stumble(new Over()) : replaceCarrier([]);
    this.connection = new Connection('tproxy-v1.' + token, null, socketPatience, take, onClosed);
    return this.connection.opened;
  }

  stop() { this.connection.stop(); }

  send(frames) {
    this.hasCarried = this.hasCarried || frames.length > 0;
    this.connection.send(frames);
  }
}

// Before there is a stream nothing can be tried, so this carrier may be replaced until a socket has opened.
class LaneSockets {
  constructor() { Object.assign(this, {lanes: new Map(), hasOpened: false, hasSockets: true, cuts: 0}); }

  start() {}

  stop() {
    for (const lane of this.lanes.values()) lane.connection?.stop();
    this.lanes.clear();
  }

  send(frames) {
    const touched = new Set();
    for (const frame of frames) {
      const stream = streamOf(frame);
      if (frame[0] === OPEN) this.lanes.set(stream, {stream, queue: []}); // isOpen, isSecond, isClosed
      const lane = this.lanes.get(stream);
      if (!lane || lane.isClosed) continue; // it was on its way when the stream ended, or is of no stream
      keep(frame, lane.queue);
      touched.add(lane);
      if (frame[0] === CLOSE) this.close(lane);
    }
    for (const lane of touched) {
      if (!lane.connection && !lane.isClosed) this.open(lane);
      this.flush(lane);
    }
  }

  open(lane) {
    const take = (frame, type) => {
      lane.isClosed = lane.isClosed || type === CLOSE;
      handOn(frame);
    };
    // Where they open at all they may take longer: browsers slow down whoever opens many.
    const patience = this.hasOpened ? lanePatience : socketPatience;
    const name = 'tproxy-lane-v1.' + token + '.' + lane.stream;
    lane.connection = new Connection(name, lane.stream, patience, take, () => this.lose(lane));
    lane.connection.opened.then(() => {
      this.hasOpened = lane.isOpen = true;
      this.flush(lane);
    }, () => this.retry(lane)).catch(fail);
  }

  flush(lane) {
    if (lane.isOpen && !lane.isClosed) lane.connection.send(release(lane.queue));
  }

  // By the app. What is not open yet need never be.
  close(lane) {
    this.flush(lane);
    lane.isClosed = true;
    if (lane.isOpen) return;
    release(lane.queue);
    this.lanes.delete(lane.stream);
    lane.connection?.stop();
  }

  retry(lane) {
    if (lane.isClosed || this.lanes.get(lane.stream) !== lane) return;
    if (!this.hasOpened) {
      const frames = [...this.lanes.values()].flatMap(one => release(one.queue));
      this.stop();
      replaceCarrier(frames);
    } else if (lane.isSecond) {
      release(lane.queue);
      // That the session is over shows in nothing else; and without another stream nothing is lost.
      if ([...this.lanes.values()].some(other => other.isOpen)) this.lose(lane);
      else stumble(new Over());
    } else {
      lane.isSecond = true;
      this.open(lane);
    }
  }

  // With a socket goes its stream, of which the app may not know yet. A second one so soon: the network cuts them.
  lose(lane) {
    this.lanes.delete(lane.stream);
    if (isOver || lane.isClosed) return;
    if (isYoung() && ++this.cuts > 1) stumble(new Over());
    else closeStream(lane.stream);
  }
}

waitForApp();
})();
