"""One function per format: random numbers in, a question for Portico and the model's answer to it out.

Where Portico decides otherwise on purpose, a line that begins with RULE says so and turns the model's answer into the one that is wanted.
"""
import base64
import ipaddress
import re
import string
import struct
import zlib

import model as m

SECRET = bytes.fromhex('d0d6e111bada5511fcce9584deadbeef')
TRANSPORTS = ('abridged', 'intermediate', 'secure')
NAME_LETTERS = string.ascii_lowercase + string.digits + '-'

NOT_COMPARED = {
    'quick acknowledgements': 'the model has no function for them',
    'links, reading': 'the model has no function; "link-read" asks whether we read what it would write',
    'rpc packets, reading': 'the model has no function; "rpc-read" asks whether we read the fields it wrote',
    'RPC_HANDSHAKE_ERROR': 'the model has no function for it',
    'usable SNI': 'the model has no lenient search; its strict one is part of "hello-decide"',
    'x25519 points': 'the model has no field arithmetic',
    'CRC-32C': 'Portico never asks for it',
    'policy': 'Portico has none yet',
}


# ---- random material

def some(r, longest, least=0):
    return r.randbytes(r.randint(least, longest))


def words(r, most, least=0):
    return r.randbytes(4 * r.randint(least, most))


def secret_or_none(r):
    return r.choice((None, SECRET, r.randbytes(16)))


def name(r):
    return '.'.join(''.join(r.choices(NAME_LETTERS, k=r.randint(1, 12))) for _ in range(r.randint(1, 4)))


def host(r):
    """A name that could be a host's."""
    return '.'.join(r.choice(string.ascii_lowercase) + label.strip('-') for label in name(r).split('.'))


def ip(r, version=None):
    version = version or r.choice((4, 6))
    if version == 4:
        return str(ipaddress.IPv4Address(r.randbytes(4)))
    groups = [r.choice((b'\0\0', b'\0\1', r.randbytes(2))) for _ in range(8)]
    return str(ipaddress.IPv6Address(b''.join(groups)))


def dented(r, data, times=None):
    """A few small changes at random places."""
    data = bytearray(data)
    for _ in range(times or r.randint(1, 3)):
        at = r.randrange(len(data) + 1)
        kind = r.randrange(6)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << r.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = r.choice((0, 1, 0x7f, 0x80, 0xff))
        elif kind == 2:
            data[at:at] = some(r, 8, 1)
        elif kind == 3:
            del data[at:at + r.randint(1, 8)]
        elif kind == 4:
            del data[at:]
        else:
            data += some(r, 30)
    return bytes(data)


def line(*fields):
    return ' '.join(str(int(f) if isinstance(f, bool) else f.hex() if isinstance(f, (bytes, bytearray)) else f) for f in fields)


def ask(format_, expected, **fields):
    return {'format': format_, **{k: v.hex() if isinstance(v, (bytes, bytearray)) else v for k, v in fields.items()}}, expected


# ---- ciphers and sums

def crc32(r):
    data = some(r, 600)
    return ask('crc32', str(zlib.crc32(data)), bytes=data)


def aes_ctr(r):
    key, data = r.randbytes(32), some(r, 700)
    iv = r.choice((r.randbytes(16), r.randbytes(7) + b'\xff' * 9, b'\xff' * 16))
    return ask('aes-ctr', m.Ctr(key, iv)(data).hex(), key=key, iv=iv, bytes=data, cut=r.randint(0, len(data)))


def aes_cbc(direction):
    def make(r):
        key, iv, blocks = r.randbytes(32), r.randbytes(16), r.randint(0, 40)
        data = r.randbytes(16 * blocks)
        cipher = (m.CbcEnc if direction == 'encrypt' else m.CbcDec)(key, iv)
        return ask(f'aes-cbc-{direction}', cipher(data).hex(), key=key, iv=iv, bytes=data, cut=16 * r.randint(0, blocks))
    return make


# ---- secrets and links

def secret_bytes(r):
    key = r.randbytes(16)
    return r.choice((
        key, b'\xdd' + key, b'\xee' + key + name(r).encode(),
        b'\xee' + key, b'\xdd' + key + b'x', some(r, 40), b'\xee' + key + some(r, 12, 1)))


def secret_text(r):
    data = secret_bytes(r)
    text = r.choice((
        data.hex(), data.hex().upper(), base64.b64encode(data).decode(),
        base64.urlsafe_b64encode(data).decode(), base64.urlsafe_b64encode(data).decode().rstrip('=')))
    if r.randrange(3) == 0 and text:
        at = r.randrange(len(text))
        text = r.choice((text[:at] + r.choice(string.printable[:94]) + text[at + 1:], text[:at], text + r.choice(('=', 'a', '00', '=='))))
    return text


def read_secret(text):
    digits = text.rstrip('=')
    # RULE a character outside the alphabets, or bits that no byte is made of, mean that something was lost:
    # refused, where Python's decoder looks away.
    is_hex = re.fullmatch('[0-9a-fA-F]{32,}', text) and len(text) % 2 == 0
    if not is_hex and (not re.fullmatch('[A-Za-z0-9+/_-]*', digits) or base64.urlsafe_b64encode(
            base64.urlsafe_b64decode(digits.replace('+', '-').replace('/', '_') + 'A' * (len(digits) % 4 == 1) + '=' * (-len(digits) % 4)))
            .decode().rstrip('=') != digits.replace('+', '-').replace('/', '_')):
        return 'error'
    try:
        read = m.parse_secret(text)
    except UnicodeDecodeError:
        return 'error'
    if 'error' in read:
        return 'error'
    # RULE a domain has 1 to 182 visible ASCII characters: longer ones are cut by some clients, others are no host names.
    if 'domain' in read and not re.fullmatch('[!-~]{1,182}', read['domain']):
        return 'error'
    return line(read['type'], read['key'], *([read['domain'].encode()] if 'domain' in read else []))


def secret_read(r):
    text = secret_text(r)
    return ask('secret-read', read_secret(text), text=text)


def secret_write(r):
    key, domain = r.randbytes(16), name(r)
    marked = b'\xee' + key + domain.encode()
    forms = (key.hex(), 'dd' + key.hex(), marked.hex(), base64.urlsafe_b64encode(marked).decode().rstrip('='))
    assert [m.parse_secret(form)['key'] for form in forms] == [key.hex()] * 4 and m.parse_secret(forms[3])['domain'] == domain
    return ask('secret-write', line(*forms), secret=key, domain=domain)


def link_write(r):
    server, port, text = r.choice((name(r), ip(r))), r.randint(1, 65535), secret_text(r)
    query = f'proxy?server={server}&port={port}&secret={text}'
    return ask('link-write', line('tg://' + query, 'https://t.me/' + query), server=server, port=port, text=text)


def link_read(r):
    server, port = r.choice((ip(r), host(r))), r.randint(1, 65535)
    data = b'\xee' + r.randbytes(16) + name(r).encode()
    text = r.choice((data[1:17].hex(), 'dd' + data[1:17].hex(), data.hex(), base64.urlsafe_b64encode(data).decode().rstrip('=')))
    return ask('link-read', line(server, port, read_secret(text)),
               link=f'{r.choice(("tg://", "https://t.me/"))}proxy?server={server}&port={port}&secret={text}')


def per_sni_secret(r):
    base, sni, salt = r.randbytes(16), some(r, 80), some(r, 40)
    return ask('per-sni-secret', m.sni_secret(base, sni, salt).hex(), secret=base, sni=sni, salt=salt)


# ---- the 64-byte header

def forbidden_start(r):
    start = bytearray(r.choice((
        r.randbytes(8), b'HEAD' + r.randbytes(4), b'POST' + r.randbytes(4), b'GET ' + r.randbytes(4), b'OPTI' + r.randbytes(4),
        b'\xdd' * 4 + r.randbytes(4), b'\xee' * 4 + r.randbytes(4), b'\xef' + r.randbytes(7),
        b'\x16\x03\x01\x02' + r.randbytes(4), r.randbytes(4) + bytes(4))))
    if r.randrange(3) == 0:
        start[r.randrange(8)] ^= 1 << r.randrange(8)
    return ask('forbidden-start', str(int(m.forbidden_start(bytes(start)))), start=start)


def client_header(r, secret):
    transport, dc = r.choice(TRANSPORTS), r.randint(-32768, 32767)
    return transport, dc, m.obf_client(r.randbytes(56), transport, dc, r.randbytes(2), secret)


def header_server(r):
    secret = secret_or_none(r)
    header = client_header(r, secret)[2][1] if r.randrange(4) else r.randbytes(64)
    if r.randrange(4) == 0:
        header = bytearray(header)
        header[r.randrange(64)] ^= 1 << r.randrange(8)
        header = bytes(header)
    up, down = some(r, 200), some(r, 200)
    tag, dc, _, keys, dec, enc = m.obf_server(header, secret)
    expected = line(m.RTAGS[tag], dc, keys[2], keys[3], dec(up), enc(down)) if tag in m.RTAGS else 'unknown'
    return ask('header-server', expected, header=header, secret=secret, up=up, down=down)


def header_client(r):
    secret, transport, dc, raw = secret_or_none(r), r.choice(TRANSPORTS), r.randint(-32768, 32767), r.randbytes(64)
    up, down = some(r, 200), some(r, 200)
    _, header, _, enc, dec = m.obf_client(raw[:56], transport, dc, raw[62:], secret)
    return ask('header-client', line(header, enc(up), dec(down)), random=raw, secret=secret, transport=transport, dc=dc, up=up, down=down)


def direct_header(r):
    transport, dc, raw = r.choice(TRANSPORTS), r.randint(-32768, 32767), r.randbytes(64)
    up, down = some(r, 200), some(r, 200)
    _, header, _, enc, dec = m.obf_client(raw[:56], transport, dc, raw[62:], None)
    return ask('direct-header', line(header, enc(up), dec(down)), random=raw, transport=transport, dc=dc, up=up, down=down)


def direct_pass_through(r):
    transport, dc, (_, header, keys, _, _) = client_header(r, SECRET)
    _, _, _, _, from_client, _ = m.obf_server(header, SECRET)
    raw, up = r.randbytes(64), some(r, 200)
    # spec/04 section 5: the key material is the client's other stream, reversed, so that the DC answers in it.
    init = raw[:8] + (keys[2] + keys[3])[::-1]
    _, to_dc, dc_keys, enc, _ = m.obf_client(init, transport, dc, raw[62:], None)
    assert dc_keys[2:] == keys[2:]
    return ask('direct-pass-through', line(to_dc, enc(from_client(up))), header=header, random=raw, secret=SECRET, up=up)


# ---- packets

def frame(r, transport):
    payload = words(r, 140, 0)
    quick = r.random() < 0.3
    if transport == 'abridged':
        return m.abridged_enc(payload, quick)
    return m.inter_enc(payload, quick, some(r, 15) if transport == 'secure' else b'')


def frame_read(transport, from_server=False):
    limit = 1 << 24 if from_server else 1 << 20

    def make(r):
        data = frame(r, transport) + some(r, 12)
        if r.randrange(2):
            data = dented(r, data)
        if r.randrange(5) == 0:
            header = r.choice((limit, limit - 4, limit + 4, limit // 4, 3, 0, 2, r.getrandbits(31)))
            data = (b'\x7f' + struct.pack('<I', header // 4)[:3] if transport == 'abridged'
                    else struct.pack('<I', header & 0x7fffffff)) + data[4:]
        if from_server:  # what is marked is a quick acknowledgement there
            data = bytearray(data)
            for at in ((0,) if transport == 'abridged' else (3,)):
                if at < len(data):
                    data[at] &= 0x7f
            data = bytes(data)
        return ask('frame-read', read_frame(transport, data, limit), transport=transport, fromServer=from_server, bytes=data)
    return make


def read_frame(transport, data, limit):
    try:
        read = m.abridged_dec(data, limit) if transport == 'abridged' else m.inter_dec(data, transport == 'secure', limit)
    except m.ProtoError as error:
        return str(error)
    # RULE (spec/01 section 3.5) an empty or unaligned packet ends that client, as soon as its length can be read.
    if transport == 'abridged':
        length = (None if not data else data[0] & 0x7f if data[0] & 0x7f != 0x7f
                  else int.from_bytes(data[1:4], 'little') if len(data) >= 4 else None)
    else:
        length = int.from_bytes(data[:4], 'little') & 0x7fffffff if len(data) >= 4 else None
    if length is not None and (length - length % 4 if transport == 'secure' else length) == 0:
        return 'zero_length'
    if length is not None and transport == 'intermediate' and length % 4:
        return 'unaligned'
    return 'incomplete' if read is None else line(read[0], read[1], len(read[2]))


def frame_write(transport):
    def make(r):
        payload, quick = words(r, r.choice((140, 1000)), 1), r.random() < 0.5
        padding = some(r, 15) if transport == 'secure' else b''
        wire = m.abridged_enc(payload, quick) if transport == 'abridged' else m.inter_enc(payload, quick, padding)
        return ask('frame-write', wire.hex(), transport=transport, payload=payload, padding=padding, quick=quick)
    return make


# ---- hellos

def server_name(r):
    host = name(r).encode()
    body = lambda: m.sni_ext([host])[4:]
    return r.choice((
        m.sni_ext([host]), m.sni_ext([host]), m.sni_ext([host]), m.sni_ext([host, host]), m.sni_ext([host], 1),
        m.sni_ext([b'']), m.ext(0, b''), m.ext(0, b'\0\0'), m.ext(0, dented(r, body(), 1)),
        m.sni_ext([host]) + m.sni_ext([b'other']), b'', m.ext(0, dented(r, body(), 1)) + m.sni_ext([host])))


def key_share(r):
    grease = (0x0a0a + 0x1010 * r.randrange(16), b'\0')
    x25519 = (0x1d, r.randbytes(r.choice((32, 32, 32, 32, 31, 33, 0))))
    entries = [e for e in (grease, (0x11ec, r.randbytes(1216)), (0x17, r.randbytes(65)), x25519, (0x1d, r.randbytes(32)))
               if r.random() < 0.45 or e is x25519 and r.random() < 0.7]
    r.shuffle(entries)
    whole = m.keyshare_ext(entries)
    return r.choice((whole, whole, whole, whole, whole, b'', m.ext(0x33, b''), whole + m.keyshare_ext([x25519])))


def hello(r):
    """Most of them are a client's; the length of the padding decides whether they are long enough."""
    suites = r.choice(([0x1301, 0x1302, 0x1303], [0x1303, 0x1301], [0x0a0a, 0x1302, 0xc02b], [0xc02b, 0xc02f], [], [0x1301]))
    exts = [server_name(r), key_share(r), m.ext(0x2b, b'\x02\x03\x04'), m.ext(0x0a0a, b''), m.ext(0xff01, b'\0')]
    r.shuffle(exts)
    exts.append(m.ext(0x15, bytes(r.choice((0, 200, 330, 400, 440, 480, 600, 700, 700, 700)))))
    sizes = {key: r.randint(0, 900) for key in ('ext_len', 'hello_len', 'rec_len') if r.random() < 0.03}
    whole = m.build_hello(bytes(32), r.randbytes(r.choice((32, 32, 32, 0, 16, 33))), suites, exts, comp=r.choice((b'\0', b'\0', b'')),
                          cli_ver=r.choice((b'\x03\x03',) * 9 + (b'\x03\x01',)), **sizes)
    if r.randrange(8) == 0:
        body = dented(r, whole[43:])
        whole = whole[:43] + body
        if r.random() < 0.7:  # outer lengths set right
            whole = whole[:3] + struct.pack('>H', len(whole) - 5) + whole[5:6] + (len(whole) - 9).to_bytes(3, 'big') + whole[9:]
    stamp = r.choice((1760000000, r.getrandbits(32)))
    signed = m.sign_hello(whole, r.choice((SECRET,) * 6 + (r.randbytes(16),)), stamp)
    if r.randrange(3) == 0:
        message = signed[5:]
        sizes = [r.choice((1, 3, 4, r.randint(1, max(1, len(message) // 2)), r.randint(0, len(message)))) for _ in range(r.randint(1, 9))]
        signed = m.tls_records(message, sizes)
    return r.choice((signed, signed, signed, signed + some(r, 40), signed[:r.randint(0, len(signed))], dented(r, signed)))


def with_whole_lists(lenient):
    """RULE (spec/02 section 3) a list is taken up by its items whole; the model looks at the items that fit and forgets the rest."""
    kind, overhead, nothing = (0, 3, None) if lenient is m.hello_sni else (0x33, 4, [])

    def strict(fields):
        found = lenient(fields)
        if not found:
            return found
        body = next(b for t, b in fields['exts'] if t == kind)
        items = [found] if kind == 0 else [key for _, key in found]
        return found if len(body) - 2 == int.from_bytes(body[:2], 'big') == sum(overhead + len(item) for item in items) else nothing
    return strict


def with_longest_client(collect):
    """RULE (spec/02 changed 4) a message longer than any client's is refused as soon as its length is known;
    the model collects up to 16384 bytes."""
    def bounded(data):
        # Where the model waits for more or is content, the longest beginning that ends with the length decides.
        position, message = 0, b''
        while len(message) < 4 and len(data) >= position + 5:
            length = int.from_bytes(data[position + 3:position + 5], 'big')
            fragment = data[position + 5:position + 5 + length]
            missing = 4 - len(message)
            if len(fragment) >= missing:
                known = data[:position + 5 + missing]
                is_long = int.from_bytes((message + fragment)[1:4], 'big') + 4 > 4096
                return ('too_long', None, 0) if is_long and collect(known)[0] in ('need_more', 'ok') else collect(data)
            message += fragment
            position += 5 + length
            if len(fragment) < length:
                break
        return collect(data)
    return bounded


# The model's decision uses these by name.
m.collect_hello = with_longest_client(m.collect_hello)
m.hello_sni, m.hello_keyshares = with_whole_lists(m.hello_sni), with_whole_lists(m.hello_keyshares)


def hello_collect(r):
    data = hello(r)
    state, one, used = m.collect_hello(data)
    expected = {'ok': lambda: line('ok', one, used), 'need_more': lambda: 'need_more', 'not_tls': lambda: 'tls_client_hello_expected',
                'too_short': lambda: 'tls_client_hello_too_short',
                'too_long': lambda: 'tls_client_hello_too_long', 'malformed': lambda: 'tls_bad_client_hello'}[state]()
    return ask('hello-collect', expected, bytes=data)


def hello_decide(r):
    data = hello(r)
    outcome, metric = m.decide(data, {'secret': SECRET.hex()})
    expected = metric or outcome
    if outcome == 'not_tls':
        expected = 'tls_client_hello_expected'  # RULE it is the judge who says unknown_protocol, for whoever may speak without TLS
    if outcome == 'accept':
        _, one, used = m.collect_hello(data)
        fields = m.parse_hello(one)
        suite = next(s for s in fields['ciphers'] if s in (0x1301, 0x1302, 0x1303))
        expected = line('accept', m.check_digest(one, SECRET)[1], f'{suite:04x}', m.hello_sni(fields),
                        's' + fields['session_id'].hex(), used)
    return ask('hello-decide', expected, bytes=data, secret=SECRET)


def hello_sign(r):
    data, secret, time = some(r, 900, 43), r.randbytes(16), r.getrandbits(32)
    blank = data[:11] + bytes(32) + data[43:]
    return ask('hello-sign', m.sign_hello(blank, secret, time).hex(), bytes=data, secret=secret, time=time)


def hello_digest(r):
    data = some(r, 900, 43)
    signed = m.sign_hello(data[:11] + bytes(32) + data[43:], SECRET, r.getrandbits(32))
    if r.randrange(2):
        signed = bytearray(signed)
        signed[r.randrange(len(signed))] ^= 1 << r.randrange(8)
        signed = bytes(signed)
    good, time, _ = m.check_digest(signed, SECRET)
    return ask('hello-digest', line('signed', time) if good else 'unsigned', bytes=signed, secret=SECRET)


def time_window(r):
    now, unset = r.randint(1_500_000_000, 4_000_000_000), r.random() < 0.5
    time = max(0, min(0xffffffff, r.choice((
        now + r.randint(-700, 200), r.choice((now - 601, now - 600, now + 120, now + 121)),
        r.getrandbits(32), 86_400_000 - r.randint(-2, 2), 0))))
    return ask('time-window', str(int(m.time_ok(time, now, unset))), time=time, now=now, acceptUnset=unset)


# ---- flights and records

def flight(r):
    client_random, session_id, suite = r.randbytes(32), r.randbytes(r.choice((32, 0, 16))), r.choice((0x1301, 0x1302, 0x1303))
    share, app_data, order = r.randbytes(32), some(r, 1500), r.choice(('ks_first', 'sv_first'))
    wire, _ = m.server_hello(SECRET, client_random, session_id, suite, 0x1d, share, app_data, order)
    return wire, dict(clientRandom=client_random, sessionId=session_id, suite=suite, share=share,
                      appData=app_data, order=order, secret=SECRET)


def flight_write(r):
    wire, fields = flight(r)
    return ask('flight-write', wire.hex(), **fields)


def flight_verify(r):
    wire, fields = flight(r)
    wire = r.choice((wire, wire + some(r, 50), dented(r, wire), wire[:r.randint(0, len(wire))], some(r, 200)))
    try:
        good, rest = m.check_server_hello(wire, SECRET, fields['clientRandom'])
    except (AssertionError, struct.error):
        good, rest = False, b''
    return ask('flight-verify', line('ours', len(wire) - len(rest)) if good else 'foreign',
               bytes=wire, clientRandom=fields['clientRandom'], secret=SECRET)


def records_wrap(r):
    data = some(r, r.choice((100, 2000))) if r.randrange(20) else r.randbytes(r.choice((16384, 16385, 32768, 40000)))
    return ask('records-wrap', m.tls_wrap(data).hex(), bytes=data)


def records_unwrap(r):
    parts = (lambda: m.tls_wrap(some(r, 200, 1)), lambda: b'\x14\x03\x03\0\1\1',
             lambda: b'\x14\x03\x03' + struct.pack('>H', 3) + b'abc', lambda: b'\x17\x03\x03\0\0',
             lambda: b'\x15\x03\x03\0\2\1\0' if r.randrange(4) == 0 else b'')
    data = b''.join(r.choice(parts)() for _ in range(r.randint(0, 6)))
    data = r.choice((data, data[:r.randint(0, len(data))], dented(r, data)))
    try:
        payload, rest = m.tls_unwrap(data)
        # RULE the first byte that no record can have ends it, before the header is whole: filled up to five bytes,
        # the model says the same. An alert is one with its version only.
        if rest not in (b'\x15', b'\x15\x03'):
            m.tls_unwrap(rest + b'\x17\x03\x03\0\0'[len(rest):])
    except m.ProtoError:
        return ask('records-unwrap', 'end', bytes=data)
    # RULE records are a byte stream: payload is handed on before its record is complete.
    return ask('records-unwrap', 'p' + (payload + (rest[5:] if rest[:1] == b'\x17' else b'')).hex(), bytes=data)


# ---- the middle proxy

def middle_proxy_keys(version):
    def make(r):
        server, client = ip(r, version), ip(r, version)
        a = dict(srv_nonce=r.randbytes(16), cli_nonce=r.randbytes(16), ts=r.getrandbits(32),
                 srv_ip=server, srv_port=r.randint(1, 65535), cli_ip=client, cli_port=r.randint(1, 65535),
                 secret=some(r, 256, 32))
        keys = [m.mp_keys(purpose, **a)[:2] for purpose in (b'CLIENT', b'SERVER')]
        # RULE (spec/03 section 2.2) a mapped IPv4 address counts as IPv4.
        shown = [f'::ffff:{address}' if version == 4 and r.randrange(4) == 0 else address for address in (server, client)]
        return ask('middle-proxy-keys', line(*(m.CbcEnc(key, iv)(bytes(48)) for key, iv in keys)),
                   serverNonce=a['srv_nonce'], clientNonce=a['cli_nonce'], time=a['ts'],
                   serverIp=shown[0], serverPort=a['srv_port'], clientIp=shown[1], clientPort=a['cli_port'], proxySecret=a['secret'])
    return make


def full_frame_write(r):
    sequence, payload = r.choice((-2, -1, 0, r.randint(-2**31, 2**31 - 1))), words(r, 200)
    return ask('full-frame-write', m.pad16(m.full_frame(sequence, payload)).hex(), sequence=sequence, payload=payload)


def full_frame_read(r):
    first = r.choice((-2, 0, r.randint(-2**31, 2**31 - 100)))
    data = b''.join(r.choice((m.full_frame, lambda s, p: m.pad16(m.full_frame(s, p))))(first + i, words(r, 30))
                    for i in range(r.randint(0, 4)))
    if r.randrange(2):
        data = dented(r, data, 1)
    if r.randrange(8) == 0:
        data = struct.pack('<I', r.choice((0, 4, 8, 12, 13, 1 << 24, (1 << 24) + 4, 0xfffffffc, r.getrandbits(32)))) + data[4:]
    decoder = m.FullDec(first)
    try:
        payloads = decoder.feed(data)
    except m.ProtoError as error:
        return ask('full-frame-read', str(error), sequence=first, bytes=data)
    # RULE a sequence number that is not due ends the link as soon as it can be read, before the body.
    if len(decoder.buf) >= 8 and struct.unpack('<i', decoder.buf[4:8])[0] != decoder.seq:
        return ask('full-frame-read', 'wrong_seq_no', sequence=first, bytes=data)
    return ask('full-frame-read', line(len(decoder.buf), *('p' + payload.hex() for payload in payloads)), sequence=first, bytes=data)


def rpc_address(r):
    address = ip(r)
    return ask('rpc-address', m.addr20(address, 0)[:16].hex(), ip=address)


def rpc(r):
    """A packet of the model, and its fields under our names."""
    number, body = r.randint(-2**63, 2**63 - 1), r.choice((b'', bytes(8))) + words(r, 60)
    flags, time = r.getrandbits(32), r.getrandbits(32)
    kind = r.choice(('ProxyAns', 'CloseExt', 'CloseConn', 'SimpleAck', 'Ping', 'Pong', 'Nonce', 'Handshake', 'ProxyReq', 'ProxyReq'))
    fields = dict(kind=kind, id=number, body=body)
    if kind == 'ProxyAns':
        return m.rpc_ans(flags, number, body), dict(fields, flags=flags), line(kind, number, flags, 'p' + body.hex())
    if kind in ('CloseExt', 'CloseConn'):
        return (m.rpc_close_ext if kind == 'CloseExt' else m.rpc_close_conn)(number), fields, line(kind, number)
    if kind == 'SimpleAck':
        confirm = r.randbytes(4)
        return m.rpc_simple_ack(number, confirm), dict(fields, body=confirm), line(kind, number, 'p' + confirm.hex())
    if kind in ('Ping', 'Pong'):
        return (m.rpc_ping if kind == 'Ping' else m.rpc_pong)(number), fields, line(kind, number)
    if kind == 'Nonce':
        selector, nonce = r.randbytes(4), r.randbytes(16)
        fields = dict(fields, selector=int.from_bytes(selector, 'little'), time=time, nonce=nonce)
        return m.rpc_nonce(selector, 1, time, nonce), fields, 'Unknown'
    if kind == 'Handshake':
        sender, peer = r.randbytes(12), r.randbytes(12)
        return m.rpc_handshake(0, sender, peer), dict(fields, sender=sender, peer=peer), 'Unknown'
    transport, quick, tag = r.choice(TRANSPORTS), r.random() < 0.5, r.choice((b'', r.randbytes(16)))
    client, proxy = (ip(r), r.randint(0, 65535)), (ip(r), r.randint(0, 65535))
    flags = m.req_flags(transport, body, bool(tag), quick)
    shown = [m.addr20(address, 0)[:16].hex() for address, _ in (client, proxy)]
    return (m.rpc_proxy_req(flags, number, client, proxy, tag, body),
            dict(fields, transport=transport, quick=quick, tag=tag,
                 clientIp=client[0], clientPort=client[1], proxyIp=proxy[0], proxyPort=proxy[1]),
            line(kind, flags, number, shown[0], client[1], shown[1], proxy[1], 't' + tag.hex(), 'p' + body.hex()))


def rpc_write(r):
    wire, fields, _ = rpc(r)
    return ask('rpc-write', wire.hex(), **fields)


def rpc_read(r):
    wire, fields, expected = rpc(r)
    # RULE (spec/03 section 4) a known constructor with a length it does not have is unknown.
    if fields['kind'] in ('CloseExt', 'CloseConn', 'SimpleAck', 'Ping', 'Pong') and r.randrange(3) == 0:
        wire, expected = r.choice((wire[:-4], wire + bytes(4), wire[:4], wire[:2], b'')), 'Unknown'
    return ask('rpc-read', expected, bytes=wire)


def statement(r):
    dc = r.choice((str(r.randint(-5, 5)), '203', str(r.randint(-40000, 40000)), '+2', '02', '-0', 'x', ''))
    address = r.choice((
        ip(r, 4), ip(r, 6), f'[{ip(r, 6)}]', f'::ffff:{ip(r, 4)}', '010.0.0.1', '1.2.3', '1.2.3.4.5', f'[{ip(r, 4)}]',
        '1::2::3', '[::1', 'name.example', '0x7f.0.0.1', '12345::1', 'fe80::1%1'))
    port = r.choice((str(r.randint(1, 65535)), '0', '65536', '080', '+80', '-1', ''))
    return r.choice((
        f'proxy_for {dc} {address}:{port}', f'proxy_for {dc} {address}:{port}', f'proxy_for {dc} {address}:{port}',
        f'default {dc}', f'proxy_for {dc} {address}', 'timeout 10',
        f'proxy_for {dc} {address}:{port} x', f'proxy {address}:{port}'))


def is_refused(text):
    """RULE our reader is stricter than the model's: an id of 16 bits, a port of digits alone,
    brackets in pairs and around IPv6 only, no zones."""
    given = text.split()
    if len(given) == 2 and given[0] == 'default':
        return not re.fullmatch('[+-]?[0-9]+', given[1]) or not -32768 <= int(given[1]) <= 32767
    if len(given) != 3 or given[0] != 'proxy_for':
        return False
    host, _, port = given[2].rpartition(':')
    return (not re.fullmatch('[+-]?[0-9]+', given[1]) or not re.fullmatch('[0-9]+', port)
            or not re.fullmatch(r'[^\[\]%]*|\[[^\[\]%]*:[^\[\]%]*\]', host))


def proxy_config(r):
    text = ''
    for _ in range(r.randint(0, 8)):
        spaced = re.sub(' ', lambda _: r.choice((' ', ' ', ' ', '  ', '\t')), statement(r))
        text += (r.choice(('', '', '', ' ', '#')) + spaced + r.choice((';', ';', ';', '', '; ', '# '))
                 + r.choice(('\n', '\n', '\n', '\r\n', ' ')))
    if r.randrange(4) == 0:
        text = dented(r, text.encode()).decode('latin1')
        text = ''.join(c for c in text if c in '\t\n\r' or ' ' <= c <= '~')
    known = '\n'.join(';'.join(s for s in row.split('#')[0].split(';') if not is_refused(s)) for row in text.splitlines())
    default, proxies = m.parse_cfg(known)

    def shown(address):
        address = ipaddress.ip_address(address)
        return (getattr(address, 'ipv4_mapped', None) or address).packed.hex()  # RULE a mapped IPv4 address counts as IPv4

    expected = ' '.join(
        [str('none' if default is None else default)]
        + [f'{dc}={shown(address)}={port}' for dc, listed in proxies.items() for address, port in listed])
    return ask('proxy-config', expected, text=text.encode())


FORMATS = {
    'crc32': crc32, 'aes-ctr': aes_ctr, 'aes-cbc-encrypt': aes_cbc('encrypt'), 'aes-cbc-decrypt': aes_cbc('decrypt'),
    'secret-read': secret_read, 'secret-write': secret_write, 'link-write': link_write, 'link-read': link_read,
    'per-sni-secret': per_sni_secret,
    'forbidden-start': forbidden_start, 'header-server': header_server, 'header-client': header_client,
    'direct-header': direct_header, 'direct-pass-through': direct_pass_through,
    **{f'{transport}-read': frame_read(transport) for transport in TRANSPORTS},
    **{f'{transport}-read-from-server': frame_read(transport, from_server=True) for transport in TRANSPORTS},
    **{f'{transport}-write': frame_write(transport) for transport in TRANSPORTS},
    'hello-collect': hello_collect, 'hello-decide': hello_decide, 'hello-sign': hello_sign, 'hello-digest': hello_digest,
    'time-window': time_window,
    'flight-write': flight_write, 'flight-verify': flight_verify, 'records-wrap': records_wrap, 'records-unwrap': records_unwrap,
    'middle-proxy-keys-ipv4': middle_proxy_keys(4), 'middle-proxy-keys-ipv6': middle_proxy_keys(6),
    'full-frame-write': full_frame_write, 'full-frame-read': full_frame_read,
    'rpc-address': rpc_address, 'rpc-write': rpc_write, 'rpc-read': rpc_read, 'proxy-config': proxy_config,
}
