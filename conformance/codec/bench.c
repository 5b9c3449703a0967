/* codec_bench: rates of the codecs on a corpus, apisim's beside apimachinery's in the same run.
 *
 * The samples are the corpus's kinds in each format as they travel (compact JSON, enveloped
 * protobuf), made from the corpus's JSON. Decoding is what a write's body goes through: parsing,
 * typing, strict reporting, into an arena that is used again; encoding is of the tree that such a
 * body gave, into a buffer that is used again. The other side decodes strictly into a new object,
 * and writes what it decoded with Encode into a buffer that is used again too, as the real server
 * does for all but watches: protobuf's encoder then takes memory of its own from the collector each
 * time (EncodeWithAllocator, with which a watch keeps it, is not measured). Both take each sample
 * REPEAT times in a row and count the CPU time of the whole process, the collector's included. */
#include "base/limits.h"
#include "codec/negotiate.h"
#include "conformance/codec/oracle.h"
#include "sim/file.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SAMPLES_MAX 1024u
#define REPEAT 8u /* times in a row that each sample is taken, as by the other side */
#define FILE_MAX ((size_t)16 << 20)

typedef struct sample {
  const kind_info *kind;
  val *tree;
  slice api_version;
  slice bytes[ORACLE_FORMATS];
} sample;

typedef struct bench {
  arena *keep, *scratch;
  buf out;
  sample samples[SAMPLES_MAX];
  uint32_t count;
  double seconds; /* a measurement */
} bench;

static const char usage[] =
    "usage: codec_bench --corpus DIR [--oracle PROGRAM] [--seconds S] [--format NAME]\n"
    "                   [--op decode|encode]\n"
    "\n"
    "Decoding and encoding rates of every format on the official corpus in DIR, and how much faster\n"
    "they are than those of PROGRAM (conformance/oracle), which is run on the same files.\n";

/* CPU time, so that what else the machine does counts little. */
static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- samples ---- */

static void encode(bench *b, unsigned format, const sample *s) {
  const val *v = s->tree;
  b->out.len = 0;
  switch (format) {
    case ORACLE_JSON:
      json_encode(&b->out, v, s->kind->type);
      buf_char(&b->out, '\n');
      break;
    case ORACLE_YAML: yaml_encode(&b->out, v, s->kind->type); break;
    case ORACLE_PROTOBUF:
      proto_encode_object(&b->out, v, s->kind->type, s->api_version, s->kind->kind);
      break;
    case ORACLE_CBOR: cbor_document(&b->out, v, s->kind->type); break;
    default: break;
  }
}

static val *decode(bench *b, arena *a, unsigned format, const sample *s) {
  static const body_format formats[] = {FORMAT_JSON, FORMAT_YAML, FORMAT_PROTOBUF, FORMAT_CBOR};
  strict_report strict = {0};
  const kind_info *k;
  slice error;
  (void)b;
  return negotiate_decode_bytes(a, formats[format], s->bytes[format], s->kind, &strict, &k, &error);
}

/* "apps.v1.Deployment.json" */
static const kind_info *kind_of_file(slice name) {
  size_t dot[3] = {0, 0, 0};
  for (size_t i = 0; i < name.len; i++) {
    if (name.ptr[i] == '.') dot[0] = dot[1], dot[1] = dot[2], dot[2] = i;
  }
  if (!dot[0] || !slice_is(slice_from(name, dot[2]), ".json")) return NULL;
  slice group = slice_upto(name, dot[0]), none = SLICE_LIT("");
  slice version = slice_of(name.ptr + dot[0] + 1, dot[1] - dot[0] - 1);
  slice kind = slice_of(name.ptr + dot[1] + 1, dot[2] - dot[1] - 1);
  return schema_kind(slice_is(group, "core") ? none : group, version, kind);
}

static bool add_sample(bench *b, const char *folder, const char *name) {
  sample s = {.kind = kind_of_file(slice_cstr(name))};
  slice text, path = arena_printf(b->keep, "%s/%s", folder, name);
  if (!s.kind || !s.kind->type->proto_count || b->count == SAMPLES_MAX) return true;
  if (file_read(b->keep, path.ptr, FILE_MAX, &text)) return false;
  s.bytes[ORACLE_JSON] = text;
  s.tree = decode(b, b->keep, ORACLE_JSON, &s);
  s.api_version = s.tree ? val_get_str(s.tree, "apiVersion") : SLICE_NONE;
  for (unsigned f = 0; s.tree && f < ORACLE_FORMATS; f++) {
    encode(b, f, &s);
    s.bytes[f] = arena_copy(b->keep, buf_slice(&b->out));
    if (f == ORACLE_JSON) s.tree = decode(b, b->keep, f, &s); /* whose texts stand in a body */
  }
  if (s.tree) b->samples[b->count++] = s;
  return s.tree != NULL;
}

static bool read_samples(bench *b, const char *folder) {
  DIR *dir = opendir(folder);
  bool good = dir != NULL;
  for (struct dirent *e; good && (e = readdir(dir));) {
    if (!strstr(e->d_name, "after_roundtrip")) good = add_sample(b, folder, e->d_name);
    if (!good) fprintf(stderr, "codec_bench: %s cannot be read\n", e->d_name);
  }
  if (dir) closedir(dir);
  return good && b->count > 0;
}

/* ---- measuring ---- */

typedef struct rate {
  double objects_s, mb_s;
} rate;

static rate measure_for(bench *b, unsigned format, bool decodes, double seconds) {
  uint64_t objects = 0, bytes = 0;
  double start = now_s(), spent;
  do {
    for (uint32_t n = 0; n < b->count * REPEAT; n++) {
      uint32_t i = n / REPEAT;
      if (decodes && !decode(b, b->scratch, format, &b->samples[i])) abort();
      if (!decodes) encode(b, format, &b->samples[i]);
      else arena_reset(b->scratch);
      bytes += b->samples[i].bytes[format].len;
    }
    objects += b->count * REPEAT;
    spent = now_s() - start;
  } while (spent < seconds);
  return (rate){(double)objects / spent, (double)bytes / spent / 1e6};
}

static rate measure(bench *b, unsigned format, bool decodes) {
  measure_for(b, format, decodes, b->seconds / 5);
  return measure_for(b, format, decodes, b->seconds);
}

/* ---- the other side ---- */

typedef struct rates {
  rate of[ORACLE_FORMATS][2]; /* decode, encode */
} rates;

static void take_line(const char *line, rates *out) {
  json_t *j = json_loads(line, 0, NULL);
  const char *format = json_string_value(json_object_get(j, "format"));
  const char *op = json_string_value(json_object_get(j, "op"));
  for (unsigned f = 0; format && op && f < ORACLE_FORMATS; f++) {
    if (strcmp(format, oracle_format_names[f]) != 0) continue;
    out->of[f][strcmp(op, "decode") != 0] =
        (rate){json_number_value(json_object_get(j, "objects_s")),
               json_number_value(json_object_get(j, "mb_s"))};
  }
  json_decref(j);
}

static bool ask_oracle(const char *program, const char *folder, double seconds, unsigned format,
                       rates *out) {
  char command[4096], line[4096];
  snprintf(command, sizeof command, "GOMAXPROCS=1 '%s' bench '%s' %.0fms %s", program, folder,
           seconds * 1000, oracle_format_names[format]);
  FILE *f = popen(command, "r");
  while (f && fgets(line, sizeof line, f)) take_line(line, out);
  return f && pclose(f) == 0;
}

static void print_row(unsigned format, bool encodes, rate ours, rate theirs) {
  printf("  %-10s %-7s %12.0f %9.1f", oracle_format_names[format], encodes ? "encode" : "decode",
         ours.objects_s, ours.mb_s);
  if (theirs.objects_s > 0) {
    printf(" %12.0f %9.1f %8.1fx", theirs.objects_s, theirs.mb_s, ours.objects_s / theirs.objects_s);
  }
  printf("\n");
  fflush(stdout);
}

int main(int argc, char **argv) {
  static bench b;
  const char *folder = NULL, *program = NULL, *only = NULL, *only_op = NULL;
  b.seconds = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--corpus") == 0) folder = argv[i + 1];
    if (strcmp(argv[i], "--oracle") == 0) program = argv[i + 1];
    if (strcmp(argv[i], "--format") == 0) only = argv[i + 1];
    if (strcmp(argv[i], "--op") == 0) only_op = argv[i + 1];
    if (strcmp(argv[i], "--seconds") == 0) b.seconds = strtod(argv[i + 1], NULL);
  }
  if (!folder) {
    fputs(usage, stderr);
    return 2;
  }
  b.keep = arena_create();
  b.scratch = arena_create();
  buf_init(&b.out, LIMIT_BUFFER);
  rates theirs = {0};
  if (!read_samples(&b, folder)) return 2;
  printf("codecs: %u kinds of %s, one thread, a second of CPU\n", b.count, folder);
  printf("  %-10s %-7s %12s %9s %12s %9s %9s\n", "FORMAT", "OP", "APISIM/s", "MB/s", "GO/s", "MB/s",
         "FASTER");
  for (unsigned f = 0; f < ORACLE_FORMATS; f++) {
    if (only && strcmp(only, oracle_format_names[f]) != 0) continue;
    if (program && !ask_oracle(program, folder, b.seconds, f, &theirs)) return 2;
    for (unsigned op = 0; op < 2; op++) {
      if (only_op && strcmp(only_op, op ? "encode" : "decode") != 0) continue;
      print_row(f, op, measure(&b, f, op == 0), theirs.of[f][op]);
    }
  }
  return 0;
}
