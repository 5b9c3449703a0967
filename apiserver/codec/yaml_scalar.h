/* yaml_scalar: what a plain YAML 1.1 scalar means, as go-yaml v2 resolves it. */
#ifndef APISIM_CODEC_YAML_SCALAR_H
#define APISIM_CODEC_YAML_SCALAR_H

#include "codec/codec.h"

typedef enum yaml_type {
  YAML_STR,
  YAML_NULL,
  YAML_BOOL,
  YAML_INT,
  YAML_UINT, /* past int64 */
  YAML_FLOAT,
  YAML_TIMESTAMP, /* read as a string, quoted when written */
} yaml_type;

typedef struct yaml_scalar {
  yaml_type type;
  union {
    bool b;
    int64_t i;
    uint64_t u;
    double f;
  };
} yaml_scalar;

yaml_scalar yaml_resolve(slice text);
/* strconv.FormatFloat(f, 'g', -1, bits): bits 32 or 64; out of 40 bytes. */
slice yaml_float_text(double f, int bits, char out[40]);

#endif
