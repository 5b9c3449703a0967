/* Cron schedules, as the parser of the real server reads them; the first thing wrong is told. */
#include "registry/validation/batch.h"

typedef struct bounds {
  unsigned min, max;
  const char *names; /* three letters each, from min on; NULL for none */
} bounds;

static const bounds fields_of_schedule[] = {{0, 59, NULL},
                                            {0, 23, NULL},
                                            {1, 31, NULL},
                                            {1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                                            {0, 6, "sunmontuewedthufrisat"}};

/* Go's Atoi, and no negative numbers. */
static bool number(arena *a, slice s, unsigned long long *out, slice *why) {
  slice digits = s.len && (s.ptr[0] == '+' || s.ptr[0] == '-') ? slice_from(s, 1) : s;
  bool ok = digits.len > 0, big = false;
  unsigned long long n = 0;
  for (size_t i = 0; i < digits.len && ok; i++) {
    ok = digits.ptr[i] >= '0' && digits.ptr[i] <= '9';
    if (n > 900000000000000000ull)
      big = true;
    else
      n = n * 10 + (unsigned)(digits.ptr[i] - '0');
  }
  if (!ok || big) {
    *why = arena_printf(a, "failed to parse int from %.*s: strconv.Atoi: parsing \"%.*s\": %s",
                        SLICE_ARG(s), SLICE_ARG(s), ok ? "value out of range" : "invalid syntax");
    return false;
  }
  if (s.ptr[0] == '-' && n) {
    *why = arena_printf(a, "negative number (-%llu) not allowed: %.*s", n, SLICE_ARG(s));
    return false;
  }
  *out = n;
  return true;
}

static bool number_or_name(arena *a, slice s, const bounds *b, unsigned long long *out,
                           slice *why) {
  for (unsigned i = 0; b->names && b->names[i * 3]; i++) {
    if (s.len != 3 || !slice_eq_nocase(s, slice_of(b->names + i * 3, 3))) continue;
    *out = i + b->min;
    return true;
  }
  return number(a, s, out, why);
}

static uint32_t parts_of(slice s, char sep, slice out[3]) {
  uint32_t n = 0;
  slice head;
  for (bool more = true; more; n++) {
    more = slice_cut(s, sep, &head, &s);
    if (n < 3) out[n] = head;
  }
  return n;
}

static bool range_ok(arena *a, slice expr, const bounds *b, slice *why) {
  slice steps[3], ends[3];
  uint32_t step_count = parts_of(expr, '/', steps), end_count = parts_of(steps[0], '-', ends);
  unsigned long long low = b->min, high = b->max, step = 1;
  if (!slice_is(ends[0], "*") && !slice_is(ends[0], "?")) {
    if (!number_or_name(a, ends[0], b, &low, why)) return false;
    high = low;
    if (end_count == 2 && !number_or_name(a, ends[1], b, &high, why)) return false;
    if (end_count > 2) {
      *why = arena_printf(a, "too many hyphens: %.*s", SLICE_ARG(expr));
      return false;
    }
  }
  if (step_count > 2) {
    *why = arena_printf(a, "too many slashes: %.*s", SLICE_ARG(expr));
    return false;
  }
  if (step_count == 2) {
    if (!number(a, steps[1], &step, why)) return false;
    if (end_count == 1) high = b->max;
  }
  if (low < b->min)
    *why = arena_printf(a, "beginning of range (%llu) below minimum (%u): %.*s", low, b->min,
                        SLICE_ARG(expr));
  else if (high > b->max)
    *why = arena_printf(a, "end of range (%llu) above maximum (%u): %.*s", high, b->max,
                        SLICE_ARG(expr));
  else if (low > high)
    *why = arena_printf(a, "beginning of range (%llu) beyond end of range (%llu): %.*s", low, high,
                        SLICE_ARG(expr));
  else if (step == 0)
    *why = arena_printf(a, "step of range should be a positive number: %.*s", SLICE_ARG(expr));
  else
    return true;
  return false;
}

static slice descriptor_problem(arena *a, slice s) {
  static const char *const known[] = {"@yearly", "@annually", "@monthly", "@weekly",
                                      "@daily",  "@midnight", "@hourly",  NULL};
  int64_t ns;
  slice out, why = SLICE_NONE;
  if (one_of(s, known)) return SLICE_NONE;
  if (slice_has_prefix(s, SLICE_LIT("@every "))) {
    slice text = slice_from(s, 7);
    if (duration_parse(text, &ns)) return SLICE_NONE;
    duration_canonical(a, text, &out, &why);
    return arena_printf(a, "failed to parse duration %.*s: %.*s", SLICE_ARG(s), SLICE_ARG(why));
  }
  return arena_printf(a, "unrecognized descriptor: %.*s", SLICE_ARG(s));
}

/* Go's strings.Fields; *list is them between brackets. */
static uint32_t words_of(arena *a, slice s, slice words[5], slice *list) {
  uint32_t n = 0;
  *list = SLICE_LIT("");
  for (size_t i = 0; i < s.len;) {
    size_t end = i;
    while (end < s.len && !strchr(" \t\n\v\f\r", s.ptr[end])) end++;
    if (end > i) {
      slice word = slice_of(s.ptr + i, end - i);
      if (n < 5) words[n] = word;
      if (n < 64)
        *list = arena_printf(a, "%.*s%s%.*s", SLICE_ARG(*list), n ? " " : "", SLICE_ARG(word));
      n++;
    }
    i = end + 1;
  }
  return n;
}

slice cron_schedule_problem(arena *a, slice s) {
  slice words[5], list, why = SLICE_NONE, expr;
  if (slice_has_prefix(s, SLICE_LIT("TZ=")) || slice_has_prefix(s, SLICE_LIT("CRON_TZ="))) {
    slice zone, rest, name;
    if (!slice_cut(s, ' ', &zone, &rest))
      return SLICE_LIT("invalid schedule format: runtime error: slice bounds out of range [:-1]");
    slice_cut(zone, '=', &expr, &name);
    if (name.len && !time_zone_exists(name)) {
      bool misnamed = name.ptr[0] == '/' || name.ptr[0] == '\\' ||
                      slice_find(name, SLICE_LIT("..")) >= 0;
      if (misnamed) {
        return arena_printf(a, "provided bad location %.*s: time: invalid location name",
                            SLICE_ARG(name));
      }
      return arena_printf(a, "provided bad location %.*s: unknown time zone %.*s", SLICE_ARG(name),
                          SLICE_ARG(name));
    }
    s = slice_trim(rest);
  }
  if (s.len && s.ptr[0] == '@') return descriptor_problem(a, s);
  uint32_t n = words_of(a, s, words, &list);
  if (n != 5)
    return arena_printf(a, "expected exactly 5 fields, found %u: [%.*s]", n, SLICE_ARG(list));
  for (uint32_t i = 0; i < 5; i++) {
    slice rest = words[i];
    for (bool more = true; more;) {
      more = slice_cut(rest, ',', &expr, &rest);
      if (expr.len && !range_ok(a, expr, fields_of_schedule + i, &why)) return why;
    }
  }
  return SLICE_NONE;
}
