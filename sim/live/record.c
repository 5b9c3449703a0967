/* The log: a ring of what clients asked, what was stored, what watches were told. */
#include "sim/live/engine.h"

#include "base/heap.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char *copy(slice s) {
  char *p = heap_alloc(s.len + 1);
  if (s.len) memcpy(p, s.ptr, s.len);
  p[s.len] = '\0';
  return p;
}

void engine_record(live *l, record_kind kind, int client, slice verb, slice key, int status,
                   int64_t revision, const char *format, ...) {
  char detail[512];
  va_list args;
  va_start(args, format);
  vsnprintf(detail, sizeof detail, format, args);
  va_end(args);
  live_record *r = &l->records[l->record_end % LIVE_RECORDS_MAX];
  heap_free(r->key);
  heap_free(r->detail);
  *r = (live_record){.seq = l->record_end, .at_ns = real_ns() - l->opened_ns, .kind = kind,
                     .client = client, .status = status, .revision = revision};
  snprintf(r->verb, sizeof r->verb, "%.*s", SLICE_ARG(verb));
  r->key = copy(key);
  r->detail = copy(slice_cstr(detail));
  l->record_end++;
}

uint64_t live_record_end(const live *l) { return l->record_end; }

uint64_t live_first_record(const live *l) {
  return l->record_end > LIVE_RECORDS_MAX ? l->record_end - LIVE_RECORDS_MAX : 1;
}

const live_record *live_record_at(const live *l, uint64_t seq) {
  if (seq < live_first_record(l) || seq >= l->record_end) return NULL;
  return &l->records[seq % LIVE_RECORDS_MAX];
}

slice live_client_name(const live *l, int client) {
  if (client >= 0) {
    assert((uint32_t)client < l->plan->client_count);
    return l->plan->clients[client].name;
  }
  static const char *const names[] = {"", "scenario", "other", "server"};
  return slice_cstr(names[-client]);
}

void live_record_print(const live *l, const live_record *r, buf *out) {
  static const char *const kinds[] = {"request", "commit", "event", "FAULT", "step", "client"};
  buf_printf(out, "%9.3f  %-8s %-10.*s %-10s %-44s", (double)r->at_ns / 1e9, kinds[r->kind],
             SLICE_ARG(live_client_name(l, r->client)), r->verb, r->key);
  if (r->status) buf_printf(out, " %d", r->status);
  if (r->revision) buf_printf(out, " rv=%lld", (long long)r->revision);
  if (*r->detail) buf_printf(out, "  %s", r->detail);
  buf_char(out, '\n');
}

bool engine_ignores(const live *l, slice resource_name) {
  return resource_name.len && live_glob_any(&l->plan->quiesce.ignore, resource_name);
}

void engine_active(live *l, const char *what, int client, slice key) {
  l->last_activity_ns = real_ns();
  snprintf(l->activity, sizeof l->activity, "%s %.*s: %.*s", what,
           SLICE_ARG(live_client_name(l, client)), SLICE_ARG(key));
}
