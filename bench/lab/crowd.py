#!/usr/bin/env python3
"""How long a user's handshake takes on a listener with many users, while strangers keep it busy.

    ./crowd.py [--users 1000] [--visits 100] [--hellos 200] [--strangers 100] [-- PROXY COMMAND...]

Starts the proxy with so many users on one listener, none with a domain of its own. Three times: with nobody else; with so many hellos of
16 KB a second; and with so many strangers under way at all times besides. Meanwhile users come one after the other: one who was there
before, and each time another. Told is the time from connecting to the first byte of the flight.
Exit status 1: of either a 20th takes longer than 20 ms while only the hellos come.
"""
import argparse, hashlib, hmac, itertools, multiprocessing, os, pathlib, random, socket, statistics, sys, tempfile, time

import floods
import measure

HERE = pathlib.Path(__file__).resolve().parent
PORT, MOST_MS, LONG = 4430, 20, 16_384


def secret(user):
    return hashlib.sha256(b"user %d" % user).digest()[:16]


def configuration(folder, users):
    listener = {"address": "127.0.0.1", "port": PORT, "domain": floods.DOMAIN, "protocols": ["fake-tls", "secure", "classic"],
                "users": [{"name": "u%d" % user, "secret": secret(user).hex()} for user in range(users)]}
    return measure.configuration(folder + "/portico.json", listeners=[listener], dataDirectory=folder + "/data",
                                 admin={"address": None, "socket": None})


def signed(words, key):
    """The hello with its random as a client's with this secret has it."""
    words = bytearray(words)
    words[11:43] = bytes(32)
    words[44:76] = os.urandom(32)  # the session, or the same hello would come twice
    digest = bytearray(hmac.new(key, words, hashlib.sha256).digest())
    now = int(time.time()).to_bytes(4, "little")
    digest[28:] = bytes(a ^ b for a, b in zip(digest[28:], now))
    words[11:43] = digest
    return bytes(words)


def visit(words, user):
    caller = socket.socket()
    caller.settimeout(20)
    hello = signed(words, secret(user))
    began = time.perf_counter()
    caller.connect(("127.0.0.1", PORT))
    caller.sendall(hello)
    answered = caller.recv(1) == b"\x16"
    took = time.perf_counter() - began
    caller.close()
    if not answered:
        sys.exit("a user was not answered")
    return took


def longer(words, length):
    """The same hello with a padding extension of so many bytes in all."""
    extra = length - len(words) - 4
    more = b"\x00\x15" + extra.to_bytes(2, "big") + bytes(extra)
    at = 5 + 4 + 2 + 32
    at += 1 + words[at]
    at += 2 + int.from_bytes(words[at:at + 2], "big")
    at += 1 + words[at]
    result = bytearray(words + more)
    result[at:at + 2] = (int.from_bytes(words[at:at + 2], "big") + len(more)).to_bytes(2, "big")
    result[3:5] = (len(result) - 5).to_bytes(2, "big")
    result[6:9] = (len(result) - 9).to_bytes(3, "big")
    return bytes(result)


def send_hellos(each_second, over):
    words, began = longer(floods.hello(), LONG), time.time()
    for number in itertools.count():
        wait = began + number / each_second - time.time()
        if wait > 0:
            time.sleep(wait)
        if over.is_set():
            return
        ask("127.8.%d.%d" % (number // 250 % 250, 1 + number % 250), words)


def crowd(count, over):
    """So many at a time, each of which waits until it is told something."""
    words, open_ones = floods.hello(), []
    for number in itertools.count():
        if over.is_set():
            return
        if len(open_ones) < count:
            open_ones.append(ask("127.7.%d.%d" % (number // 250 % 250, 1 + number % 250), words, keeps=True))
            continue
        stranger = open_ones.pop(0)
        try:
            stranger.recv(1)
        except OSError:
            pass
        stranger.close()


def ask(address, words, keeps=False):
    stranger = socket.socket()
    stranger.settimeout(5)
    try:
        stranger.bind((address, 0))
        stranger.connect(("127.0.0.1", PORT))
        stranger.sendall(words[:11] + os.urandom(32) + words[43:])
    except OSError:
        pass
    if keeps:
        return stranger
    stranger.close()


def times(users, visits):
    """of one who comes back, and of others, in ms: the middle one and the 20th from the top"""
    words, chance, rows = floods.hello(), random.Random(7), {"who comes back": [], "first comers": []}
    visit(words, 0)
    for _ in range(visits):
        rows["who comes back"].append(visit(words, 0))
        rows["first comers"].append(visit(words, chance.randrange(1, users)))
        time.sleep(0.02)
    return {who: (1000 * statistics.median(took), 1000 * statistics.quantiles(took, n=20)[-1]) for who, took in rows.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--visits", type=int, default=100)
    parser.add_argument("--hellos", type=int, default=200, help="a second")
    parser.add_argument("--strangers", type=int, default=100, help="at a time")
    parser.add_argument("command", nargs="*")
    arguments, wrong = parser.parse_args(), False
    with tempfile.TemporaryDirectory(dir=HERE) as folder:
        os.mkdir(folder + "/data", 0o700)
        with measure.portico_lab("crowd", arguments.command, configuration(folder, arguments.users), folder):
            for name, helpers in (("nobody else", []), ("hellos", [(send_hellos, arguments.hellos)]),
                                  ("hellos and strangers", [(send_hellos, arguments.hellos), (crowd, arguments.strangers)])):
                over = multiprocessing.Event()
                running = [multiprocessing.Process(target=run, args=(count, over)) for run, count in helpers]
                for process in running:
                    process.start()
                time.sleep(1)
                for who, (middle, late) in times(arguments.users, arguments.visits).items():
                    print("%d users, %s: %s wait %.1f ms, one of 20 longer than %.1f"
                          % (arguments.users, name, who, middle, late), flush=True)
                    wrong |= name == "hellos" and late > MOST_MS
                over.set()
                for process in running:
                    process.join(10)
                    process.kill()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
