/* ip_allocator: addresses are numbers from 1 on within a range. Any means: a start drawn from
 * behind the band, then upwards and round, and only then the band itself. */
#include "registry/ip_allocator.h"

#include "base/heap.h"
#include "registry/object.h"
#include "registry/stored.h"
#include "server_stores.h"
#include "verb/registry.h"

#include <arpa/inet.h>

#define TAKEN_TRIES 8
static const uint64_t SIZE_MAX_V6 = (uint64_t)1 << 62;

static bool ip_parse(slice text, uint8_t out[16], bool *v6) {
  char copy[64];
  if (text.len == 0 || text.len >= sizeof copy) return false;
  memcpy(copy, text.ptr, text.len);
  copy[text.len] = 0;
  memset(out, 0, 16);
  *v6 = memchr(copy, ':', text.len) != NULL;
  return inet_pton(*v6 ? AF_INET6 : AF_INET, copy, *v6 ? out : out + 12) == 1;
}

static slice ip_text(arena *a, const uint8_t bytes[16], bool v6) {
  char text[64];
  if (!inet_ntop(v6 ? AF_INET6 : AF_INET, v6 ? bytes : bytes + 12, text, sizeof text)) {
    return SLICE_NONE;
  }
  return arena_copy(a, slice_cstr(text));
}

slice ip_family_of(slice text) {
  uint8_t bytes[16];
  bool v6;
  if (!ip_parse(text, bytes, &v6)) return SLICE_NONE;
  return v6 ? SLICE_LIT("IPv6") : SLICE_LIT("IPv4");
}

slice ip_canonical(arena *a, slice text) {
  uint8_t bytes[16];
  bool v6;
  return ip_parse(text, bytes, &v6) ? ip_text(a, bytes, v6) : SLICE_NONE;
}

/* A sixteenth of the range, at least 16 and at most 256 addresses. */
static uint64_t band_of(uint64_t size) {
  if (size <= 16) return 0;
  uint64_t band = size / 16;
  return band < 16 ? 16 : band > 256 ? 256 : band;
}

static bool cidr_parse(slice text, ip_cidr *c) {
  slice address, bits_text;
  long long bits = 0;
  if (!slice_cut(slice_trim(text), '/', &address, &bits_text)) return false;
  if (!ip_parse(address, c->base, &c->v6) || !slice_to_i64(bits_text, &bits)) return false;
  int width = c->v6 ? 128 : 32, offset = 128 - width;
  if (bits < 0 || bits > width) return false;
  for (int bit = (int)bits; bit < width; bit++) {
    int at = offset + bit;
    c->base[at / 8] = (uint8_t)(c->base[at / 8] & ~(0x80 >> (at % 8)));
  }
  int host = width - (int)bits;
  uint64_t all = host >= 62 ? SIZE_MAX_V6 : (uint64_t)1 << host;
  uint64_t unusable = c->v6 ? 1 : 2; /* the network itself; IPv4's broadcast */
  c->size = all > unusable ? all - unusable : 0;
  c->band = band_of(c->size);
  return true;
}

ip_allocator *ip_allocator_create(slice cidrs) {
  ip_allocator *ips = heap_zalloc(sizeof *ips);
  slice head;
  if (cidrs.len == 0) cidrs = SLICE_LIT("10.0.0.0/24");
  for (bool more = true; more;) {
    more = slice_cut(cidrs, ',', &head, &cidrs);
    if (ips->cidr_count == IP_CIDRS_MAX || !cidr_parse(head, &ips->cidrs[ips->cidr_count])) {
      heap_free(ips);
      return NULL;
    }
    ips->cidr_count++;
  }
  return ips;
}

void ip_allocator_destroy(ip_allocator *ips) { heap_free(ips); }

slice ip_cidr_family(const ip_cidr *c) { return c->v6 ? SLICE_LIT("IPv6") : SLICE_LIT("IPv4"); }

const ip_cidr *ip_allocator_family(const ip_allocator *ips, slice family) {
  for (uint32_t i = 0; i < ips->cidr_count; i++) {
    if (slice_eq(ip_cidr_family(&ips->cidrs[i]), family)) return &ips->cidrs[i];
  }
  return NULL;
}

/* base + n. */
static slice ip_at(arena *a, const ip_cidr *c, uint64_t n) {
  uint8_t bytes[16];
  memcpy(bytes, c->base, sizeof bytes);
  for (int i = 15; i >= 0 && n; i--) {
    n += bytes[i];
    bytes[i] = (uint8_t)n;
    n >>= 8;
  }
  return ip_text(a, bytes, c->v6);
}

/* The number of an address within the range, 0 when it is none that may be given out. */
static uint64_t ip_number(const ip_cidr *c, slice text) {
  uint8_t bytes[16];
  bool v6;
  if (!ip_parse(text, bytes, &v6) || v6 != c->v6) return 0;
  uint64_t n = 0;
  int borrow = 0;
  for (int i = 15; i >= 0; i--) {
    int digit = bytes[i] - c->base[i] - borrow;
    borrow = digit < 0;
    if (digit < 0) digit += 256;
    if (i >= 8) n |= (uint64_t)digit << (8 * (15 - i));
    else if (digit) return 0;
  }
  return !borrow && n >= 1 && n <= c->size ? n : 0;
}

static const resource_info *addresses(void) {
  return schema_resource(SLICE_LIT("networking.k8s.io"), SLICE_LIT("v1"),
                         SLICE_LIT("ipaddresses"));
}

static bool ip_taken(request *rq, slice ip) {
  store_entry *e = NULL;
  slice key = stored_key(rq->arena, addresses(), SLICE_NONE, ip);
  if (store_get(server_store(rq->server, addresses()), key, 0, &e) != STORE_OK) return false;
  store_entry_unref(e);
  return true;
}

static bool ip_record(request *rq, const ip_cidr *c, const val *service, slice ip) {
  arena *a = rq->arena;
  val *obj = val_map(a);
  val *meta = val_ensure_map(a, obj, "metadata"), *labels = val_ensure_map(a, meta, "labels");
  val *parent = val_ensure_map(a, val_ensure_map(a, obj, "spec"), "parentRef");
  val_setc(a, obj, "apiVersion", val_cstr(a, "networking.k8s.io/v1"));
  val_setc(a, obj, "kind", val_cstr(a, "IPAddress"));
  val_setc(a, meta, "name", val_string(a, ip));
  val_setc(a, labels, "ipaddress.kubernetes.io/ip-family", val_string(a, ip_cidr_family(c)));
  val_setc(a, labels, "ipaddress.kubernetes.io/managed-by", val_cstr(a, "ipallocator.k8s.io"));
  val_setc(a, parent, "resource", val_cstr(a, "services"));
  val_setc(a, parent, "namespace", val_string(a, object_namespace(service)));
  val_setc(a, parent, "name", val_string(a, object_name(service)));
  return registry_create(rq->server, a, addresses(), obj, SLICE_LIT("kube-apiserver"));
}

/* The first free number of [first, first + count), from start on and round. */
static uint64_t free_number(request *rq, const ip_cidr *c, uint64_t first, uint64_t count) {
  if (count == 0) return 0;
  uint64_t start = rng_below(&rq->server->ip_rng, count);
  for (uint64_t i = 0; i < count; i++) {
    uint64_t n = first + (start + i) % count;
    if (!ip_taken(rq, ip_at(rq->arena, c, n))) return n;
  }
  return 0;
}

/* A dry run asks the range itself, whose words differ. */
static slice out_of_range(request *rq, const ip_cidr *c, slice ip) {
  if (!rq->dry_run) return SLICE_LIT("the provided network does not match the current range");
  uint64_t all = c->size + (c->v6 ? 1 : 2);
  unsigned bits = c->v6 ? 128 : 32;
  for (; all > 1; all >>= 1) bits--;
  slice base = ip_text(rq->arena, c->base, c->v6);
  return arena_printf(rq->arena,
                      "the provided IP (%.*s) is not in the valid range. The range of valid IPs is "
                      "%.*s/%u",
                      SLICE_ARG(ip), SLICE_ARG(base), bits);
}

bool ip_take(request *rq, const ip_cidr *c, const val *service, slice *ip, slice *problem,
             bool *full) {
  *full = false;
  if (ip->len) {
    bool inside = ip_number(c, *ip) != 0;
    *problem = inside ? SLICE_LIT("provided IP is already allocated")
                      : out_of_range(rq, c, *ip);
    if (!inside) return false;
    return rq->dry_run || ip_record(rq, c, service, ip_canonical(rq->arena, *ip));
  }
  if (rq->dry_run) { /* the real server shows the range's own address */
    *ip = ip_at(rq->arena, c, 0);
    return true;
  }
  for (int tries = 0; tries < TAKEN_TRIES; tries++) {
    uint64_t n = free_number(rq, c, 1 + c->band, c->size - c->band);
    if (!n) n = free_number(rq, c, 1, c->band);
    *full = n == 0;
    *problem = SLICE_LIT("range is full");
    if (!n) return false;
    *ip = ip_at(rq->arena, c, n);
    if (ip_record(rq, c, service, *ip)) return true; /* else another server was quicker */
  }
  return false;
}

/* The record may be another Service's by now: a server that was quicker, or a repair. */
static bool is_of(request *rq, store_entry *e, const val *service) {
  const val *record = stored_decode(rq->arena, addresses(), e);
  const val *parent = val_path(record, "spec.parentRef");
  return !record || (slice_eq(val_get_str(parent, "name"), object_name(service)) &&
                     slice_eq(val_get_str(parent, "namespace"), object_namespace(service)));
}

void ip_release(request *rq, const val *service, slice ip) {
  if (rq->dry_run || !ip_family_of(ip).len) return;
  store *s = server_store(rq->server, addresses());
  slice key = stored_key(rq->arena, addresses(), SLICE_NONE, ip_canonical(rq->arena, ip));
  store_entry *e = NULL;
  if (store_get_fresh(s, key, &e) != STORE_OK) return;
  if (is_of(rq, e, service)) {
    blob *final = stored_with_revision(blob_slice(e->value), store_next_revision(s));
    store_delete(s, key, e->mod_revision, final, NULL);
    blob_unref(final);
  }
  request_keep(rq, e); /* what was decoded borrows from it */
}
