/* Users: groups and extras as arrays in an arena, and the names of service accounts. */
#include "access/config.h"

bool user_has_group(const user_info *u, slice group) {
  for (uint32_t i = 0; i < u->group_count; i++) {
    if (slice_eq(u->groups[i], group)) return true;
  }
  return false;
}

user_info user_with_group(arena *a, const user_info *u, slice group) {
  user_info out = *u;
  slice *groups = ARENA_ARRAY(a, slice, u->group_count + 1);
  if (u->group_count) memcpy(groups, u->groups, u->group_count * sizeof *groups);
  groups[out.group_count++] = group;
  out.groups = groups;
  return out;
}

static void extra_add_value(arena *a, user_extra *e, slice value) {
  slice *values = ARENA_ARRAY(a, slice, e->count + 1);
  if (e->count) memcpy(values, e->values, e->count * sizeof *values);
  values[e->count++] = value;
  e->values = values;
}

void user_add_extra(arena *a, user_info *u, slice key, slice value) {
  user_extra *extra = ARENA_ARRAY(a, user_extra, u->extra_count + 1);
  uint32_t at = 0;
  while (at < u->extra_count && slice_cmp(u->extra[at].key, key) < 0) at++;
  bool known = at < u->extra_count && slice_eq(u->extra[at].key, key);
  for (uint32_t i = 0; i < u->extra_count; i++) extra[i + (i >= at && !known)] = u->extra[i];
  if (!known) {
    extra[at] = (user_extra){.key = key};
    u->extra_count++;
  }
  extra_add_value(a, &extra[at], value);
  u->extra = extra;
}

static bool is_label_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* A DNS label; with dots, a subdomain: each part starts and ends with a letter or digit. */
static bool is_dns_name(slice s, size_t most, bool dots) {
  if (s.len == 0 || s.len > most) return false;
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i], before = i ? s.ptr[i - 1] : '.', after = i + 1 < s.len ? s.ptr[i + 1] : '.';
    if (is_label_char(c)) continue;
    bool inside = is_label_char(before) || before == '-';
    if (c == '-' && inside && after != '.') continue;
    if (c == '.' && dots && is_label_char(before) && is_label_char(after)) continue;
    return false;
  }
  return true;
}

bool name_is_subdomain(slice name) { return is_dns_name(name, 253, true); }

bool service_account_split(slice username, slice *namespace, slice *name) {
  slice prefix = SLICE_LIT("system:serviceaccount:");
  if (!slice_has_prefix(username, prefix)) return false;
  if (!slice_cut(slice_from(username, prefix.len), ':', namespace, name)) return false;
  return is_dns_name(*namespace, 63, false) && is_dns_name(*name, 253, true);
}

const slice *service_account_groups(arena *a, slice namespace) {
  slice *groups = ARENA_ARRAY(a, slice, 2);
  groups[0] = SLICE_LIT("system:serviceaccounts");
  groups[1] = arena_concat(a, SLICE_LIT("system:serviceaccounts:"), namespace);
  return groups;
}
