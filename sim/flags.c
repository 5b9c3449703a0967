/* The flag reader: one pass, values kept by row, each checked by its type's row below. */
#include "sim/flags.h"

#include "base/slice.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct flag_values {
  const char **items;
  size_t count;
} flag_values;

struct flags {
  flag_values *values;
  char problem[1024];
  char ignored[4096];
};

/* ---- what a value of a type looks like; NULL: good, else what is wrong ---- */

static const char *say(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static const char *say(char *why, size_t size, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(why, size, format, args);
  va_end(args);
  return why;
}

static const char *check_number(const char *v, bool is_signed, char *why, size_t size) {
  const char *function = is_signed ? "ParseInt" : "ParseUint";
  char *end;
  errno = 0;
  bool start_ok = isdigit((unsigned char)v[0]) ||
                  (is_signed && (v[0] == '-' || v[0] == '+') && isdigit((unsigned char)v[1]));
  if (is_signed) (void)strtoll(v, &end, 0);
  else (void)strtoull(v, &end, 0);
  if (!start_ok || *end) {
    return say(why, size, "strconv.%s: parsing \"%s\": invalid syntax", function, v);
  }
  if (errno == ERANGE) {
    return say(why, size, "strconv.%s: parsing \"%s\": value out of range", function, v);
  }
  return NULL;
}

static const char *check_int(const char *v, char *why, size_t size) {
  return check_number(v, true, why, size);
}

/* Numbers between commas; the one that is none is named. */
static const char *check_ints(const char *v, char *why, size_t size) {
  char item[64];
  for (;; v++) {
    size_t len = strcspn(v, ",");
    snprintf(item, sizeof item, "%.*s", (int)(len < sizeof item ? len : sizeof item - 1), v);
    const char *problem = check_int(item, why, size);
    if (problem) return problem;
    v += len;
    if (*v == '\0') return NULL;
  }
}

static const char *check_uint(const char *v, char *why, size_t size) {
  return check_number(v, false, why, size);
}

static const char *check_float(const char *v, char *why, size_t size) {
  char *end;
  (void)strtod(v, &end);
  if (*v && !*end) return NULL;
  return say(why, size, "strconv.ParseFloat: parsing \"%s\": invalid syntax", v);
}

static const char *check_bool(const char *v, char *why, size_t size) {
  if (bool_parse(slice_cstr(v)) >= 0) return NULL;
  return say(why, size, "strconv.ParseBool: parsing \"%s\": invalid syntax", v);
}

static const char *check_ip(const char *v, char *why, size_t size) {
  unsigned char ip[16];
  if (*v == '\0' || inet_pton(AF_INET, v, ip) == 1 || inet_pton(AF_INET6, v, ip) == 1) return NULL;
  return say(why, size, "failed to parse IP: \"%s\"", v);
}

/* Go's time.ParseDuration. */
static bool parse_duration(const char *v, int64_t *out, const char **problem) {
  static const struct {
    const char *unit;
    double ns;
  } units[] = {{"ns", 1},   {"us", 1e3},   {"\xc2\xb5s", 1e3}, {"ms", 1e6},
               {"s", 1e9},  {"m", 60e9},   {"h", 3600e9}};
  *problem = "invalid duration";
  const char *p = v;
  double total = 0, sign = 1;
  if (*p == '-' || *p == '+') sign = *p++ == '-' ? -1 : 1;
  if (strcmp(p, "0") == 0) return *out = 0, true;
  if (!*p) return false;
  while (*p) {
    if (!isdigit((unsigned char)*p) && *p != '.') return false;
    char *end;
    double n = strtod(p, &end);
    const char *unit = end;
    while (*end && *end != '.' && !isdigit((unsigned char)*end)) end++;
    size_t len = (size_t)(end - unit);
    if (len == 0) return *problem = "missing unit in duration", false;
    double scale = 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
      if (strlen(units[i].unit) == len && memcmp(units[i].unit, unit, len) == 0) {
        scale = units[i].ns;
      }
    }
    if (scale == 0) return *problem = "unknown unit in duration", false;
    total += n * scale;
    p = end;
  }
  *out = (int64_t)(sign * total);
  return true;
}

static const char *check_duration(const char *v, char *why, size_t size) {
  int64_t ns;
  const char *problem;
  if (parse_duration(v, &ns, &problem)) return NULL;
  return say(why, size, "time: %s \"%s\"", problem, v);
}

static const char *check_range(const char *v, char *why, size_t size) {
  int first, last, n = 0;
  if (sscanf(v, "%d-%d%n", &first, &last, &n) == 2 && v[n] == '\0' && first <= last) return NULL;
  if (sscanf(v, "%d+%d%n", &first, &last, &n) == 2 && v[n] == '\0') return NULL;
  if (sscanf(v, "%d%n", &first, &n) == 1 && v[n] == '\0') return NULL;
  return say(why, size, "strconv.Atoi: parsing \"%s\": invalid syntax", v);
}

static const char *check_pairs(const char *v, char *why, size_t size) {
  if (*v == '\0' || strchr(v, '=')) return NULL;
  return say(why, size, "%s must be formatted as key=value", v);
}

static const char *check_certkey(const char *v, char *why, size_t size) {
  if (strchr(v, ',')) return NULL;
  return say(why, size, "expected comma separated certificate and key file paths");
}

static const char *check_vmodule(const char *v, char *why, size_t size) {
  if (*v == '\0' || strchr(v, '=')) return NULL;
  return say(why, size, "\"%s\" does not have the pattern=N format", v);
}

static const char *check_quantity(const char *v, char *why, size_t size) {
  if (isdigit((unsigned char)*v) || strchr("+-.", *v)) return NULL;
  return say(why, size,
             "quantities must match the regular expression "
             "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

static const struct {
  const char *name; /* in --help */
  const char *(*check)(const char *v, char *why, size_t size);
} types[] = {
    [FLAG_STRING] = {"string", NULL},
    [FLAG_BOOL] = {"", check_bool},
    [FLAG_INT] = {"int", check_int},
    [FLAG_UINT] = {"uint", check_uint},
    [FLAG_FLOAT] = {"float", check_float},
    [FLAG_FLOAT32] = {"float32", check_float},
    [FLAG_DURATION] = {"duration", check_duration},
    [FLAG_IP] = {"ip", check_ip},
    [FLAG_LIST] = {"strings", NULL},
    [FLAG_ARRAY] = {"stringArray", NULL},
    [FLAG_MAP] = {"mapStringString", NULL},
    [FLAG_PAIRS] = {"stringToString", check_pairs},
    [FLAG_GATES] = {"colonSeparatedMultimapStringString", NULL},
    [FLAG_INTS] = {"int32Slice", check_ints},
    [FLAG_CERTKEY] = {"namedCertKey", check_certkey},
    [FLAG_VMODULE] = {"pattern=N,...", check_vmodule},
    [FLAG_RANGE] = {"portRange", check_range},
    [FLAG_QUANTITY] = {"quantity", check_quantity},
    [FLAG_VERSION] = {"version[=true]", NULL},
};

/* ---- reading ---- */

static size_t find_row(const char *name, size_t len) {
  for (size_t i = 0; i < flag_row_count; i++) {
    if (strncmp(flag_rows[i].name, name, len) == 0 && flag_rows[i].name[len] == '\0') return i;
  }
  return flag_row_count;
}

static bool set_value(flags *f, size_t row, const char *value) {
  char why[512];
  const flag_row *r = &flag_rows[row];
  const char *problem = types[r->type].check ? types[r->type].check(value, why, sizeof why) : NULL;
  if (problem) {
    const char *dash = strcmp(r->name, "v") == 0 ? "-v, " : "";
    snprintf(f->problem, sizeof f->problem, "invalid argument \"%s\" for \"%s--%s\" flag: %s",
             value, dash, r->name, problem);
    return false;
  }
  flag_values *v = &f->values[row];
  v->items = realloc(v->items, sizeof(char *) * (v->count + 1));
  if (!v->items) abort();
  v->items[v->count++] = value;
  return true;
}

static bool optional_value(const flag_row *r) {
  return r->type == FLAG_BOOL || r->type == FLAG_VERSION;
}

/* Reads argv[*at]; moves *at past a value of its own. */
static bool read_long(flags *f, int argc, char **argv, int *at) {
  const char *name = argv[*at] + 2;
  const char *equals = strchr(name, '=');
  size_t len = equals ? (size_t)(equals - name) : strlen(name);
  if (len == 0 || name[0] == '-' || name[0] == '=') {
    snprintf(f->problem, sizeof f->problem, "bad flag syntax: %s", argv[*at]);
    return false;
  }
  size_t row = find_row(name, len);
  if (row == flag_row_count) {
    snprintf(f->problem, sizeof f->problem, "unknown flag: --%.*s", (int)len, name);
    return false;
  }
  if (equals) return set_value(f, row, equals + 1);
  if (optional_value(&flag_rows[row])) return set_value(f, row, "true");
  if (*at + 1 >= argc) {
    snprintf(f->problem, sizeof f->problem, "flag needs an argument: --%s", name);
    return false;
  }
  *at += 1;
  return set_value(f, row, argv[*at]);
}

static bool read_short(flags *f, int argc, char **argv, int *at) {
  const char *arg = argv[*at];
  if (strcmp(arg, "-h") == 0) return set_value(f, find_row("help", 4), "true");
  if (arg[1] != 'v') {
    snprintf(f->problem, sizeof f->problem, "unknown shorthand flag: '%c' in %s", arg[1], arg);
    return false;
  }
  if (arg[2]) return set_value(f, find_row("v", 1), arg[2] == '=' ? arg + 3 : arg + 2);
  if (*at + 1 >= argc) {
    snprintf(f->problem, sizeof f->problem, "flag needs an argument: 'v' in -v");
    return false;
  }
  *at += 1;
  return set_value(f, find_row("v", 1), argv[*at]);
}

flags_result flags_parse(int argc, char **argv, flags **out, int *rest, const char **problem) {
  flags *f = calloc(1, sizeof *f);
  if (!f) abort();
  f->values = calloc(flag_row_count, sizeof(flag_values));
  if (!f->values) abort();
  *out = f;
  *problem = f->problem;
  *rest = argc;
  for (int i = 1; i < argc; i++) {
    const char *arg = argv[i];
    if (strcmp(arg, "--") == 0) {
      *rest = i + 1;
      break;
    }
    bool ok;
    if (strncmp(arg, "--", 2) == 0) {
      ok = read_long(f, argc, argv, &i);
    } else if (arg[0] == '-' && arg[1]) {
      ok = read_short(f, argc, argv, &i);
    } else {
      snprintf(f->problem, sizeof f->problem,
               "\"kube-apiserver\" does not take any arguments, got [\"%s\"]", arg);
      ok = false;
    }
    if (!ok) return FLAGS_BAD;
    if (flags_bool(f, "help")) return FLAGS_HELP;
  }
  return flags_given(f, "version") ? FLAGS_VERSION_ASKED : FLAGS_OK;
}

void flags_free(flags *f) {
  if (!f) return;
  for (size_t i = 0; i < flag_row_count; i++) free(f->values[i].items);
  free(f->values);
  free(f);
}

/* ---- asking ---- */

static size_t must_row(const char *name) {
  size_t row = find_row(name, strlen(name));
  if (row == flag_row_count) abort(); /* a typo of ours */
  return row;
}

bool flags_given(const flags *f, const char *name) {
  return f->values[must_row(name)].count > 0;
}

const char *flags_nth(const flags *f, const char *name, size_t n) {
  const flag_values *v = &f->values[must_row(name)];
  return n < v->count ? v->items[n] : NULL;
}

const char *flags_str(const flags *f, const char *name) {
  size_t row = must_row(name);
  const flag_values *v = &f->values[row];
  const char *text = v->count ? v->items[v->count - 1] : flag_rows[row].standard;
  return *text ? text : NULL;
}

bool flags_bool(const flags *f, const char *name) {
  const char *text = flags_str(f, name);
  return bool_parse(slice_cstr(text)) == 1;
}

int64_t flags_int(const flags *f, const char *name) {
  const char *text = flags_str(f, name);
  return text ? (int64_t)strtoll(text, NULL, 0) : 0;
}

int64_t flags_duration(const flags *f, const char *name) {
  const char *text = flags_str(f, name);
  int64_t ns = 0;
  const char *problem;
  return text && parse_duration(text, &ns, &problem) ? ns : 0;
}

const char *flags_ignored(flags *f) {
  size_t len = 0;
  for (size_t i = 0; i < flag_row_count; i++) {
    if (f->values[i].count == 0 || flag_rows[i].use != FLAG_IGNORED) continue;
    int n = snprintf(f->ignored + len, sizeof f->ignored - len, "%s--%s", len ? ", " : "",
                     flag_rows[i].name);
    if (n < 0 || (size_t)n >= sizeof f->ignored - len) break;
    len += (size_t)n;
  }
  return len ? f->ignored : NULL;
}

void flags_print_help(const char *program) {
  printf("A Kubernetes API server (%s), deterministic and instant. It keeps its objects in\n"
         "memory. Flags that draw \"accepted\" are read and checked, and change nothing yet.\n\n"
         "Usage:\n  %s [flags]\n",
         FLAGS_KUBERNETES_VERSION, program);
  const char *section = "";
  for (size_t i = 0; i < flag_row_count; i++) {
    const flag_row *r = &flag_rows[i];
    if (strcmp(section, r->section) != 0) printf("\n%s flags:\n\n", r->section);
    section = r->section;
    char left[128];
    snprintf(left, sizeof left, "%s--%s %s", strcmp(r->name, "v") == 0 ? "  -v, " : "      ",
             r->name, types[r->type].name);
    const char *help = *r->help                  ? r->help
                       : r->use == FLAG_IGNORED ? "accepted"
                                                : "accepted; this is how it is anyway";
    if (*r->standard) printf("%-60s %s (default %s)\n", left, help, r->standard);
    else printf("%-60s %s\n", left, help);
  }
}
