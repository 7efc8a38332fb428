/* One client connection: TCP, fake TLS, obfuscated2, framing, request book-keeping. */
#define _GNU_SOURCE
#include "ld.h"
#include <arpa/inet.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
static int ep;
static struct lconn *free_list, *graves;
static uint32_t next_uid;

void lc_init(void) { ep = epoll_create1(EPOLL_CLOEXEC); }

static void watch(struct lconn *c, int op, bool out) {
  struct epoll_event e = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c};
  c->want_out = out;
  if (epoll_ctl(ep, op, c->fd, &e)) die("epoll_ctl");
}
struct lconn *lc_open(uint32_t idx) {
  struct lconn *c = free_list;
  if (c) free_list = c->next_free; else c = malloc(sizeof *c);
  memset(c, 0, sizeof *c);
  c->idx = idx;
  c->uid = ++next_uid;
  c->tls = cfg.tls;
  c->t_open = now_ns();
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->fd < 0) die("socket");
  int on = 1;
  sock_nodelay(c->fd);
  setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  struct sockaddr_in src = {.sin_family = AF_INET};
  uint32_t k = c->uid % cfg.src_addrs;
  src.sin_addr.s_addr = htonl(0x7f0a0001u + (k / 250 << 8) + k % 250); /* 127.10.x.1-250 */
  if (bind(c->fd, (struct sockaddr *)&src, sizeof src)) die("bind to a loopback source address");
  tot.opened++;
  c->state = C_CONNECTING;
  watch(c, EPOLL_CTL_ADD, true);
  if (connect(c->fd, (struct sockaddr *)&cfg.dst, sizeof cfg.dst) && errno != EINPROGRESS) {
    lc_fail(c, &tot.connect_fail, "connect");
    return NULL;
  }
  return c;
}
static void teardown(struct lconn *c, bool by_us) {
  if (c->state == C_DEAD) return;
  c->state = C_DEAD;
  if (by_us && cfg.rst) {
    struct linger l = {1, 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
  }
  close(c->fd);
  tot.closed++;
  buf_free(&c->in); buf_free(&c->out);
  web_end(c);
  EVP_CIPHER_CTX_free(c->enc); EVP_CIPHER_CTX_free(c->dec);
  c->enc = c->dec = NULL;
  c->next_free = graves;
  graves = c;
  on_closed(c, by_us);
}
void lc_close(struct lconn *c) { teardown(c, true); }
void lc_fail(struct lconn *c, uint64_t *counter, const char *why) {
  if (c->state == C_DEAD) return;
  ++*counter;
  if (opt_verbose) fprintf(stderr, "conn %u (uid %u): %s, state %d, ops %u\n", c->idx, c->uid, why, c->state, c->n_ops);
  teardown(c, false);
}

/* ---- sending ---- */
static void put_wire(struct lconn *c, const uint8_t *p, size_t n) { /* encrypts, cuts into TLS records when needed */
  if (c->web) {
    ctr_run(c->enc, web_data(c, n), p, n);
    return;
  }
  if (!c->tls) {
    ctr_run(c->enc, buf_tail(&c->out, n), p, n);
    c->out.len += n;
    return;
  }
  while (n) {
    size_t k = n < cfg.tls_record ? n : cfg.tls_record;
    uint8_t *o = buf_tail(&c->out, k + 5);
    o[0] = 0x17; o[1] = o[2] = 3; o[3] = (uint8_t)(k >> 8); o[4] = (uint8_t)k;
    ctr_run(c->enc, o + 5, p, k);
    c->out.len += k + 5;
    p += k; n -= k;
  }
}
static void put_first(struct lconn *c, const uint8_t hdr[64]) { /* the obfuscated2 header itself is not encrypted again */
  uint8_t pre[11] = {0x14, 3, 3, 0, 1, 1, 0x17, 3, 3, 0, 64};
  if (c->web) {
    web_open(c);
    memcpy(web_data(c, 64), hdr, 64);
    return;
  }
  if (c->tls) buf_put(&c->out, pre, 11);
  buf_put(&c->out, hdr, 64);
}
void lc_send_frame(struct lconn *c, const void *hdr, size_t hn, const void *body, size_t bn) {
  static uint8_t plain[FRAME_MAX + 128];
  size_t pad = cfg.proto == P_PADDED ? rng64() & 3 : 0;
  size_t n = frame_prefix(plain, cfg.proto, hn + bn + pad, cfg.quickack);
  memcpy(plain + n, hdr, hn);
  if (bn) memcpy(plain + n + hn, body, bn);
  if (cfg.quickack) c->last_crc = crc32_ieee(0, plain + n, hn + bn) | 0x80000000u;
  n += hn + bn;
  uint64_t r = rng64();
  memcpy(plain + n, &r, pad);
  put_wire(c, plain, n + pad);
  tot.frames_up++;
  tot.bytes_up += hn + bn;
  if (!c->want_out) lc_flush(c);
}
void lc_flush(struct lconn *c) {
  while (c->out.len) {
    size_t n = c->out.len;
    if (cfg.frag) { size_t k = 1 + rng64() % (rng64() & 1 ? 40 : 3000); if (k < n) n = k; }
    ssize_t w = c->web ? web_send(c, buf_head(&c->out), n) : send(c->fd, buf_head(&c->out), n, MSG_NOSIGNAL);
    if (w < 0) {
      if (errno != EAGAIN) { lc_fail(c, &tot.unexpected_close, "send"); return; }
      if (!c->want_out) watch(c, EPOLL_CTL_MOD, true);
      return;
    }
    buf_eat(&c->out, (size_t)w);
  }
  if (c->want_out) watch(c, EPOLL_CTL_MOD, false);
}
void lc_ready(struct lconn *c) {
  uint8_t h[64];
  obf_make(h, cfg.proto, cfg.dc, cfg.has_secret ? cfg.secret : NULL, &c->enc, &c->dec);
  put_first(c, h);
  c->state = C_OPEN;
  c->was_ready = true;
  tot.handshakes++;
  hist_add(&h_conn, now_ns() - c->t_open);
  on_ready(c);
  if (c->state == C_OPEN) lc_flush(c);
}

/* ---- requests ---- */
struct op *op_start(struct lconn *c, uint8_t cmd, uint32_t size, uint32_t frames) {
  for (int i = 0; i < OPS; i++) {
    struct op *o = &c->ops[i];
    if (o->live) continue;
    uint64_t tag = (uint64_t)c->uid << 32 | ++c->seq;
    *o = (struct op){cmd, true, frames, 0, size, tag, now_ns()};
    c->n_ops++;
    uint32_t len = cmd == APP_SOURCE || cmd == APP_CLOSE ? 128 : size;
    struct app_hdr h = {APP_KEY_ID, APP_MAGIC, cmd, frames, size, tag, phase_of(tag, 0), len};
    lc_send_frame(c, &h, sizeof h, pattern + h.phase, len - sizeof h);
    return o;
  }
  die("too many requests in flight");
}
void sink_send(struct lconn *c, uint32_t size, uint32_t every) {
  uint64_t tag = (uint64_t)c->uid << 32 | ++c->seq;
  static uint32_t run; /* tells the clients of this process from those of others: the server counts a client's sinks over all links that
                          it comes by */
  while (!run) run = (uint32_t)rng64();
  struct app_hdr h = {APP_KEY_ID, APP_MAGIC, APP_SINK, every, run, tag, phase_of(tag, 0), size};
  c->sink_sent++;
  c->sink_bytes += size;
  lc_send_frame(c, &h, sizeof h, pattern + h.phase, size - sizeof h);
}
void pq_send(struct lconn *c) {
  uint8_t m[40] = {0};
  st64(m + 8, (uint64_t)time(NULL) << 32 | (uint64_t)(rng64() & 0xfffffffcu));
  st32(m + 16, 20);
  st32(m + 20, 0xbe7e8ef1u);
  rng_fill(c->pq_nonce, 16);
  memcpy(m + 24, c->pq_nonce, 16);
  lc_send_frame(c, m, 40, NULL, 0);
}

/* ---- receiving ---- */
static void on_frame(struct lconn *c, const uint8_t *p, size_t n) {
  struct app_hdr h;
  if (n >= 40 && ld64(p) == 0) {
    if (ld32(p + 20) != 0x05162463u || memcmp(p + 24, c->pq_nonce, 16)) { lc_fail(c, &tot.corrupt, "bad resPQ"); return; }
    on_pq(c);
    return;
  }
  if (n < sizeof h) {
    if (n >= 4 && ld32(p) == 0xfffffe6cu) tot.server_errors++;
    else tot.noise++;
    if (cfg.quickack) return; /* MTProxy hides acks in small frames for padded clients */
    lc_fail(c, &tot.bad_reply, "short frame");
    return;
  }
  memcpy(&h, p, sizeof h);
  if (h.key_id != APP_KEY_ID || h.magic != APP_MAGIC || h.len < sizeof h || h.len > n || n - h.len > 15) {
    lc_fail(c, &tot.corrupt, "frame header");
    return;
  }
  tot.frames_down++;
  tot.bytes_down += h.len;
  const uint8_t *body = p + sizeof h;
  size_t bn = h.len - sizeof h;
  if (h.cmd == (APP_SINK | APP_REPLY)) {
    if (!pattern_ok(body, bn, h.tag, 0) || h.a > c->sink_sent || h.a < c->sink_acked) { lc_fail(c, &tot.corrupt, "sink ack"); return; }
    c->sink_acked = h.a;
    if (h.a == c->sink_sent && h.tag != c->sink_bytes) { lc_fail(c, &tot.corrupt, "sink byte count"); return; }
    on_sink_ack(c);
    return;
  }
  struct op *o = NULL;
  for (int i = 0; i < OPS; i++) if (c->ops[i].live && c->ops[i].tag == h.tag) { o = &c->ops[i]; break; }
  if (!o) { lc_fail(c, &tot.corrupt, "reply to nothing (or server saw corruption)"); return; }
  uint32_t idx = o->cmd == APP_SOURCE ? o->next : 0;
  bool ok = h.len == o->size && h.phase == phase_of(h.tag, idx) && pattern_ok(body, bn, h.tag, idx) &&
            (o->cmd == APP_SOURCE ? h.cmd == (APP_SOURCE | APP_REPLY) && h.a == idx : h.cmd == o->cmd);
  if (!ok) { lc_fail(c, &tot.corrupt, "frame content"); return; }
  if (o->cmd == APP_SOURCE && ++o->next < o->frames) return;
  o->live = false;
  c->n_ops--;
  on_op_done(c, o);
}
void lc_parse(struct lconn *c) {
  while (c->state == C_OPEN && c->in.len) {
    size_t len;
    bool quick, is_ack;
    uint32_t ack;
    const uint8_t *p = buf_head(&c->in);
    int pre = frame_parse(p, c->in.len, cfg.proto, &len, &quick, true, &ack, &is_ack);
    if (pre < 0) { lc_fail(c, &tot.corrupt, "frame length"); return; }
    if (!pre || c->in.len < (size_t)pre + len) return;
    if (is_ack) { if (ack == c->last_crc) tot.acks_ok++; else tot.acks_bad++; }
    else on_frame(c, p + pre, len);
    if (c->state == C_OPEN) buf_eat(&c->in, (size_t)pre + len);
  }
}
void lc_take(struct lconn *c, const uint8_t *p, size_t n) { /* ciphertext -> plaintext stream */
  ctr_run(c->dec, buf_tail(&c->in, n), p, n);
  c->in.len += n;
}
static void take_tls(struct lconn *c, const uint8_t *p, size_t n) {
  while (n) {
    if (!c->rec_left) {
      size_t k = 5 - c->rec_have < n ? 5 - c->rec_have : n;
      memcpy(c->rec_hdr + c->rec_have, p, k);
      c->rec_have += (unsigned)k; p += k; n -= k;
      if (c->rec_have < 5) return;
      c->rec_have = 0;
      c->rec_type = c->rec_hdr[0];
      c->rec_left = (uint32_t)c->rec_hdr[3] << 8 | c->rec_hdr[4];
      if (c->rec_type != 0x17 || c->rec_hdr[1] != 3 || c->rec_hdr[2] != 3 || c->rec_left > 16384 + 256) {
        lc_fail(c, &tot.corrupt, "TLS record header");
        return;
      }
      continue;
    }
    size_t k = c->rec_left < n ? c->rec_left : n;
    lc_take(c, p, k);
    c->rec_left -= (uint32_t)k; p += k; n -= k;
  }
}
static void on_input(struct lconn *c) {
  if (c->web) { web_input(c); return; }
  static uint8_t raw[256 * 1024];
  ssize_t r = recv(c->fd, raw, sizeof raw, 0);
  if (r < 0 && errno == EAGAIN) return;
  if (r <= 0) {
    if (c->expect_close) lc_close(c);
    else
      lc_fail(c,
          c->state == C_OPEN    ? &tot.unexpected_close
          : c->state == C_HELLO ? &tot.handshake_fail
                                : &tot.connect_fail,
          r ? "read error" : "closed by peer");
    return;
  }
  const uint8_t *p = raw;
  size_t n = (size_t)r;
  if (c->state == C_HELLO) {
    buf_put(&c->in, p, n);
    int k = tls_check_server(buf_head(&c->in), c->in.len, cfg.secret, c->client_random);
    if (k < 0) { lc_fail(c, &tot.handshake_fail, "ServerHello"); return; }
    if (!k) return;
    size_t rest = c->in.len - (size_t)k;
    memcpy(raw, buf_head(&c->in) + k, rest);
    buf_eat(&c->in, c->in.len);
    n = rest;
    lc_ready(c);
    if (c->state != C_OPEN || !n) return;
  }
  if (c->tls) take_tls(c, p, n); else lc_take(c, p, n);
  lc_parse(c);
}
void lc_event(struct lconn *c, uint32_t ev) {
  if (c->state == C_CONNECTING) {
    int err = 0;
    socklen_t l = sizeof err;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &l);
    if (err || !(ev & EPOLLOUT)) { errno = err; lc_fail(c, &tot.connect_fail, "connect"); return; }
    watch(c, EPOLL_CTL_MOD, false);
    if (cfg.web) { c->state = C_HELLO; web_begin(c); return; }
    if (!c->tls) { lc_ready(c); return; }
    uint8_t hello[4096];
    size_t n = tls_hello(hello, cfg.secret, cfg.domain, cfg.big_hello);
    memcpy(c->client_random, hello + 11, 32);
    buf_put(&c->out, hello, n);
    c->state = C_HELLO;
    lc_flush(c);
    return;
  }
  if (ev & EPOLLOUT) lc_flush(c);
  if (c->state != C_DEAD && (ev & (EPOLLIN | EPOLLHUP | EPOLLERR))) on_input(c);
}
int lc_poll(int timeout_ms) {
  struct epoll_event ev[256];
  int n = epoll_wait(ep, ev, 256, timeout_ms);
  for (int i = 0; i < n; i++) {
    struct lconn *c = ev[i].data.ptr;
    if (c->state != C_DEAD) lc_event(c, ev[i].events);
  }
  while (graves) { /* nobody can hold a stale event now */
    struct lconn *c = graves;
    graves = c->next_free;
    c->next_free = free_list;
    free_list = c;
  }
  return n;
}
