/* The two directions over the field tables. Reading goes forwards with proto_in, writing backwards
 * with proto_out, both of codec/proto_wire.h. */
#include "etcd/message.h"

#include "codec/proto_wire.h"

#include <assert.h>

const char etcd_text_too_deep[] = "proto: message is nested too deeply";

void *etcd_list_add(arena *a, etcd_list *l, size_t size) {
  l->items = arena_more(a, l->items, l->count, &l->cap, size);
  char *item = (char *)l->items + size * l->count++;
  memset(item, 0, size);
  return item;
}

/* ---- reading ---- */

static const char *decode(const etcd_message *m, proto_in *in, arena *a, char *out,
                          unsigned depth);

static const etcd_field *find(const etcd_message *m, int32_t number) {
  for (uint32_t i = 0; i < m->field_count; i++) {
    if (m->fields[i].number == number) return &m->fields[i];
  }
  return NULL;
}

static unsigned wire_of(const etcd_field *f) {
  return f->type == ETCD_BYTES || f->type == ETCD_MESSAGE ? WIRE_BYTES : WIRE_VARINT;
}

static void put_number(const etcd_field *f, char *at, uint64_t n) {
  switch (f->type) {
  case ETCD_INT64: memcpy(at, &n, sizeof n); break;
  case ETCD_BOOL: *(bool *)at = n != 0; break;
  default: memcpy(at, &(uint32_t){(uint32_t)n}, sizeof(uint32_t)); break;
  }
}

/* A varint of a singular or repeated field, or a packed run of them. */
static const char *decode_numbers(const etcd_field *f, unsigned wire, proto_in *in, arena *a,
                                  char *at) {
  uint64_t n;
  if (!f->repeated) {
    if (!wire_varint(in, &n)) return in->error;
    put_number(f, at, n);
    return NULL;
  }
  proto_in run = *in;
  if (wire == WIRE_BYTES) {
    slice bytes;
    if (!wire_bytes(in, &bytes)) return in->error;
    run = (proto_in){.start = bytes.ptr, .p = bytes.ptr, .limit = bytes.ptr + bytes.len};
  }
  do {
    if (wire == WIRE_BYTES && run.p == run.limit) break;
    if (!wire_varint(&run, &n)) return run.error;
    put_number(f, etcd_list_add(a, (etcd_list *)(void *)at, sizeof(int32_t)), n);
  } while (wire == WIRE_BYTES);
  if (wire != WIRE_BYTES) *in = run;
  return NULL;
}

static const char *decode_field(const etcd_field *f, unsigned wire, proto_in *in, arena *a,
                                char *out, unsigned depth) {
  char *at = out + f->offset;
  if (wire_of(f) == WIRE_VARINT) return decode_numbers(f, wire, in, a, at);
  slice bytes;
  if (!wire_bytes(in, &bytes)) return in->error;
  if (f->type == ETCD_BYTES) {
    slice *to = (slice *)(void *)at;
    if (f->repeated) to = etcd_list_add(a, (etcd_list *)(void *)at, sizeof(slice));
    *to = bytes;
    return NULL;
  }
  void *item;
  if (f->repeated) {
    item = etcd_list_add(a, (etcd_list *)(void *)at, f->message->size);
  } else {
    memcpy(&item, at, sizeof item);
    if (!item || f->oneof) item = arena_zalloc(a, f->message->size);
    memcpy(at, &item, sizeof item);
  }
  proto_in inner = {.start = bytes.ptr, .p = bytes.ptr, .limit = bytes.ptr + bytes.len};
  return decode(f->message, &inner, a, item, depth + 1);
}

static bool fits(const etcd_field *f, unsigned wire) {
  return wire == wire_of(f) || (wire == WIRE_BYTES && f->repeated && f->type != ETCD_INT64);
}

static const char *decode(const etcd_message *m, proto_in *in, arena *a, char *out,
                          unsigned depth) {
  if (depth > ETCD_DEPTH_MAX) return etcd_text_too_deep;
  while (in->p < in->limit) {
    const char *tag_at = in->p;
    uint64_t tag;
    if (!wire_varint(in, &tag)) return in->error;
    int32_t number = (int32_t)(tag >> 3);
    unsigned wire = tag & 7;
    if (wire == WIRE_END || number <= 0) {
      return arena_cstr(a, wire_tag_error(a, slice_cstr(m->name), number, tag));
    }
    const etcd_field *f = find(m, number);
    if (!f) {
      in->p = tag_at;
      const char *over;
      if (!wire_skip(in, &over)) return in->error;
      continue;
    }
    if (!fits(f, wire)) {
      return arena_cstr(a, arena_printf(a, "proto: wrong wireType = %u for field %u of %s", wire,
                                        f->number, m->name));
    }
    if (f->oneof) {
      uint32_t which = f->number;
      memcpy(out + m->which_offset, &which, sizeof which);
    }
    const char *problem = decode_field(f, wire, in, a, out, depth);
    if (problem) return problem;
  }
  return NULL;
}

const char *etcd_decode(const etcd_message *m, slice in, arena *a, void *out) {
  memset(out, 0, m->size);
  if (in.len == 0) return NULL;
  proto_in p = {.start = in.ptr, .p = in.ptr, .limit = in.ptr + in.len};
  return decode(m, &p, a, out, 0);
}

/* ---- writing ---- */

static void encode(const etcd_message *m, const char *in, proto_out *out);

static uint64_t number_of(const etcd_field *f, const char *at) {
  uint64_t wide;
  int32_t narrow;
  switch (f->type) {
  case ETCD_INT64: memcpy(&wide, at, sizeof wide); return wide;
  case ETCD_BOOL: return *(const bool *)at;
  case ETCD_UINT32: memcpy(&narrow, at, sizeof narrow); return (uint32_t)narrow;
  default: memcpy(&narrow, at, sizeof narrow); return (uint64_t)(int64_t)narrow;
  }
}

static void encode_message(const etcd_field *f, const char *item, proto_out *out) {
  size_t mark = out->used;
  encode(f->message, item, out);
  out_close(out, mark, f->number);
}

static void encode_repeated(const etcd_field *f, const char *at, proto_out *out) {
  etcd_list l;
  memcpy(&l, at, sizeof l);
  if (l.count == 0) return;
  if (f->type == ETCD_MESSAGE) {
    for (uint32_t i = l.count; i-- > 0;) {
      encode_message(f, (const char *)l.items + (size_t)i * f->message->size, out);
    }
  } else if (f->type == ETCD_BYTES) {
    for (uint32_t i = l.count; i-- > 0;) out_string(out, f->number, ((slice *)l.items)[i]);
  } else {
    size_t mark = out->used;
    for (uint32_t i = l.count; i-- > 0;) {
      out_varint(out, number_of(f, (const char *)l.items + sizeof(int32_t) * i));
    }
    out_close(out, mark, f->number);
  }
}

static void encode_field(const etcd_field *f, const char *in, bool always, proto_out *out) {
  const char *at = in + f->offset;
  if (f->repeated) {
    encode_repeated(f, at, out);
  } else if (f->type == ETCD_MESSAGE) {
    const char *item;
    memcpy(&item, at, sizeof item);
    if (item) encode_message(f, item, out);
  } else if (f->type == ETCD_BYTES) {
    slice s;
    memcpy(&s, at, sizeof s);
    if (s.len || always) out_string(out, f->number, s);
  } else {
    uint64_t n = number_of(f, at);
    if (n || always) out_number(out, f->number, n);
  }
}

static void encode(const etcd_message *m, const char *in, proto_out *out) {
  uint32_t which = 0;
  if (m->which_offset != ETCD_NO_ONEOF) memcpy(&which, in + m->which_offset, sizeof which);
  for (uint32_t i = m->field_count; i-- > 0;) {
    const etcd_field *f = &m->fields[i];
    if (f->oneof && f->number != which) continue;
    encode_field(f, in, f->oneof, out);
  }
}

void etcd_encode(const etcd_message *m, const void *in, buf *out) {
  proto_out o = {.out = out};
  encode(m, in, &o);
  out_finish(&o);
}

/* ---- sizes ---- */

static size_t varint_size(uint64_t n) {
  char bytes[VARINT_MAX];
  return varint_put(bytes, n);
}

static size_t run_size(const etcd_field *f, size_t len) {
  return varint_size((uint64_t)f->number << 3) + varint_size(len) + len;
}

static size_t repeated_size(const etcd_field *f, const char *at) {
  etcd_list l;
  memcpy(&l, at, sizeof l);
  size_t total = 0;
  for (uint32_t i = 0; i < l.count; i++) {
    if (f->type == ETCD_MESSAGE) {
      const char *item = (const char *)l.items + (size_t)i * f->message->size;
      total += run_size(f, etcd_size(f->message, item));
    } else if (f->type == ETCD_BYTES) {
      total += run_size(f, ((slice *)l.items)[i].len);
    } else {
      total += varint_size(number_of(f, (const char *)l.items + sizeof(int32_t) * i));
    }
  }
  bool packed = f->type != ETCD_MESSAGE && f->type != ETCD_BYTES;
  return packed && l.count ? run_size(f, total) : total;
}

static size_t field_size(const etcd_field *f, const char *in, bool always) {
  const char *at = in + f->offset;
  if (f->repeated) return repeated_size(f, at);
  if (f->type == ETCD_MESSAGE) {
    const char *item;
    memcpy(&item, at, sizeof item);
    return item ? run_size(f, etcd_size(f->message, item)) : 0;
  }
  if (f->type == ETCD_BYTES) {
    slice s;
    memcpy(&s, at, sizeof s);
    return s.len || always ? run_size(f, s.len) : 0;
  }
  uint64_t n = number_of(f, at);
  return n || always ? varint_size((uint64_t)f->number << 3) + varint_size(n) : 0;
}

size_t etcd_size(const etcd_message *m, const void *in) {
  const char *base = in;
  uint32_t which = 0;
  size_t total = 0;
  if (m->which_offset != ETCD_NO_ONEOF) memcpy(&which, base + m->which_offset, sizeof which);
  for (uint32_t i = 0; i < m->field_count; i++) {
    const etcd_field *f = &m->fields[i];
    if (f->oneof && f->number != which) continue;
    total += field_size(f, base, f->oneof);
  }
  return total;
}
