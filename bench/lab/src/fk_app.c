/* What the fake Telegram does with client messages. */
#include "fk.h"

static void ring_add(struct sess *s) {
  struct conn *c = s->c;
  if (s->next) return;
  if (!c->work) { s->prev = s->next = s; c->work = s; }
  else { s->next = c->work; s->prev = c->work->prev; s->prev->next = s; c->work->prev = s; }
}
static void ring_del(struct sess *s) {
  if (!s->next) return;
  struct conn *c = s->c;
  if (c->work == s) c->work = s->next == s ? NULL : s->next;
  s->prev->next = s->next; s->next->prev = s->prev;
  s->prev = s->next = NULL;
}
void app_drop(struct sess *s) {
  ring_del(s);
  free(s->q);
  s->q = NULL; s->q_len = s->q_cap = s->q_head = 0;
}
static void error404(struct sess *s) { /* the server's way to say "bad message" */
  static const uint8_t e[4] = {0x6c, 0xfe, 0xff, 0xff};
  emit(s, e, 4, NULL, 0);
}
static void source_add(struct sess *s, const struct app_hdr *h) {
  if (s->q_len == s->q_cap) {
    uint32_t cap = s->q_cap ? s->q_cap * 2 : 8;
    struct request *q = malloc(cap * sizeof *q);
    for (uint32_t i = 0; i < s->q_len; i++) q[i] = s->q[(s->q_head + i) % s->q_cap];
    free(s->q);
    s->q = q; s->q_cap = cap; s->q_head = 0;
  }
  s->q[(s->q_head + s->q_len++) % s->q_cap] = (struct request){h->a, h->b, 0, h->tag};
  ring_add(s);
  mark_dirty(s->c);
}
bool app_pump_one(struct sess *s) {
  struct request *r = &s->q[s->q_head];
  struct app_hdr h = {APP_KEY_ID, APP_MAGIC, APP_SOURCE | APP_REPLY, r->next, r->frames, r->tag, phase_of(r->tag, r->next), r->size};
  size_t body = r->size - sizeof h;
  if (++r->next == r->frames) {
    s->q_head = (s->q_head + 1) % s->q_cap;
    if (!--s->q_len) ring_del(s);
  }
  emit(s, &h, sizeof h, pattern + h.phase, body);
  return s->next != NULL;
}
static void res_pq(struct sess *s, const uint8_t *p) {
  uint8_t r[20 + 80] = {0};
  uint32_t fn = ld32(p + 20);
  if (fn != 0xbe7e8ef1u && fn != 0x60469778u) { error404(s); return; }
  st64(r + 8, (now_ns() & ~3ull) | 1); /* server message id: answer */
  st32(r + 16, 80);
  st32(r + 20, 0x05162463u);
  memcpy(r + 24, p + 24, 16);
  rng_fill(r + 40, 16);
  static const uint8_t pq[12] = {8, 0x17, 0xed, 0x48, 0x94, 0x1a, 0x08, 0xf9, 0x81};
  memcpy(r + 56, pq, 12);
  st32(r + 68, 0x1cb5c415u);
  st32(r + 72, 3);
  st64(r + 76, 0xc3b42b026ce86b21ull);
  st64(r + 84, 0xd09d1d85de64fd85ull);
  st64(r + 92, 0x0bc35f3509f7b7a5ull);
  st.pq++;
  emit(s, r, sizeof r, NULL, 0);
}
/* What a client has sunk, over all links that it came by: a client that is moved to another link must lose nothing. Never shrinks. */
struct sunk { uint64_t client, frames, bytes; };
static struct sunk *sunk_of(uint64_t client) {
  static struct sunk *table;
  static size_t used, cap;
  if (used * 2 >= cap) {
    size_t ncap = cap ? cap * 2 : 4096;
    struct sunk *t = calloc(ncap, sizeof *t);
    if (!t) die("out of memory");
    for (size_t i = 0; i < cap; i++)
      if (table[i].client) {
        size_t k = mix64(table[i].client) & (ncap - 1);
        while (t[k].client) k = (k + 1) & (ncap - 1);
        t[k] = table[i];
      }
    free(table);
    table = t;
    cap = ncap;
  }
  size_t k = mix64(client) & (cap - 1);
  while (table[k].client && table[k].client != client) k = (k + 1) & (cap - 1);
  if (!table[k].client) { table[k].client = client; used++; }
  return &table[k];
}
void app_frame(struct sess *s, const uint8_t *p, size_t n) {
  struct app_hdr h;
  st.frames_in++;
  st.bytes_in += n;
  if (n >= 40 && ld64(p) == 0) { res_pq(s, p); return; }
  if (n < sizeof h || (n & 3)) { st.bad_frames++; error404(s); return; }
  memcpy(&h, p, sizeof h);
  /* padded clients may add whole words after the frame; the odd bytes were cut by the transport */
  if (h.key_id != APP_KEY_ID || h.magic != APP_MAGIC || h.len < sizeof h || h.len > n || n - h.len > 12) {
    st.bad_frames++;
    error404(s);
    return;
  }
  n = h.len;
  bool ok = h.phase == phase_of(h.tag, 0) && pattern_ok(p + sizeof h, n - sizeof h, h.tag, 0);
  if (!ok) {
    st.corrupt++;
    struct app_hdr e = {APP_KEY_ID, APP_MAGIC, APP_ERR | APP_REPLY, 0, 0, h.tag, phase_of(h.tag, 0), FRAME_MIN};
    emit(s, &e, sizeof e, pattern + e.phase, FRAME_MIN - sizeof e);
    return;
  }
  switch (h.cmd) {
  case APP_ECHO: emit(s, p, n, NULL, 0); break;
  case APP_SINK: {
    struct sunk *k = sunk_of(mix64((uint64_t)h.b << 32 | h.tag >> 32) | 1);
    k->frames++;
    k->bytes += n;
    if (h.a && k->frames % h.a == 0) {
      struct app_hdr r = {APP_KEY_ID, APP_MAGIC, APP_SINK | APP_REPLY, (uint32_t)k->frames, 0, k->bytes, phase_of(k->bytes, 0), FRAME_MIN};
      emit(s, &r, sizeof r, pattern + r.phase, FRAME_MIN - sizeof r);
    }
    break;
  }
  case APP_SOURCE:
    if (h.a && h.b >= FRAME_MIN && h.b <= FRAME_MAX && !(h.b & 3)) source_add(s, &h);
    else { st.bad_frames++; error404(s); }
    break;
  case APP_CLOSE: emit_close(s); break;
  default: st.bad_frames++; error404(s);
  }
}
