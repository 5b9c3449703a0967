/* flags: command lines as kube-apiserver's pflag reads them: --k=v, --k v, bare bools, repeats,
 * -v and -h as the only short ones, the same words for what is wrong. */
#ifndef APISIM_SIM_FLAGS_H
#define APISIM_SIM_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLAGS_KUBERNETES_VERSION "v1.36.3"

typedef enum flag_type {
  FLAG_STRING,
  FLAG_BOOL,
  FLAG_INT,
  FLAG_UINT,
  FLAG_FLOAT,
  FLAG_FLOAT32,
  FLAG_DURATION,
  FLAG_IP,
  FLAG_LIST, /* comma separated; repeats add */
  FLAG_ARRAY, /* repeats add */
  FLAG_MAP,
  FLAG_PAIRS,
  FLAG_GATES,
  FLAG_INTS,
  FLAG_CERTKEY,
  FLAG_VMODULE,
  FLAG_RANGE,
  FLAG_QUANTITY,
  FLAG_VERSION,
} flag_type;

typedef enum flag_use { FLAG_HONOURED, FLAG_SILENT, FLAG_IGNORED } flag_use;

typedef struct flag_row {
  const char *section, *name;
  uint8_t type, use;
  const char *standard; /* the default, as text */
  const char *help;
} flag_row;

extern const flag_row flag_rows[];
extern const size_t flag_row_count;

/* Values given, by row. Strings are argv's own or the default's. */
typedef struct flags flags;

typedef enum flags_result { FLAGS_OK, FLAGS_BAD, FLAGS_HELP, FLAGS_VERSION_ASKED } flags_result;

/* argv[0] is skipped. *rest: index of the first argument behind "--", or argc. BAD: *problem is
 * pflag's line without "Error: "; owned by the flags. *out is made in any case. */
flags_result flags_parse(int argc, char **argv, flags **out, int *rest, const char **problem);
void flags_free(flags *f);

bool flags_given(const flags *f, const char *name);
/* The last value, or the default; NULL for none or empty. */
const char *flags_str(const flags *f, const char *name);
bool flags_bool(const flags *f, const char *name);
int64_t flags_int(const flags *f, const char *name);
/* Nanoseconds. */
int64_t flags_duration(const flags *f, const char *name);
/* Values in order of appearance; index behind the last: NULL. */
const char *flags_nth(const flags *f, const char *name, size_t n);
/* One line that names the flags given that are not honoured; NULL for none. Owned by f. */
const char *flags_ignored(flags *f);

void flags_print_help(const char *program);

#endif
