/* What etcd answers by HTTP/1.1 on its client port. */
#include "etcd/face_internal.h"

static const struct {
  const char *path, *type, *text;
} pages[] = {
    {"/health", "text/plain; charset=utf-8", "{\"health\":\"true\",\"reason\":\"\"}"},
    {"/livez", "text/plain; charset=utf-8", "ok\n"},
    {"/readyz", "text/plain; charset=utf-8", "ok\n"},
    {"/version", "application/json",
     "{\"etcdserver\":\"" ETCD_SERVER_VERSION "\",\"etcdcluster\":\"" ETCD_STORAGE_VERSION
     "\",\"storage\":\"" ETCD_STORAGE_VERSION "\"}"},
};

static void page(http_exchange *x, int status, const char *type, slice text, bool allow) {
  http_header h[6] = {
      {SLICE_LIT("Access-Control-Allow-Headers"), SLICE_LIT("accept, content-type, authorization")},
      {SLICE_LIT("Access-Control-Allow-Methods"), SLICE_LIT("POST, GET, OPTIONS, PUT, DELETE")},
      {SLICE_LIT("Access-Control-Allow-Origin"), SLICE_LIT("*")},
      {SLICE_LIT("Content-Type"), slice_cstr(type)},
  };
  uint32_t n = 4;
  if (status != 200) h[n++] = (http_header){SLICE_LIT("X-Content-Type-Options"),
                                            SLICE_LIT("nosniff")};
  if (allow) h[n++] = (http_header){SLICE_LIT("Allow"), SLICE_LIT("GET")};
  http_part part = {text, NULL};
  http_respond(x, status, h, n, &part, 1);
}

/* An alarm makes /health unhealthy, as etcd's check does. */
static bool health(etcd_face *f, http_exchange *x) {
  static const char *const names[] = {"", "NOSPACE", "CORRUPT"};
  for (int i = ETCD_ALARM_NOSPACE; i <= ETCD_ALARM_CORRUPT; i++) {
    if (!f->alarms[i]) continue;
    slice text = arena_printf(x->arena, "{\"health\":\"false\",\"reason\":\"ALARM %s\"}", names[i]);
    page(x, 503, "text/plain; charset=utf-8", text, false);
    return true;
  }
  return false;
}

void face_http(void *ctx, http_exchange *x) {
  etcd_face *f = ctx;
  const char *plain = "text/plain; charset=utf-8";
  for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
    if (!slice_is(x->path, pages[i].path)) continue;
    if (!slice_is(x->method, "GET")) {
      page(x, 405, plain, SLICE_LIT("Method Not Allowed\n"), true);
    } else if (i != 0 || !health(f, x)) {
      page(x, 200, pages[i].type, slice_cstr(pages[i].text), false);
    }
    return;
  }
  page(x, 404, plain, SLICE_LIT("404 page not found\n"), false);
}
