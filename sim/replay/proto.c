/* Walking two protobuf messages side by side by their wire format. A field of bytes may be a
 * string or a message; both readings are tried, the plain one first. */
#include "sim/replay/proto.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FIELD_MAX 65536
#define DEPTH_MAX 100
#define MANAGED_FIELDS 17 /* of ObjectMeta */

typedef struct field {
  uint64_t number;
  int wire; /* 0 varint, 1 eight bytes, 2 bytes, 5 four bytes */
  uint64_t varint;
  slice bytes; /* of wire 1, 2, 5 */
} field;

typedef struct message {
  uint32_t count;
  field *fields;
} message;

static bool varint(slice s, size_t *at, uint64_t *out) {
  *out = 0;
  for (unsigned shift = 0; shift < 64 && *at < s.len; shift += 7) {
    unsigned char c = (unsigned char)s.ptr[(*at)++];
    *out |= (uint64_t)(c & 0x7f) << shift;
    if (c < 0x80) {
      return true;
    }
  }
  return false;
}

static bool read_field(slice s, size_t *at, field *f) {
  uint64_t tag, len;
  if (!varint(s, at, &tag) || tag >> 3 == 0) {
    return false;
  }
  f->number = tag >> 3;
  f->wire = (int)(tag & 7);
  if (f->wire == 0) {
    return varint(s, at, &f->varint);
  }
  len = f->wire == 1 ? 8 : f->wire == 5 ? 4 : 0;
  if ((f->wire == 2 && !varint(s, at, &len)) || (f->wire != 2 && len == 0) ||
      len > s.len - *at) {
    return false;
  }
  f->bytes = slice_of(s.ptr + *at, (size_t)len);
  *at += (size_t)len;
  return true;
}

static bool read_message(arena *a, slice s, message *m) {
  size_t at = 0;
  uint32_t cap = 0;
  memset(m, 0, sizeof *m);
  while (at < s.len) {
    if (m->count == cap) {
      uint32_t more = cap ? cap * 2 : 16;
      m->fields = arena_grow(a, m->fields, cap * sizeof(field), more * sizeof(field));
      cap = more;
    }
    field *f = &m->fields[m->count];
    memset(f, 0, sizeof *f);
    if (m->count++ >= FIELD_MAX || !read_field(s, &at, f)) {
      return false;
    }
  }
  return true;
}

/* Field n of a message, without building it. */
static slice sub_field(slice s, uint64_t n) {
  field f = {0};
  for (size_t at = 0; at < s.len && read_field(s, &at, &f);) {
    if (f.number == n && f.wire == 2) {
      return f.bytes;
    }
  }
  return SLICE_NONE;
}

static int by_manager(const void *x, const void *y) {
  static const uint64_t keys[] = {1, 2, 3, 8, 7}; /* all of an entry but its time */
  int order = 0;
  for (size_t i = 0; i < sizeof keys / sizeof *keys && order == 0; i++) {
    order = slice_cmp(sub_field(((const field *)x)->bytes, keys[i]),
                      sub_field(((const field *)y)->bytes, keys[i]));
  }
  return order;
}

static void sort_managers(message *m) {
  for (uint32_t i = 0; i < m->count; i++) {
    uint32_t end = i;
    while (end < m->count && m->fields[end].number == MANAGED_FIELDS &&
           m->fields[end].wire == 2) {
      end++;
    }
    if (end > i + 1) {
      qsort(m->fields + i, end - i, sizeof(field), by_manager);
      i = end;
    }
  }
}

static slice time_of(char out[32], uint64_t seconds) {
  time_t t = (time_t)seconds;
  struct tm tm;
  gmtime_r(&t, &tm);
  return slice_of(out, strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm));
}

static bool varints_paired(pairing *p, uint64_t e, uint64_t a) {
  char x[32], y[32];
  if (e >= 30000 && e <= 32767 && a >= 30000 && a <= 32767) {
    slice es = slice_of(x, (size_t)snprintf(x, sizeof x, "%u", (unsigned)e));
    return pairing_match(p, PAIR_PORT, es,
                         slice_of(y, (size_t)snprintf(y, sizeof y, "%u", (unsigned)a)));
  }
  return e < 1ull << 40 && a < 1ull << 40 &&
         pairing_match(p, PAIR_TIME, time_of(x, e), time_of(y, a));
}

static bool looks_like_text(slice s) {
  for (size_t i = 0; i < s.len; i++) {
    if ((unsigned char)s.ptr[i] < 0x20 && s.ptr[i] != '\n' && s.ptr[i] != '\t') {
      return false;
    }
  }
  return true;
}

static bool same(diff *d, slice e, slice a, int depth);

static bool bytes_same(diff *d, slice e, slice a, int depth) {
  if (slice_eq(e, a) ||
      (looks_like_text(e) && looks_like_text(a) && pairing_match_text(d->pairs, e, a))) {
    return true;
  }
  if (proto_is_envelope(e) && proto_is_envelope(a)) {
    e = slice_from(e, 4);
    a = slice_from(a, 4);
  }
  return e.len > 0 && a.len > 0 && same(d, e, a, depth + 1);
}

/* Leaves the path at the first field that differs. */
static bool same(diff *d, slice e, slice a, int depth) {
  message em, am;
  if (depth > DEPTH_MAX || !read_message(d->arena, e, &em) || !read_message(d->arena, a, &am)) {
    return false;
  }
  sort_managers(&em);
  sort_managers(&am);
  for (uint32_t i = 0; i < em.count || i < am.count; i++) {
    const field *x = &em.fields[i], *y = &am.fields[i];
    size_t was = d->path.len;
    buf_printf(&d->path, "/%u", i < em.count ? (unsigned)x->number : (unsigned)y->number);
    if (i >= em.count || i >= am.count || x->number != y->number || x->wire != y->wire) {
      return false;
    }
    bool good = x->wire == 0 ? x->varint == y->varint ||
                                   varints_paired(d->pairs, x->varint, y->varint)
                : x->wire == 2 ? bytes_same(d, x->bytes, y->bytes, depth)
                               : slice_eq(x->bytes, y->bytes);
    if (!good) {
      return false;
    }
    d->path.len = was;
  }
  return true;
}

bool proto_is_envelope(slice body) {
  return slice_has_prefix(body, (slice){"k8s\0", 4});
}

void proto_diff(diff *d, const char *root, slice expected, slice actual) {
  buf_clear(&d->path);
  buf_printf(&d->path, "%s#", root);
  if (!bytes_same(d, expected, actual, 0)) {
    diff_here(d, DIFF_BYTES, SLICE_LIT("(protobuf)"), SLICE_LIT("(protobuf)"));
  }
}
