/* One row a rule: how it is tested, how long it may be, and the words for when it is not met. The
 * expressions in the words are small enough to be tested by hand-written scanners, in one pass. */
#include "registry/validation/text_rules.h"

#include <assert.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_alnum(char c) { return is_digit(c) || is_lower(c) || is_upper(c); }
static bool is_label_char(char c) { return is_digit(c) || is_lower(c); }

static bool label_with(slice s, bool caseless) {
  if (s.len == 0) return false;
  for (size_t i = 0; i < s.len; i++) {
    bool inner = s.ptr[i] == '-' && i > 0 && i + 1 < s.len;
    if (!inner && !is_label_char(s.ptr[i]) && !(caseless && is_upper(s.ptr[i]))) return false;
  }
  return true;
}

static bool scan_label(slice s) { return label_with(s, false); }

static bool labels_with(slice s, bool caseless) {
  slice head;
  bool more = true;
  while (more) {
    more = slice_cut(s, '.', &head, &s);
    if (!label_with(head, caseless)) return false;
  }
  return true;
}

static bool scan_subdomain(slice s) { return labels_with(s, false); }
static bool scan_subdomain_caseless(slice s) { return labels_with(s, true); }

static bool scan_dns1035(slice s) { return s.len && is_lower(s.ptr[0]) && scan_label(s); }

static bool scan_wildcard(slice s) {
  return slice_has_prefix(s, SLICE_LIT("*.")) && scan_subdomain(slice_from(s, 2));
}

static bool scan_name_part(slice s) {
  if (s.len == 0 || !is_alnum(s.ptr[0]) || !is_alnum(s.ptr[s.len - 1])) return false;
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    if (!is_alnum(c) && c != '-' && c != '_' && c != '.') return false;
  }
  return true;
}

static bool scan_label_value(slice s) { return s.len == 0 || scan_name_part(s); }

static bool scan_identifier(slice s) {
  if (s.len == 0 || is_digit(s.ptr[0])) return false;
  for (size_t i = 0; i < s.len; i++) {
    if (!is_alnum(s.ptr[i]) && s.ptr[i] != '_') return false;
  }
  return true;
}

static bool scan_env_name(slice s) {
  if (s.len == 0) return false;
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] < 0x20 || s.ptr[i] > 0x7e || s.ptr[i] == '=') return false;
  }
  return true;
}

static bool scan_config_key(slice s) {
  if (s.len == 0) return false;
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    if (!is_alnum(c) && c != '-' && c != '_' && c != '.') return false;
  }
  return true;
}

static bool scan_header_name(slice s) {
  if (s.len == 0) return false;
  for (size_t i = 0; i < s.len; i++) {
    if (!is_alnum(s.ptr[i]) && s.ptr[i] != '-') return false;
  }
  return true;
}

static bool scan_any(slice s) { return s.len < SIZE_MAX; }

static bool scan_port_chars(slice s) {
  if (s.len == 0) return false;
  for (size_t i = 0; i < s.len; i++) {
    if (!is_label_char(s.ptr[i]) && s.ptr[i] != '-') return false;
  }
  return true;
}

typedef struct rule_row {
  bool (*scan)(slice s);
  size_t max;
  const char *words;
} rule_row;

#define REGEX(re) "regex used for validation is '" re "')"
#define LABEL_RE "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define SUBDOMAIN_RE LABEL_RE "(\\." LABEL_RE ")*"
#define SUBDOMAIN_WORDS                                                                     \
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' " \
  "or '.', and must start and end with an alphanumeric character (e.g. 'example.com', "     \
  REGEX(SUBDOMAIN_RE)
#define NAME_RE "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
#define NAME_WORDS                                                                            \
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " \
  "alphanumeric "                                                                             \
  "character (e.g. 'MyName',  or 'my.name',  or '123-abc', " REGEX(NAME_RE)

static const rule_row rows[] = {
    [TEXT_DNS1123_LABEL] =
        {scan_label, 63,
         "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
         "and must "
         "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', " REGEX(
             LABEL_RE)},
    [TEXT_DNS1123_SUBDOMAIN] = {scan_subdomain, 253, SUBDOMAIN_WORDS},
    [TEXT_LONG_NAME] = {scan_subdomain, 253, SUBDOMAIN_WORDS},
    [TEXT_DNS1123_SUBDOMAIN_CASELESS] =
        {scan_subdomain_caseless, 253,
         "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must "
         "start and end "
         "with an alphanumeric character (e.g. 'example.com', " REGEX(SUBDOMAIN_RE)},
    [TEXT_DNS1035_LABEL] = {scan_dns1035, 63,
                            "a DNS-1035 label must consist of lower case alphanumeric characters "
                            "or '-', start with an "
                            "alphabetic character, and end with an alphanumeric character (e.g. "
                            "'my-name',  or 'abc-123', " REGEX("[a-z]([-a-z0-9]*[a-z0-9])?")},
    [TEXT_WILDCARD_SUBDOMAIN] = {scan_wildcard, 253,
                                 "a wildcard DNS-1123 subdomain must start with '*.', followed by "
                                 "a valid DNS subdomain, which must "
                                 "consist of lower case alphanumeric characters, '-' or '.' and "
                                 "end with an alphanumeric character "
                                 "(e.g. '*.example.com', " REGEX("\\*\\." SUBDOMAIN_RE)},
    [TEXT_LABEL_KEY] = {NULL, 0, NULL},
    [TEXT_LABEL_VALUE] = {scan_label_value, 63,
                          "a valid label must be an empty string or consist of alphanumeric "
                          "characters, '-', '_' or '.', and "
                          "must start and end with an alphanumeric character (e.g. 'MyValue',  or "
                          "'my_value',  or '12345', " REGEX("(" NAME_RE ")?")},
    [TEXT_C_IDENTIFIER] =
        {scan_identifier, 0,
         "a valid C identifier must start with alphabetic character or '_', followed by a string "
         "of "
         "alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', " REGEX(
             "[A-Za-z_][A-Za-z0-9_]*")},
    [TEXT_ENV_VAR_NAME] = {scan_env_name, 0,
                           "a valid environment variable name must consist only of printable ASCII "
                           "characters other than '='"},
    [TEXT_CONFIG_MAP_KEY] = {scan_config_key, 253,
                             "a valid config key must consist of alphanumeric characters, '-', '_' "
                             "or '.' (e.g. 'key.name',  or "
                             "'KEY_NAME',  or 'key-name', " REGEX("[-._a-zA-Z0-9]+")},
    [TEXT_HTTP_HEADER_NAME] = {scan_header_name, 0,
                               "a valid HTTP header must consist of alphanumeric characters or '-' "
                               "(e.g. 'X-Header-Name', " REGEX("[-A-Za-z0-9]+")},
    [TEXT_FQDN] = {scan_subdomain, 253, NULL},
    [TEXT_ANY] = {scan_any, 0, NULL},
};

static uint32_t too_long(arena *a, slice *out, uint32_t n, const char *before, size_t max,
                         const char *unit) {
  out[n] = arena_printf(a, "%smust be no more than %zu %s", before, max, unit);
  return n + 1;
}

/* prefix/name; the prefix is a subdomain. */
static uint32_t key_problems(arena *a, slice v, slice out[4]) {
  slice prefix = SLICE_NONE, name = v;
  uint32_t n = 0;
  if (slice_find_char(v, '/') >= 0) {
    slice_cut(v, '/', &prefix, &name);
    if (slice_find_char(name, '/') >= 0) {
      out[n++] = SLICE_LIT("a valid label key " NAME_WORDS
                           " with an optional DNS subdomain prefix and '/' (e.g. "
                           "'example.com/MyName')");
      return n;
    }
    if (prefix.len == 0) {
      out[n++] = SLICE_LIT("prefix part must be non-empty");
    } else {
      /* The length of a prefix is told in bytes, that of the subdomain it is in characters. */
      if (prefix.len > 253) n = too_long(a, out, n, "prefix part ", 253, "bytes");
      slice inner[4];
      uint32_t k = text_problems(a, TEXT_DNS1123_SUBDOMAIN, prefix, false, inner);
      for (uint32_t i = prefix.len > 253; i < k && n < 4; i++)
        out[n++] = arena_concat(a, SLICE_LIT("prefix part "), inner[i]);
    }
  }
  if (name.len == 0 && n < 4)
    out[n++] = SLICE_LIT("name part must be non-empty");
  else if (name.len > 63 && n < 4)
    n = too_long(a, out, n, "name part ", 63, "bytes");
  if (!scan_name_part(name) && n < 4) out[n++] = SLICE_LIT("name part " NAME_WORDS);
  return n;
}

static uint32_t port_name_problems(slice v, slice out[4]) {
  uint32_t n = 0;
  bool letter = false;
  if (v.len > 15) out[n++] = SLICE_LIT("must be no more than 15 characters");
  for (size_t i = 0; i < v.len; i++) letter = letter || is_lower(v.ptr[i]);
  if (!scan_port_chars(v))
    out[n++] = SLICE_LIT("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!letter) out[n++] = SLICE_LIT("must contain at least one letter (a-z)");
  if (slice_find(v, SLICE_LIT("--")) >= 0 && n < 4)
    out[n++] = SLICE_LIT("must not contain consecutive hyphens");
  if (v.len && (v.ptr[0] == '-' || v.ptr[v.len - 1] == '-') && n < 4) {
    out[n++] = SLICE_LIT("must not begin or end with a hyphen");
  }
  return n;
}

static uint32_t segment_problems(slice v, bool prefix, slice out[4]) {
  uint32_t n = 0;
  if (!prefix && slice_is(v, ".")) out[n++] = SLICE_LIT("may not be '.'");
  if (!prefix && slice_is(v, "..")) out[n++] = SLICE_LIT("may not be '..'");
  if (slice_find_char(v, '/') >= 0) out[n++] = SLICE_LIT("may not contain '/'");
  if (slice_find_char(v, '%') >= 0) out[n++] = SLICE_LIT("may not contain '%'");
  return n;
}

static uint32_t env_problems(slice v, slice out[4]) {
  uint32_t n = 0;
  if (!scan_env_name(v)) out[n++] = slice_cstr(rows[TEXT_ENV_VAR_NAME].words);
  return n;
}

static uint32_t config_key_problems(arena *a, slice v, slice out[4]) {
  uint32_t n = 0;
  if (v.len > 253) n = too_long(a, out, n, "", 253, "characters");
  if (!scan_config_key(v)) out[n++] = slice_cstr(rows[TEXT_CONFIG_MAP_KEY].words);
  if (slice_is(v, "."))
    out[n++] = SLICE_LIT("must not be '.'");
  else if (slice_is(v, ".."))
    out[n++] = SLICE_LIT("must not be '..'");
  else if (slice_has_prefix(v, SLICE_LIT("..")))
    out[n++] = SLICE_LIT("must not start with '..'");
  return n;
}

uint32_t text_problems(arena *a, text_rule rule, slice value, bool prefix, slice out[4]) {
  slice v = value;
  /* The generated part follows: a name that would be fine but for its last '-' is. */
  if (prefix && v.len > 1 && v.ptr[v.len - 1] == '-') {
    char *masked = arena_cstr(a, v);
    masked[v.len - 2] = 'a'; /* in the place of two: so does the real one */
    v = slice_of(masked, v.len - 1);
  }
  switch (rule) {
    case TEXT_LABEL_KEY: return key_problems(a, v, out);
    case TEXT_PORT_NAME: return port_name_problems(v, out);
    case TEXT_PATH_SEGMENT: return segment_problems(value, prefix, out);
    case TEXT_ENV_VAR_NAME: return env_problems(v, out);
    case TEXT_CONFIG_MAP_KEY: return config_key_problems(a, v, out);
    default: break;
  }
  const rule_row *row = rows + rule;
  uint32_t n = 0;
  bool ok = row->scan(v), counts_bytes = rule == TEXT_LABEL_VALUE || rule == TEXT_LONG_NAME;
  if (row->max && v.len > row->max)
    n = too_long(a, out, n, "", row->max, counts_bytes ? "bytes" : "characters");
  if (rule == TEXT_FQDN) {
    if (v.len == 0)
      out[n++] = SLICE_LIT("must be non-empty");
    else if (!ok)
      out[n++] = slice_cstr(rows[TEXT_DNS1123_SUBDOMAIN].words);
    else if (slice_find_char(v, '.') < 0)
      out[n++] = SLICE_LIT("should be a domain with at least two segments separated by dots");
    return n;
  }
  bool dotted = rule == TEXT_DNS1123_LABEL && !ok && scan_subdomain(v);
  if (dotted)
    out[n++] = SLICE_LIT("must not contain dots");
  else if (!ok)
    out[n++] = slice_cstr(row->words);
  return n;
}

slice text_problems_joined(arena *a, text_rule rule, slice value, const char *between) {
  slice texts[4], all = SLICE_LIT("");
  uint32_t n = text_problems(a, rule, value, false, texts);
  for (uint32_t i = 0; i < n; i++) {
    all = arena_printf(a, "%.*s%s%.*s", SLICE_ARG(all), i ? between : "", SLICE_ARG(texts[i]));
  }
  return all;
}

bool text_is_valid(text_rule rule, slice value) {
  const rule_row *row = rows + rule;
  assert(row->scan);
  return row->scan(value) && (row->max == 0 || value.len <= row->max);
}

bool text_check(field_errors *errs, const path *p, text_rule rule, slice value) {
  slice texts[4];
  uint32_t n = text_problems(errs->a, rule, value, false, texts);
  for (uint32_t i = 0; i < n; i++) field_invalid_str(errs, p, value, "%.*s", SLICE_ARG(texts[i]));
  return n == 0;
}

bool range_check(field_errors *errs, const path *p, int64_t n, int64_t min, int64_t max) {
  if (n >= min && n <= max) return true;
  field_invalid_int(errs, p, n, "must be between %lld and %lld, inclusive", (long long)min,
                    (long long)max);
  return false;
}

bool port_number_check(field_errors *errs, const path *p, int64_t port) {
  return range_check(errs, p, port, 1, 65535);
}

bool nonnegative_check(field_errors *errs, const path *p, int64_t n) {
  if (n >= 0) return true;
  field_invalid_int(errs, p, n, "must be greater than or equal to 0");
  return false;
}

bool immutable_check(field_errors *errs, const path *p, const val *now, const val *before) {
  if (val_same(now, before)) return true;
  field_invalid(errs, p, now, "field is immutable");
  return false;
}

bool choice_check(field_errors *errs, const path *p, const val *v, const char *const *choices,
                  bool required) {
  slice s = val_str(v);
  if (s.len == 0) {
    if (required) field_required(errs, p, "%s", "");
    return !required;
  }
  for (size_t i = 0; choices[i]; i++) {
    if (slice_is(s, choices[i])) return true;
  }
  field_not_supported(errs, p, v, choices);
  return false;
}
