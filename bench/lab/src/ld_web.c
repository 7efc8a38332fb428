/* The WEB proxy, client side: TLS, the page, a session and its WebSocket on one connection, and one stream in its messages. */
#define _GNU_SOURCE
#include "ld.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <strings.h>

enum { OPEN = 1, DATA = 2, CLOSE = 3, WINDOW = 4, WELCOME = 0x11, HELLO = 0x10 };
enum stage { S_TLS, S_PAGE, S_SESSION, S_SOCKET, S_OPEN };
enum { CREDIT = 1 << 19, HEAD = 10 + 4 + 8, READ_AHEAD = 256 * 1024 };

struct web {
  SSL *ssl;
  enum stage stage;
  uint64_t message;               /* bytes left of a WebSocket message */
  uint32_t payload, credit;       /* bytes left of a frame; read and not given back */
  uint8_t kind, head[10], have;   /* of the header that comes next, so many bytes are here */
};

static SSL_CTX *context(void) {
  static SSL_CTX *ctx;
  if (ctx) return ctx;
  if (!(ctx = SSL_CTX_new(TLS_client_method()))) die("TLS");
  SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  /* As browsers have them, whose engines apps take. */
  if (!SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256")) die("suites");
  SSL_CTX_set_read_ahead(ctx, 1); /* many records with one call, as the others are read */
  SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD);
  return ctx;
}
void web_begin(struct lconn *c) {
  c->web = calloc(1, sizeof *c->web);
  SSL *ssl = c->web->ssl = SSL_new(context());
  SSL_set_tlsext_host_name(ssl, cfg.domain);
  SSL_set_fd(ssl, c->fd);
  SSL_set_connect_state(ssl);
  web_input(c);
}
void web_end(struct lconn *c) {
  if (!c->web) return;
  SSL_free(c->web->ssl);
  free(c->web);
  c->web = NULL;
}
/* as send and recv */
static ssize_t result(struct lconn *c, int n) {
  if (n > 0) return n;
  int e = SSL_get_error(c->web->ssl, n);
  ERR_clear_error();
  if (e == SSL_ERROR_ZERO_RETURN) return 0;
  errno = e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
  return -1;
}
ssize_t web_send(struct lconn *c, const void *p, size_t n) {
  ssize_t w = result(c, SSL_write(c->web->ssl, p, n < 1 << 30 ? (int)n : 1 << 30));
  if (w == 0) { errno = EPIPE; return -1; } /* nobody reads any more */
  return w;
}

/* ---- frames in messages whose mask is zero ---- */
static uint8_t *put_frame(uint8_t *o, uint8_t kind, uint32_t stream, uint32_t n) {
  uint8_t h[8] = {kind, 0, 0, (uint8_t)stream, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
  memcpy(o, h, 8);
  return o + 8;
}
static uint8_t *put_message(uint8_t *o, uint32_t n) {
  *o++ = 0x82;
  if (n < 126) *o++ = (uint8_t)(0x80 | n);
  else { *o++ = 0xff; for (int i = 56; i >= 0; i -= 8) *o++ = (uint8_t)((uint64_t)n >> i); }
  memset(o, 0, 4);
  return o + 4;
}
/* a message with one DATA; its payload is to be written at the place that is returned */
uint8_t *web_data(struct lconn *c, size_t n) {
  uint8_t *o = buf_tail(&c->out, HEAD + n), *at = put_frame(put_message(o, (uint32_t)n + 8), DATA, 1, (uint32_t)n);
  c->out.len += (size_t)(at - o) + n;
  return at;
}
void web_open(struct lconn *c) {
  uint8_t *o = buf_tail(&c->out, HEAD);
  c->out.len += (size_t)(put_frame(put_message(o, 8), OPEN, 1, 0) - o);
}
static void give_credit(struct lconn *c, uint32_t n) {
  if ((c->web->credit += n) < CREDIT) return;
  uint8_t *o = buf_tail(&c->out, HEAD + 4), *at = put_frame(put_message(o, 12), WINDOW, 1, 4);
  for (int i = 24; i >= 0; i -= 8) *at++ = (uint8_t)(c->web->credit >> i);
  c->out.len += (size_t)(at - o);
  c->web->credit = 0;
  if (!c->want_out) lc_flush(c);
}
static void feed(struct lconn *c, const uint8_t *p, size_t n) {
  struct web *w = c->web;
  while (c->state == C_OPEN && n) {
    if (w->payload) {
      size_t k = w->payload < n ? w->payload : n;
      if (w->kind == DATA) { lc_take(c, p, k); give_credit(c, (uint32_t)k); }
      if (c->state != C_OPEN) return;
      w->payload -= (uint32_t)k; p += k; n -= k;
      continue;
    }
    size_t need = w->message ? 8 : w->have < 2 ? 2 : w->head[1] == 126 ? 4 : w->head[1] == 127 ? 10 : 2;
    if (w->have < need) { w->head[w->have++] = *p++; n--; continue; }
    w->have = 0;
    if (w->message) {
      w->kind = w->head[0];
      w->payload = (uint32_t)w->head[4] << 24 | (uint32_t)w->head[5] << 16 | (uint32_t)w->head[6] << 8 | w->head[7];
      if (w->message < 8ull + w->payload) { lc_fail(c, &tot.corrupt, "a frame longer than its message"); return; }
      w->message -= 8ull + w->payload;
      if (w->kind == CLOSE) { lc_fail(c, &tot.unexpected_close, "CLOSE"); return; }
    } else {
      if (w->head[0] != 0x82) { lc_fail(c, &tot.unexpected_close, "no message"); return; }
      for (size_t i = need == 2 ? 1 : 2; i < need; i++) w->message = w->message << 8 | w->head[i];
    }
  }
}

/* ---- the way to a WebSocket ---- */
static size_t base64url(char *out, const uint8_t *p, size_t n) {
  size_t k = (size_t)EVP_EncodeBlock((uint8_t *)out, p, (int)n);
  while (k && out[k - 1] == '=') k--;
  for (size_t i = 0; i < k; i++) out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
  out[k] = 0;
  return k;
}
static void ask_page(struct lconn *c) {
  uint8_t key[17] = {0xdd}, mac[32];
  char text[128], capability[64], ask[512];
  unsigned l = sizeof mac;
  memcpy(key + 1, cfg.secret, 16);
  int n = snprintf(text, sizeof text, "tdesktop-web-proxy-bridge-v1\n%s", cfg.domain);
  HMAC(EVP_sha256(), key, sizeof key, (uint8_t *)text, (size_t)n, mac, &l);
  base64url(capability, mac, sizeof mac);
  n = snprintf(ask, sizeof ask, "GET /?bridge=%s HTTP/1.1\r\nHost: %s\r\n\r\n", capability, cfg.domain);
  buf_put(&c->out, ask, (size_t)n);
}
static void ask_session(struct lconn *c, const char *token) {
  char ask[512];
  uint8_t *at = (uint8_t *)ask + snprintf(ask, sizeof ask, "POST /api/v1/session HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %.43s\r\n"
      "Content-Type: application/octet-stream\r\nContent-Length: 9\r\n\r\n", cfg.domain, token);
  at = put_frame(at, HELLO, 0, 1);
  *at++ = 1;
  buf_put(&c->out, ask, (size_t)(at - (uint8_t *)ask));
}
static void ask_socket(struct lconn *c, const char *token) {
  char ask[512];
  buf_put(&c->out, ask, (size_t)snprintf(ask, sizeof ask, "GET /api/v1/ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n"
      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Protocol: tproxy-v1.%.43s\r\nOrigin: https://%s\r\n\r\n", cfg.domain, token, cfg.domain));
}
/* the answer that stands in c->in: its length with head and body, 0 while more has to come */
static size_t answer(struct lconn *c) {
  buf_put(&c->in, "", 1);
  c->in.len--;
  char *p = (char *)buf_head(&c->in), *end, *length;
  if (!(end = strstr(p, "\r\n\r\n"))) return 0;
  size_t n = (size_t)(end + 4 - p);
  if ((length = strcasestr(p, "content-length: ")) && length < end) n += strtoul(length + 16, NULL, 10);
  return c->in.len < n ? 0 : n;
}
static void step(struct lconn *c) {
  char *p, *token;
  size_t n = answer(c);
  if (!n) return;
  p = (char *)buf_head(&c->in);
  switch (c->web->stage) {
  case S_PAGE: if ((token = strstr(p, "bootstrap=\""))) { ask_session(c, token + 11); break; } goto bad;
  case S_SESSION: if ((token = strcasestr(p, "x-session-token: "))) { ask_socket(c, token + 17); break; } goto bad;
  default: if (strncmp(p, "HTTP/1.1 101", 12)) goto bad;
  }
  buf_eat(&c->in, n);
  if (++c->web->stage != S_OPEN) { lc_flush(c); return; }
  static uint8_t rest[READ_AHEAD];
  n = c->in.len;
  memcpy(rest, buf_head(&c->in), n);
  buf_eat(&c->in, n);
  lc_ready(c);
  feed(c, rest, n);
  return;
bad:
  lc_fail(c, &tot.handshake_fail, p);
}
void web_input(struct lconn *c) {
  static uint8_t raw[READ_AHEAD];
  if (c->web->stage == S_TLS) {
    int r = SSL_do_handshake(c->web->ssl);
    if (r != 1) { if (result(c, r) == 0 || errno != EAGAIN) lc_fail(c, &tot.handshake_fail, "TLS"); return; }
    c->web->stage = S_PAGE;
    ask_page(c);
    lc_flush(c);
  }
  while (c->state == C_HELLO || c->state == C_OPEN) { /* what was read ahead announces nothing */
    size_t n = 0;
    ssize_t r = 0;
    while (n < sizeof raw && (r = result(c, SSL_read(c->web->ssl, raw + n, (int)(sizeof raw - n)))) > 0) n += (size_t)r;
    bool has_ended = r == 0 || (r < 0 && errno != EAGAIN);
    if (c->state == C_OPEN) { feed(c, raw, n); if (c->state == C_OPEN) lc_parse(c); }
    else if (n) { buf_put(&c->in, raw, n); step(c); }
    if (r > 0 || c->state == C_DEAD) continue;
    if (has_ended) lc_fail(c, c->state == C_OPEN ? &tot.unexpected_close : &tot.handshake_fail, "closed by peer");
    return;
  }
}
