/* The formats of strings. Where Go has a regular expression, so have we. */
#include "base/ascii.h"
#include "codec/codec.h"
#include "crd/structural_internal.h"
#include "registry/validation/go_url.h"
#include "registry/validation/ip_rules.h"

#define HEX2 "[0-9a-fA-F]{2}"
#define HEX4 "[0-9a-fA-F]{4}"
#define UUID(third, fourth)                                                                \
  "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?" third "[0-9a-f]{3}-?" fourth "[0-9a-f]{3}-?[0-9a-f]{12}$"
#define ANY_HEX "[0-9a-f]"
#define BYTE_VALUE "\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*"
#define BASE64 "[A-Za-z0-9+/]"
#define SHORT_NAME "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define SYMBOLS "\\p{S}\\p{L}"
#define HOST_CHAR "[a-zA-Z0-9" SYMBOLS "]"

/* Go's ParseRequestURI, which knows no fragment: '#' is a character like another, but not in a
 * host or a scheme. */
static bool uri_holds(arena *a, slice text) {
  go_url url;
  slice why, head, rest;
  if (slice_is(text, "*")) return true;
  char *copy = arena_cstr(a, text);
  bool scheme = text.len && *text.ptr != '/';
  size_t host = 0;
  if (scheme) {
    if (!slice_cut(text, ':', &head, &rest) || slice_find_char(head, '#') >= 0) return false;
    host = head.len + 1;
  }
  rest = slice_from(text, host);
  if (slice_has_prefix(rest, SLICE_LIT("//"))) {
    for (size_t i = host + 2; i < text.len && text.ptr[i] != '/' && text.ptr[i] != '?'; i++)
      if (text.ptr[i] == '#') return false;
  }
  for (size_t i = 0; i < text.len; i++)
    if (copy[i] == '#') copy[i] = 'x';
  if (!text.len || !go_url_parse(a, slice_of(copy, text.len), &url, &why)) return false;
  return !scheme || url.scheme.len > 0;
}

static bool hostname_holds(arena *a, slice text) {
  (void)a;
  size_t label = 0;
  for (size_t i = 0; i < text.len; i++) {
    label = text.ptr[i] == '.' ? 0 : label + 1;
    if (label > 63) return false;
  }
  return text.len <= 255;
}

static bool ipv4_holds(arena *a, slice text) {
  ip_value ip;
  (void)a;
  return ip_value_parse(text, &ip) && slice_find_char(text, '.') >= 0;
}

static bool ipv6_holds(arena *a, slice text) {
  ip_value ip;
  (void)a;
  return ip_value_parse(text, &ip) && !ip.zeros && slice_find_char(text, ':') >= 0;
}

static bool cidr_holds(arena *a, slice text) {
  ip_range range;
  (void)a;
  return ip_range_parse(text, &range);
}

static bool is_gap(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }

static slice without_gaps(arena *a, slice text) {
  char *out = arena_alloc(a, text.len + 1);
  size_t n = 0;
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if (c != '-' && !is_gap(c)) out[n++] = c;
  }
  return slice_of(out, n);
}

static slice only_digits(arena *a, slice text) {
  char *out = arena_alloc(a, text.len + 1);
  size_t n = 0;
  for (size_t i = 0; i < text.len; i++)
    if (ascii_is_digit(text.ptr[i])) out[n++] = text.ptr[i];
  return slice_of(out, n);
}

static bool isbn10_holds(arena *a, slice text) {
  int sum = 0;
  (void)a;
  for (int i = 0; i < 9; i++) sum += (i + 1) * (text.ptr[i] - '0');
  return (sum + 10 * (text.ptr[9] == 'X' ? 10 : text.ptr[9] - '0')) % 11 == 0;
}

static bool isbn13_holds(arena *a, slice text) {
  int sum = 0;
  (void)a;
  for (int i = 0; i < 12; i++) sum += (i % 2 ? 3 : 1) * (text.ptr[i] - '0');
  return text.ptr[12] - '0' == (10 - sum % 10) % 10;
}

static bool isbn_holds(arena *a, slice text) {
  return text.len == 10 ? isbn10_holds(a, text) : isbn13_holds(a, text);
}

/* Luhn's sum. */
static bool creditcard_holds(arena *a, slice text) {
  int sum = 0;
  (void)a;
  for (size_t i = 0; i < text.len; i++) {
    int digit = text.ptr[text.len - 1 - i] - '0';
    if (i % 2) digit = digit >= 5 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 == 0;
}

static bool ssn_holds(arena *a, slice text) {
  (void)a;
  return text.len == 11;
}

static int number_of(const char *digits, int count) {
  int n = 0;
  for (int i = 0; i < count; i++) n = n * 10 + (digits[i] - '0');
  return n;
}

static bool date_holds(arena *a, slice text) {
  static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  (void)a;
  int year = number_of(text.ptr, 4), month = number_of(text.ptr + 5, 2),
      day = number_of(text.ptr + 8, 2);
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (month < 1 || month > 12) return false;
  return day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

/* Go looks at what stands between the first t and the next one only. */
static slice datetime_cleaned(arena *a, slice text) {
  slice low = arena_lower(a, text), date, time, rest;
  if (!slice_cut(low, 't', &date, &rest)) return SLICE_NONE;
  slice_cut(rest, 't', &time, &rest);
  slice parts[] = {date, SLICE_LIT("t"), time};
  return arena_join(a, parts, 3);
}

static bool datetime_holds(arena *a, slice text) {
  const char *time = text.ptr + 11;
  return date_holds(a, text) && number_of(time, 2) <= 23 && number_of(time + 3, 2) <= 59 &&
         number_of(time + 6, 2) <= 59;
}

/* Scala's words for times. An exact one may be in any case; the last of each row may go on. */
static bool is_time_unit(slice unit) {
  static const char *const exact[] = {"ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"};
  static const char *const begin[] = {"nano", "micro", "milli", "sec",
                                      "min",  "hour",  "day",   "week"};
  for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
    if (slice_is(unit, exact[i])) return true;
  for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
    if (slice_has_prefix(unit, slice_cstr(begin[i]))) return true;
  return false;
}

static size_t unit_length(slice s) {
  size_t n = 0;
  while (n < s.len) {
    bool micro = n + 1 < s.len && s.ptr[n] == '\xc2' && s.ptr[n + 1] == '\xb5';
    if (!micro && !ascii_is_alpha(s.ptr[n])) break;
    n += micro ? 2 : 1;
  }
  return n;
}

/* Every "number unit" anywhere in the text is looked at; one unit that is known will do. */
static bool duration_holds(arena *a, slice text) {
  int64_t ns;
  bool found = false;
  if (duration_parse(text, &ns)) return true;
  for (size_t i = 0; i < text.len;) {
    size_t digits = i, gap;
    while (digits < text.len && ascii_is_digit(text.ptr[digits])) digits++;
    if (digits == i) {
      i++;
      continue;
    }
    for (gap = digits; gap < text.len && is_gap(text.ptr[gap]);) gap++;
    size_t unit = unit_length(slice_from(text, gap));
    if (unit) {
      long long count;
      if (!slice_to_i64(slice_from(slice_upto(text, digits), i), &count)) return false;
      slice name = slice_upto(slice_from(text, gap), unit);
      found = found || is_time_unit(arena_lower(a, name));
    }
    i = gap + unit;
  }
  return found;
}

static bool short_name_holds(arena *a, slice text) {
  (void)a;
  return text.len <= 63;
}

static bool long_name_holds(arena *a, slice text) {
  (void)a;
  return text.len <= 253;
}

static const format_rule rules[] = {
    {"bsonobjectid", "^[0-9a-fA-F]{24}$", NULL, NULL},
    {"byte",
     "^(?:" BASE64 "{4})*(?:" BASE64 "{2}==|" BASE64 "{3}=|" BASE64 "{4})$", NULL, NULL},
    {"cidr", NULL, NULL, cidr_holds},
    {"creditcard",
     "^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|"
     "3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\\d{3})\\d{11})$",
     only_digits, creditcard_holds},
    {"date", "^\\d{4}-\\d{2}-\\d{2}$", NULL, date_holds},
    {"datetime",
     "^\\d{4}-\\d{2}-\\d{2}t[0-9]{2}:[0-9]{2}:[0-9]{2}(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$",
     datetime_cleaned, datetime_holds},
    {"duration", NULL, NULL, duration_holds},
    {"email", NULL, NULL, email_holds},
    {"hexcolor", "^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", NULL, NULL},
    {"hostname",
     "^(" HOST_CHAR "((-?" HOST_CHAR "{0,62})?)|(" HOST_CHAR "(([a-zA-Z0-9-" SYMBOLS
     "]{0,61}" HOST_CHAR ")?)(\\.)){1,}([a-zA-Z\\p{L}]){2,63})$",
     NULL, hostname_holds},
    {"ipv4", NULL, NULL, ipv4_holds},
    {"ipv6", NULL, NULL, ipv6_holds},
    {"isbn", "^(?:[0-9]{9}X|[0-9]{10}|[0-9]{13})$", without_gaps, isbn_holds},
    {"isbn10", "^(?:[0-9]{9}X|[0-9]{10})$", without_gaps, isbn10_holds},
    {"isbn13", "^[0-9]{13}$", without_gaps, isbn13_holds},
    {"k8slongname", "^" SHORT_NAME "(\\." SHORT_NAME ")*$", NULL, long_name_holds},
    {"k8sshortname", "^" SHORT_NAME "$", NULL, short_name_holds},
    {"mac",
     "^(" HEX2 "((:" HEX2 "){5}|(:" HEX2 "){7}|(:" HEX2 "){19}|(-" HEX2 "){5}|(-" HEX2
     "){7}|(-" HEX2 "){19})|" HEX4 "((\\." HEX4 "){2}|(\\." HEX4 "){3}|(\\." HEX4 "){9}))$",
     NULL, NULL},
    {"password", NULL, NULL, NULL},
    {"rgbcolor", "^rgb\\(" BYTE_VALUE "," BYTE_VALUE "," BYTE_VALUE "\\)$", NULL, NULL},
    {"ssn", "^\\d{3}[- ]?\\d{2}[- ]?\\d{4}$", NULL, ssn_holds},
    {"uri", NULL, NULL, uri_holds},
    {"uuid", UUID(ANY_HEX, ANY_HEX), NULL, NULL},
    {"uuid3", UUID("3", ANY_HEX), NULL, NULL},
    {"uuid4", UUID("4", "[89ab]"), NULL, NULL},
    {"uuid5", UUID("5", "[89ab]"), NULL, NULL},
};

/* The name in a format's text, which may have dashes anywhere. */
static bool named(slice format, const char *name) {
  for (size_t i = 0; i < format.len; i++) {
    if (format.ptr[i] == '-') continue;
    if (!*name || format.ptr[i] != *name++) return false;
  }
  return !*name;
}

const format_rule *format_find(slice format) {
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    if (named(format, rules[i].name)) return rules + i;
  return NULL;
}

bool structural_knows_format(slice format) { return format_find(format) != NULL; }

bool format_holds(arena *a, const format_rule *rule, const pattern *p, slice text) {
  if (!text.ptr) text = SLICE_LIT("");
  slice cleaned = rule->cleaned ? rule->cleaned(a, text) : text;
  if (!cleaned.ptr || (p && !pattern_matches(p, cleaned))) return false;
  return !rule->holds || rule->holds(a, cleaned);
}
