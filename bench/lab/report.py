#!/usr/bin/env python3
"""report.py results.jsonl... : one compact table over all proxies measured by measure.py --json (later files override)."""
import json, sys
from statistics import median
runs, idle = {}, {}
for f in sys.argv[1:]:
    seen = set()
    for line in open(f):
        r = json.loads(line)
        n = r["profile"]["name"]
        for k, v in r["runs"].items():
            key = (n,) + tuple(k.split("/"))
            if key in runs and key not in seen:
                runs[key] = []
            seen.add(key)
            runs.setdefault(key, []).extend(v)
        for d in r["idle"]:
            idle.setdefault((n, d["proto"], d["n"]), []).append(d)
def col(key, k, f=median):
    v = [r[k] for r in runs.get(key, []) if isinstance(r.get(k), (int, float))]
    return f(v) if v else None
def fmt(v, d=2):
    return "-" if v is None else ("%%.%df" % d) % v
names = []
for n, p, s in runs:
    if (n, p) not in names:
        names.append((n, p))
print("### Throughput and CPU (median of the repetitions; in brackets the lowest CPU-s/GB seen)\n")
print("| proxy | proto | down 4 conns MB/s | CPU-s/GB | down 64 conns MB/s | CPU-s/GB | up 4 conns MB/s | CPU-s/GB | all ok |")
print("|---|---|---|---|---|---|---|---|---|")
for n, p in names:
    c = []
    for s, k in (("down4", "down_mb_s"), ("down64", "down_mb_s"), ("up4", "up_mb_s")):
        key = (n, p, s)
        c.append("%s | %s (%s)" % (fmt(col(key, k), 0), fmt(col(key, "cpu_s_per_gb")), fmt(col(key, "cpu_s_per_gb", min))))
    rows = [r for (a, b, s), v in runs.items() if (a, b) == (n, p) for r in v]
    print("| %s | %s | %s | %d/%d |" % (n, p, " | ".join(c), sum(bool(r.get("ok")) for r in rows), len(rows)))
print("\n### Connections and latency\n")
print("| proxy | proto | conn/s (32 slots) | CPU us/conn | cycle p50 ms | p99 ms | echo msg/s (16 conns) | CPU us/msg "
      "| p50 us | p99 us | p999 us |")
print("|---|---|---|---|---|---|---|---|---|---|---|")
for n, p in names:
    a, b = (n, p, "rate"), (n, p, "rtt16")
    print("| %s | %s | %s | %s (%s) | %s | %s | %s | %s (%s) | %s | %s | %s |" % (
        n, p, fmt(col(a, "per_s"), 0), fmt(col(a, "cpu_us_per_conn"), 0), fmt(col(a, "cpu_us_per_conn", min), 0),
        fmt((col(a, "p50_us") or 0) / 1e3, 1), fmt((col(a, "p99_us") or 0) / 1e3, 1),
        fmt(col(b, "per_s"), 0), fmt(col(b, "cpu_us_per_msg"), 1), fmt(col(b, "cpu_us_per_msg", min), 1),
        fmt(col(b, "p50_us"), 0), fmt(col(b, "p99_us"), 0), fmt(col(b, "p999_us"), 0)))
print("\n### Memory at idle (PSS of all the proxy's processes; kernel socket memory not included)\n")
print("| proxy | proto | N | base RSS MiB | RSS at N MiB | B/conn 2 s after | B/conn after hold | B/conn after re-echo "
      "| RSS after close MiB | idle CPU % | opened in s | re-echo ok |")
print("|---|---|---|---|---|---|---|---|---|---|---|---|")
for (n, p, c), v in sorted(idle.items(), key=lambda x: (x[0][0], x[0][1], x[0][2])):
    d = v[-1]
    h = [k for k in d if k.startswith("b_per_conn_") and k[11:-1].isdigit() and k[11:] != "2s"]
    hold = h[0][11:] if h else None
    print("| %s | %s | %d | %.1f | %.1f | %.0f | %s | %.0f | %.1f | %s | %s | %s |" % (
        n, p, c, d["rss0_kb"] / 1024, d["rss_kb_2s"] / 1024, d["b_per_conn_2s"],
        "%.0f (%s)" % (d["b_per_conn_" + hold], hold) if hold else "-",
        d.get("b_per_conn_reecho", -1), d.get("rss_kb_closed", 0) / 1024,
        "%.1f" % d["idle_cpu_pct_" + hold] if hold else "-",
        fmt(d.get("ready_secs"), 1), "yes" if d.get("ok") else "NO, alive %s" % d.get("alive")))
print("\n### Load of the machine by others while measuring (cores of 2, median per proxy)\n")
for n, p in names:
    print("%s/%s %.2f" % (n, p, median([r["others_cores"] for (a, b, s), v in runs.items() if (a, b) == (n, p) for r in v])))
