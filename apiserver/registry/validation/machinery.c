/* StorageVersions and StorageVersionMigrations: what the servers of a cluster tell each other, off
 * by default. Sources: pkg/apis/apiserverinternal/validation, pkg/apis/storagemigration/validation. */
#include "registry/validation/checks.h"
#include "registry/object.h"
#include "registry/validation/rows.h"

#include "base/ascii.h"
#include "base/buf.h"
#include "base/limits.h"

/* ---- StorageVersion ---- */

/* "apps.deployments": group, the last dot, resource. */
static void version_name_check(field_errors *e, slice name) {
  path meta = path_root("metadata"), p = path_child(&meta, "name");
  size_t at = name.len;
  while (at && name.ptr[at - 1] != '.') at--;
  if (at == 0) {
    if (name.len) field_invalid_str(e, &p, name, "name must be in the form of <group>.<resource>");
    return;
  }
  text_check_as(e, &p, TEXT_DNS1123_SUBDOMAIN, slice_upto(name, at - 1), name,
                "the group segment ");
  text_check_as(e, &p, TEXT_DNS1035_LABEL, slice_from(name, at), name, "the resource segment ");
}

static slice join(arena *a, slice before, const char *part, slice text) {
  return arena_printf(a, "%.*s%s%s%.*s", SLICE_ARG(before), before.len ? "," : "", part,
                      SLICE_ARG(text));
}

static slice part_problems(arena *a, slice before, const char *part, text_rule rule, slice text) {
  slice texts[4];
  if (text.len == 0) return join(a, before, part, SLICE_LIT("must be non-empty"));
  uint32_t n = text_problems(a, rule, text, false, texts);
  for (uint32_t i = 0; i < n; i++) before = join(a, before, part, texts[i]);
  return before;
}

/* Everything that is wrong with an apiVersion, commas between; empty for nothing. */
static slice api_version_problem(arena *a, slice text) {
  slice group, version, more, why = SLICE_LIT("");
  bool grouped = slice_cut(text, '/', &group, &version);
  if (!grouped) version = text;
  if (slice_cut(version, '/', &group, &more)) {
    return SLICE_LIT("an apiVersion is a DNS-1035 label, which must consist of lower case "
                     "alphanumeric characters or '-', start with an alphabetic character, and end "
                     "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used "
                     "for validation is '[a-z]([-a-z0-9]*[a-z0-9])?') with an optional DNS "
                     "subdomain prefix and '/' (e.g. 'example.com/MyVersion')");
  }
  if (grouped) {
    slice_cut(text, '/', &group, &version);
    why = part_problems(a, why, "group part: ", TEXT_DNS1123_SUBDOMAIN, group);
  }
  return part_problems(a, why, "version part: ", TEXT_DNS1035_LABEL, version);
}

static void api_version_check(field_errors *e, const path *p, slice text) {
  slice why = api_version_problem(e->a, text);
  if (why.len) field_invalid_str(e, p, text, "%.*s", SLICE_ARG(why));
}

/* "[a b]" */
static slice list_text(arena *a, const val *list) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_char(&b, '[');
  for (uint32_t i = 0; i < val_len(list); i++) {
    slice one = val_str(val_at(list, i));
    buf_printf(&b, "%s%.*s", i ? " " : "", SLICE_ARG(one));
  }
  buf_char(&b, ']');
  slice text = arena_copy(a, buf_slice(&b));
  buf_dispose(&b);
  return text;
}

/* known: the texts of decodable. */
static void served_versions_check(field_errors *e, const path *p, const val *served,
                                  const val *decodable, const val *known) {
  slice all = SLICE_NONE;
  for (uint32_t i = 0; i < val_len(served); i++) {
    path at = path_index(p, i);
    slice one = val_str(val_at(served, i));
    api_version_check(e, &at, one);
    if (val_get(known, one)) continue;
    if (!all.len) all = list_text(e->a, decodable);
    field_invalid_str(e, &at, one,
                      "individual served version : %.*s must be included in decodableVersions : "
                      "%.*s", SLICE_ARG(one), SLICE_ARG(all));
  }
}

static void server_version_check(field_errors *e, const path *p, const val *s) {
  path id = path_child(p, "apiServerID"), encoding = path_child(p, "encodingVersion"),
       decodable = path_child(p, "decodableVersions"), served = path_child(p, "servedVersions");
  const val *list = val_getc(s, "decodableVersions");
  slice version = val_get_str(s, "encodingVersion");
  val *known = val_map(e->a);
  text_check(e, &id, TEXT_DNS1123_SUBDOMAIN, val_get_str(s, "apiServerID"));
  api_version_check(e, &encoding, version);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&decodable, i);
    api_version_check(e, &at, val_str(val_at(list, i)));
    seen_before(e->a, known, val_str(val_at(list, i)));
  }
  if (!val_get(known, version)) {
    field_invalid(e, &decodable, list, "decodableVersions must include encodingVersion %.*s",
                  SLICE_ARG(version));
  }
  served_versions_check(e, &served, val_getc(s, "servedVersions"), list, known);
}

static void common_version_check(field_errors *e, const path *status, const val *s) {
  path p = path_child(status, "commonEncodingVersion");
  const val *list = val_getc(s, "storageVersions"), *told = val_getc(s, "commonEncodingVersion");
  slice common = val_get_str(val_at(list, 0), "encodingVersion");
  bool agree = val_len(list) > 0;
  for (uint32_t i = 1; i < val_len(list); i++) {
    agree = agree && slice_eq(val_get_str(val_at(list, i), "encodingVersion"), common);
  }
  if (!agree && told) {
    field_invalid(e, &p, told,
                  "should be nil if servers do not agree on the same encoding version, or if there "
                  "is no server reporting the supported versions yet");
  } else if (agree && !told) {
    field_invalid(e, &p, NULL, "the common encoding version is %.*s", SLICE_ARG(common));
  } else if (agree && !slice_eq(val_str(told), common)) {
    field_invalid(e, &p, told, "the actual common encoding version is %.*s", SLICE_ARG(common));
  }
}

/* Their paths lack "conditions", as the real server's do. */
static void version_conditions_check(field_errors *e, const path *status, const val *list) {
  val *seen = val_map(e->a); /* type -> the last place */
  for (uint32_t i = 0; i < val_len(list); i++) {
    const val *c = val_at(list, i);
    path at = path_index(status, i), type = path_child(&at, "type"),
         state = path_child(&at, "status"), reason = path_child(&at, "reason"),
         message = path_child(&at, "message");
    slice name = val_get_str(c, "type");
    const val *before = val_get(seen, name);
    if (before) {
      field_invalid_str(e, &type, name,
                        "the type of the condition is not unique, it also appears in "
                        "conditions[%lld]", (long long)val_i64(before));
    }
    val_set(e->a, seen, name, val_int(e->a, i));
    text_check(e, &type, TEXT_LABEL_KEY, name);
    text_check(e, &state, TEXT_LABEL_KEY, val_get_str(c, "status"));
    required_str(e, &reason, val_get_str(c, "reason"));
    required_str(e, &message, val_get_str(c, "message"));
  }
}

void validate_storage_version(const validate_args *v) {
  path status = path_root("status"), list_at = path_child(&status, "storageVersions");
  const val *s = val_getc(v->obj, "status"), *list = val_getc(s, "storageVersions");
  bool update = v->old && !slice_is(v->subresource, "status");
  if (update) return; /* its spec is empty, and the status is kept */
  if (!v->old) {
    meta_rules(v, TEXT_ANY);
    version_name_check(v->errs, val_str(val_path(v->obj, "metadata.name")));
  }
  val *seen = val_map(v->errs->a);
  for (uint32_t i = 0; i < val_len(list); i++) {
    path at = path_index(&list_at, i), id = path_child(&at, "apiServerID");
    slice name = val_get_str(val_at(list, i), "apiServerID");
    if (seen_before(v->errs->a, seen, name)) {
      field_duplicate(v->errs, &id, val_string(v->errs->a, name));
    }
    server_version_check(v->errs, &at, val_at(list, i));
  }
  common_version_check(v->errs, &status, s);
  version_conditions_check(v->errs, &status, val_getc(s, "conditions"));
}

/* ---- StorageVersionMigration ---- */

static const char *version_problem(slice text) {
  for (size_t i = 0; i < text.len; i++) {
    if (!ascii_is_digit(text.ptr[i])) return "resource version is not well formed";
  }
  return text.len > 1 && text.ptr[0] == '0' ? "resource version is not well formed" : NULL;
}

static void migration_status_check(const validate_args *v) {
  field_errors *e = v->errs;
  path status = path_root("status"), version = path_child(&status, "resourceVersion"),
       conditions = path_child(&status, "conditions");
  const val *list = val_path(v->obj, "status.conditions"),
            *before = val_path(v->old, "status.conditions");
  slice now = val_str(val_path(v->obj, "status.resourceVersion")),
        was = val_str(val_path(v->old, "status.resourceVersion"));
  const char *why = version_problem(now);
  bool done = condition_true(list, "Succeeded"), failed = condition_true(list, "Failed");
  if (why) field_invalid_str(e, &version, now, "%s: %.*s", why, SLICE_ARG(now));
  conditions_validate(e, &conditions, list);
  if (was.len) immutable_str_check(e, &version, now, was);
  if (done && failed) {
    field_invalid(e, &conditions, list,
                  "Both success and failed conditions cannot be true at the same time");
  }
  if (condition_true(before, "Succeeded") && !done) {
    field_invalid(e, &conditions, list, "Success condition cannot be set to false once it is true");
  }
  if (condition_true(before, "Failed") && !failed) {
    field_invalid(e, &conditions, list, "Failed condition cannot be set to false once it is true");
  }
}

void validate_storage_migration(const validate_args *v) {
  path spec = path_root("spec"), of = path_child(&spec, "resource"),
       name = path_child(&of, "resource"), group = path_child(&of, "group");
  const val *r = val_path(v->obj, "spec.resource");
  slice resource = val_get_str(r, "resource"), g = val_get_str(r, "group");
  if (slice_is(v->subresource, "status")) {
    meta_change(v);
    migration_status_check(v);
    return;
  }
  meta_rules(v, TEXT_DNS1123_SUBDOMAIN);
  if (resource.len == 0) field_required(v->errs, &name, "resource is required to be set");
  else text_check_joined(v->errs, &name, TEXT_DNS1035_LABEL, resource, resource, "");
  if (g.len) text_check_joined(v->errs, &group, TEXT_DNS1123_SUBDOMAIN, g, g, "");
  meta_change(v);
  if (!v->old) return;
  immutable_struct_check(v->errs, &spec, val_getc(v->obj, "spec"), val_getc(v->old, "spec"),
                         field_type(v, "spec"));
}
