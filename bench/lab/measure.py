#!/usr/bin/env python3
"""Measures one MTProto proxy against faketg. See README.md.

  measure.py NAME.profile [...]
  measure.py --name X --port P --secret HEX --proto ee[,dd] [--domain D] -- COMMAND ARG...
  measure.py --pairs 5 --against BASE.profile ...     (interleaved with a baseline: ratios)
"""
import argparse, json, os, shlex, signal, socket, statistics, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
B = os.environ.get("LAB_BUILD", os.path.join(HERE, "build"))
TICK = os.sysconf("SC_CLK_TCK")


# ---- processes -----------------------------------------------------------------
def stat_fields(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            s = f.read()
    except OSError:
        return None
    return s[s.rindex(")") + 2:].split()  # [0]=state [1]=ppid [3]=session [11..14]=utime,stime,cutime,cstime


def session_pids(sid):
    """every process of the session that we started for the proxy"""
    out = []
    for d in os.listdir("/proc"):
        if d.isdigit():
            f = stat_fields(int(d))
            if f and int(f[3]) == sid:
                out.append(int(d))
    return out


def cpu(pids):
    """utime+stime in seconds; children already reaped by a live member are included"""
    t = 0
    for p in pids:
        f = stat_fields(p)
        if f:
            t += sum(int(x) for x in f[11:15])
    return t / TICK


def memory(pids):
    rss = pss = 0
    for p in pids:
        try:
            with open("/proc/%d/smaps_rollup" % p) as f:
                for line in f:
                    if line.startswith("Rss:"):
                        rss += int(line.split()[1])
                    elif line.startswith("Pss:"):
                        pss += int(line.split()[1])
        except OSError:
            pass
    return rss, pss  # KiB


def machine_busy():
    with open("/proc/stat") as f:
        v = [int(x) for x in f.readline().split()[1:9]]
    return (sum(v) - v[3] - v[4]) / TICK


class Proc:
    def __init__(self, cmd, log, env=None, stdin=None, stdout=None):
        self.log = open(log, "ab") if log else subprocess.DEVNULL
        e = dict(os.environ)
        e.update(env or {})
        self.p = subprocess.Popen(cmd, stdin=stdin or subprocess.DEVNULL, stdout=stdout or self.log, stderr=self.log,
                                  start_new_session=True, env=e)
        self.sid = self.p.pid

    def pids(self):
        return session_pids(self.sid)

    def stop(self):
        for sig, wait in ((signal.SIGTERM, 4), (signal.SIGKILL, 4)):
            for pid in self.pids():  # only members of the session created above
                try:
                    os.kill(pid, sig)
                except OSError:
                    pass
            end = time.time() + wait
            while time.time() < end:
                self.p.poll()
                if not self.pids():
                    self.p.wait()
                    return
                time.sleep(0.05)


def wait_port(port, secs):
    end = time.time() + secs
    while time.time() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.1)
    return False


# ---- one proxy -----------------------------------------------------------------
class Lab:
    def __init__(self, prof, a):
        self.prof, self.a = prof, a
        self.env = {"FK_MIDDLE": str(a.fk[0]), "FK_DC": str(a.fk[1]), "FK_HTTP": str(a.fk[2])}
        os.makedirs(a.logs, exist_ok=True)

    def log(self, what):
        return os.path.join(self.a.logs, "%s.%s.log" % (self.prof["name"], what))

    def __enter__(self):
        m, d, h = self.a.fk
        fk = [B + "/faketg", "--verbose", "--middle-port", str(m), "--dc-port", str(d), "--http-port", str(h)]
        self.tg = Proc(fk + shlex.split(self.a.faketg_args), self.log("faketg"))
        if not wait_port(h, 5):
            self.tg.stop()
            raise SystemExit("faketg did not start")
        self.px = Proc(self.prof["cmd"], self.log("proxy"), self.env)
        if not wait_port(self.prof["port"], 30):
            self.__exit__()
            raise SystemExit("proxy does not listen on %d" % self.prof["port"])
        time.sleep(self.prof.get("ready_secs", 2))
        return self

    def __exit__(self, *x):
        self.px.stop()
        self.tg.stop()

    def figure(self, args, key):
        """one figure of a load run over fake TLS, which has to go well"""
        d = self.run("ee", args)
        if not d.get("ok"):
            raise SystemExit("load failed: " + json.dumps(d))
        return d[key]

    def load_cmd(self, proto, args):
        c = [B + "/load", "--port", str(self.prof["port"]), "--proto", proto, "--verbose"]
        if self.prof.get("secret"):
            c += ["--secret", self.prof["secret"]]
        if self.prof.get("domain"):
            c += ["--domain", self.prof["domain"]]
        more = shlex.split(getattr(self.a, "load_args", ""))  # --big-hello means nothing without a TLS hello
        return c + self.prof.get("load_args", []) + args + [x for x in more if x != "--big-hello" or proto in ("ee", "tls")]

    def warm(self, proto, secs):
        """discarded: lets a JIT compile what the scenarios are going to use"""
        for i, s in enumerate(("down4", "rtt16", "rate") if secs else ()):
            d = self.run(proto, SCEN[s] + ["--secs", str(max(1, (secs + i) // 3)), "--warmup", "0"])
            if not d.get("ok"):
                print("    warm-up FAILED", json.dumps(d), flush=True)

    def run(self, proto, args, timeout=180):
        """one load run; returns its JSON line plus what the processes used"""
        px, tg, busy, t = cpu(self.px.pids()), cpu(self.tg.pids()), machine_busy(), time.time()
        r0 = os.times()
        with open(self.log("load"), "ab") as lg:
            p = subprocess.run(self.load_cmd(proto, args), stdout=subprocess.PIPE, stderr=lg, timeout=timeout)
        r1 = os.times()
        ld = r1.children_user + r1.children_system - r0.children_user - r0.children_system
        try:
            d = json.loads(p.stdout.decode().strip().splitlines()[-1])
        except (ValueError, IndexError):
            d = {"ok": False, "error": "no output, exit %d" % p.returncode}
        time.sleep(0.2)
        d["cpu_proxy"] = cpu(self.px.pids()) - px
        d["cpu_faketg"] = cpu(self.tg.pids()) - tg
        d["cpu_load"] = ld
        d["wall"] = time.time() - t
        d["others_cores"] = max(0.0, (machine_busy() - busy - d["cpu_proxy"] - d["cpu_faketg"] - ld) / d["wall"])
        gb = (d.get("total_down", 0) + d.get("total_up", 0)) / 1e9
        d["gb"] = gb
        if gb > 0.05:
            d["cpu_s_per_gb"] = d["cpu_proxy"] / gb
        if d.get("scenario") == "connect-rate" and d.get("handshakes"):
            d["cpu_us_per_conn"] = d["cpu_proxy"] * 1e6 / d["handshakes"]
        if d.get("scenario") == "echo-rtt" and d.get("frames_down"):
            d["cpu_us_per_msg"] = d["cpu_proxy"] * 1e6 / d["frames_down"]
        if p.returncode and not d.get("error"):
            d["ok"] = getattr(self.a, "closed_is_ok", False) and d["unexpected_close"] == sum(d.get(k, 0) for k in ERRORS)
        return d

    def idle(self, proto, n, holds, frame=0):
        """N idle connections (each has downloaded frame bytes); memory right after, after each hold, after a re-echo, after closing"""
        self.run(proto, ["--scenario", "pq", "-c", "20", "--secs", "1", "--warmup", "0", "--rounds", "2"])
        time.sleep(1)
        rss0, pss0 = memory(self.px.pids())
        out = {"n": n, "frame": frame, "rss0_kb": rss0, "pss0_kb": pss0}
        lg = open(self.log("load"), "ab")
        args = ["--scenario", "idle", "-c", str(n)] + (["--frame", str(frame)] if frame else [])
        p = subprocess.Popen(self.load_cmd(proto, args), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=lg)

        def line():
            s = p.stdout.readline()
            return json.loads(s) if s else {"ok": False, "error": "load ended"}

        def mem(tag):
            rss, pss = memory(self.px.pids())
            out["rss_kb_" + tag], out["pss_kb_" + tag] = rss, pss
            out["b_per_conn_" + tag] = (pss - pss0) * 1024.0 / n
        r = line()
        out["ready_secs"], out["alive"], out["ok"] = r.get("secs"), r.get("alive"), r.get("ok")
        out["ready"] = r
        time.sleep(2)
        mem("2s")
        for h in holds:
            c = cpu(self.px.pids())
            time.sleep(h)
            out["idle_cpu_pct_%ds" % h] = 100 * (cpu(self.px.pids()) - c) / h
            mem("%ds" % h)
        try:
            p.stdin.write(b"reecho\n"); p.stdin.flush()
            r = line()
            out["reecho_ok"], out["reecho_p99_us"] = r.get("ok"), r.get("p99_us")
            out["ok"] = bool(out["ok"] and r.get("ok"))
            time.sleep(1)
            mem("reecho")
            p.stdin.write(b"quit\n"); p.stdin.close()
        except BrokenPipeError:
            out["ok"] = False
        p.stdout.read()
        p.wait()
        time.sleep(3)
        mem("closed")
        return out


ERRORS = ["connect_fail", "handshake_fail", "unexpected_close", "corrupt", "bad_reply", "stuck", "acks_bad"]
SCEN = {
    "down4": ["--scenario", "throughput-down", "-c", "4"],
    "down64": ["--scenario", "throughput-down", "-c", "64"],
    "up4": ["--scenario", "throughput-up", "-c", "4"],
    "up64": ["--scenario", "throughput-up", "-c", "64"],
    "rate": ["--scenario", "connect-rate", "-c", "32"],
    "rtt1": ["--scenario", "echo-rtt", "-c", "1"],
    "rtt16": ["--scenario", "echo-rtt", "-c", "16"],
    "rtt256": ["--scenario", "echo-rtt", "-c", "256"],
    "soak": ["--scenario", "soak", "-c", "64"],
    "soakfrag": ["--scenario", "soak", "-c", "16", "--frag"],
}
COLS = ["down_mb_s", "up_mb_s", "cpu_s_per_gb", "min_cpu_s_per_gb", "cpu_us_per_msg", "cpu_us_per_conn", "per_s",
        "p50_us", "p99_us", "p999_us", "cpu_proxy", "cpu_faketg", "cpu_load", "others_cores"]


def configuration(path, **changes):
    """portico/direct.json with other keys, as a file that its owner alone may read"""
    with open(os.path.join(HERE, "portico", "direct.json")) as file:
        config = json.load(file)
    config.update(changes)
    with open(path, "w") as file:
        json.dump(config, file)
    os.chmod(path, 0o600)
    return path


def portico_lab(name, command, config, logs):
    """the proxy alone, with one of the configurations in portico/ or one like them; without a command as `dotnet build` leaves it"""
    here = os.path.dirname(os.path.abspath(__file__))
    command = command or ["dotnet", here + "/../../src/Portico/bin/Release/net10.0/portico.dll"]
    profile = {"name": name, "cmd": [*command, "run", "--config", config, "--log-level", "warn"],
               "port": 4430, "secret": "00112233445566778899aabbccddeeff", "domain": "localhost"}
    return Lab(profile, argparse.Namespace(fk=(21801, 21802, 21803), logs=logs, faketg_args="", load_args="--big-hello"))


def median(rows, k):
    if k.startswith("min_"):
        v = [r[k[4:]] for r in rows if isinstance(r.get(k[4:]), (int, float))]
        return min(v) if v else None
    v = [r[k] for r in rows if isinstance(r.get(k), (int, float))]
    return statistics.median(v) if v else None


def fmt(v):
    if v is None:
        return "-"
    return "%.0f" % v if abs(v) >= 1000 else "%.1f" % v if abs(v) >= 10 else "%.3f" % v


def run_one(lab, proto, s, tag, a):
    d = lab.run(proto, SCEN[s] + ["--secs", str(a.secs), "--warmup", str(a.warmup)])
    print("  %s %s %s #%s: down %s up %s MB/s, %s cpu-s/GB, %s/s p50 %s p99 %s us, others %.2f cores, ok=%s" % (
        lab.prof["name"], proto, s, tag, fmt(d.get("down_mb_s")), fmt(d.get("up_mb_s")), fmt(d.get("cpu_s_per_gb")),
        fmt(d.get("per_s")), fmt(d.get("p50_us")), fmt(d.get("p99_us")), d["others_cores"], d.get("ok")), flush=True)
    if not d.get("ok"):
        print("    FAILED", json.dumps(d), flush=True)
    return d


def run_idle(prof, proto, a):
    out = []
    for n, frame in [(n, f) for n in a.idle for f in a.idle_frame for _ in range(a.idle_reps)]:
        with Lab(prof, a) as lab:
            d = lab.idle(proto, n, a.holds, frame)
        d["proto"] = proto
        out.append(d)
        print("  %s %s idle %d%s: alive %s, rss0 %d KiB, rss %d KiB, %s B/conn, re-echo %s, closed rss %d KiB, ok=%s %s" % (
            prof["name"], proto, n, after(frame), d["alive"], d["rss0_kb"], d["rss_kb_2s"], fmt(d["b_per_conn_2s"]),
            d.get("reecho_ok"), d.get("rss_kb_closed", 0), d["ok"], {k: round(v) for k, v in idle_figures(d)}), flush=True)
    return out


def after(frame):
    return " after %d B each" % frame if frame else ""


def idle_figures(d):
    return [(k, v) for k, v in d.items() if k.startswith(("b_per_conn", "idle_cpu"))]


def slopes(idle):
    """bytes per client between the fewest and the most clients: what the process keeps once for all is in neither side"""
    out = []
    for proto, frame in sorted({(d["proto"], d["frame"]) for d in idle}):
        of = {}
        for d in idle:
            if (d["proto"], d["frame"]) == (proto, frame):
                of.setdefault(d["n"], []).append(d["pss_kb_2s"])
        few, most = min(of), max(of)
        if few < most:
            rise = statistics.median(of[most]) - statistics.median(of[few])
            out.append({"proto": proto, "frame": frame, "from": few, "to": most, "b_per_conn": rise * 1024.0 / (most - few)})
    return out


def protos(prof, a):
    return a.proto.split(",") if a.proto else prof["protos"]


def measure(prof, a):
    res = {"profile": prof, "runs": {}, "idle": []}
    for proto in protos(prof, a):
        for rep in range(a.reps):
            with Lab(prof, a) as lab:
                for s in a.scenarios:
                    res["runs"].setdefault(proto + "/" + s, []).append(run_one(lab, proto, s, rep, a))
        res["idle"] += run_idle(prof, proto, a)
    return res


# ---- pairs: baseline, proxy, baseline, proxy ... --------------------------------
NOISY = 0.3  # others_cores above this on either side: the pair is repeated


def side(prof, proto, scenarios, tag, a):
    with Lab(prof, a) as lab:
        lab.warm(proto, a.warm_secs)
        return {s: run_one(lab, proto, s, tag, a) for s in scenarios}


def pair(s, b, t):
    k = {"echo-rtt": "cpu_us_per_msg", "connect-rate": "cpu_us_per_conn"}.get(SCEN[s][1], "cpu_s_per_gb")
    others, x, y = max(b["others_cores"], t["others_cores"]), b.get(k), t.get(k)
    return {"base": x, "test": y, "ratio": y / x if x and y else None, "others": others, "noisy": others > NOISY,
            "ok": bool(b.get("ok") and t.get("ok"))}


def verdict(tries, n):
    """n of the pairs: the quiet ones, then the least noisy; but a failure in any of them counts"""
    kept = sorted(tries, key=lambda p: p["others"] if p["noisy"] else 0)[:n]
    ratios = [p["ratio"] for p in kept if p["ratio"]]
    return {"ratio_median": median(kept, "ratio"), "ratios": ratios, "noisy": sum(p["noisy"] for p in kept), "tried": len(tries),
            "base_median": median(kept, "base"), "test_median": median(kept, "test"),
            "ok": len(ratios) == n and all(p["ok"] for p in tries)}


def compare(prof, base, a):
    res = {"profile": prof, "against": base, "pairs": {}, "runs": {}, "base_runs": {}, "idle": []}
    for proto in protos(prof, a):
        tries = {s: [] for s in a.scenarios}
        for i in range(2 * a.pairs):  # the second half only for scenarios that still lack quiet pairs
            now = [s for s in a.scenarios if i < a.pairs or sum(not p["noisy"] for p in tries[s]) < a.pairs]
            if not now:
                break
            b = side(base, base["protos"][0], now, "%da" % i, a)
            t = side(prof, proto, now, "%db" % i, a)
            for s in now:
                tries[s].append(pair(s, b[s], t[s]))
                res["runs"].setdefault(proto + "/" + s, []).append(t[s])
                res["base_runs"].setdefault(proto + "/" + s, []).append(b[s])
        for s in a.scenarios:
            res["pairs"][proto + "/" + s] = verdict(tries[s], a.pairs)
        res["idle"] += run_idle(prof, proto, a)
    return res


def pair_table(res):
    test, base = res["profile"]["name"], res["against"]["name"]
    out = ["| %s / %s | ratio | min | max | noisy | %s | %s | ok |" % (test, base, base, test), "|---" * 8 + "|"]
    for k, v in res["pairs"].items():
        r = v["ratios"] or [None]
        out.append("| %s | %s | %s | %s | %d/%d | %s | %s | %s |" % (
            k, fmt(v["ratio_median"]), fmt(min(r)), fmt(max(r)), v["noisy"], len(v["ratios"]),
            fmt(v["base_median"]), fmt(v["test_median"]), v["ok"]))
    return out


def table(res):
    name = res["profile"]["name"]
    if "pairs" in res:
        out = pair_table(res)
    else:
        out = ["| %s | " % name + " | ".join(COLS) + " | ok |", "|---" * (len(COLS) + 2) + "|"]
        for k, rows in res["runs"].items():
            good = "%d/%d" % (sum(bool(r.get("ok")) for r in rows), len(rows))
            out.append("| %s | " % k + " | ".join(fmt(median(rows, c)) for c in COLS) + " | %s |" % good)
    for k, rows in res["runs"].items():
        errors = {e: sum(r.get(e, 0) for r in rows) for e in ERRORS}
        if any(errors.values()):
            out.append("%s: %d connections, %s" % (k, sum(r.get("opened", 0) for r in rows), {e: n for e, n in errors.items() if n}))
    for d in res["idle"]:
        out.append("%s idle %d%s: base RSS %.1f MiB, at N %.1f MiB, PSS delta %s B/conn, ready in %s s, ok=%s %s" % (
            d["proto"], d["n"], after(d["frame"]), d["rss0_kb"] / 1024, d["rss_kb_2s"] / 1024, fmt(d["b_per_conn_2s"]),
            fmt(d["ready_secs"]), d["ok"], {k: round(v, 2) for k, v in idle_figures(d)}))
    for d in slopes(res["idle"]):
        out.append("%s idle%s: slope from %d to %d clients %s B/conn" % (
            d["proto"], after(d["frame"]), d["from"], d["to"], fmt(d["b_per_conn"])))
    return "\n".join(out)


def all_ok(res):
    rows = [r for runs in list(res["runs"].values()) + list(res.get("base_runs", {}).values()) for r in runs]
    return all(r.get("ok") for r in rows + res["idle"])


def main():
    own = sys.argv[1:]
    cmd = None
    if "--" in own:
        i = own.index("--")
        own, cmd = own[:i], own[i + 1:]
    for k in {"--load-args", "--faketg-args"} & set(own[:-1]):  # argparse would take the value --big-hello for an option
        i = own.index(k)
        own[i:i + 2] = [k + "=" + own[i + 1]]
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("profiles", nargs="*")
    ap.add_argument("--name", default="proxy")
    ap.add_argument("--port", type=int)
    ap.add_argument("--secret", default="00112233445566778899aabbccddeeff")
    ap.add_argument("--domain", default="localhost")
    ap.add_argument("--proto", help="comma list: ee,dd,intermediate,abridged,direct-dd,... (default: the profile's)")
    ap.add_argument("--scenarios", type=lambda s: [x for x in s.split(",") if x], default="down4,down64,up4,rate,rtt16",
                    help="of " + ",".join(SCEN))
    ap.add_argument("--idle", type=lambda s: [int(x) for x in s.split(",") if x and int(x)], default=[2500, 5000],
                    help="idle clients; with two counts the slope between them is reported too; 0 = none")
    ap.add_argument("--idle-frame", type=lambda s: [int(x) for x in s.split(",")], default=[0],
                    help="bytes that each idle client downloads first; 0,262144 measures without and with")
    ap.add_argument("--idle-reps", type=int, default=1)
    ap.add_argument("--holds", type=lambda s: [int(x) for x in s.split(",") if x], default=[])
    ap.add_argument("--pairs", type=int, default=0, help="N interleaved pairs with --against, instead of --reps")
    ap.add_argument("--against", metavar="PROFILE", help="the baseline of --pairs; it keeps its own first proto")
    ap.add_argument("--warm-secs", type=int, default=3, help="discarded warm-up of each process of a pair, 0 = none")
    ap.add_argument("--reps", type=int, default=3)
    ap.add_argument("--secs", type=int, default=4)
    ap.add_argument("--warmup", type=int, default=1)
    ap.add_argument("--fk", type=lambda s: [int(x) for x in s.split(",")], default=[21801, 21802, 21803],
                    help="faketg ports: middle,dc,http")
    ap.add_argument("--faketg-args", default="")
    ap.add_argument("--load-args", default="", help="added to every load command; --big-hello only where the proto is ee")
    ap.add_argument("--closed-is-ok", action="store_true",
                    help="clients that the proxy closes are counted, and no failure: for --faketg-args \"--rotate-secs 7\"")
    ap.add_argument("--logs", default="logs")
    ap.add_argument("--json", help="append the raw results to this file, one object per proxy")
    a = ap.parse_args(own)
    if bool(a.pairs) != bool(a.against):
        ap.error("--pairs and --against belong together")
    base = json.load(open(a.against)) if a.against else None
    profs = [json.load(open(p)) for p in a.profiles]
    if cmd:
        profs.append({"name": a.name, "cmd": cmd, "port": a.port, "secret": a.secret, "domain": a.domain,
                      "protos": (a.proto or "ee").split(",")})
    if not profs:
        ap.error("give profiles, or --port and a command after --")
    failed = False
    for p in profs:
        try:
            r = compare(p, base, a) if base else measure(p, a)
        except SystemExit as e:
            print("%s: %s" % (p["name"], e), flush=True)
            failed = True
            continue
        r["slopes"] = slopes(r["idle"])
        failed |= not all_ok(r)
        print(table(r), flush=True)
        if a.json:
            with open(a.json, "a") as f:
                f.write(json.dumps(r) + "\n")
    sys.exit(failed)


if __name__ == "__main__":
    main()
