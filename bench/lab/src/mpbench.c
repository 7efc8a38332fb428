/* mpbench CONNS SECS [FRAME] [PORT]: a bare middle-proxy client, to see what faketg delivers without any proxy. */
#define _GNU_SOURCE
#include "crypt.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <malloc.h>

struct mp {
  int fd;
  struct cbc_enc enc;
  EVP_CIPHER_CTX *dec;
  int32_t so, si;
  struct buf in;
  uint8_t stash[16];
  unsigned stash_n;
  uint64_t tag;
};
static uint8_t secret[128];
static uint64_t bytes, frames;

static size_t pack(struct mp *m, uint8_t *o, const void *body, size_t n) {
  st32(o, (uint32_t)n + 12);
  st32(o + 4, (uint32_t)m->so++);
  memcpy(o + 8, body, n);
  st32(o + 8 + n, crc32_ieee(0, o, n + 8));
  return n + 12;
}
static void send_enc(struct mp *m, const void *body, size_t n) {
  uint8_t o[512];
  size_t k = pack(m, o, body, n);
  for (; k & 15; k += 4) st32(o + k, 4);
  cbc_encrypt_many(&(struct cbc_job){&m->enc, o, k / 16}, 1);
  if (send(m->fd, o, k, MSG_NOSIGNAL) != (ssize_t)k) die("send");
}
static void ask(struct mp *m, uint32_t frame) { /* RPC_PROXY_REQ carrying one SOURCE request */
  uint8_t b[56 + 64] = {0};
  struct app_hdr h = {APP_KEY_ID, APP_MAGIC, APP_SOURCE, 1, frame, ++m->tag, phase_of(m->tag, 0), 64};
  st32(b, 0x36cef1ee);
  st32(b + 4, 0x20001000 | 0x20000);
  st64(b + 8, (uint64_t)m->fd);
  memcpy(b + 56, &h, sizeof h);
  memcpy(b + 56 + sizeof h, pattern + h.phase, 64 - sizeof h);
  send_enc(m, b, sizeof b);
}
static void must_read(int fd, void *p, size_t n) { if (recv(fd, p, n, MSG_WAITALL) != (ssize_t)n) die("read"); }
static void handshake(struct mp *m, uint16_t port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, me;
  socklen_t l = sizeof me;
  m->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(m->fd, (struct sockaddr *)&a, sizeof a)) die("connect");
  sock_nodelay(m->fd);
  getsockname(m->fd, (struct sockaddr *)&me, &l);
  m->so = m->si = -2;
  uint8_t n[32], o[64], key[32], iv[16];
  uint32_t ts = (uint32_t)time(NULL);
  st32(n, 0x7acb87aa); memcpy(n + 4, secret, 4); st32(n + 8, 1); st32(n + 12, ts);
  rng_fill(n + 16, 16);
  size_t k = pack(m, o, n, 32);
  if (send(m->fd, o, k, 0) != (ssize_t)k) die("send");
  must_read(m->fd, o, 44);
  struct rpc_peer srv = {INADDR_LOOPBACK, port}, cli = {ntohl(me.sin_addr.s_addr), ntohs(me.sin_port)};
  rpc_keys(o + 24, n + 16, ts, srv, cli, "CLIENT", secret, 128, key, iv);
  cbc_enc_init(&m->enc, key, iv);
  rpc_keys(o + 24, n + 16, ts, srv, cli, "SERVER", secret, 128, key, iv);
  m->dec = cbc_dec_new(key, iv);
  m->si = -1;
  memset(n, 0, 8);
  st32(n, 0x7682eef5);
  send_enc(m, n, 32);
}
static void parse(struct mp *m, uint32_t frame) {
  while (m->in.len >= 4) {
    const uint8_t *p = buf_head(&m->in);
    uint32_t len = ld32(p);
    if (len == 4) { buf_eat(&m->in, 4); continue; }
    if (m->in.len < len) return;
    if ((int32_t)ld32(p + 4) != m->si++ || crc32_ieee(0, p, len - 4) != ld32(p + len - 4)) die("corrupt packet");
    if (ld32(p + 8) == 0x4403da0du) {
      struct app_hdr h;
      memcpy(&h, p + 24, sizeof h);
      if (!pattern_ok(p + 24 + sizeof h, len - 12 - 16 - sizeof h, h.tag, 0)) die("corrupt body");
      bytes += len - 28;
      frames++;
      ask(m, frame);
    }
    buf_eat(&m->in, len);
  }
}
int main(int argc, char **argv) {
  unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 4, secs = argc > 2 ? (unsigned)atoi(argv[2]) : 3;
  uint32_t frame = argc > 3 ? (uint32_t)atoi(argv[3]) : 131072;
  uint16_t port = argc > 4 ? (uint16_t)atoi(argv[4]) : 21801;
  static uint8_t raw[256 * 1024 + 16];
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  pattern_init();
  for (unsigned i = 0; i < sizeof secret; i++) secret[i] = (uint8_t)(mix64(0x5ec7e7 + i) >> 13);
  struct mp *v = calloc(n, sizeof *v);
  int ep = epoll_create1(0);
  for (unsigned i = 0; i < n; i++) {
    handshake(&v[i], port);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &v[i]};
    epoll_ctl(ep, EPOLL_CTL_ADD, v[i].fd, &e);
    for (int k = 0; k < 8; k++) ask(&v[i], frame);
  }
  uint64_t t0 = now_ns(), end = t0 + secs * 1000000000ull;
  while (now_ns() < end) {
    struct epoll_event ev[64];
    int k = epoll_wait(ep, ev, 64, 100);
    for (int i = 0; i < k; i++) {
      struct mp *m = ev[i].data.ptr;
      memcpy(raw, m->stash, m->stash_n);
      ssize_t r = recv(m->fd, raw + m->stash_n, sizeof raw - 16, MSG_DONTWAIT);
      if (r < 0 && errno == EAGAIN) continue;
      if (r <= 0) die("closed");
      size_t all = m->stash_n + (size_t)r, whole = all & ~(size_t)15;
      int l;
      EVP_DecryptUpdate(m->dec, buf_tail(&m->in, whole + 16), &l, raw, (int)whole);
      m->in.len += whole;
      m->stash_n = (unsigned)(all - whole);
      memcpy(m->stash, raw + whole, m->stash_n);
      parse(m, frame);
    }
  }
  double s = (double)(now_ns() - t0) / 1e9;
  printf("{\"middle_conns\":%u,\"frame\":%u,\"mb_s\":%.1f,\"frames_s\":%.0f}\n", n, frame, (double)bytes / 1e6 / s, (double)frames / s);
  return 0;
}
