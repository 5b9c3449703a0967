/* gates: --feature-gates as kube-apiserver reads it: "Name=true", "kube:Name=false", comma
 * separated, repeated; AllAlpha and AllBeta stand for every gate of that stage that is not named.
 * Every gate of v1.36 is known with its default and whether it is locked to it (gates_table.c).
 *
 * What the server acts on is a field of `gates`; the others are named in `without_effect` when they
 * were given another value than the default.
 * Source: k8s.io/component-base featuregate, cli/flag (ColonSeparatedMultimapStringString). */
#ifndef APISIM_SIM_GATES_H
#define APISIM_SIM_GATES_H

#include "schema/features.h"
#include "sim/flags.h"

typedef enum gate_stage { GATE_ALPHA, GATE_BETA, GATE_GA, GATE_DEPRECATED } gate_stage;

typedef struct gate_row {
  const char *name;
  uint8_t stage; /* gate_stage */
  bool standard, locked;
} gate_row;

extern const gate_row gate_rows[]; /* by name */
extern const size_t gate_row_count;

typedef struct gates {
  bool cbor; /* CBORServingAndStorage */
  feature_set features; /* those that fields hang on */
  char opens[256]; /* those that are on and open resources (resource_info.gate), by commas */
  char without_effect[512]; /* "A=true, B=false", cut off where it is too long; empty for none */
} gates;

/* False and *problem (in the real words, without "Error: ") for a value that the real server
 * refuses. */
bool gates_read(const flags *f, gates *out, char *problem, size_t size);

#endif
