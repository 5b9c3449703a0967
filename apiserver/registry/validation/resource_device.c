/* What a device of a ResourceSlice says of itself: attributes, each of one type, and capacities,
 * which only a device for several claims gives out in parts. */
#include "base/ascii.h"
#include "registry/validation/checks.h"
#include "registry/validation/pod_checks.h"
#include "registry/validation/resource_checks.h"

#define TOTAL_MAX 32
#define VALUES_MAX 48
#define TEXT_MAX 64
#define IDENTIFIER_MAX 32

/* The fields, and as the real server's internal struct has them. */
static const char *const single[] = {"int", "bool", "string", "version"};
static const char *const several[] = {"ints", "bools", "strings", "versions"};
static const char *const single_go[] = {"IntValue", "BoolValue", "StringValue", "VersionValue"};
static const char *const several_go[] = {"IntValues", "BoolValues", "StringValues",
                                         "VersionValues"};

static void identifier_check(field_errors *e, const path *p, slice id) {
  if (id.len > IDENTIFIER_MAX) field_too_long(e, p, IDENTIFIER_MAX);
  text_check(e, p, TEXT_C_IDENTIFIER, id);
}

void qualified_name_check(field_errors *e, const path *p, slice name) {
  slice domain, id, rest;
  if (!slice_cut(name, '/', &domain, &id)) {
    identifier_check(e, p, name);
    return;
  }
  if (slice_cut(id, '/', &rest, &rest)) return; /* the real server's switch has no such case */
  if (domain.len) csi_driver_name_check(e, p, domain);
  else field_invalid_str(e, p, domain, "the domain must not be empty");
  if (id.len) identifier_check(e, p, id);
  else field_invalid_str(e, p, id, "the name must not be empty");
}

/* ---- semantic versions ---- */

static bool is_identifier_char(char c) { return ascii_is_alnum(c) || c == '-'; }

/* Parts with dots between; in front of a release a part of digits is a number. */
static bool are_identifiers(slice s, bool numbers) {
  slice part;
  bool more = true;
  while (more) {
    bool digits = true;
    more = slice_cut(s, '.', &part, &s);
    if (!part.len) return false;
    for (size_t i = 0; i < part.len; i++) {
      if (!is_identifier_char(part.ptr[i])) return false;
      digits = digits && ascii_is_digit(part.ptr[i]);
    }
    if (numbers && digits && !is_plain_number(part)) return false;
  }
  return true;
}

static bool is_semver(slice s) {
  slice core, build, before, part;
  bool built = slice_cut(s, '+', &s, &build), more = true;
  bool early = slice_cut(s, '-', &core, &before);
  unsigned parts = 0;
  if (built && !are_identifiers(build, false)) return false;
  if (early && !are_identifiers(before, true)) return false;
  for (; more && parts < 4; parts++) {
    more = slice_cut(core, '.', &part, &core);
    if (!is_plain_number(part)) return false;
  }
  return parts == 3;
}

/* ---- attributes ---- */

static void text_value_check(field_errors *e, const path *p, slice text, bool version) {
  if (version && !is_semver(text)) {
    field_invalid_str(e, p, text, "must be a string compatible with semver.org spec 2.0.0");
  }
  if (text.len > TEXT_MAX) field_too_long(e, p, TEXT_MAX);
}

/* The kinds of value given, looked at on the way. */
static int values_check(field_errors *e, const path *p, const val *attribute) {
  int given = 0;
  for (size_t k = 0; k < 4; k++) {
    const val *v = val_getc(attribute, single[k]);
    path at = path_child(p, single[k]);
    given += v != NULL;
    if (v && k >= 2) text_value_check(e, &at, val_str(v), k == 3);
  }
  for (size_t k = 0; k < 4; k++) {
    const val *list = val_getc(attribute, several[k]);
    path at = path_child(p, several[k]);
    given += list != NULL;
    for (uint32_t i = 0; k >= 2 && i < val_len(list); i++) {
      path item = path_index(&at, i);
      text_value_check(e, &item, val_str(val_at(list, i)), k == 3);
    }
  }
  return given;
}

static void show(arena *a, val *out, const val *attribute, const char *const *fields,
                 const char *const *names) {
  for (size_t k = 0; k < 4; k++) {
    const val *v = val_getc(attribute, fields[k]);
    val_setc(a, out, names[k], v ? val_shared(v) : val_null(a));
  }
}

static void too_many_values(field_errors *e, const path *p, const val *attribute) {
  val *shown = val_map(e->a);
  show(e->a, shown, attribute, single, single_go);
  show(e->a, shown, attribute, several, several_go);
  field_invalid(e, p, shown, "exactly one value must be specified");
}

static uint32_t values_count(const val *attribute) {
  uint32_t n = 0;
  for (size_t k = 0; k < 4; k++) n += val_len(val_getc(attribute, several[k]));
  return n ? n : 1;
}

static void attributes_check(field_errors *e, const path *p, const val *map) {
  VAL_EACH(entry, map) {
    path at = path_key(p, entry->key);
    qualified_name_check(e, p, entry->key);
    int given = values_check(e, &at, entry->value);
    if (given == 0) {
      field_invalid_str(e, &at, SLICE_LIT(""), "exactly one value must be specified");
    } else if (given > 1) {
      too_many_values(e, &at, entry->value);
    }
  }
}

static void capacities_check(field_errors *e, const path *p, const val *map, bool shared) {
  VAL_EACH(entry, map) {
    path at = path_key(p, entry->key), policy = path_child(&at, "requestPolicy");
    qualified_name_check(e, p, entry->key);
    const val *given = val_getc(entry->value, "requestPolicy");
    if (given && shared) {
      request_policy_check(e, &policy, val_get_str(entry->value, "value"), given);
    } else if (given) {
      field_forbidden(e, &policy, "allowMultipleAllocations must be true");
    }
  }
}

void device_values_check(field_errors *e, const path *p, const val *device) {
  const val *attributes = val_getc(device, "attributes"), *capacity = val_getc(device, "capacity");
  path at = path_child(p, "attributes"), at_capacity = path_child(p, "capacity");
  uint32_t total = val_len(attributes) + val_len(capacity), values = 0;
  VAL_EACH(entry, attributes) values += values_count(entry->value);
  if (total > TOTAL_MAX) {
    field_invalid_int(e, p, total, "the total number of attributes and capacities must not exceed %d",
                      TOTAL_MAX);
  }
  if (values > VALUES_MAX) {
    field_invalid_int(e, p, values, "the total number of attribute values must not exceed %d",
                      VALUES_MAX);
  }
  attributes_check(e, &at, attributes);
  capacities_check(e, &at_capacity, capacity,
                   val_true(val_getc(device, "allowMultipleAllocations")));
}
