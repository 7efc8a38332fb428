#!/usr/bin/env python3
"""What a thousand scrapes at once cost: the others' throughput and times to answer, and this process's memory.

    ./scrapes.py [--pairs 5] [--scrapes 1000] [--sessions 10000] [-- PROXY COMMAND...]

Starts the proxy with portico/direct.json and its administration on a port. By turns, with and without waves of scrapes that all come at
once, one wave every three seconds: downloads of 4 clients, and echoes of 16. Then so many idle clients, listed page by page.
Exit status 1: a wave was not answered whole, others kept less than 95 % of their throughput or took more than twice as long (p99),
memory that is the process's own grew by more than 16 MB, or a page of sessions has more than 200 KB.
"""
import argparse, asyncio, json, os, statistics, subprocess, sys, tempfile, threading, time, urllib.request

import measure

ADMIN, TOKEN, EVERY = 4462, "0123456789abcdef0123456789abcdef", 3
MOST_MB, LEAST_SHARE, MOST_TIMES, MOST_PAGE = 16, 0.95, 2.0, 200_000


def configuration(folder):
    return measure.configuration(folder + "/portico.json", dataDirectory=folder,
                                 admin={"address": "127.0.0.1:%d" % ADMIN, "token": TOKEN, "socket": None})


def own_kb(pids):
    """resident, and of that what is no file's"""
    sums = {"VmRSS": 0, "RssAnon": 0}
    for pid in pids:
        for line in open("/proc/%d/status" % pid):
            key = line.split(":")[0]
            if key in sums:
                sums[key] += int(line.split()[1])
    return sums["VmRSS"], sums["RssAnon"]


def get(path):
    request = urllib.request.Request("http://127.0.0.1:%d%s" % (ADMIN, path), headers={"Authorization": "Bearer " + TOKEN})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read()


async def scrape():
    reader, writer = await asyncio.open_connection("127.0.0.1", ADMIN)
    writer.write(("GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n" % TOKEN).encode())
    answer = await reader.read(-1)
    writer.close()
    return answer.startswith(b"HTTP/1.1 200 ") and b"portico_connections" in answer


class Waves(threading.Thread):
    """A wave at once and then one every EVERY seconds, until it is stopped."""

    def __init__(self, count, pids):
        super().__init__(daemon=True)
        self.count, self.pids, self.over = count, pids, threading.Event()
        self.waves, self.failed, self.took, self.most = 0, 0, [], (0, 0)

    def run(self):
        asyncio.run(self.surge())

    async def surge(self):
        while not self.over.is_set():
            began = time.time()
            answers = await asyncio.gather(*[scrape() for _ in range(self.count)], return_exceptions=True)
            self.took.append(time.time() - began)
            self.failed += sum(answer is not True for answer in answers)
            self.waves += 1
            self.most = max(self.most, own_kb(self.pids))
            while time.time() < began + EVERY and not self.over.is_set():
                await asyncio.sleep(0.05)

    def stop(self):
        self.over.set()
        self.join()
        return self


def side(lab, scenario, secs, waves):
    surge = Waves(waves, lab.px.pids()) if waves else None
    if surge:
        surge.start()
    figure = lab.figure(
        measure.SCEN[scenario] + ["--secs", str(secs), "--warmup", "1"], "down_mb_s" if scenario == "down4" else "p99_us")
    if surge:
        surge.stop()
    return figure, surge


def pages(clients):
    """every page of the list, and the largest"""
    cursor, seen, largest = "", 0, 0
    while cursor is not None:
        body = get("/api/sessions?limit=250" + ("&cursor=" + cursor if cursor else ""))
        page = json.loads(body)
        largest, seen = max(largest, len(body)), seen + len(page["sessions"])
        cursor = page.get("next")
    return seen, largest


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--secs", type=int, default=6)
    parser.add_argument("--scrapes", type=int, default=1000)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("command", nargs="*")
    arguments = parser.parse_args()
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        with measure.portico_lab("scrapes", arguments.command, configuration(folder), folder) as lab:
            lab.warm("ee", 6)
            get("/metrics")
            before = own_kb(lab.px.pids())
            most, took = (0, 0), []
            for scenario in ("down4", "rtt16"):
                ratios = []
                for _ in range(arguments.pairs):
                    calm, _ = side(lab, scenario, arguments.secs, 0)
                    rough, surge = side(lab, scenario, arguments.secs, arguments.scrapes)
                    ratios.append(rough / calm)
                    most, took = max(most, surge.most), took + surge.took
                    if surge.failed:
                        wrong.append("%d scrapes were not answered" % surge.failed)
                print("%s: with scrapes over without, median of %d: %.2f (%.2f to %.2f)"
                      % (scenario, len(ratios), statistics.median(ratios), min(ratios), max(ratios)), flush=True)
                if scenario == "down4" and statistics.median(ratios) < LEAST_SHARE:
                    wrong.append("throughput fell to %.2f" % statistics.median(ratios))
                if scenario == "rtt16" and statistics.median(ratios) > MOST_TIMES:
                    wrong.append("p99 grew to %.2f times" % statistics.median(ratios))
            grown = [(peak - base) / 1024 for peak, base in zip(most, before)]
            print("a wave of %d took %.2f s (median of %d); resident +%.1f MB at most, the process's own +%.1f MB"
                  % (arguments.scrapes, statistics.median(took), len(took), *grown), flush=True)
            if grown[1] > MOST_MB:
                wrong.append("memory grew by %.1f MB" % grown[1])
            if arguments.sessions:
                wrong += list_sessions(lab, arguments.sessions)
    for fault in wrong:
        print("WRONG: " + fault)
    return 1 if wrong else 0


def list_sessions(lab, count):
    idle = subprocess.Popen(lab.load_cmd("ee", ["--scenario", "idle", "-c", str(count)]), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        ready = json.loads(idle.stdout.readline())
        began = time.time()
        seen, largest = pages(count)
        print("%d sessions: %d listed in %.2f s, the largest page has %d bytes"
              % (ready.get("alive", 0), seen, time.time() - began, largest), flush=True)
        return (["%d of %d sessions were listed" % (seen, ready.get("alive", 0))] if seen < ready.get("alive", count) else []) + \
            (["a page has %d bytes" % largest] if largest > MOST_PAGE else [])
    finally:
        idle.stdin.write(b"quit\n")
        idle.stdin.close()
        idle.wait()


if __name__ == "__main__":
    sys.exit(main())
