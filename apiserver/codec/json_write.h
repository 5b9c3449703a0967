/* json_write: the encoders' inner pieces: text with one bounds check a piece. */
#ifndef APISIM_CODEC_JSON_WRITE_H
#define APISIM_CODEC_JSON_WRITE_H

#include "codec/codec.h"

/* Room for n bytes at the end of out, or NULL past its ceiling. */
static inline char *json_room(buf *out, size_t n) {
  return out->cap - out->len >= n ? out->ptr + out->len : buf_reserve(out, n);
}

static inline void json_put(buf *out, const char *text, size_t n) {
  char *to = json_room(out, n);
  if (!to) return;
  memcpy(to, text, n);
  out->len += n;
}

static inline void json_char(buf *out, char c) {
  char *to = json_room(out, 1);
  if (!to) return;
  *to = c;
  out->len++;
}

/* The same as json_encode, at any depth and with entries in any order. */
void json_encode_deep(buf *out, const val *v, const type_info *t);
/* The JSON of a field of type t that is absent: "", 0, null, or a struct's {...}. */
void json_write_zero(buf *out, const type_info *t, bool pointer);
/* Is an absent f left out? */
bool json_omits_absent(const field_info *f);
/* Is f left out although v is there? */
bool json_omits(const field_info *f, const val *v);
/* Are the entries of map in byte order of their keys? */
bool json_is_sorted(const val *map);
/* Do the entries of v come in the order of t's fields, all of them known? */
bool json_is_ordered(const val *v, const type_info *t);

#endif
