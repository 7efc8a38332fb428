#!/usr/bin/env python3
"""rotate_test.py PROFILE CLIENTS PROTO [ROUNDS [one]]: idle clients, Telegram closes every middle connection (one: only the busiest),
all echo again; exit status 0 if none was lost.
With FK_PORTS=m,d,h and PROXY_PORT / PROXY_CMD in the environment the profile's own ports are replaced."""
import argparse, json, os, shlex, subprocess, sys, time, urllib.request
import measure

prof = json.load(open(sys.argv[1]))
n, proto = int(sys.argv[2]), sys.argv[3]
rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 1
prof["port"] = int(os.environ.get("PROXY_PORT", prof["port"]))
prof["cmd"] = shlex.split(os.environ["PROXY_CMD"]) if "PROXY_CMD" in os.environ else prof["cmd"]
fk = [int(x) for x in os.environ.get("FK_PORTS", "21801,21802,21803").split(",")]
a = argparse.Namespace(fk=fk, logs="logs", faketg_args="--ping-secs 2")
with measure.Lab(prof, a) as lab:
    p = subprocess.Popen(lab.load_cmd(proto, ["--scenario", "idle", "-c", str(n)]), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=open(lab.log("load"), "ab"))
    d = json.loads(p.stdout.readline())
    print("ready: alive %d ok %s" % (d["alive"], d["ok"]))
    for r in range(rounds):
        urllib.request.urlopen("http://127.0.0.1:%d/%s" % (fk[2], "rotate1" if sys.argv[5:] == ["one"] else "rotate")).read()
        time.sleep(3)
        p.stdin.write(b"reecho\n"); p.stdin.flush()
        d = json.loads(p.stdout.readline())
        print("after rotation %d: alive %d of %d, closed by proxy %d, stuck %d, p99 %.1f ms" % (
            r + 1, d["alive"], n, d["unexpected_close"], d["stuck"], d["p99_us"] / 1e3))
    st = json.load(urllib.request.urlopen("http://127.0.0.1:%d/stats" % fk[2]))
    print({k: st[k] for k in ("middle_accepted", "middle_open", "middle_rotated", "sessions_opened", "sessions_open",
                              "pongs_in", "close_conn", "bad_frames", "corrupt")})
    p.stdin.close()
    p.wait()
sys.exit(d["alive"] != n or d["stuck"] > 0)
