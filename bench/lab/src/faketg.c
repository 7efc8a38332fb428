/* faketg: a fake Telegram backend on loopback (middle proxy, data centre, config HTTP). */
#define _GNU_SOURCE
#include "fk.h"
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <malloc.h>

struct stats st;
bool opt_verbose;
uint16_t port_middle = 21801;
static uint16_t port_dc = 21802, port_http = 21803;
static unsigned rotate_secs, ping_secs = 10;
uint8_t proxy_secret[128];

static int ep;
static uint32_t next_uid;
static struct conn *middles; /* list of live middle connections */
static struct conn **dirty, **graves;
static unsigned n_dirty, cap_dirty, n_graves, cap_graves;

static void push(struct conn ***v, unsigned *n, unsigned *cap, struct conn *c) {
  if (*n == *cap) *v = realloc(*v, (*cap = *cap ? *cap * 2 : 1024) * sizeof **v);
  (*v)[(*n)++] = c;
}
void mark_dirty(struct conn *c) {
  if (c->dirty || c->dead) return;
  c->dirty = true;
  push(&dirty, &n_dirty, &cap_dirty, c);
}
void emit(struct sess *s, const void *hdr, size_t hn, const void *body, size_t bn) {
  st.frames_out++;
  st.bytes_out += hn + bn;
  if (s->c->kind == K_MIDDLE) middle_emit(s, hdr, hn, body, bn);
  else dc_emit(s, hdr, hn, body, bn);
}
void emit_close(struct sess *s) {
  if (s->c->kind == K_MIDDLE) middle_emit_close(s);
  else { s->c->closing = true; mark_dirty(s->c); }
}
void conn_kill(struct conn *c) { /* memory goes at the end of the loop turn */
  if (c->dead) return;
  c->dead = true;
  if (c->kind == K_MIDDLE) {
    middle_drop_sessions(c);
    if (c->mprev) c->mprev->mnext = c->mnext; else middles = c->mnext;
    if (c->mnext) c->mnext->mprev = c->mprev;
    st.middle_open--;
  } else if (c->kind == K_DC) {
    app_drop(&c->self);
    st.dc_open--;
    if (c->state) st.sessions_open--;
  }
  push(&graves, &n_graves, &cap_graves, c);
}
static void bury(struct conn *c) {
  close(c->fd);
  buf_free(&c->in); buf_free(&c->out);
  EVP_CIPHER_CTX_free(c->dec); EVP_CIPHER_CTX_free(c->enc);
  free(c);
}
void rotate_all(void) {
  for (struct conn *c = middles, *n; c; c = n) {
    n = c->mnext;
    if (c->state == 2) { c->closing = true; st.middle_rotated++; mark_dirty(c); }
  }
}
void rotate_busiest(void) {
  struct conn *best = NULL;
  for (struct conn *c = middles; c; c = c->mnext)
    if (c->state == 2 && !c->closing && (!best || c->n_sess > best->n_sess)) best = c;
  if (best) { best->closing = true; st.middle_rotated++; mark_dirty(best); }
}
static void watch(struct conn *c, int op, uint32_t ev) {
  struct epoll_event e = {.events = ev, .data.ptr = c};
  if (epoll_ctl(ep, op, c->fd, &e)) die("epoll_ctl");
}
static void interest(struct conn *c) {
  bool in = c->out.len < PAUSE_WATER && !c->closing, out = c->out.len > 0;
  if (out == c->want_out && in == !c->paused) return;
  c->want_out = out; c->paused = !in;
  watch(c, EPOLL_CTL_MOD, (in ? EPOLLIN : 0) | (out ? EPOLLOUT : 0));
}
static void fill(struct conn *c) { /* serve SOURCE requests round robin up to the high-water mark */
  while (c->work && c->out.len < HIGH_WATER && !c->closing) {
    struct sess *s = c->work;
    if (app_pump_one(s) && c->work == s) c->work = s->next;
  }
}
static void flush_conn(struct conn *c) {
  while (c->out.len) {
    ssize_t w = send(c->fd, buf_head(&c->out), c->out.len, MSG_NOSIGNAL);
    if (w < 0) {
      if (errno == EAGAIN) break;
      conn_kill(c);
      return;
    }
    buf_eat(&c->out, (size_t)w);
  }
  if (!c->out.len && c->closing) { conn_kill(c); return; }
  interest(c);
}
static void flush_all(void) {
  static struct conn **v;
  static unsigned cap;
  unsigned n = n_dirty;
  if (cap < n) v = realloc(v, (cap = n + 1024) * sizeof *v);
  memcpy(v, dirty, n * sizeof *v);
  n_dirty = 0;
  for (unsigned i = 0; i < n; i++) if (!v[i]->dead && v[i]->kind != K_HTTP) fill(v[i]);
  unsigned k = 0;
  for (unsigned i = 0; i < n; i++) if (!v[i]->dead) v[k++] = v[i];
  n = k;
  middle_encrypt(v, n);
  for (unsigned i = 0; i < n; i++) { v[i]->dirty = false; flush_conn(v[i]); }
  for (unsigned i = 0; i < n; i++) if (!v[i]->dead && v[i]->work && v[i]->out.len < HIGH_WATER / 2) mark_dirty(v[i]);
}
static void accept_many(struct conn *l) {
  for (int i = 0; i < 64; i++) {
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    struct conn *c = calloc(1, sizeof *c);
    c->fd = fd;
    c->uid = ++next_uid;
    c->kind = l->kind == K_LISTEN_MIDDLE ? K_MIDDLE : l->kind == K_LISTEN_DC ? K_DC : K_HTTP;
    c->seq_in = c->seq_out = -2;
    c->self.c = c;
    c->opened_ns = now_ns();
    sock_nodelay(fd);
    if (c->kind == K_MIDDLE) {
      st.middle_accepted++; st.middle_open++;
      c->mnext = middles;
      if (middles) middles->mprev = c;
      middles = c;
    } else if (c->kind == K_DC) { st.dc_accepted++; st.dc_open++; }
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
  }
}
static void on_timer(void) {
  uint64_t t = now_ns();
  static uint64_t last_ping;
  bool ping = ping_secs && t - last_ping > ping_secs * 1000000000ull;
  if (ping) last_ping = t;
  for (struct conn *c = middles, *n; c; c = n) {
    n = c->mnext;
    if (c->state != 2 || c->closing) continue;
    if (rotate_secs && t - c->opened_ns > rotate_secs * 1000000000ull) { c->closing = true; st.middle_rotated++; mark_dirty(c); }
    else if (ping) middle_ping(c);
  }
}
int stats_json(char *o, size_t n) {
#define F(x) {#x, &st.x}
  struct { const char *k; uint64_t *v; } f[] = {
    F(middle_accepted), F(middle_open), F(middle_handshakes), F(middle_bad), F(middle_rotated), F(dc_accepted), F(dc_open), F(dc_bad),
    F(sessions_opened), F(sessions_open), F(proxy_req), F(close_conn), F(close_ext), F(pings_in), F(pongs_in), F(simple_acks),
    F(quickack_asked), F(unknown_rpc), F(frames_in), F(frames_out), F(bytes_in), F(bytes_out), F(corrupt), F(bad_frames), F(pq),
    F(no_adtag), F(padded_flag), F(intermediate_flag), F(abridged_flag)};
  int k = 0;
  for (unsigned i = 0; i < sizeof f / sizeof *f; i++)
    k += snprintf(o + k, n - (size_t)k, "%s\"%s\":%llu", i ? "," : "{", f[i].k, (unsigned long long)*f[i].v);
  return k + snprintf(o + k, n - (size_t)k, "}\n");
}
static struct conn *special(enum kind k, int fd) {
  struct conn *c = calloc(1, sizeof *c);
  c->kind = k; c->fd = fd;
  watch(c, EPOLL_CTL_ADD, EPOLLIN);
  return c;
}
int main(int argc, char **argv) {
  static const struct option lo[] = {{"middle-port", 1, 0, 'm'}, {"dc-port", 1, 0, 'd'}, {"http-port", 1, 0, 'h'},
      {"rotate-secs", 1, 0, 'r'}, {"ping-secs", 1, 0, 'p'}, {"verbose", 0, 0, 'v'}, {"secret-file", 1, 0, 's'},
      {"config-file", 1, 0, 'c'}, {0}};
  const char *secret_file = NULL, *config_file = NULL;
  for (int o; (o = getopt_long(argc, argv, "", lo, NULL)) != -1;) switch (o) {
    case 'm': port_middle = (uint16_t)atoi(optarg); break;
    case 'd': port_dc = (uint16_t)atoi(optarg); break;
    case 'h': port_http = (uint16_t)atoi(optarg); break;
    case 'r': rotate_secs = (unsigned)atoi(optarg); break;
    case 'p': ping_secs = (unsigned)atoi(optarg); break;
    case 'v': opt_verbose = true; break;
    case 's': secret_file = optarg; break;
    case 'c': config_file = optarg; break;
    default: fprintf(stderr, "see README.md\n"); return 2;
    }
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  pattern_init();
  for (unsigned i = 0; i < sizeof proxy_secret; i++) proxy_secret[i] = (uint8_t)(mix64(0x5ec7e7 + i) >> 13);
  if (secret_file) { FILE *f = fopen(secret_file, "wb"); if (!f || fwrite(proxy_secret, 128, 1, f) != 1 || fclose(f)) die("secret file"); }
  if (config_file) {
    FILE *f = fopen(config_file, "w");
    if (!f) die("config file");
    fprintf(f, "default 2;\n");
    for (int d = -5; d <= 5; d++) if (d) fprintf(f, "proxy_for %d 127.0.0.1:%u;\n", d, port_middle);
    fprintf(f, "proxy_for 203 127.0.0.1:%u;\nproxy_for -203 127.0.0.1:%u;\n", port_middle, port_middle);
    fclose(f);
  }
  struct rlimit rl;
  getrlimit(RLIMIT_NOFILE, &rl);
  rl.rlim_cur = rl.rlim_max;
  setrlimit(RLIMIT_NOFILE, &rl);
  ep = epoll_create1(EPOLL_CLOEXEC);
  sigset_t ss;
  sigemptyset(&ss);
  sigaddset(&ss, SIGUSR1); sigaddset(&ss, SIGTERM); sigaddset(&ss, SIGINT);
  sigprocmask(SIG_BLOCK, &ss, NULL);
  int sfd = signalfd(-1, &ss, SFD_NONBLOCK | SFD_CLOEXEC), tfd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  struct itimerspec its = {{0, 250000000}, {0, 250000000}};
  timerfd_settime(tfd, 0, &its, NULL);
  special(K_SIGNAL, sfd); special(K_TIMER, tfd);
  special(K_LISTEN_MIDDLE, tcp_listen(port_middle, 4096, false));
  special(K_LISTEN_DC, tcp_listen(port_dc, 4096, false));
  special(K_LISTEN_HTTP, tcp_listen(port_http, 128, false));
  printf("faketg ready middle=%u dc=%u http=%u\n", port_middle, port_dc, port_http);
  fflush(stdout);
  for (;;) {
    struct epoll_event ev[256];
    int n = epoll_wait(ep, ev, 256, n_dirty ? 0 : -1);
    for (int i = 0; i < n; i++) {
      struct conn *c = ev[i].data.ptr;
      if (c->dead) continue;
      uint64_t junk;
      struct signalfd_siginfo si;
      switch (c->kind) {
      case K_LISTEN_MIDDLE: case K_LISTEN_DC: case K_LISTEN_HTTP: accept_many(c); continue;
      case K_TIMER: if (read(c->fd, &junk, 8) == 8) on_timer(); continue;
      case K_SIGNAL:
        if (read(c->fd, &si, sizeof si) != sizeof si) continue;
        if (si.ssi_signo == SIGUSR1) { rotate_all(); continue; }
        char js[8192];
        stats_json(js, sizeof js);
        fputs(js, stderr);
        return st.corrupt || st.middle_bad || st.dc_bad || st.bad_frames;
      default: break;
      }
      if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        if (c->paused) { if (ev[i].events & (EPOLLHUP | EPOLLERR)) conn_kill(c); }
        else if (c->kind == K_MIDDLE) middle_input(c);
        else if (c->kind == K_DC) dc_input(c);
        else http_input(c);
      }
      if (!c->dead && (ev[i].events & EPOLLOUT)) mark_dirty(c);
    }
    if (n_dirty) flush_all();
    for (unsigned i = 0; i < n_graves; i++) {
      struct conn *c = graves[i];
      for (unsigned k = 0; k < n_dirty; k++) if (dirty[k] == c) dirty[k--] = dirty[--n_dirty];
      bury(c);
    }
    n_graves = 0;
  }
}
