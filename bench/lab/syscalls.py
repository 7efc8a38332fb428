#!/usr/bin/env python3
"""System calls that a proxy makes for one connection: handshake, one echo, close.

    ./syscalls.py [--secs 5] [direct|middle] -- PROXY COMMAND...

Starts the proxy with portico/direct.json or middle.json, follows it with strace -c while 32 clients at a time come and go, and tells the
calls of each connection. Needs strace and the right to trace.
"""
import argparse, os, re, signal, subprocess, sys, tempfile, time

import measure


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--secs", type=int, default=5)
    parser.add_argument("mode", choices=["direct", "middle"], nargs="?", default="direct")
    parser.add_argument("command", nargs="*")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with measure.portico_lab("syscalls", arguments.command, "portico/%s.json" % arguments.mode, folder) as lab:
            lab.warm("ee", 3)
            counts = folder + "/counts"
            strace = subprocess.Popen(["strace", "-c", "-f", "-o", counts, "-p", str(lab.px.sid)], stderr=subprocess.DEVNULL)
            time.sleep(1)
            answer = lab.run("ee", [*measure.SCEN["rate"], "--secs", str(arguments.secs), "--warmup", "0"])
            strace.send_signal(signal.SIGINT)
            strace.wait(10)
            if not answer.get("ok"):
                sys.exit("load failed: %s" % answer)
            rows = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", open(counts).read(), re.M)
            calls = {name: int(count) / answer["handshakes"] for count, name in rows if name != "total"}
            for name, each in sorted(calls.items(), key=lambda it: -it[1]):
                if each >= 0.05:
                    print("%6.2f  %s" % (each, name))
            print("%6.2f  in all, for each of %d connections" % (sum(calls.values()), answer["handshakes"]))


if __name__ == "__main__":
    main()
