/* Impersonate-User, -Group, -Uid and -Extra-*: read, and refused when they name nobody. */
#include "access/impersonate.h"

#include "access/text.h"
#include "base/ascii.h"
#include "base/limits.h"

#define EXTRA_PREFIX SLICE_LIT("Impersonate-Extra-")

/* Lower case, then percent-decoded; a broken escape leaves all of it as it is. */
static slice extra_key(arena *a, slice name) {
  slice small = arena_lower(a, name);
  const char *lower = small.ptr;
  char *out = arena_cstr(a, name);
  size_t n = 0;
  for (size_t i = 0; i < name.len; i++) {
    if (lower[i] != '%') {
      out[n++] = lower[i];
      continue;
    }
    int high = i + 2 < name.len ? ascii_hex(lower[i + 1]) : -1;
    int low = i + 2 < name.len ? ascii_hex(lower[i + 2]) : -1;
    if (high < 0 || low < 0) return small;
    out[n++] = (char)(high << 4 | low);
    i += 2;
  }
  return slice_of(out, n);
}

static void print_strings(buf *b, const slice *items, uint32_t count) {
  buf_lit(b, "[]string{");
  for (uint32_t i = 0; i < count; i++) {
    if (i) buf_lit(b, ", ");
    text_quote(b, items[i]);
  }
  buf_char(b, '}');
}

/* The user as Go's %#v prints it. */
static slice user_printed(arena *a, const user_info *u) {
  buf b;
  buf_init(&b, LIMIT_BUFFER);
  buf_lit(&b, "&user.DefaultInfo{Name:\"\", UID:");
  text_quote(&b, u->uid);
  buf_lit(&b, ", Groups:");
  if (u->group_count) print_strings(&b, u->groups, u->group_count);
  else buf_lit(&b, "[]string(nil)");
  buf_lit(&b, ", Extra:map[string][]string");
  if (u->extra_count == 0) buf_lit(&b, "(nil)");
  for (uint32_t i = 0; i < u->extra_count; i++) {
    buf_append(&b, i ? SLICE_LIT(", ") : SLICE_LIT("{"));
    text_quote(&b, u->extra[i].key);
    buf_char(&b, ':');
    print_strings(&b, u->extra[i].values, u->extra[i].count);
  }
  if (u->extra_count) buf_char(&b, '}');
  buf_char(&b, '}');
  return text_take(a, &b);
}

bool impersonation_read(request *rq, user_info *wanted, bool *asked) {
  const http_exchange *x = rq->http;
  arena *a = rq->arena;
  slice *groups = NULL;
  *wanted = (user_info){.name = http_header_get(x, "Impersonate-User"),
                        .uid = http_header_get(x, "Impersonate-Uid")};
  for (uint32_t i = 0; i < x->header_count; i++) {
    const http_header *h = &x->headers[i];
    if (slice_eq_nocase(h->name, SLICE_LIT("Impersonate-Group"))) {
      if (!groups) groups = ARENA_ARRAY(a, slice, x->header_count);
      groups[wanted->group_count++] = h->value;
    } else if (slice_eq_nocase(slice_upto(h->name, EXTRA_PREFIX.len), EXTRA_PREFIX)) {
      user_add_extra(a, wanted, extra_key(a, slice_from(h->name, EXTRA_PREFIX.len)), h->value);
    }
  }
  wanted->groups = groups;
  *asked = wanted->name.len > 0;
  if (*asked || !(wanted->uid.len || wanted->group_count || wanted->extra_count)) return true;
  rq->refused = true;
  slice printed = user_printed(a, wanted);
  return status_set(&rq->error, a, STATUS_BAD_REQUEST,
                    "requested %.*s without impersonating a user name", SLICE_ARG(printed));
}
