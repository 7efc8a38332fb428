/* The few URLs a proxy asks of core.telegram.org, plus /stats and /rotate for the lab. */
#define _GNU_SOURCE
#include "fk.h"
#include <errno.h>
#include <sys/socket.h>

static int config_text(char *o, size_t n) {
  static const int dcs[] = {1, 2, 3, 4, 5, -1, -2, -3, -4, -5, 203, -203};
  int k = snprintf(o, n, "# force_probability 10 10\ndefault 2;\n");
  for (unsigned i = 0; i < sizeof dcs / sizeof *dcs; i++)
    k += snprintf(o + k, n - (size_t)k, "proxy_for %d 127.0.0.1:%u;\n", dcs[i], port_middle);
  return k;
}
static int config6_text(char *o, size_t n) {
  int k = snprintf(o, n, "# force_probability 10 10\ndefault 2;\n");
  for (int d = 1; d <= 5; d++)
    k += snprintf(o + k, n - (size_t)k, "proxy_for %d [::1]:%u;\nproxy_for -%d [::1]:%u;\n", d, port_middle, d, port_middle);
  return k;
}
void http_input(struct conn *c) {
  uint8_t raw[4096];
  ssize_t r = recv(c->fd, raw, sizeof raw, 0);
  if (r < 0 && errno == EAGAIN) return;
  if (r <= 0) { conn_kill(c); return; }
  buf_put(&c->in, raw, (size_t)r);
  if (c->in.len > 16384) { conn_kill(c); return; }
  if (!memmem(buf_head(&c->in), c->in.len, "\r\n\r\n", 4)) return;
  char path[64] = "", body[8192], head[256];
  buf_put(&c->in, "", 1);
  sscanf((char *)buf_head(&c->in), "%*7s %63s", path);
  int n = 0, code = 200;
  if (!strcmp(path, "/getProxySecret")) { memcpy(body, proxy_secret, 128); n = 128; }
  else if (!strcmp(path, "/getProxyConfig")) n = config_text(body, sizeof body);
  else if (!strcmp(path, "/getProxyConfigV6")) n = config6_text(body, sizeof body);
  else if (!strcmp(path, "/stats")) n = stats_json(body, sizeof body);
  else if (!strcmp(path, "/rotate")) { rotate_all(); n = sprintf(body, "ok\n"); }
  else if (!strcmp(path, "/rotate1")) { rotate_busiest(); n = sprintf(body, "ok\n"); }
  else if (!strcmp(path, "/")) n = sprintf(body, "127.0.0.1\n");
  else { code = 404; n = sprintf(body, "no such page\n"); }
  int h = snprintf(head, sizeof head, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", code,
                   code == 200 ? "OK" : "Not Found", n);
  buf_free(&c->in);
  buf_put(&c->out, head, (size_t)h);
  buf_put(&c->out, body, (size_t)n);
  c->closing = true;
  mark_dirty(c);
}
