/* Texts that the API reads, against what apimachinery's own functions said of them
 * (testdata/texts.tsv: a row is a form, texts quoted as in Go, "=>", the answer). Forms: q
 * quantity, d duration, t Time, mt MicroTime, ls label selector with labels to match, n every rule
 * for names, ip the four checks of addresses and ranges, cr cron schedule. */
#include "base/quote.h"
#include "codec/codec.h"
#include "registry/selector.h"
#include "registry/validation/batch.h"
#include "registry/validation/ip_rules.h"
#include "registry/validation/text_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define TEXTS_MAX 24

static int nibble(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static slice unquote(arena *a, slice s) {
  char *out = arena_alloc(a, s.len + 1);
  size_t n = 0;
  for (size_t i = 1; i + 1 < s.len; i++) {
    if (s.ptr[i] != '\\') {
      out[n++] = s.ptr[i];
    } else if (s.ptr[i + 1] == 'x') {
      out[n++] = (char)(nibble(s.ptr[i + 2]) << 4 | nibble(s.ptr[i + 3]));
      i += 3;
    } else {
      out[n++] = s.ptr[++i];
    }
  }
  return slice_of(out, n);
}

static slice refused(arena *a, slice why) {
  return arena_concat(a, SLICE_LIT("ERR "), go_quote(a, why));
}

static slice accepted(arena *a, slice text) { return arena_concat(a, SLICE_LIT("OK "), text); }

static slice scalar_answer(arena *a, slice form, slice text) {
  slice out = SLICE_NONE, error = SLICE_NONE;
  bool micro = slice_is(form, "mt"), good;
  if (slice_is(form, "q")) good = quantity_canonical(a, text, &out, &error);
  else if (slice_is(form, "d")) good = duration_canonical(a, text, &out, &error);
  else good = time_canonical(a, text, micro, &out, &error);
  if (!good) return refused(a, error);
  if (slice_is(form, "q") || slice_is(form, "d")) return accepted(a, out);
  return accepted(a, out.ptr ? arena_printf(a, "\"%.*s\"", SLICE_ARG(out)) : SLICE_LIT("null"));
}

static slice labels_answer(arena *a, const slice *texts, uint32_t count) {
  selector s;
  status_error err = {0};
  const resource_info *pods = schema_resource(SLICE_LIT(""), SLICE_LIT("v1"), SLICE_LIT("pods"));
  if (!selector_parse(a, texts[0], SLICE_NONE, &s, &err)) return refused(a, err.message);
  val *labels = val_map(a), *meta = val_map(a), *object = val_map(a);
  for (uint32_t i = 1; i + 1 < count; i += 2) {
    val_set(a, labels, texts[i], val_string(a, texts[i + 1]));
  }
  val_setc(a, meta, "labels", labels);
  val_setc(a, object, "metadata", meta);
  return selector_match(a, &s, pods, object) ? SLICE_LIT("OK true") : SLICE_LIT("OK false");
}

static slice names_answer(arena *a, slice text) {
  static const text_rule rules[] = {
      TEXT_LABEL_KEY, TEXT_LABEL_VALUE, TEXT_DNS1123_LABEL, TEXT_DNS1123_SUBDOMAIN,
      TEXT_DNS1035_LABEL, TEXT_WILDCARD_SUBDOMAIN, TEXT_C_IDENTIFIER, TEXT_PORT_NAME, TEXT_ANY,
      TEXT_CONFIG_MAP_KEY, TEXT_HTTP_HEADER_NAME, TEXT_ANY,
  };
  slice all = SLICE_LIT("");
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    slice found[4], joined = SLICE_LIT("");
    uint32_t count = rules[i] == TEXT_ANY ? 0 : text_problems(a, rules[i], text, false, found);
    for (uint32_t k = 0; k < count; k++) {
      if (k) joined = arena_concat(a, joined, SLICE_LIT("|"));
      joined = arena_concat(a, joined, found[k]);
    }
    if (i) all = arena_concat(a, all, SLICE_LIT(" "));
    all = arena_concat(a, all, rules[i] == TEXT_ANY ? SLICE_LIT("-") : go_quote(a, joined));
  }
  return all;
}

static slice addresses_answer(arena *a, slice text) {
  slice all = SLICE_LIT("");
  path p = path_root("p");
  for (int i = 0; i < 4; i++) {
    field_errors e = {.a = a};
    status_error err = {0};
    if (i == 0) ip_check(&e, &p, text);
    else if (i == 1) ip_legacy_check(&e, &p, text, NULL);
    else if (i == 2) cidr_legacy_check(&e, &p, text, NULL);
    else cidr_check(&e, &p, text);
    field_errors_to_status(&e, SLICE_LIT("g"), SLICE_LIT("K"), SLICE_LIT("n"), &err);
    if (i) all = arena_concat(a, all, SLICE_LIT(" "));
    for (uint32_t k = 0; k < err.cause_count; k++) {
      slice one = arena_printf(a, "%.*s: %.*s", SLICE_ARG(err.causes[k].field),
                               SLICE_ARG(err.causes[k].message));
      all = arena_concat(a, all, go_quote(a, one));
    }
  }
  return slice_trim(all);
}

static slice answer(arena *a, slice form, const slice *texts, uint32_t count) {
  if (slice_is(form, "ls")) return labels_answer(a, texts, count);
  if (slice_is(form, "n")) return names_answer(a, texts[0]);
  if (slice_is(form, "ip")) return addresses_answer(a, texts[0]);
  if (!slice_is(form, "cr")) return scalar_answer(a, form, texts[0]);
  slice why = cron_schedule_problem(a, texts[0]);
  return why.ptr ? refused(a, why) : SLICE_LIT("OK");
}

static void check_line(arena *a, slice line) {
  slice form, rest = line, part, texts[TEXTS_MAX];
  uint32_t count = 0;
  slice_cut(rest, '\t', &form, &rest);
  while (slice_cut(rest, '\t', &part, &rest) && !slice_is(part, "=>") && count < TEXTS_MAX) {
    texts[count++] = unquote(a, part);
  }
  slice got = answer(a, form, texts, count), want = slice_trim(rest);
  if (slice_eq(got, want)) return;
  fail_msg("%.*s\n got: %.*s", SLICE_ARG(line), SLICE_ARG(got));
}

static void test_recorded(void **state) {
  (void)state;
  char *line = NULL;
  size_t room = 0, count = 0;
  ssize_t n;
  FILE *file = fopen("apiserver/registry/testdata/texts.tsv", "r");
  assert_non_null(file);
  while ((n = getline(&line, &room, file)) > 0) {
    arena *a = arena_create();
    check_line(a, slice_of(line, (size_t)n - (line[n - 1] == '\n')));
    arena_destroy(a);
    count++;
  }
  free(line);
  fclose(file);
  assert_true(count > 200);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_recorded)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
