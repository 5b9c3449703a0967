/* Fuzz target: server-side apply over objects with managed fields of a client's making. Oracles:
 * patch_case's; the managed fields that come out are such that we read them; the same manager's
 * same configuration once more, by force, leaves the object as it is. Not so, in the real server
 * either, where it names a list's item by its keys' defaults and sets nothing in it: such an item
 * goes with the second apply. */
#include "fuzz/patch_case.h"
#include "registry/stored.h"
#include "version/version.h"

FUZZ_TARGET(FUZZ_PATCH);

static val *apply_once(patch_case *p, const manage_args *m, const val *live, status_error *err) {
  slice error = SLICE_NONE;
  val *applied = json_parse(p->arena, p->patch, NULL, &error);
  return val_is_map(applied) ? server_side_apply(m, live, applied, err) : NULL;
}

static val *without_managed_fields(arena *a, const val *v) {
  val *out = val_copy(a, v), *metadata = val_getc(out, "metadata");
  if (val_is_map(metadata)) val_del(metadata, SLICE_LIT("managedFields"));
  return out;
}

static void check_again(patch_case *p, manage_args m, val *out) {
  status_error err = {0};
  slice error = SLICE_NONE;
  const type_info *t = p->resource->type;
  val *entries = val_path(out, "metadata.managedFields");
  val *were = val_path(p->live, "metadata.managedFields"); /* such as a write lets into the store */
  bool readable = !were || managed_fields_valid(p->arena, were, &error);
  if (entries && readable) CHECK(managed_fields_valid(p->arena, entries, &error));
  stored_settle(p->resource, out); /* between the two it was in the store */
  m.force = true;
  val *again = apply_once(p, &m, out, &err);
  if (again) again = codec_conform(p->arena, again, t, NULL, &error);
  if (!val_is_map(again)) return;
  slice owned = entries ? fuzz_json_any(p->arena, entries, false) : SLICE_NONE;
  if (slice_find(owned, SLICE_LIT("}\":{}")) >= 0) return;
  /* a list's key given as null names another item than the "" that it is once it was stored, and
   * one given as "" another than its default */
  slice applied = fuzz_json_any(p->arena, json_parse(p->arena, p->patch, NULL, &error), false);
  if (slice_find(applied, SLICE_LIT("\":null")) >= 0) return;
  if (slice_find(applied, SLICE_LIT("\":\"\"")) >= 0) return;
  /* who applies an empty struct in place of a full one of theirs is left with none, and has an
   * empty one after the second time: the real server does so, too */
  if (slice_find(applied, SLICE_LIT("\":{}")) >= 0) return;
  /* podIP and podIPs follow each other, as podCIDR and podCIDRs do */
  if (val_path(out, "status.podIPs") || val_path(out, "spec.podCIDRs")) return;
  version_default(p->arena, again, t);
  stored_settle(p->resource, again);
  CHECK_SAME(fuzz_json(p->arena, without_managed_fields(p->arena, out), t),
             fuzz_json(p->arena, without_managed_fields(p->arena, again), t));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  patch_case p;
  slice error = SLICE_NONE;
  if (!patch_case_open(&p, data, size)) return 0;
  manage_args m = {.arena = p.arena, .resource = p.resource, .manager = SLICE_LIT("applier"),
                   .apply = true, .now_s = 1000};
  m.subresource = p.head.more & 1 ? SLICE_LIT("status") : SLICE_LIT("");
  m.force = (p.head.flags & 4) != 0;
  if (val_is_map(json_parse(p.arena, p.patch, NULL, &error))) {
    val *out = patch_case_check(&p, apply_once(&p, &m, p.live, &p.err));
    if (out && !(p.head.flags & 8)) check_again(&p, m, out);
  }
  patch_case_close(&p);
  return 0;
}
