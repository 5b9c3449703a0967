/* apisim control ADDR COMMAND [VALUE...]: calls the control address of a running server. */
#include "sim/commands.h"
#include "sim/control/client.h"
#include "sim/control/control.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_usage(FILE *out) {
  fprintf(out, "usage: apisim control ADDR COMMAND [VALUE... | NAME=VALUE...] [-d JSON|@FILE]\n"
               "ADDR is what `apisim serve --control ADDR` was given\n\n");
  for (const control_row *row = control_rows; row->name; row++) {
    fprintf(out, "  %-12s %-18s %s\n", row->name, row->params, row->help);
  }
}

static const control_row *find_row(const char *name) {
  for (const control_row *row = control_rows; row->name; row++) {
    if (strcmp(name, row->name) == 0) return row;
  }
  return NULL;
}

/* The row's n-th parameter; NULL behind the last. */
static const char *param_name(const control_row *row, int n, char out[64]) {
  const char *p = row->params;
  for (;; n--) {
    while (*p == ' ') p++;
    size_t len = strcspn(p, " ?");
    if (len == 0) return NULL;
    if (n == 0) {
      snprintf(out, 64, "%.*s", (int)len, p);
      return out;
    }
    p += strcspn(p, " ");
  }
}

static bool is_named(const control_row *row, const char *arg) {
  char name[64];
  size_t n = strcspn(arg, "=");
  for (int i = 0; arg[n] && param_name(row, i, name); i++) {
    if (strlen(name) == n && strncmp(name, arg, n) == 0) return true;
  }
  return false;
}

/* A file's name is meant from here, and the server may run elsewhere. */
static void add_value(buf *target, const char *name, const char *value) {
  char here[PATH_MAX], whole[2 * PATH_MAX];
  bool path = strcmp(name, "file") == 0 || strcmp(name, "kubeconfig") == 0;
  bool relative = path && value[0] != '/';
  if (relative && getcwd(here, sizeof here)) {
    snprintf(whole, sizeof whole, "%s/%s", here, value);
    value = whole;
  }
  buf_cstr(target, strchr(target->ptr, '?') ? "&" : "?");
  buf_cstr(target, name);
  buf_char(target, '=');
  control_escape(target, value);
}

static bool add_arguments(const control_row *row, int argc, char **argv, buf *target,
                          const char **body) {
  int next = 0;
  char name[64];
  for (int i = 0; i < argc; i++) {
    if (strcmp(argv[i], "-d") == 0 && i + 1 < argc) {
      *body = argv[++i];
    } else if (is_named(row, argv[i])) {
      size_t n = strcspn(argv[i], "=");
      snprintf(name, sizeof name, "%.*s", (int)n, argv[i]);
      add_value(target, name, argv[i] + n + 1);
    } else if (param_name(row, next++, name)) {
      add_value(target, name, argv[i]);
    } else {
      fprintf(stderr, "apisim: %s takes no \"%s\"\n", row->name, argv[i]);
      return false;
    }
  }
  return true;
}

int cmd_control(int argc, char **argv) {
  if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
    print_usage(argc < 2 ? stderr : stdout);
    return argc < 2 ? 1 : 0;
  }
  const control_row *row = find_row(argc > 2 ? argv[2] : "status");
  if (!row) {
    fprintf(stderr, "apisim: no control command \"%s\"; `apisim control --help` lists them\n",
            argv[2]);
    return 1;
  }
  buf target;
  buf_init(&target, (size_t)1 << 20);
  const char *body = NULL;
  buf_printf(&target, "/%s", row->name);
  buf_reserve(&target, 1)[0] = '\0';
  int code = 1;
  if (add_arguments(row, argc - 3, argv + 3, &target, &body)) {
    code = control_call_once(argv[1], row->reads ? "GET" : "POST", buf_slice(&target), body);
  }
  buf_dispose(&target);
  return code;
}
