#!/usr/bin/env python3
"""How soon a proxy is there, and what it takes then; with an empty directory, and with one in which many clients are remembered.

    ./starts.py [--starts 20] [--remembered 170000] -- PROXY COMMAND...

Fills a directory by as many clients as are to be remembered (portico/direct.json, with a directory of its own). Then starts by turns with
an empty copy and with that one: time from the start of the process to the line on the standard output that tells of its links, and to the
first connection that is taken; resident memory two seconds later.
Exit status 1: with either directory the median to the first link is over 35 ms, or more than 20 MB are resident.
"""
import argparse, json, os, pathlib, shutil, socket, statistics, subprocess, sys, tempfile, time

import measure

HERE = pathlib.Path(__file__).resolve().parent
PORT, MOST_MS, MOST_MB = 4430, 35, 20


def configuration(folder, data):
    return measure.configuration("%s/%s.json" % (folder, os.path.basename(data)), dataDirectory=data,
                                 admin={"address": None, "socket": None}, replay={"maxItems": 1_000_000})


def fill(command, config, folder, count):
    with measure.portico_lab("starts", command, config, folder) as lab:
        while count > 0:
            answer = lab.run("ee", ["--scenario", "connect-rate", "-c", "32", "--secs", "10", "--warmup", "0"])
            if not answer.get("ok"):
                sys.exit("load failed: " + json.dumps(answer))
            count -= answer["handshakes"]


def start(command, config):
    """seconds to the first link, to the first connection; MB"""
    began = time.perf_counter()
    process = subprocess.Popen([*command, "run", "--config", config, "--log-level", "warn"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    try:
        taken = None
        while taken is None and time.perf_counter() - began < 10:
            try:
                socket.create_connection(("127.0.0.1", PORT), 1).close()
                taken = time.perf_counter() - began
            except OSError:
                time.sleep(0.0005)
        if b" link" not in process.stdout.readline():
            sys.exit("the proxy has no links")
        linked = time.perf_counter() - began
        time.sleep(2)
        return linked, taken, measure.memory([process.pid])[0] / 1024
    finally:
        process.kill()  # it has nothing to lose, and would see its clients off
        process.wait()
        process.stdout.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--remembered", type=int, default=170_000)
    parser.add_argument("command", nargs="+")
    arguments, wrong = parser.parse_args(), False
    with tempfile.TemporaryDirectory(dir=HERE) as folder:
        data = {"empty": folder + "/empty", "%d remembered" % arguments.remembered: folder + "/many"}
        for path in data.values():
            os.mkdir(path, 0o700)
        if arguments.remembered:
            fill(arguments.command, configuration(folder, folder + "/many"), folder, arguments.remembered)
        figures = {name: [] for name in data}
        for _ in range(arguments.starts):
            for name, path in data.items():
                if path.endswith("/empty"):
                    shutil.rmtree(path)
                    os.mkdir(path, 0o700)
                figures[name].append(start(arguments.command, configuration(folder, path)))
        for name, rows in figures.items():
            linked, taken, resident = (statistics.median(column) for column in zip(*rows))
            print("%s: first link after %.1f ms (%.1f to %.1f), first connection after %.1f ms, %.1f MB resident"
                  % (name, 1000 * linked, 1000 * min(rows)[0], 1000 * max(rows)[0], 1000 * taken, resident))
            wrong |= 1000 * linked > MOST_MS or resident > MOST_MB
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
