/* Cases from a file: for what a generator of one's own writes, and for a difference that somebody
 * reports. */
#include "conformance/codec/cases.h"

#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool unhex(arena *a, slice hex, slice *out) {
  char *bytes = arena_alloc(a, hex.len / 2 + 1);
  for (size_t i = 0; i + 1 < hex.len; i += 2) {
    int high = digit(hex.ptr[i]), low = digit(hex.ptr[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i / 2] = (char)(high << 4 | low);
  }
  *out = slice_of(bytes, hex.len / 2);
  return hex.len % 2 == 0;
}

static bool read_format(slice name, oracle_case *c) {
  size_t n = name.len;
  bool strict = n > 7 && slice_eq(slice_from(name, n - 7), SLICE_LIT("/strict"));
  if (strict) name.len = n - 7;
  for (unsigned f = 0; f < ORACLE_FORMATS; f++) {
    if (!slice_is(name, oracle_format_names[f])) continue;
    c->format = (uint8_t)f;
    c->flags = (uint8_t)((1u << ORACLE_FORMATS) - 1) | (strict ? ORACLE_STRICT : 0);
    return true;
  }
  return false;
}

static bool read_kind(slice name, oracle_case *c) {
  slice group = SLICE_LIT(""), version, kind, first, rest;
  if (!slice_cut(name, '/', &version, &kind)) return false;
  if (slice_cut(kind, '/', &first, &rest)) {
    group = version;
    version = first;
    kind = rest;
  }
  const kind_info *k = schema_kind(group, version, kind);
  c->kind = (uint16_t)(k ? k - schema_kinds : 0);
  return k != NULL;
}

static bool read_case(arena *a, slice line, oracle_case *c) {
  slice format, kind, hex;
  slice_cut(line, ' ', &format, &line);
  slice_cut(line, ' ', &kind, &hex);
  return read_format(format, c) && read_kind(kind, c) && unhex(a, hex, &c->body);
}

oracle_case *listed_read(arena *a, const char *path, uint32_t *count) {
  FILE *f = fopen(path, "rb");
  oracle_case *cases = NULL;
  uint32_t cap = 0, number = 0;
  char *line = NULL;
  size_t size = 0;
  ssize_t n;
  bool good = f != NULL;
  *count = 0;
  while (good && (n = getline(&line, &size, f)) > 0) {
    number++;
    if (line[n - 1] == '\n') n--;
    if (*count == cap) {
      oracle_case *more = arena_alloc(a, sizeof *more * (cap ? cap * 2 : 64));
      if (cap) memcpy(more, cases, sizeof *more * cap);
      cases = more;
      cap = cap ? cap * 2 : 64;
    }
    good = read_case(a, slice_of(line, (size_t)n), &cases[*count]);
    if (good) (*count)++;
  }
  if (!good) fprintf(stderr, "%s: line %u: no file, or no case\n", path, number);
  free(line);
  if (f) fclose(f);
  return good ? cases : NULL;
}
