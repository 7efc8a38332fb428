#!/usr/bin/env python3
"""Clients that read nothing, behind a proxy in a control group of little memory: nobody is killed, and ten seconds later all is well.

    ./deaf_clients.py [--clients 9000] [--mb 256] [-- PROXY COMMAND...]

Needs root, control groups of version 1 or 2 that can be made, and python3-cryptography. The proxy is started inside the group with
portico/direct.json, a data centre stands behind it that has 200 KB for each deaf client and no end of bytes for the innocent ones,
which read all the time. More would only fill the TCP memory of the machine.
Exit status 1: the proxy was killed, was short of memory for more than ten seconds at a time, or an innocent client was let go.
"""
import argparse, hashlib, os, pathlib, resource, selectors, signal, socket, subprocess, sys, threading, time

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

HERE = pathlib.Path(__file__).resolve().parent
SECRET = bytes.fromhex("00112233445566778899aabbccddeeff")
PROXY, DC = ("127.0.0.1", 4430), ("127.0.0.1", 21802)
PRESSURE, NORMAL, MOST = 0.85, 0.82, 200_000


def header():
    while True:
        plain = bytearray(os.urandom(64))
        if plain[0] not in (0xEF, 0x16) and plain[4:8] != bytes(4) and plain[0] > 0x80:
            break
    plain[56:60], plain[60:62] = b"\xee" * 4, (2).to_bytes(2, "little")
    key = hashlib.sha256(bytes(plain[8:40]) + SECRET).digest()
    sealed = Cipher(algorithms.AES(key), modes.CTR(bytes(plain[40:56]))).encryptor().update(bytes(plain))
    return bytes(plain[:56]) + sealed[56:]


class Group:
    """A control group with a limit."""

    def __init__(self, limit):
        v1 = pathlib.Path("/sys/fs/cgroup/memory")
        self.is_v1 = (v1 / "memory.limit_in_bytes").exists()
        self.path = (v1 if self.is_v1 else pathlib.Path("/sys/fs/cgroup")) / f"portico-deaf-{os.getpid()}"
        self.path.mkdir()
        (self.path / ("memory.limit_in_bytes" if self.is_v1 else "memory.max")).write_text(str(limit))

    def used(self):
        used = int((self.path / ("memory.usage_in_bytes" if self.is_v1 else "memory.current")).read_text())
        key = "total_inactive_file " if self.is_v1 else "inactive_file "
        lines = (self.path / "memory.stat").read_text().splitlines()
        return used - next(int(line.split()[1]) for line in lines if line.startswith(key))

    def enter(self):
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self):
        for _ in range(50):
            try:
                return self.path.rmdir()
            except OSError:
                time.sleep(0.1)


def serve(innocent):
    """A data centre: sends as much as is taken, to those who come after the innocent ones no more than MOST."""
    listener = socket.create_server(DC, backlog=4096)
    listener.setblocking(False)
    ready = selectors.DefaultSelector()
    ready.register(listener, selectors.EVENT_READ)
    bytes_, left = os.urandom(65536), {}
    while True:
        for key, _ in ready.select():
            if key.fileobj is listener:
                try:
                    caller, _ = listener.accept()
                except OSError:
                    continue
                caller.setblocking(False)
                left[caller] = MOST if len(left) >= innocent else 1 << 62
                ready.register(caller, selectors.EVENT_READ | selectors.EVENT_WRITE)
                continue
            try:
                left[key.fileobj] -= key.fileobj.send(bytes_[:left[key.fileobj]])
                if left[key.fileobj] == 0:
                    ready.unregister(key.fileobj)
            except BlockingIOError:
                pass
            except OSError:
                ready.unregister(key.fileobj)
                key.fileobj.close()


def connect(receive_buffer):
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(30)
    client.connect(PROXY)
    client.sendall(header())
    return client


class Reader(threading.Thread):
    """An innocent client."""

    def __init__(self):
        super().__init__(daemon=True)
        self.client, self.bytes, self.end = connect(0), 0, None

    def run(self):
        try:
            while count := len(self.client.recv(65536)):
                self.bytes += count
                time.sleep(0.01)  # a line of some MB a second
            self.end = "FIN"
        except OSError as error:
            self.end = str(error)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=9000)
    parser.add_argument("--mb", type=int, default=256)
    parser.add_argument("--secs", type=float, default=20, help="to look after the last has come")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--innocent", type=int, default=5)
    parser.add_argument("command", nargs="*", default=["dotnet", str(HERE / "../../src/Portico/bin/Release/net10.0/portico.dll")])
    options = parser.parse_args()
    files = max(2 * options.clients + 2000, 4096)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, max(files, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    dc = os.fork()
    if dc == 0:
        serve(options.innocent)
    limit = options.mb << 20
    group = Group(limit)
    proxy = subprocess.Popen(
        [*options.command, "run", "--config", str(HERE / "portico/direct.json")], preexec_fn=group.enter,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/tmp")
    lines, began = [], time.monotonic()

    def listen():
        for line in proxy.stdout:
            if "emory" in line or options.verbose:
                print(f"{time.monotonic() - began:6.1f} s  {line.strip()}")
            lines.append(line)

    threading.Thread(target=listen, daemon=True).start()
    failed = []
    try:
        while not any("istening" in line for line in lines):
            if proxy.poll() is not None:
                sys.exit("the proxy does not start: " + "".join(lines))
            time.sleep(0.1)
        readers = [Reader() for _ in range(options.innocent)]
        for reader in readers:
            reader.start()
        base, most, refused = group.used(), 0, 0
        deaf = []
        for _ in range(options.clients):
            try:
                deaf.append(connect(4096))
            except OSError:
                refused += 1
            if len(deaf) % 50 == 0:
                most = max(most, group.used())
        asked, short_since, longest = time.monotonic(), None, 0.0
        while time.monotonic() - asked < options.secs:
            used = group.used()
            most = max(most, used)
            if used > PRESSURE * limit:
                short_since = short_since or time.monotonic()
            elif used < NORMAL * limit:
                short_since = None
            longest = max(longest, time.monotonic() - (short_since or time.monotonic()))
            if proxy.poll() is not None:
                break
            time.sleep(0.1)
        mem = next(line for line in open("/proc/net/sockstat") if line.startswith("TCP:")).split()[-1]
        print(f"{len(deaf)} deaf clients ({refused} refused), {options.mb} MB: base {base >> 20} MB, most {most >> 20} MB, "
              f"at the end {group.used() >> 20} MB; short of memory for {longest:.1f} s at a time; "
              f"TCP of the whole machine {int(mem) * 4096 >> 20} MB; innocent clients got {[r.bytes >> 20 for r in readers]} MB")
        if proxy.poll() is not None:
            failed.append(f"the proxy ended: {proxy.returncode}")
        if longest > 10:
            failed.append("not back in ten seconds")
        failed += [f"an innocent client ended: {reader.end}" for reader in readers if reader.end]
        failed += [line.strip() for line in lines if "fail:" in line or "nhandled" in line]
    finally:
        proxy.terminate()
        try:
            proxy.wait(5)
        except subprocess.TimeoutExpired:
            proxy.kill()
            proxy.wait()
        os.kill(dc, signal.SIGKILL)
        os.waitpid(dc, 0)
        group.remove()
    for line in failed:
        print("FAILED:", line)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
