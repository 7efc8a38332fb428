/* Scenarios: what the clients do. */
#define _GNU_SOURCE
#include "ld.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

enum role { R_DOWN, R_UP, R_ECHO, R_RATE, R_IDLE, R_SOAK, R_PQ };
static enum role role;
static struct lconn **slots;      /* one live connection per slot, NULL when closed */
static unsigned alive, handshaking, idle_done;
static uint64_t inflight, cycles;
static bool stopping, measuring;
static struct hist *h_cycle = &h_rtt;
static uint32_t idle_frame;       /* idle with --frame: each client downloads this much first, */
enum { RAMP = 200, SINK_GROUP = 4, IDLE_RAMP = 16 }; /* IDLE_RAMP clients at a time */

static void sample(uint64_t t0) { if (measuring) hist_add(&h_rtt, now_ns() - t0); }
static struct op *start(struct lconn *c, uint8_t cmd, uint32_t size, uint32_t frames) {
  inflight++;
  return op_start(c, cmd, size, frames);
}
static void sink_group(struct lconn *c, uint32_t size) {
  inflight++;
  for (int i = 0; i < SINK_GROUP && c->state == C_OPEN; i++) sink_send(c, size, SINK_GROUP);
}
static uint32_t rnd_size(uint32_t max) { /* every power of two is equally likely */
  uint32_t lo = FRAME_MIN << rng64() % 14, s = (lo + (uint32_t)(rng64() % lo)) & ~3u;
  return s > max ? max & ~3u : s;
}
static void soak_next(struct lconn *c) {
  if (c->state != C_OPEN || stopping) return;
  if (!c->todo) {
    if (c->n_ops || c->sink_sent != c->sink_acked) return;
    unsigned k = rng64() % 8;
    if (k == 0) { c->expect_close = true; c->todo = ~0u; op_start(c, APP_CLOSE, FRAME_MIN, 0); c->n_ops = 0; return; }
    lc_close(c);
    return;
  }
  if (c->todo == ~0u) return;
  c->todo--;
  switch (rng64() % 8) {
  case 0: case 1: case 2: start(c, APP_ECHO, rnd_size(262144), 0); break;
  case 3: case 4: start(c, APP_SOURCE, rnd_size(262144), 1 + rng64() % 4); break;
  case 5: sink_group(c, rnd_size(131072)); break;
  case 6:
    start(c, APP_ECHO, FRAME_MIN + 4 * (rng64() % 16), 0);
    if (c->state == C_OPEN) start(c, APP_SOURCE, rnd_size(FRAME_MAX / 2), 1);
    break;
  default:
    start(c, APP_SOURCE, 65536, 8);
    if (c->state == C_OPEN && rng64() % 4 == 0) lc_close(c); /* walk away in the middle of an answer */
  }
}
void on_ready(struct lconn *c) {
  handshaking--;
  switch (role) {
  case R_DOWN: for (unsigned i = 0; i < cfg.window && c->state == C_OPEN; i++) start(c, APP_SOURCE, cfg.frame, cfg.nframes); break;
  case R_UP: for (unsigned i = 0; i < cfg.window && c->state == C_OPEN; i++) sink_group(c, cfg.frame); break;
  case R_ECHO: for (unsigned i = 0; i < cfg.window && c->state == C_OPEN; i++) start(c, APP_ECHO, cfg.frame, 0); break;
  case R_RATE: start(c, APP_ECHO, cfg.frame, 0); break;
  case R_IDLE: if (idle_frame) start(c, APP_SOURCE, idle_frame, 1); else start(c, APP_ECHO, cfg.frame, 0); break;
  case R_PQ: inflight++; c->todo = cfg.rounds; pq_send(c); break;
  case R_SOAK: c->todo = 1 + rng64() % 40; for (unsigned i = 0; i < 2; i++) soak_next(c); break;
  }
}
void on_op_done(struct lconn *c, struct op *o) {
  inflight--;
  switch (role) {
  case R_DOWN: sample(o->t0); if (!stopping) start(c, APP_SOURCE, cfg.frame, cfg.nframes); break;
  case R_ECHO: sample(o->t0); cycles += measuring; if (!stopping) start(c, APP_ECHO, cfg.frame, 0); break;
  case R_RATE: if (measuring) { hist_add(h_cycle, now_ns() - c->t_open); cycles++; } lc_close(c); break;
  case R_IDLE: sample(o->t0); idle_done++; break;
  case R_SOAK: sample(o->t0); cycles++; soak_next(c); break;
  default: break;
  }
}
void on_sink_ack(struct lconn *c) {
  inflight--;
  if (role == R_UP && !stopping) sink_group(c, cfg.frame);
  if (role == R_SOAK) soak_next(c);
}
void on_pq(struct lconn *c) {
  inflight--;
  cycles++;
  if (--c->todo) { inflight++; pq_send(c); } else if (!stopping) lc_close(c);
}
void on_closed(struct lconn *c, bool by_us) {
  (void)by_us;
  if (slots[c->idx] == c) slots[c->idx] = NULL;
  alive--;
  if (!c->was_ready) { handshaking--; return; }
  if (!(c->expect_close && c->todo == ~0u)) inflight -= c->n_ops;
  inflight -= (c->sink_sent - c->sink_acked + SINK_GROUP - 1) / SINK_GROUP;
  if (role == R_PQ && c->todo) inflight--;
}
static void open_slot(unsigned i) {
  alive++; handshaking++;
  struct lconn *c = lc_open(i);
  if (c) slots[i] = c;
}
static void open_missing(unsigned *hint) {
  for (unsigned n = 0; n < cfg.conns && (idle_frame ? handshaking + inflight < IDLE_RAMP : handshaking < RAMP); n++) {
    unsigned i = *hint = (*hint + 1) % cfg.conns;
    if (!slots[i]) open_slot(i);
  }
}
static bool failed(void) {
  return tot.connect_fail || tot.handshake_fail || tot.unexpected_close || tot.corrupt || tot.bad_reply || tot.stuck || tot.acks_bad;
}
static void json(const char *phase, double secs, const struct totals *a, const struct totals *b) {
  double down = (double)(b->bytes_down - a->bytes_down), up = (double)(b->bytes_up - a->bytes_up);
  printf(
      "{\"scenario\":\"%s\",\"phase\":\"%s\",\"conns\":%u,\"secs\":%.3f,\"down_mb_s\":%.2f,\"up_mb_s\":%.2f,\"cycles\":%llu,\"per_s\":%"
      ".1f,"
      "\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"hs_p50_us\":%.1f,\"hs_p99_us\":%.1f,\"samples\":%llu,"
      "\"total_down\":%llu,\"total_up\":%llu,\"frames_down\":%llu,\"frames_up\":%llu,\"alive\":%u,\"opened\":%llu,\"handshakes\":%llu,"
      "\"connect_fail\":%llu,\"handshake_fail\":%llu,\"unexpected_close\":%llu,\"corrupt\":%llu,\"bad_reply\":%llu,\"stuck\":%llu,"
      "\"acks_ok\":%llu,\"acks_bad\":%llu,\"noise\":%llu,\"server_errors\":%llu,\"ok\":%s}\n",
      cfg.scenario, phase, cfg.conns, secs, down / 1e6 / secs, up / 1e6 / secs, (unsigned long long)cycles, (double)cycles / secs,
      hist_us(&h_rtt, .5), hist_us(&h_rtt, .99), hist_us(&h_rtt, .999), (double)h_rtt.max / 1e3, hist_us(&h_conn, .5),
      hist_us(&h_conn, .99), (unsigned long long)h_rtt.n, (unsigned long long)tot.bytes_down, (unsigned long long)tot.bytes_up,
      (unsigned long long)tot.frames_down, (unsigned long long)tot.frames_up, alive, (unsigned long long)tot.opened,
      (unsigned long long)tot.handshakes, (unsigned long long)tot.connect_fail, (unsigned long long)tot.handshake_fail,
      (unsigned long long)tot.unexpected_close, (unsigned long long)tot.corrupt, (unsigned long long)tot.bad_reply,
      (unsigned long long)tot.stuck, (unsigned long long)tot.acks_ok, (unsigned long long)tot.acks_bad, (unsigned long long)tot.noise,
      (unsigned long long)tot.server_errors, failed() ? "false" : "true");
  fflush(stdout);
}

/* ---- idle: open, hold, re-echo on command ---- */
static bool idle_round(double limit_s) { /* one echo on every live connection */
  uint64_t end = now_ns() + (uint64_t)(limit_s * 1e9);
  unsigned want = 0;
  idle_done = 0;
  h_rtt.n = h_rtt.max = 0;
  memset(h_rtt.c, 0, sizeof h_rtt.c);
  for (unsigned i = 0; i < cfg.conns; i++)
    if (slots[i] && slots[i]->state == C_OPEN) {
      start(slots[i], APP_ECHO, cfg.frame, 0);
      want++;
      if (i % 64 == 63) lc_poll(0);
    }
  while (inflight && now_ns() < end) lc_poll(20);
  if (inflight) tot.stuck += inflight;
  return idle_done == want && want == cfg.conns;
}
static int run_idle(void) {
  unsigned hint = 0;
  uint64_t t0 = now_ns(), end = t0 + 120000000000ull;
  measuring = true;
  while (idle_done < cfg.conns && now_ns() < end && tot.connect_fail + tot.handshake_fail + tot.unexpected_close < 1000) {
    if (tot.opened < cfg.conns) open_missing(&hint);
    else if (alive < cfg.conns && !handshaking && !inflight) break; /* some were lost */
    lc_poll(20);
  }
  tot.stuck += handshaking;
  json("ready", (double)(now_ns() - t0) / 1e9, &(struct totals){0}, &tot);
  uint64_t hold_end = cfg.hold ? now_ns() + cfg.hold * 1000000000ull : ~0ull;
  for (bool eof = false; now_ns() < hold_end;) {
    struct pollfd pf = {.fd = eof ? -1 : 0, .events = POLLIN};
    lc_poll(50);
    if (poll(&pf, 1, 0) > 0) {
      char cmd[64] = "";
      ssize_t r = read(0, cmd, sizeof cmd - 1);
      if (r <= 0) { eof = true; if (!cfg.hold) break; continue; }
      if (!strncmp(cmd, "quit", 4)) break;
      if (!strncmp(cmd, "reecho", 6)) {
        uint64_t t = now_ns();
        struct totals a = tot;
        if (!idle_round(60)) tot.stuck += !tot.stuck;
        json("reecho", (double)(now_ns() - t) / 1e9, &a, &tot);
      }
    }
  }
  json("end", (double)(now_ns() - t0) / 1e9, &(struct totals){0}, &tot);
  return failed();
}

int run_scenario(void) {
  static const char *names[] = {"throughput-down", "throughput-up", "echo-rtt", "connect-rate", "idle", "soak", "pq"};
  unsigned r = 0;
  while (r < 7 && strcmp(names[r], cfg.scenario)) r++;
  if (r == 7) die("unknown scenario %s", cfg.scenario);
  role = (enum role)r;
  uint32_t given = cfg.frame;
  if (!cfg.frame) cfg.frame = role == R_DOWN ? 131072 : role == R_UP ? 65536 : 128;
  if (!cfg.window) cfg.window = role == R_DOWN ? 4 : role == R_UP ? 2 : 1;
  if (cfg.frame < FRAME_MIN || cfg.frame > FRAME_MAX || cfg.frame & 3 || cfg.window > OPS) die("bad frame size or window");
  slots = calloc(cfg.conns, sizeof *slots);
  if (role == R_IDLE) { idle_frame = given; cfg.frame = 128; return run_idle(); }

  struct totals a = {0}, b = {0};
  unsigned hint = 0;
  uint64_t t0 = now_ns(), t_meas = t0 + cfg.warmup * 1000000000ull, t_stop = t_meas + cfg.secs * 1000000000ull,
           t_end = t_stop + 15000000000ull;
  uint64_t m0 = 0, m1 = 0;
  bool churn = role == R_RATE || role == R_SOAK || role == R_PQ;
  for (;;) {
    uint64_t t = now_ns();
    if (!measuring && !stopping && t >= t_meas) { measuring = true; m0 = t; a = tot; cycles = 0; }
    if (!stopping && (t >= t_stop || tot.connect_fail + tot.handshake_fail + tot.unexpected_close + tot.corrupt > 2000)) {
      stopping = true; m1 = t; b = tot; measuring = false;
      if (!m0) { m0 = t0; }
    }
    if (stopping && ((!inflight && !handshaking) || t > t_end)) break;
    if (!stopping && (churn || tot.opened < cfg.conns)) open_missing(&hint);
    lc_poll(role == R_RATE ? 1 : 10);
  }
  if (inflight || handshaking) {
    tot.stuck += inflight + handshaking;
    if (opt_verbose)
      for (unsigned i = 0; i < cfg.conns; i++)
        if (slots[i] && (slots[i]->n_ops || slots[i]->state != C_OPEN))
          fprintf(stderr, "stuck slot %u state %d ops %u out %zu in %zu\n", i, slots[i]->state, slots[i]->n_ops, slots[i]->out.len,
              slots[i]->in.len);
  }
  json("end", (double)(m1 - m0) / 1e9, &a, &b);
  return failed();
}
