/* Two passes over what is read: the first believes nothing and changes nothing, the second fills
 * the store. */
#include "snapshot.h"

#include "access/access.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "codec/codec.h"
#include "registry/port_allocator.h"
#include "watch/watcher.h"

#include <assert.h>
#include <openssl/evp.h>

#define MAGIC "apisim-snapshot "
#define TRAILER "sha256 "
#define DIGEST_BYTES 32
#define PIECE ((size_t)1 << 20)
#define KEY_MAX ((size_t)4096)
#define STREAM_COUNT 5

typedef struct stream_row {
  const char *name;
  rng *at;
} stream_row;

static void list_streams(server *s, stream_row out[STREAM_COUNT]) {
  out[0] = (stream_row){"uid", &s->uid_rng};
  out[1] = (stream_row){"name", &s->name_rng};
  out[2] = (stream_row){"port", &s->port_rng};
  out[3] = (stream_row){"ip", &s->ip_rng};
  out[4] = (stream_row){"audit", &s->audit_rng};
}

static void hex_digits(const unsigned char *digest, size_t len, char *out) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < len; i++) {
    out[2 * i] = digits[digest[i] >> 4];
    out[2 * i + 1] = digits[digest[i] & 15];
  }
}

/* ---- writing ---- */

typedef struct writer {
  buf piece;
  EVP_MD_CTX *digest;
  snapshot_sink sink;
  void *ctx;
  bool failed;
} writer;

static void writer_flush(writer *w) {
  slice bytes = buf_slice(&w->piece);
  EVP_DigestUpdate(w->digest, bytes.ptr, bytes.len);
  if (!w->failed && bytes.len) w->failed = !w->sink(w->ctx, bytes);
  buf_clear(&w->piece);
}

static bool write_entry(void *ctx, store_entry *e) {
  writer *w = ctx;
  buf_printf(&w->piece, "%u %u %lld %lld %lld\n", e->key_len, e->value->len,
             (long long)e->create_revision, (long long)e->mod_revision, (long long)e->version);
  buf_append(&w->piece, store_entry_key(e));
  buf_append(&w->piece, blob_slice(e->value));
  buf_char(&w->piece, '\n');
  assert(!w->piece.overflow);
  if (w->piece.len >= PIECE) writer_flush(w);
  return !w->failed;
}

static void write_head(writer *w, server *s, store_view *v, int64_t clock_ns) {
  stream_row rows[STREAM_COUNT];
  list_streams(s, rows);
  buf_printf(&w->piece, MAGIC "%d\n{\"kubernetes\":\"v1.36\",\"revision\":%lld,\"clock\":%lld,"
                        "\"objects\":%llu,\"streams\":{",
             SNAPSHOT_VERSION, (long long)store_view_revision(v), (long long)clock_ns,
             (unsigned long long)store_view_count(v, SLICE_NONE, SLICE_NONE));
  for (size_t i = 0; i < STREAM_COUNT; i++) {
    const uint64_t *n = rows[i].at->s;
    buf_printf(&w->piece, "%s\"%s\":\"%016llx%016llx%016llx%016llx\"", i ? "," : "", rows[i].name,
               (unsigned long long)n[0], (unsigned long long)n[1], (unsigned long long)n[2],
               (unsigned long long)n[3]);
  }
  buf_lit(&w->piece, "}}\n");
}

bool snapshot_write(server *s, int64_t clock_ns, snapshot_sink sink, void *ctx) {
  assert(store_is_memory(s->store));
  store_view *v = NULL;
  if (store_view_open(s->store, 0, &v) != STORE_OK) return false;
  writer w = {.digest = EVP_MD_CTX_new(), .sink = sink, .ctx = ctx};
  buf_init(&w.piece, 2 * PIECE + LIMIT_STORED_OBJECT + KEY_MAX);
  EVP_DigestInit_ex(w.digest, EVP_sha256(), NULL);
  write_head(&w, s, v, clock_ns);
  store_view_walk(v, SLICE_NONE, SLICE_NONE, write_entry, &w);
  writer_flush(&w);
  unsigned char digest[DIGEST_BYTES];
  char line[sizeof TRAILER - 1 + 2 * DIGEST_BYTES + 1] = TRAILER;
  EVP_DigestFinal_ex(w.digest, digest, NULL);
  hex_digits(digest, sizeof digest, line + sizeof TRAILER - 1);
  line[sizeof line - 1] = '\n';
  bool ok = !w.failed && sink(ctx, slice_of(line, sizeof line));
  EVP_MD_CTX_free(w.digest);
  buf_dispose(&w.piece);
  store_view_close(v);
  return ok;
}

/* ---- reading ---- */

typedef struct reader {
  int64_t event_ttl_s;
  slice rest;
  slice last_key;
  int64_t revision, clock_ns, objects;
  rng streams[STREAM_COUNT];
} reader;

static bool refuse(slice *problem, const char *words) {
  *problem = slice_cstr(words);
  return false;
}

/* A decimal number and the byte behind it. */
static bool take_number(slice *s, char end, int64_t *out) {
  uint64_t n = 0;
  size_t i = 0;
  for (; i < s->len && i < 19 && s->ptr[i] >= '0' && s->ptr[i] <= '9'; i++) {
    n = n * 10 + (uint64_t)(s->ptr[i] - '0');
  }
  if (i == 0 || i == s->len || s->ptr[i] != end || n > INT64_MAX) return false;
  *out = (int64_t)n;
  *s = slice_from(*s, i + 1);
  return true;
}

/* False at a row that can't be one. */
static bool take_row(reader *r, store_row *row) {
  int64_t key_len = 0, value_len = 0;
  slice *s = &r->rest;
  if (!take_number(s, ' ', &key_len) || !take_number(s, ' ', &value_len) ||
      !take_number(s, ' ', &row->create_revision) || !take_number(s, ' ', &row->mod_revision) ||
      !take_number(s, '\n', &row->version)) {
    return false;
  }
  if (key_len <= 0 || (size_t)key_len > KEY_MAX || (size_t)value_len > LIMIT_STORED_OBJECT ||
      s->len < (size_t)key_len + (size_t)value_len + 1) {
    return false;
  }
  row->key = slice_upto(*s, (size_t)key_len);
  row->value = slice_upto(slice_from(*s, (size_t)key_len), (size_t)value_len);
  *s = slice_from(*s, (size_t)key_len + (size_t)value_len);
  bool ok = s->ptr[0] == '\n' && slice_cmp(r->last_key, row->key) < 0 && row->version > 0 &&
            row->create_revision > 0 && row->create_revision <= row->mod_revision &&
            row->mod_revision <= r->revision;
  *s = slice_from(*s, 1);
  r->last_key = row->key;
  return ok;
}

/* 64 hexadecimal digits. */
static bool read_stream(slice text, rng *out) {
  if (text.len != 64) return false;
  for (size_t i = 0; i < 64; i++) {
    char c = text.ptr[i];
    bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'f';
    if (!digit && !letter) return false;
    out->s[i / 16] = out->s[i / 16] << 4 | (uint64_t)(digit ? c - '0' : c - 'a' + 10);
  }
  return (out->s[0] | out->s[1] | out->s[2] | out->s[3]) != 0;
}

static bool read_head(reader *r, server *s) {
  slice line, error = SLICE_NONE;
  if (!slice_cut(r->rest, '\n', &line, &r->rest)) return false;
  arena *a = arena_create();
  const val *head = json_parse(a, line, NULL, &error);
  r->revision = val_i64(val_getc(head, "revision"));
  r->clock_ns = val_i64(val_getc(head, "clock"));
  r->objects = val_i64(val_getc(head, "objects"));
  stream_row rows[STREAM_COUNT];
  list_streams(s, rows);
  bool ok = r->revision > 0 && r->objects >= 0 && r->clock_ns >= 0;
  for (size_t i = 0; ok && i < STREAM_COUNT; i++) {
    ok = read_stream(val_get_str(val_getc(head, "streams"), rows[i].name), &r->streams[i]);
  }
  arena_destroy(a);
  return ok;
}

/* Cuts the last line off and compares it with the digest of the rest. */
static bool check_digest(slice *bytes, slice *problem) {
  size_t line = sizeof TRAILER - 1 + 2 * DIGEST_BYTES + 1;
  slice tail = bytes->len > line ? slice_from(*bytes, bytes->len - line) : SLICE_NONE;
  if (!slice_has_prefix(tail, SLICE_LIT(TRAILER)) || tail.ptr[line - 1] != '\n') {
    return refuse(problem, "it is cut off: the last line is no sha256");
  }
  unsigned char digest[DIGEST_BYTES];
  char text[2 * DIGEST_BYTES];
  *bytes = slice_upto(*bytes, bytes->len - line);
  EVP_Digest(bytes->ptr, bytes->len, digest, NULL, EVP_sha256(), NULL);
  hex_digits(digest, sizeof digest, text);
  slice told = slice_of(tail.ptr + sizeof TRAILER - 1, sizeof text);
  return slice_eq(told, slice_of(text, sizeof text)) ||
         refuse(problem, "it is damaged: the checksum differs");
}

static bool check_rows(reader r, slice *problem) {
  store_row row;
  for (int64_t i = 0; i < r.objects; i++) {
    if (!take_row(&r, &row)) return refuse(problem, "an object in it is malformed");
  }
  return r.rest.len == 0 || refuse(problem, "it holds more objects than it says");
}

static bool next_row(void *ctx, store_row *row) {
  reader *r = ctx;
  if (r->rest.len == 0) return false;
  bool ok = take_row(r, row), event = slice_has_prefix(row->key, SLICE_LIT("/registry/events/"));
  assert(ok);
  row->ttl_s = event ? r->event_ttl_s : 0; /* as an etcd that comes back: leases begin anew */
  return ok;
}

bool snapshot_load(server *s, slice bytes, int64_t *clock_ns, slice *problem) {
  reader r = {.event_ttl_s = s->options.event_ttl_s};
  int64_t version = 0;
  if (!store_is_memory(s->store)) return refuse(problem, "only for objects kept in memory");
  if (!slice_has_prefix(bytes, SLICE_LIT(MAGIC))) return refuse(problem, "it is no snapshot");
  r.rest = slice_from(bytes, sizeof MAGIC - 1);
  if (!take_number(&r.rest, '\n', &version)) return refuse(problem, "it is no snapshot");
  if (version != SNAPSHOT_VERSION) {
    return refuse(problem, "its format has a version that is not known here (known: 1)");
  }
  slice whole = bytes;
  if (!check_digest(&whole, problem)) return false;
  r.rest = slice_of(r.rest.ptr, (size_t)(whole.ptr + whole.len - r.rest.ptr));
  if (!read_head(&r, s)) return refuse(problem, "its head is malformed");
  if (!check_rows(r, problem)) return false;
  stream_row rows[STREAM_COUNT];
  list_streams(s, rows);
  store_memory_load(s->store, r.revision, next_row, &r);
  for (size_t i = 0; i < STREAM_COUNT; i++) *rows[i].at = r.streams[i];
  s->ports->revision = -1;
  access_forget(s->access);
  watchers_expire(s);
  *clock_ns = r.clock_ns;
  return true;
}
