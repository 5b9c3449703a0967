/* The probes' texts. */
#include "sim/world/probe.h"

#define PROBE_TEXT(name, text) text,
static const char *const texts[PROBES] = {PROBE_LIST(PROBE_TEXT)};

const char *probe_text(probe p) { return texts[p]; }
