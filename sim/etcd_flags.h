/* etcd_flags: command lines as etcd reads them (Go's flag package). */
#ifndef APISIM_SIM_ETCD_FLAGS_H
#define APISIM_SIM_ETCD_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum etcd_flag_use { ETCD_HONOURED, ETCD_SILENT, ETCD_IGNORED } etcd_flag_use;

typedef struct etcd_flag {
  const char *name;
  bool is_bool;
  etcd_flag_use use;
  const char *standard, *help;
} etcd_flag;

typedef struct etcd_flags {
  const char **values; /* by row; NULL: not given */
  bool help, version; /* asked for: nothing else was read */
} etcd_flags;

/* argv[0] is skipped; ETCD_... in the environment stands for what is not there. False with Go's
 * line in `problem`. Freed with etcd_flags_free in any case. */
bool etcd_flags_parse(int argc, char **argv, etcd_flags *f, char *problem, size_t size);
/* The value or the default; NULL for none or empty. The name must be a flag's. */
const char *etcd_flags_get(const etcd_flags *f, const char *name);
bool etcd_flags_given(const etcd_flags *f, const char *name);
/* One line on stderr that names the flags given that have no effect. */
void etcd_flags_warn(const etcd_flags *f);
void etcd_flags_help(void);
void etcd_flags_free(etcd_flags *f);

#endif
