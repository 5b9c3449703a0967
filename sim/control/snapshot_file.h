/* snapshot_file: snapshots (snapshot.h) on disk. */
#ifndef APISIM_SIM_CONTROL_SNAPSHOT_FILE_H
#define APISIM_SIM_CONTROL_SNAPSHOT_FILE_H

#include "sim/serve.h"

#define SNAPSHOT_WHY_MAX 512

/* Whole or not at all, also over a crash: written beside it, synced, renamed, the folder synced.
 * False with one line in `why`. *bytes: its size. */
bool snapshot_save(serving *s, const char *path, int64_t *bytes, char why[SNAPSHOT_WHY_MAX]);

/* The file's bytes, mapped; unmap with snapshot_unmap. */
bool snapshot_map(const char *path, slice *bytes, char why[SNAPSHOT_WHY_MAX]);
void snapshot_unmap(slice bytes);

#endif
