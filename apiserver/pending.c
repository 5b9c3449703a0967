/* Weak stand-ins for rooms whose owners have not moved in yet. Each goes when the real one lands;
 * the file goes with the last. */
#include "codec/codec.h"
#include "patch/patch.h"

#define PENDING __attribute__((weak))

PENDING void managed_fields_update(const manage_args *m, const val *live, val *obj) {
  (void)m, (void)live, (void)obj;
}
PENDING void managed_fields_keep_times(arena *a, const val *live, val *obj) { (void)a, (void)live, (void)obj; }
PENDING val *server_side_apply(const manage_args *m, const val *live, val *applied, status_error *err) {
  (void)live;
  (void)applied;
  status_plain(err, m->arena, "apply is not there yet");
  return NULL;
}
PENDING val *yaml_parse(arena *a, slice text, strict_report *report, slice *error) {
  return json_parse(a, text, report, error);
}
PENDING void yaml_encode(buf *out, const val *v, const type_info *t) { json_encode(out, v, t); }
