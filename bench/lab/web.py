#!/usr/bin/env python3
"""The WEB proxy by the ruler: what a client costs that is silent, and one download beside one over fake TLS.

  web.py idle tls|plain N,M -- portico          memory of the process with so many WebSockets, and what one more costs
  web.py down PAIRS -- portico                  MB/s and CPU seconds per GB over a WebSocket with TLS, and over ee (build/load)

Everything on loopback; a folder of its own. Needs openssl; as many descriptors as there are clients (ulimit -n).
"""
import atexit, base64, hashlib, hmac, json, os, re, resource, shutil, socket, ssl, statistics, struct, subprocess, sys, tempfile, time

import measure

HOST, KEY, USERS = "web.example.com", bytes.fromhex("00112233445566778899aabbccddeeff"), 1000
WEB, EE, SECONDS = 4472, 4430, 4
OPEN, DATA, WINDOW, HELLO = 1, 2, 4, 0x10


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def frame(kind, stream, payload=b""):
    return bytes([kind]) + stream.to_bytes(3, "big") + struct.pack(">I", len(payload)) + payload


def message(payload):
    """A WebSocket message whose mask is zero."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0xFE]) + struct.pack(">H", len(payload))
    return b"\x82" + length + b"\0\0\0\0" + payload


class Proxy:
    def __init__(self, program, is_tls, listeners):
        self.folder, self.is_tls = tempfile.mkdtemp(prefix="portico-web-"), is_tls
        os.mkdir(self.folder + "/www")
        with open(self.folder + "/www/index.html", "w") as page:
            page.write("<!doctype html><title>A page</title>")
        web = {"host": HOST, "site": "www", "carriers": ["websocket", "https"]}
        if is_tls:
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                 "-keyout", "key.pem", "-out", "site.pem", "-subj", "/CN=" + HOST], cwd=self.folder, check=True, capture_output=True)
            web.update(certificate="site.pem", key="key.pem")
        else:
            web["trusted"] = ["127.0.0.1/32"]
        users = [{"name": f"u{i}", "secret": self.key(i).hex()} for i in range(USERS)]
        web_listener = {"name": "web", "address": "127.0.0.1", "port": WEB, "users": users, "protocols": [],
                        "maxConnections": 60000, "web": web}
        with open(os.open(self.folder + "/portico.json", os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            json.dump({"listeners": [web_listener, *listeners], "admin": {"address": None}, "cover": {"mode": "off"},
                       "backend": {"mode": "direct", "direct": {"endpoints": {"2": ["127.0.0.1:21802"]}}}}, file)
        self.process = measure.Proc([*program, "run", "--config", self.folder + "/portico.json", "--log-level", "warn"], None)
        atexit.register(self.end)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        if not measure.wait_port(WEB, 30):
            sys.exit("the proxy does not come")

    @staticmethod
    def key(user):
        return struct.pack(">QQ", 0x1234567890ABCDEF, user + 1)

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", WEB))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.tls.wrap_socket(sock, server_hostname=HOST) if self.is_tls else sock

    def memory(self):
        return measure.memory(self.process.pids())[1] * 1024

    def cpu(self):
        return measure.cpu(self.process.pids())

    def open_socket(self, number):
        """The page, a session and its WebSocket, all on one connection."""
        sock, user = self.connect(), number % USERS
        capability = text(hmac.new(b"\xdd" + self.key(user), f"tdesktop-web-proxy-bridge-v1\n{HOST}".encode(), hashlib.sha256).digest())
        client = "" if self.is_tls else f"X-Forwarded-For: 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}\r\n"
        _, page = self.ask(sock, f"GET /?bridge={capability} HTTP/1.1\r\nHost: {HOST}\r\n{client}\r\n")
        token = re.search(rb'bootstrap="([A-Za-z0-9_-]{43})"', page)[1].decode()
        hello = frame(HELLO, 0, b"\1")
        head, _ = self.ask(sock, f"POST /api/v1/session HTTP/1.1\r\nHost: {HOST}\r\n{client}Authorization: Bearer {token}\r\n"
                           f"Content-Type: application/octet-stream\r\nContent-Length: {len(hello)}\r\n\r\n", hello)
        token = re.search(rb"(?i)x-session-token: (\S+)", head)[1].decode()
        head, _ = self.ask(sock, f"GET /api/v1/ws HTTP/1.1\r\nHost: {HOST}\r\n{client}Connection: Upgrade\r\nUpgrade: websocket\r\n"
                           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                           f"Sec-WebSocket-Protocol: tproxy-v1.{token}\r\nOrigin: https://{HOST}\r\n\r\n")
        if b" 101 " not in head:
            sys.exit(head.decode())
        return sock

    @staticmethod
    def ask(sock, head, body=b""):
        sock.sendall(head.encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += sock.recv(65536) or sys.exit("the end instead of an answer")
        head, body = answer.split(b"\r\n\r\n", 1)
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while length and len(body) < int(length[1]):
            body += sock.recv(65536)
        return head, body

    def end(self):
        self.process.stop()
        shutil.rmtree(self.folder)


class Payloads:
    """Counts the bytes of DATA in WebSocket messages, wherever they are cut."""

    def __init__(self):
        self.kept, self.message, self.rest, self.is_data = b"", 0, 0, False

    def feed(self, area):
        count, at = 0, 0
        while True:
            if self.rest:
                taken = min(self.rest, len(area) - at)
                self.rest, at, count = self.rest - taken, at + taken, count + (taken if self.is_data else 0)
                if self.rest:
                    return count
            needed = 8 if self.message else 2
            if not self.message and len(self.kept) >= 2:
                needed += {126: 2, 127: 8}.get(self.kept[1] & 127, 0)
            if len(self.kept) < needed:
                taken = min(needed - len(self.kept), len(area) - at)
                if not taken:
                    return count
                self.kept, at = self.kept + bytes(area[at:at + taken]), at + taken
                continue
            if self.message:
                self.is_data, self.rest = self.kept[0] == DATA, int.from_bytes(self.kept[4:8], "big")
                self.message -= 8 + self.rest
            else:
                self.message = int.from_bytes(self.kept[2:], "big") if needed > 2 else self.kept[1] & 127
            self.kept = b""


def phase_of(tag):
    """Where the pattern of the first frame begins (src/lab.h)."""
    value = (tag + 0x9E3779B97F4A7C15) % 2**64
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = (value ^ value >> 33) * factor % 2**64
    return (value ^ value >> 33) & 0xFFF0


def question():
    """An obfuscated2 header (padded, DC 2) and a request of build/faketg for frames without an end, as they go on the wire."""
    header = bytearray(os.urandom(64))
    header[0], header[56:60], header[60:62] = 0x5A, b"\xdd" * 4, struct.pack("<h", 2)
    key, start = hashlib.sha256(bytes(header[8:40]) + Proxy.key(0)).digest(), bytes(header[40:56])
    source = struct.pack("<QIIIIQII", 0x1122334455667788, 0x3142414C, 3, 1 << 30, 131072, 1, phase_of(1), 40)
    plain = bytes(header) + struct.pack("<I", len(source)) + source
    stream = subprocess.run(["openssl", "enc", "-aes-256-ctr", "-K", key.hex(), "-iv", start.hex()],
                            input=plain, capture_output=True, check=True)
    return bytes(header[:56]) + stream.stdout[56:]


def download_web(proxy):
    sock, payloads, buffer = proxy.open_socket(0), Payloads(), memoryview(bytearray(1 << 20))
    sock.sendall(message(frame(OPEN, 1)))
    sock.sendall(message(frame(DATA, 1, question())))
    began, measured, count, credit = time.time(), None, 0, 0
    while time.time() < began + 1 + SECONDS:
        length = sock.recv_into(buffer) or sys.exit("the end instead of a download")
        came = payloads.feed(buffer[:length])
        count, credit = count + came, credit + came
        if credit >= 1 << 19:
            sock.sendall(message(frame(WINDOW, 1, struct.pack(">I", credit))))
            credit = 0
        if measured is None and time.time() > began + 1:
            measured = (time.time(), count, proxy.cpu())
    took, moved, cpu = time.time() - measured[0], count - measured[1], proxy.cpu() - measured[2]
    sock.close()
    return moved / took / 1e6, cpu / (moved / 1e9)


def download_ee(proxy):
    cpu = proxy.cpu()
    told = subprocess.run(
        ["build/load", "--port", str(EE), "--proto", "ee", "--secret", KEY.hex(), "--domain", "localhost", "--scenario",
         "throughput-down", "-c", "1", "--secs", str(SECONDS), "--warmup", "1", "--big-hello"], capture_output=True, text=True)
    result = json.loads(told.stdout.strip().splitlines()[-1])
    if not result["ok"]:
        sys.exit(told.stdout)
    return result["down_mb_s"], (proxy.cpu() - cpu) / (result["total_down"] / 1e9)


def down(pairs, program):
    listener = {"name": "ee", "address": "127.0.0.1", "port": EE, "secret": KEY.hex(), "domain": "localhost", "protocols": ["fake-tls"]}
    telegram = measure.Proc(["build/faketg"], None)
    atexit.register(telegram.stop)
    if not measure.wait_port(21803, 5) or telegram.p.poll() is not None:
        sys.exit("faketg did not start")
    proxy, ratios = Proxy(program, True, [listener]), []
    for _ in range(pairs):
        ee, web = download_ee(proxy), download_web(proxy)
        ratios.append(web[0] / ee[0])
        print(f"ee {ee[0]:.0f} MB/s, {ee[1]:.3f} CPU s/GB; WebSocket {web[0]:.0f} MB/s, {web[1]:.3f} CPU s/GB; {ratios[-1]:.2f}",
              flush=True)
    print(f"median {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")


def idle(is_tls, counts, program):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    proxy, held, before = Proxy(program, is_tls, []), [], None
    for count in counts:
        while len(held) < count:
            held.append(proxy.open_socket(len(held)))
        time.sleep(15)  # until what the crowd left behind is gone
        now = proxy.memory()
        more = "" if before is None else f", {(now - before[1]) / (count - before[0]):.0f} bytes for each one more"
        print(f"{count} clients: {now / 1e6:.1f} MB{more}", flush=True)
        before = (count, now)


if __name__ == "__main__":
    words, program = sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:]
    if words[0] == "idle":
        idle(words[1] == "tls", [int(count) for count in words[2].split(",")], [os.path.abspath(program[0]), *program[1:]])
    else:
        down(int(words[1]), [os.path.abspath(program[0]), *program[1:]])
