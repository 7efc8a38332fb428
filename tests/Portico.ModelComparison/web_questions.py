"""The questions about the WEB proxy: like questions.py, against web_proxy_model.py.

One question is one case, or a whole session of some dozen batches.
"""
import hashlib
import string

import model
from questions import ask, dented, ip, some

w = model.web

NOT_COMPARED = {'WEB proxy': 'NOTHING OF IT, there is no web_proxy_model.py in that folder'} if w is None else {
    'WEB scrubbing': 'the model only says that it is due; that nothing is left is part of "web-route"',
}

SIGN_KEY = bytes.fromhex('0dda54cbe13b33f44428fbf38c3227226480c1a5724b78c2db586aa67161970a')
BASE64URL = string.ascii_letters + string.digits + '-_'
LABEL_LETTERS = string.ascii_lowercase + string.digits + '-'
FOREIGN = 'äöüéñçøąłž' + 'αβγδω' + 'абвгдежя' + 'かなカナ' + '漢字' + '한글' + 'אבג'
MIB = 1 << 20


def changed(r, text, letters):
    """A text with a few small changes, or without any."""
    for _ in range(r.choice((0, 0, 1, 2))):
        at = r.randrange(len(text) + 1)
        text = r.choice((
            text[:at] + r.choice(letters) + text[at:], text[:at] + text[at + 1:], text[:at] + r.choice(letters) + text[at + 1:]))
    return text


# ---- addresses, secrets, links

def label(r):
    return ''.join(r.choices(LABEL_LETTERS, k=r.choice((1, 2, 5, 12, 63))))


def host(r):
    text = '.'.join(label(r) for _ in range(r.choice((1, 2, 2, 3, 5))))
    if r.randrange(4) == 0:
        text = ''.join(r.choice(FOREIGN) if one.isalpha() and r.randrange(3) == 0 else one for one in text)
    return r.choice((text, text.upper(), ' ' + text, text + '.', text + '.' + r.choice(('1', '0x', '0xf', '0xg', 'a1'))))


def path(r):
    text = '/'.join(''.join(r.choices(BASE64URL, k=r.choice((1, 3, 20, 60)))) for _ in range(r.randint(0, 3)))
    return r.choice((text, text, '/' + text, text + '/', f' /{text}/ '))


def good_address(r):
    while True:
        h, p = w.app_host(host(r)), w.app_path(path(r))
        if h is not None and p is not None and 'xn--' not in h:
            return h, p


def web_key(r):
    return r.choice((b'', b'\xdd')) + r.randbytes(16)


def stored(found, is_server):
    return f'{"error" if found is None else "s" + found} {int(is_server)}'


def web_host(r):
    text = changed(r, host(r), LABEL_LETTERS + '. :/?#@_')
    # RULE a label that begins with xn-- is not decoded on either side; with other foreign letters in it the Python codec refuses it.
    text = text.replace('xn--', 'xx--')
    return ask('web-host', stored(w.app_host(text), w.server_host_ok(text)), text=text)


def web_path(r):
    text = changed(r, path(r), BASE64URL + '/ .%')
    return ask('web-path', stored(w.app_path(text), w.server_path_ok(text)), text=text)


def secret_text(r):
    data = r.choice((web_key(r), web_key(r), b'\x70' + web_key(r), b'\xee' + some(r, 40), some(r, 20)))
    text = r.choice((data.hex(), data.hex().upper(), w.b64u(data), w.b64u(data) + '=', w.b64u(data) + '=='))
    return changed(r, text, BASE64URL + '+/=')


def web_secret(r):
    text = secret_text(r)
    status, key = w.secret_status(text)
    return ask('web-secret', f'{status} {key.hex() if status == "valid" else ""}'.rstrip(), text=text)


def web_capability(r):
    (h, p), key = good_address(r), web_key(r)
    links = w.links(h, p, key)
    expected = ' '.join((w.capability(h, p, key), w.bridge_url(h, p, key), links['tg'], links['tme']))
    return ask('web-capability', expected, host=h, path=p, key=key)


def web_link(r):
    h, p = (host(r), path(r)) if r.randrange(3) == 0 else good_address(r)
    h, key = h.replace('xn--', 'xx--'), web_key(r)
    slash = r.choice(('%2F', '/'))
    server = r.choice(('', '', 'https://', 'HTTPS%3A%2F%2F', 'http://')) + h + (slash + p.replace('/', slash) if p else '')
    secret = w.link_secret(p, key) if r.randrange(3) else secret_text(r)
    parts = [r.choice(('server', 'server', 'server', 'host')) + '=' + server.replace(' ', '%20').replace('#', '%23'),
             'secret=' + secret, 'port=' + str(r.randrange(70000))]
    r.shuffle(parts)
    starts = ('tg://webproxy?', 'tg://webproxy?', 'https://t.me/webproxy?', 'https://telegram.me/webproxy?', 'tg://proxy?')
    link = r.choice(starts) + '&'.join(parts[:r.choice((2, 3, 3))])
    try:
        read = w.parse_link(link.replace('+', '%2B'))  # RULE a plus in a link is a plus: links are no HTML forms.
        expected = ' '.join((read['host'], '/' + read['path'], read['key']))
    except w.WebError as error:
        expected = str(error)
    return ask('web-link', expected, link=link)


# ---- tokens, headers, routing

def token(r, kinds=(1, 2)):
    return w.token(SIGN_KEY, r.choice(kinds), r.choice((bytes(16), r.randbytes(16))))


def web_token(r):
    kind, nonce = r.choice((1, 2)), r.randbytes(16)
    text = changed(r, w.token(SIGN_KEY, kind, nonce), BASE64URL)
    return ask('web-token', f'{w.token(SIGN_KEY, kind, nonce)} {w.token_kind(SIGN_KEY, text)}',
               key=SIGN_KEY, kind=kind, nonce=nonce, text=text)


def web_number(r):
    value = r.choice((0, 1, r.randrange(1000), 0xffffff, 0x1000000, 2 ** 64 - 1, 2 ** 64, r.randrange(2 ** 65)))
    text = changed(r, str(value), string.digits + '+- .')
    number = w.canonical_uint(text)
    return ask('web-number', 'none' if number is None else str(number), text=text)


def web_bearer(r):
    text = changed(r, 'Bearer ' + token(r), BASE64URL + ' ')
    return ask('web-bearer', w.bearer(text) or 'none', text=text)


def subprotocol(r, kinds=(1, 2)):
    return r.choice((
        'tproxy-v1.' + token(r, kinds), f'tproxy-lane-v1.{token(r, kinds)}.{r.choice((0, 1, r.randrange(2 ** 25), 0xffffff))}'))


def web_subprotocol(r):
    text = changed(r, subprotocol(r), BASE64URL + '.')
    read = w.subprotocol(text)
    return ask('web-subprotocol', 'none' if read is None else f'{read[1]} {read[2] or 0}', text=text)


def web_forwarded(r):
    values = [changed(r, ip(r), '0123456789abcdef:. ,') for _ in range(r.choice((0, 1, 1, 1, 1, 2)))]
    trusted = r.randrange(5) > 0
    found = w.forwarded(trusted, values)
    if found not in (None, 'peer'):
        import ipaddress
        address = ipaddress.ip_address(found)
        found = (getattr(address, 'ipv4_mapped', None) or address).packed.hex()  # RULE a mapped IPv4 address counts as IPv4
    return ask('web-forwarded', found or 'none', trusted=trusted, values=values)


def escaped(r, text):
    return ''.join(f'%{ord(one):02x}' if r.randrange(8) == 0 else one for one in text) if r.randrange(4) == 0 else text


def web_route(r):
    h, p = r.choice((('proxy.example.com', ''), ('proxy.example.com', 'app/x')))
    key = r.randbytes(16)
    known = [w.capability(h, p, prefix + key) for prefix in (b'', b'\xdd')]

    def credential():
        return changed(r, r.choice((*known, token(r))), BASE64URL) if r.randrange(3) else w.b64u(r.randbytes(32))

    base = r.choice((w.base(p), w.base(p), '/', '/app/'))
    target = base + r.choice((
        '?bridge=' + r.choice(known), '?bridge=' + credential(), '?x=' + escaped(r, credential()), '',
        *w.TRANSPORT, *w.TRANSPORT, *w.TRANSPORT))
    if r.randrange(6) == 0:
        target = changed(r, target, BASE64URL + '/?%&=#')
    headers = [[r.choice(('Accept', 'X-A', 'Referer')),
                r.choice(('*/*', 'https://a/?' + escaped(r, credential()), f'{credential()},{credential()}'))]
               for _ in range(r.choice((0, 0, 1, 2)))]
    if r.randrange(2):
        headers.append([r.choice(('Authorization', 'authorization')), 'Bearer ' + r.choice((token(r), token(r), credential()))])
    if r.randrange(3) == 0:
        headers.append([r.choice(('Sec-WebSocket-Protocol', 'sec-websocket-protocol')),
                        r.choice((subprotocol(r), subprotocol(r), subprotocol(r) + ', chat', ' ' + subprotocol(r)))])
    if r.randrange(6) == 0:
        headers.append(['Cookie', r.choice(('a=b', 's=' + credential()))])
    r.shuffle(headers)
    asked = r.choice((h, h, h, h + ':443', h.upper(), h + ':80', 'other.example.com'))
    method = r.choice(('GET', 'POST', 'POST', 'DELETE', 'CONNECT', 'HEAD'))
    if r.randrange(3) == 0:  # all right but for one thing at most
        kind, method, end = r.choice(((1, 'POST', 'session'), (2, 'DELETE', 'session'), (2, 'POST', 'up'), (2, 'POST', 'down')))
        target, headers = w.base(p) + 'api/v1/' + end, [['Authorization', 'Bearer ' + token(r, (kind, kind, kind, 3 - kind))]]
        if r.randrange(3) == 0:
            method, target = 'GET', w.base(p) + '?bridge=' + credential()
        elif r.randrange(3) == 0:
            method, target = r.choice(('GET', 'CONNECT', 'CONNECT', 'POST')), w.base(p) + 'api/v1/ws'
            headers = [['Sec-WebSocket-Protocol', subprotocol(r, (2, 2, 2, 1))], ['Cookie', 'a=b']]
    config = {'host': h, 'path': p, 'capabilities': dict.fromkeys(known), 'sign_key': SIGN_KEY}
    return ask('web-route', w.route(method, target, asked, headers, config), host=h, path=p, secret=key, key=SIGN_KEY,
               method=method, target=target, asked=asked, headers=headers)


# ---- frames

def plain_hex(body):
    """Hex, with long runs of one byte as pairs of what comes before and how often a byte comes."""
    return body.hex() if len(body) < 4096 else [body[:8].hex(), [body[8:9].hex(), len(body) - 8]] if len(set(body[8:])) == 1 else body.hex()


def payload_of(r, t):
    make = {w.DATA: lambda: some(r, 40, 1),
            w.WINDOW: lambda: r.choice((1, 5, 1 << 20, 0xffffffff, r.getrandbits(32) or 1)).to_bytes(4, 'big')}
    return make.get(t, lambda: some(r, 64) if t in (w.PING, w.PONG) else b'')()


def strange_frame(r, ids):
    return w.frame(r.choice(tuple(w.KNOWN)), r.choice((0, *ids)), some(r, r.choice((0, 3, 4, 5, 64, 65, 100))))


def batch(r, relay, ids, most=8):
    """Frames most of which are right where they stand, so that batches get as far as to be accepted."""
    body, there, gone = b'', set(relay.open), set(relay.closed)
    for _ in range(r.randint(1, most)):
        if r.randrange(100) == 0:
            body += strange_frame(r, ids)
            continue
        t = r.choice((w.OPEN, w.DATA, w.DATA, w.DATA, w.CLOSE, w.WINDOW, w.WINDOW, w.PONG))
        fresh, likely = [i for i in ids if i not in there and i not in gone], [i for i in ids if i in there or i in gone]
        if not likely and t != w.PONG:
            t = w.OPEN
        choice = fresh if t == w.OPEN else [i for i in ids if i in there] if r.randrange(5) else likely
        stream = r.choice(choice if choice and r.randrange(100) else ids)
        body += w.frame(t, 0 if t == w.PONG else stream, payload_of(r, t))
        if t == w.OPEN:
            there.add(stream)
        elif t == w.CLOSE:
            there.discard(stream)
            gone.add(stream)
    return dented(r, body, 1) if r.randrange(25) == 0 else body


def web_batch(r):
    kind = r.randrange(200)
    if kind == 0:
        body = w.frame(w.CLOSE, 1) * r.choice((4095, 4096, 4097))
    elif kind == 1:
        body = w.frame(w.DATA, 1, b'a' * MIB) + w.frame(w.DATA, 2, b'b' * (MIB - r.choice((15, 16, 17))))
    else:
        body = b''.join(w.frame(r.choice(tuple(w.KNOWN)), r.choice((0, 1, r.randrange(1 << 24))), some(r, 30))
                        for _ in range(r.randint(0, 6)))
        body = dented(r, body) if r.randrange(3) == 0 else body
    try:
        frames = w.parse_batch(body)
        expected = f'{len(frames)} ' + hashlib.sha256(b''.join(b'%d %d %d ' % (t, s, len(p)) + p for t, s, p in frames)).hexdigest()
    except w.WebError as error:
        expected = str(error)
    # RULE a batch has at most 2 MiB; the model leaves that to the limit of bodies.
    if len(body) > 2 * MIB:
        expected = 'batch_too_large'
    return ask('web-batch', expected, bytes=body, cuts=[r.randint(0, 20) for _ in range(r.randint(0, 6))])


# ---- sessions

def windows(relay):
    return ' '.join(f'{stream}:{send}' for stream, (_, send) in sorted(relay.open.items()))


def web_session(r):
    limit = r.choice((1, 2, 3, 8, 128))
    relay = w.Relay(limit)
    lanes, heavy, long = r.randrange(8) == 0, r.randrange(50) == 0, r.randrange(100) == 0
    steps, expected = [], []
    first = r.choice((1, 1, 100, 0xffffd8))
    ids = [first + i for i in range(r.choice((4, 10, 40)))]

    def up(body, lane=None):
        try:
            events, frames = relay.up(body, lane)
            said = ','.join('-'.join(map(str, event)) for event in events) + '/' + ','.join(frame.hex() for frame in frames)
        except w.WebError as error:
            said = str(error)
        steps.append({'up': plain_hex(body), **({} if lane is None else {'lane': lane})})
        expected.append(said)

    if long:  # more closed streams than are remembered
        at = 1000
        for count in (2048, 2048, r.randrange(2048)):
            up(b''.join(w.frame(w.OPEN, at + i) + w.frame(w.CLOSE, at + i) for i in range(count)) or w.frame(w.OPEN, 999))
            at += count
        ids += [1000, 1000 + r.randrange(2048), at - 1, at - 4097, at - 4096]
    for _ in range(r.randint(8, 20)):
        kind, stream = r.randrange(20), r.choice([*relay.open] if relay.open and r.randrange(4) else ids)
        window = relay.open.get(stream)
        if kind < 14:
            lane = r.choice((0, stream, stream, stream)) if lanes else None
            if heavy and r.randrange(4):
                stream = min(relay.open, default=stream)  # always the same one, so that its window comes to an end
                up(w.frame(w.DATA, stream, b'a' * r.choice((MIB, MIB, MIB - 1))), lane)
            else:
                up(batch(r, relay, [stream] if lanes and r.randrange(8) else ids, r.choice((1, 3, 8, 40))), lane)
        elif kind < 16:
            n = window and w.INITIAL_WINDOW - window[0]
            if n:
                n = r.choice((n, r.randint(1, n)))
                steps.append({'drained': [stream, n]})
                expected.append(','.join(frame.hex() for frame in relay.drained(stream, n)))
        elif kind < 19:
            n = r.choice((0, 1, 1000, 65536, 65537, 200_000,
                          *(() if window is None else (min(window[1], 8 * MIB), min(window[1] + 1, 8 * MIB)))))
            frames, held = relay.backend(stream, b'\xaa' * n)
            steps.append({'backend': [stream, n]})
            if window is None:
                held = b'\xaa' * n  # RULE what waits for a closed stream is the caller's to drop; we say that none of it may go.
            expected.append(','.join(f'{f[0]}-{int.from_bytes(f[1:4], "big")}-{len(f) - 8}' for f in frames) + f'/{len(held)}')
        else:
            steps.append({'closed': stream})
            expected.append(','.join(frame.hex() for frame in relay.backend_closed(stream)))
    return ask('web-session', ' | '.join((*expected, windows(relay))), maxStreams=limit, steps=steps)


def from_relay(r, app, ids):
    if r.randrange(100) == 0:
        return strange_frame(r, ids)
    likely = [i for i in ids if i in app.open] if r.randrange(4) else [i for i in ids if i in app.closed]
    t = r.choice((w.DATA, w.DATA, w.DATA, w.WINDOW, w.CLOSE, w.PING)) if likely or r.randrange(50) == 0 else w.PING
    return w.frame(t, 0 if t == w.PING else r.choice(likely if likely and r.randrange(100) else ids), payload_of(r, t))


def web_app(r):
    app, steps, expected = w.App(), [], []
    ids = list(range(1, r.choice((3, 6, 12))))
    heavy = r.randrange(50) == 0

    def message(body):
        steps.append({'relay': plain_hex(body)})
        expected.append(app.message(body)[1] or 'ok')

    if r.randrange(10):
        message(w.frame(w.WELCOME, 0))
    for _ in range(r.randint(4, 25)):
        kind, stream = r.randrange(12), r.choice(ids)
        if kind < 2:
            app.opened(stream)
            steps.append({'opened': stream})
        elif kind < 3:
            app.closing(stream)
            steps.append({'closing': stream})
        elif kind < 4 and stream in app.open:
            n = r.choice((1, 100, MIB))
            app.read(stream, n)
            steps.append({'read': [stream, n]})
        elif heavy and kind < 9:
            message(w.frame(w.DATA, min(app.open, default=stream), b'a' * MIB))
        else:
            body = b''.join(from_relay(r, app, ids) for _ in range(r.randint(1, 5)))
            message(dented(r, body, 1) if r.randrange(25) == 0 else body)
    return ask('web-app', ' | '.join(expected), steps=steps)


# ---- counters of https carriers

def web_uplink(r):
    up, steps, expected = w.Up(), [], []
    for _ in range(r.randint(3, 20)):
        seq = r.choice((up.last + 1,) * 6 + (up.last, up.last, up.last + 2, max(0, up.last - 1), 0, 2 ** 64 - 1))
        body, fits = r.choice((b'a', b'b', b'ab')), r.randrange(6) > 0
        steps.append({'seq': str(seq), 'body': body.hex(), 'fits': fits})
        expected.append(up.post(seq, body, fits))
    return ask('web-uplink', ' | '.join(expected), steps=steps)


def web_downlink(r):
    down, steps, expected = w.Down(), [], []
    for i in range(r.randint(3, 25)):
        if r.randrange(3) == 0:
            down.queue.append(f'b{i}')
            steps.append({'queue': f'b{i}'})
        else:
            cursor = r.choice((down.cur,) * 6 + (max(0, down.cur - 1),) * 3 + (down.cur + 1, max(0, down.cur - 2), 2 ** 64 - 1))
            steps.append({'cursor': str(cursor)})
            expected.append(down.poll(cursor))
    return ask('web-downlink', ' | '.join(expected), steps=steps)


FORMATS = {} if w is None else {
    'web-host': web_host, 'web-path': web_path, 'web-secret': web_secret, 'web-capability': web_capability, 'web-link': web_link,
    'web-token': web_token, 'web-number': web_number, 'web-bearer': web_bearer, 'web-subprotocol': web_subprotocol,
    'web-forwarded': web_forwarded,
    'web-route': web_route, 'web-batch': web_batch, 'web-session': web_session, 'web-app': web_app,
    'web-uplink': web_uplink, 'web-downlink': web_downlink,
}
