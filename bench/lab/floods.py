#!/usr/bin/env python3
"""What floods of strangers cost clients: the others' throughput, and how long a newcomer takes to get in.

    ./floods.py [--pairs 5] [--secs 5] [--hellos 500] [-- PROXY COMMAND...]

Starts the proxy with portico/direct.json, limits of strangers as they are by default. A flood is so many TLS hellos a second that nobody
signed, each on a connection of its own that stays for a second: from one address, from the clients' own address, and from 10 000
addresses in turns. By turns, with and without each flood: downloads of 4 clients; and beside it a client after another that connects,
asks and leaves. The flood has no processor of its own, so what it takes to send it is told too, by the same flood against a port that
takes connections and says nothing.
Exit status 1: the others kept less than 90 % of their throughput, or more than one of 100 newcomers took longer than a second.
"""
import argparse, collections, itertools, multiprocessing, os, socket, ssl, statistics, sys, tempfile, time

import measure

PORT, SINK, DOMAIN, STAY = 4430, 4471, "localhost", 1.0
LEAST_SHARE, MOST_SECONDS = 0.9, 1.0
ONE, MANY = ["127.9.9.9"], [f"127.{10 + i // 65000}.{i % 65000 // 250}.{1 + i % 250}" for i in range(10_000)]
FLOODS = {"one address": ONE, "the clients' address": ["127.0.0.1"], "10 000 addresses": MANY}


def hello():
    """As the system's own library says it; the random is at 11."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname=DOMAIN).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


def flood(addresses, port, each_second, over, sent):
    words, open_ones, began = hello(), collections.deque(), time.time()
    for number, address in enumerate(itertools.cycle(addresses)):
        while open_ones and (open_ones[0][0] < time.time() - STAY or len(open_ones) > 4000):
            open_ones.popleft()[1].close()
        wait = began + number / each_second - time.time()
        if wait > 0:
            time.sleep(wait)
        if over.is_set():
            return
        stranger = socket.socket()
        try:
            stranger.settimeout(2)
            stranger.bind((address, 0))
            stranger.connect(("127.0.0.1", port))
            stranger.sendall(words[:11] + os.urandom(32) + words[43:])
            sent.value += 1
        except OSError:
            pass
        open_ones.append((time.time(), stranger))


class Flood:
    def __init__(self, addresses, port, each_second):
        self.over, self.sent = multiprocessing.Event(), multiprocessing.Value("q", 0)
        self.process = multiprocessing.Process(target=flood, args=(addresses, port, each_second, self.over, self.sent))

    def __enter__(self):
        self.process.start()
        self.began = time.time()
        time.sleep(STAY)
        return self

    def __exit__(self, *_):
        self.each_second = self.sent.value / (time.time() - self.began)
        self.over.set()
        self.process.join()


def sink():
    """Takes connections, keeps them for as long as they are kept, says nothing."""
    door, kept = socket.create_server(("127.0.0.1", SINK), backlog=1024), collections.deque(maxlen=2000)
    while True:
        kept.append(door.accept()[0])


def speed(lab, secs):
    return lab.figure([*measure.SCEN["down4"], "--secs", str(secs), "--warmup", "1"], "down_mb_s")


def newcomers(lab, secs):
    return lab.figure(["--scenario", "connect-rate", "-c", "1", "--secs", str(secs), "--warmup", "0"], "p99_us") / 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--secs", type=int, default=5)
    parser.add_argument("--hellos", type=int, default=500, help="a second")
    parser.add_argument("command", nargs="*")
    arguments, wrong = parser.parse_args(), []
    multiprocessing.Process(target=sink, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        with measure.portico_lab("floods", arguments.command, "portico/direct.json", folder) as lab:
            lab.warm("ee", 6)
            for name, addresses in FLOODS.items():
                shares, aside, waits, rates = [], [], [], []
                for _ in range(arguments.pairs):
                    calm = speed(lab, arguments.secs)
                    with Flood(addresses, PORT, arguments.hellos) as strangers:
                        shares.append(speed(lab, arguments.secs) / calm)
                        waits.append(newcomers(lab, arguments.secs))
                    rates.append(strangers.each_second)
                    with Flood(addresses, SINK, arguments.hellos):
                        aside.append(speed(lab, arguments.secs) / calm)
                share = statistics.median(shares)
                print("%s, %.0f hellos a second: throughput %.2f (%.2f to %.2f), and %.2f with the flood elsewhere; "
                      "a newcomer's p99 %.0f ms"
                      % (name, statistics.median(rates), share, min(shares), max(shares), statistics.median(aside), 1000 * max(waits)),
                      flush=True)
                if share < LEAST_SHARE:
                    wrong.append("%s: throughput fell to %.2f" % (name, share))
                if max(waits) > MOST_SECONDS:
                    wrong.append("%s: a newcomer waited %.1f s" % (name, max(waits)))
    for fault in wrong:
        print("WRONG: " + fault)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
