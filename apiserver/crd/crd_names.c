/* The naming controller: a name that another kind of the group has is not accepted.
 * Source: apiextensions-apiserver pkg/controller/status/naming_controller.go. */
#include "base/quote.h"
#include "crd/crd_status.h"
#include "registry/object.h"

static const struct {
  const char *field, *reason;
  bool kind; /* against kinds; else against resources */
} names[] = {
    {"plural", "PluralConflict", false},
    {"singular", "SingularConflict", false},
    {"shortNames", "ShortNamesConflict", false},
    {"kind", "KindConflict", true},
    {"listKind", "ListKindConflict", true},
};
#define SHORT_NAMES 2

void crd_condition_set(arena *a, val *status, const char *type, const char *is, slice reason,
                       slice message, slice now) {
  val *list = val_getc(status, "conditions"), *made = val_map(a), *out = val_list(a);
  bool found = false;
  val_setc(a, made, "type", val_cstr(a, type));
  val_setc(a, made, "status", val_cstr(a, is));
  val_setc(a, made, "lastTransitionTime", val_string(a, now));
  val_setc(a, made, "reason", val_string(a, reason));
  val_setc(a, made, "message", val_string(a, message));
  for (uint32_t i = 0; i < val_len(list); i++) {
    val *c = val_at(list, i);
    if (slice_is(val_get_str(c, "type"), type) && !found) {
      val *time = val_getc(c, "lastTransitionTime");
      bool same = slice_is(val_get_str(c, "status"), is) && time;
      if (same) val_setc(a, made, "lastTransitionTime", time);
      found = true;
      c = made;
    }
    val_append(a, out, c);
  }
  if (!found) val_append(a, out, made);
  val_setc(a, status, "conditions", out);
}

/* Whether another definition of the group has the name already. */
static bool is_used(const val *crd, const val *all, slice name, bool kind) {
  slice group = val_str(val_path(crd, "spec.group"));
  for (uint32_t i = 0; i < val_len(all); i++) {
    const val *other = val_at(all, i), *has = val_path(other, "status.acceptedNames");
    if (!slice_eq(val_str(val_path(other, "spec.group")), group)) continue;
    if (kind && (slice_eq(val_get_str(has, "kind"), name) ||
                 slice_eq(val_get_str(has, "listKind"), name))) {
      return true;
    }
    if (kind) continue;
    if (slice_eq(val_get_str(has, "plural"), name) || slice_eq(val_get_str(has, "singular"), name))
      return true;
    const val *list = val_getc(has, "shortNames");
    for (uint32_t k = 0; k < val_len(list); k++) {
      if (slice_eq(val_str(val_at(list, k)), name)) return true;
    }
  }
  return false;
}

static slice in_use(arena *a, slice name) {
  slice quoted = go_quote(a, name);
  return arena_printf(a, "%.*s is already in use", SLICE_ARG(quoted));
}

static bool has_text(const val *list, slice text) {
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (slice_eq(val_str(val_at(list, i)), text)) return true;
  }
  return false;
}

/* The aggregate of one error is its text; of several "[a, b]". */
static slice short_names_problem(arena *a, const val *crd, const val *all, const val *want,
                                 const val *have) {
  slice text = SLICE_NONE;
  uint32_t count = 0;
  for (uint32_t i = 0; i < val_len(want); i++) {
    slice name = val_str(val_at(want, i));
    if (has_text(have, name) || !is_used(crd, all, name, false)) continue;
    slice one = in_use(a, name);
    text = count++ ? arena_printf(a, "%.*s, %.*s", SLICE_ARG(text), SLICE_ARG(one)) : one;
  }
  return count > 1 ? arena_printf(a, "[%.*s]", SLICE_ARG(text)) : text;
}

static slice problem_of(arena *a, const val *crd, const val *all, size_t i, const val *want,
                        const val *have) {
  const char *field = names[i].field;
  if (i == SHORT_NAMES) {
    return short_names_problem(a, crd, all, val_getc(want, field), val_getc(have, field));
  }
  slice name = val_get_str(want, field);
  bool fine = slice_eq(name, val_get_str(have, field)) || !is_used(crd, all, name, names[i].kind);
  return fine ? SLICE_NONE : in_use(a, name);
}

static void take(arena *a, val *to, const val *from, const char *field) {
  val *v = val_getc(from, field);
  if (v) val_setc(a, to, field, v);
  else val_delc(to, field);
}

static void set_established(arena *a, val *status, bool accepted, slice now) {
  const val *c = condition_named(val_getc(status, "conditions"), "Established");
  if (c && slice_is(val_get_str(c, "status"), "True")) return;
  if (accepted) {
    crd_condition_set(a, status, "Established", "False", SLICE_LIT("Installing"),
                      SLICE_LIT("the initial names have been accepted"), now);
  } else if (!c) {
    crd_condition_set(a, status, "Established", "False", SLICE_LIT("NotAccepted"),
                      SLICE_LIT("not all names are accepted"), now);
  }
}

val *crd_names_status(arena *a, const val *crd, const val *all, slice now) {
  const val *want = val_path(crd, "spec.names"), *have = val_path(crd, "status.acceptedNames");
  slice reason = SLICE_LIT("NoConflicts"), message = SLICE_LIT("no conflicts found");
  bool accepted = true;
  if (val_same(want, have)) return NULL;
  val *status = val_copy(a, val_getc(crd, "status")), *next = have ? val_copy(a, have) : val_map(a);
  if (!status) status = val_map(a);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    slice why = problem_of(a, crd, all, i, want, have);
    if (why.len) {
      accepted = false;
      reason = slice_cstr(names[i].reason);
      message = why;
    } else {
      take(a, next, want, names[i].field);
    }
  }
  take(a, next, want, "categories");
  const val *old = condition_named(val_getc(status, "conditions"), "NamesAccepted");
  bool same = old && slice_is(val_get_str(old, "status"), accepted ? "True" : "False") &&
              slice_eq(val_get_str(old, "reason"), reason) &&
              slice_eq(val_get_str(old, "message"), message);
  if (same && val_same(next, have)) return NULL;
  val_setc(a, status, "acceptedNames", next);
  crd_condition_set(a, status, "NamesAccepted", accepted ? "True" : "False", reason, message, now);
  set_established(a, status, accepted, now);
  return status;
}
