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
HELLO = 0x10


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


def download(proxy, port, *options):
    cpu = proxy.cpu()
    told = subprocess.run(
        ["build/load", "--port", str(port), *options, "--scenario", "throughput-down", "-c", "1",
         "--secs", str(SECONDS), "--warmup", "1", "--verbose"],
        capture_output=True, text=True)
    if told.returncode:
        sys.exit(told.stdout + told.stderr)
    result = json.loads(told.stdout.strip().splitlines()[-1])
    return result["down_mb_s"], (proxy.cpu() - cpu) / (result["total_down"] / 1e9)


def down(pairs, program):
    listener = {"name": "ee", "address": "127.0.0.1", "port": EE, "secret": KEY.hex(), "domain": "localhost", "protocols": ["fake-tls"]}
    telegram = measure.Proc(["build/faketg"], None)
    atexit.register(telegram.stop)
    if not measure.wait_port(21803, 5) or telegram.p.poll() is not None:
        sys.exit("faketg did not start")
    proxy, ratios = Proxy(program, True, [listener]), []
    for _ in range(pairs):
        ee = download(proxy, EE, "--proto", "ee", "--secret", KEY.hex(), "--domain", "localhost", "--big-hello")
        web = download(proxy, WEB, "--proto", "web", "--secret", Proxy.key(0).hex(), "--domain", HOST)
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
