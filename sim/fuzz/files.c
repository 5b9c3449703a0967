/* Files through the fuzz targets, without libFuzzer. A file of a typed target is a document as
 * people have it; the head that the target wants in front (fuzz/fuzz.h) is made from its kind. */
#include "sim/fuzz/fuzzing.h"

#include "fuzz/fuzz.h"
#include "fuzz/generate.h"
#include "sim/file.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_MAX ((size_t)4 << 20)
#define INPUT_SECONDS 30u

typedef int (*target_fn)(const uint8_t *data, size_t size);
#define TARGETS(X)                                                                             \
  X(json, FUZZ_JSON) X(yaml, FUZZ_YAML) X(proto, FUZZ_PROTO) X(cbor, FUZZ_CBOR)                \
  X(quantity, FUZZ_BYTES) X(label_selector, FUZZ_BYTES) X(field_selector, FUZZ_BYTES)          \
  X(time, FUZZ_BYTES) X(continue_token, FUZZ_BYTES) X(json_patch, FUZZ_PATCH)                  \
  X(merge_patch, FUZZ_PATCH) X(strategic_patch, FUZZ_PATCH) X(apply, FUZZ_PATCH)               \
  X(http1, FUZZ_BYTES) X(crd_schema, FUZZ_BYTES) X(api_scenario, FUZZ_BYTES) X(canary, FUZZ_JSON)
#define X(name, form) int fuzz_target_##name(const uint8_t *data, size_t size);
TARGETS(X)
#undef X

typedef struct target_row {
  const char *name;
  target_fn run;
  fuzz_form form;
} target_row;

static const target_row targets[] = {
#define X(name, form) {#name, fuzz_target_##name, form},
    TARGETS(X)
#undef X
};
#define TARGET_COUNT (sizeof targets / sizeof *targets)

void fuzz_files_list(void) {
  for (size_t i = 0; i < TARGET_COUNT; i++) printf("%s\n", targets[i].name);
}

static const target_row *find_target(const char *name) {
  for (size_t i = 0; i < TARGET_COUNT; i++) {
    if (strcmp(targets[i].name, name) == 0) return &targets[i];
  }
  return NULL;
}

/* ---- the head ---- */

static const kind_info *kind_named(slice api_version, slice kind) {
  slice group = SLICE_LIT(""), version = api_version;
  if (slice_find_char(api_version, '/') >= 0) slice_cut(api_version, '/', &group, &version);
  return schema_kind(group, version, kind);
}

/* "apps/v1/Deployment", "v1/Pod" */
static const kind_info *kind_asked(const char *text) {
  const char *last = strrchr(text, '/');
  if (!last) return NULL;
  return kind_named(slice_of(text, (size_t)(last - text)), slice_cstr(last + 1));
}

/* What the document says of itself; *body: what the target reads (a message without envelope). */
static const kind_info *kind_told(arena *a, fuzz_form form, slice *body) {
  slice error, version = SLICE_NONE, kind = SLICE_NONE, message, encoding, type, first, rest;
  val *v = NULL;
  if (form == FUZZ_PROTO) {
    if (!proto_open_envelope(a, *body, &version, &kind, &message, &encoding, &type, &error)) {
      return NULL;
    }
    *body = message;
  } else if (form == FUZZ_CBOR) {
    cbor_type_meta(a, *body, &version, &kind, &error);
  } else {
    slice_cut(*body, '\n', &first, &rest);
    v = form == FUZZ_PATCH  ? json_parse(a, first, NULL, &error)
        : form == FUZZ_YAML ? yaml_parse(a, *body, NULL, &error)
                            : json_parse(a, *body, NULL, &error);
    version = val_get_str(v, "apiVersion");
    kind = val_get_str(v, "kind");
  }
  return kind_named(version, kind);
}

static slice with_head(arena *a, const kind_info *k, slice body) {
  size_t n = (size_t)(k - schema_kinds);
  char head[FUZZ_HEAD] = {(char)(n >> 8), (char)n, 0, 0};
  return arena_concat(a, slice_of(head, FUZZ_HEAD), body);
}

static bool make_input(arena *a, const fuzz_files *o, const target_row *t, const char *path,
                       slice *out) {
  const char *problem = file_read(a, path, FILE_MAX, out);
  if (problem) {
    fprintf(stderr, "apisim fuzz: %s cannot be read: %s\n", path, problem);
    return false;
  }
  if (o->raw || t->form == FUZZ_BYTES) return true;
  const kind_info *told = kind_told(a, t->form, out), *k = o->kind ? kind_asked(o->kind) : told;
  if (k) {
    *out = with_head(a, k, *out);
    return true;
  }
  fprintf(stderr,
          "apisim fuzz: %s: no known kind; --kind v1/Pod names one, --raw takes a whole input\n",
          path);
  return false;
}

/* ---- changed forms ---- */

static slice change_bytes(arena *a, rng *r, slice in) {
  char *out = arena_alloc(a, in.len * 2 + 64);
  size_t n = in.len;
  memcpy(out, in.ptr, n);
  for (uint64_t times = 1 + rng_below(r, 4); times; times--) {
    size_t from = n > FUZZ_HEAD ? FUZZ_HEAD : 0;
    size_t at = n > from ? from + rng_below(r, n - from) : from;
    size_t len = n > at ? 1 + rng_below(r, n - at < 16 ? n - at : 16) : 0;
    switch (rng_below(r, 4)) {
      case 0: if (n > at) out[at] = (char)rng_below(r, 256); break;
      case 1: memmove(out + at, out + at + len, n - at - len); n -= len; break;
      case 2: memmove(out + at + len, out + at, n - at); n += len; break;
      default: memmove(out + at + 1, out + at, n - at); out[at] = (char)rng_below(r,
          256); n++; break;
    }
  }
  return slice_of(out, n);
}

static slice change_tree(arena *a, rng *r, const target_row *t, slice in) {
  slice error, body = slice_from(in, FUZZ_HEAD), out;
  const kind_info *k = &schema_kinds[(unsigned)((unsigned char)in.ptr[0] << 8 |
                                                (unsigned char)in.ptr[1]) % schema_kind_count];
  val *v = t->form == FUZZ_YAML    ? yaml_parse(a, body, NULL, &error)
           : t->form == FUZZ_PROTO ? proto_decode(a, body, k->type, &error)
           : t->form == FUZZ_CBOR  ? cbor_parse(a, body, &error)
                                   : json_parse(a, body, NULL, &error);
  if (!val_is_map(v)) return change_bytes(a, r, in);
  for (uint64_t n = 1 + rng_below(r, 3); n; n--) generate_change(a, r, v, k->type);
  if (t->form == FUZZ_PROTO) v = codec_conform(a, v, k->type, NULL, &error);
  if (!v) return change_bytes(a, r, in);
  out = t->form == FUZZ_YAML    ? fuzz_yaml(a, v, NULL)
        : t->form == FUZZ_PROTO ? fuzz_proto(a, v, k->type)
        : t->form == FUZZ_CBOR  ? fuzz_cbor(a, v, NULL)
                                : fuzz_json_any(a, v, false);
  return arena_concat(a, slice_upto(in, FUZZ_HEAD), out);
}

/* The n-th form of an input; 0 is itself. */
static slice form_of(arena *a, const fuzz_files *o, const target_row *t, slice in, uint32_t n) {
  rng r, all;
  if (n == 0) return in;
  rng_init(&all, o->seed);
  r = rng_split(&all, n);
  bool typed = t->form != FUZZ_BYTES && t->form != FUZZ_PATCH && in.len > FUZZ_HEAD;
  return typed && rng_chance(&r, 1, 2) ? change_tree(a, &r, t, in) : change_bytes(a, &r, in);
}

/* ---- running ---- */

/* In the child: *at is shared, so that the parent knows which one ended it. */
static void run_all(const fuzz_files *o, const target_row *t, slice in, volatile uint32_t *at) {
  for (uint32_t n = *at; n <= o->runs; n++) {
    arena *a = arena_create();
    slice input = form_of(a, o, t, in, n);
    *at = n;
    alarm(INPUT_SECONDS);
    t->run((const uint8_t *)input.ptr, input.len);
    arena_destroy(a);
  }
}

static void keep_failed(const fuzz_files *o, const target_row *t, const char *path, slice in,
                        uint32_t n, int status) {
  char kept[512];
  arena *a = arena_create();
  slice input = form_of(a, o, t, in, n);
  const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
  snprintf(kept, sizeof kept, "%s/fuzz-%s-%s-%u.input", o->out, t->name, base, n);
  FILE *file = fopen(kept, "wb");
  if (file) {
    fwrite(input.ptr, 1, input.len, file);
    fclose(file);
  }
  int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  fprintf(stderr, "FAILED %s (form %u): %s\n  again: apisim fuzz --target %s --raw %s\n", path, n,
          signal == SIGALRM ? "too slow" : signal == SIGABRT ? "an oracle" : "a crash", t->name,
          file ? kept : "(the input could not be kept)");
  arena_destroy(a);
}

/* How many forms failed. */
static uint32_t run_file(const fuzz_files *o, const target_row *t, const char *path, slice in) {
  uint32_t failed = 0;
  volatile uint32_t *at = mmap(NULL, sizeof *at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                               -1, 0);
  if (at == MAP_FAILED) return 1;
  for (*at = 0; *at <= o->runs; (*at)++) {
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      run_all(o, t, in, at);
      _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0) return failed + 1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
    keep_failed(o, t, path, in, *at, status);
    failed++;
  }
  munmap((void *)(uintptr_t)at, sizeof *at);
  return failed;
}

int fuzz_files_run(const fuzz_files *o, char **files, int count) {
  const target_row *t = find_target(o->target);
  uint32_t failed = 0;
  if (!t) {
    fprintf(stderr, "apisim fuzz: no target \"%s\"; `apisim fuzz --list` names them\n", o->target);
    return 2;
  }
  for (int i = 0; i < count; i++) {
    arena *a = arena_create();
    slice in;
    bool good = make_input(a, o, t, files[i], &in);
    if (good) failed += run_file(o, t, files[i], in);
    arena_destroy(a);
    if (!good) return 2;
  }
  printf("%s: %d files, %lld inputs, %u failed\n", t->name, count,
         (long long)count * (o->runs + 1ll), failed);
  return failed > 0;
}
