/* Addresses are parsed leniently once, and the spelling's sins are kept as marks, so that each
 * check is a look at the marks. */
#include "registry/validation/ip_rules.h"

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool octets_parse(slice text, ip_value *out) {
  slice head;
  bool more = true;
  for (int i = 0; i < 4; i++) {
    if (!more) return false;
    more = slice_cut(text, '.', &head, &text);
    int n = 0;
    if (head.len == 0) return false;
    for (size_t k = 0; k < head.len; k++) {
      if (head.ptr[k] < '0' || head.ptr[k] > '9') return false;
      n = n * 10 + head.ptr[k] - '0';
      if (n > 255) return false;
    }
    if (head.len > 1 && head.ptr[0] == '0') out->zeros = true;
    out->bytes[12 + i] = (uint8_t)n;
  }
  return !more;
}

/* Groups of an IPv6 address may have any number of leading zeros, which inet_pton does not take:
 * copies text without those before the last four digits, and marks that there were some. */
static void short_groups(slice text, char copy[64], ip_value *out) {
  size_t n = 0;
  for (size_t i = 0; i < text.len;) {
    size_t end = i;
    while (end < text.len && text.ptr[end] != ':') end++;
    bool hex = !memchr(text.ptr + i, '.', end - i);
    for (; hex && end - i > 4 && text.ptr[i] == '0'; i++) out->zeros = true;
    if (end < text.len) end++;
    memcpy(copy + n, text.ptr + i, end - i);
    n += end - i;
    i = end;
  }
  copy[n] = 0;
}

bool ip_value_parse(slice text, ip_value *out) {
  char copy[64];
  *out = (ip_value){0};
  if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, 0, text.len)) return false;
  if (slice_find_char(text, ':') < 0) {
    memcpy(out->bytes, mapped_prefix, sizeof mapped_prefix);
    out->v4 = true;
    return octets_parse(text, out);
  }
  short_groups(text, copy, out);
  if (inet_pton(AF_INET6, copy, out->bytes) != 1) return false;
  out->mapped = out->v4 = memcmp(out->bytes, mapped_prefix, sizeof mapped_prefix) == 0;
  return true;
}

bool ip_range_parse(slice text, ip_range *out) {
  slice address, bits;
  uint32_t n = 0;
  if (!slice_cut(text, '/', &address, &bits) || bits.len == 0) return false;
  if (!ip_value_parse(address, &out->ip)) return false;
  for (size_t i = 0; i < bits.len; i++) {
    if (bits.ptr[i] < '0' || bits.ptr[i] > '9') return false;
    n = n * 10 + (uint32_t)(bits.ptr[i] - '0');
    if (n > 128) return false;
  }
  if (bits.len > 1 && bits.ptr[0] == '0') out->ip.zeros = true;
  out->bits = n;
  return n <= (out->ip.v4 && !out->ip.mapped ? 32 : 128);
}

/* Bits counted from the 16 bytes' beginning. */
static uint32_t wide_bits(const ip_range *r) {
  return r->ip.v4 && !r->ip.mapped ? r->bits + 96 : r->bits;
}

static ip_value masked(const ip_range *r) {
  ip_value ip = r->ip;
  for (uint32_t bit = wide_bits(r); bit < 128; bit++) {
    ip.bytes[bit / 8] = (uint8_t)(ip.bytes[bit / 8] & ~(0x80 >> (bit % 8)));
  }
  return ip;
}

/* RFC 5952; inet_ntop would write the low 32 bits of ::/96 dotted. */
slice ip_value_text(arena *a, const ip_value *ip) {
  const uint8_t *b = ip->bytes;
  if (ip->v4) return arena_printf(a, "%u.%u.%u.%u", b[12], b[13], b[14], b[15]);
  int best = -1, best_len = 1;
  for (int i = 0, run = 0; i < 8; i++) {
    run = b[2 * i] == 0 && b[2 * i + 1] == 0 ? run + 1 : 0;
    if (run > best_len) best_len = run, best = i - run + 1;
  }
  char text[64];
  int n = 0;
  for (int i = 0; i < 8; i++) {
    if (i == best) {
      n += snprintf(text + n, sizeof text - (size_t)n, "::");
      i += best_len - 1;
      continue;
    }
    bool colon = i > 0 && i != best + best_len;
    n += snprintf(text + n, sizeof text - (size_t)n, "%s%x", colon ? ":" : "",
                  b[2 * i] << 8 | b[2 * i + 1]);
  }
  return arena_copy(a, slice_of(text, (size_t)n));
}

slice ip_range_text(arena *a, const ip_range *r) {
  ip_value base = masked(r);
  if (r->ip.mapped && r->bits < 96) base.v4 = false;
  slice text = ip_value_text(a, &base);
  uint32_t bits = r->ip.mapped && r->bits >= 96 ? r->bits - 96 : r->bits;
  return arena_printf(a, "%.*s/%u", SLICE_ARG(text), bits);
}

static bool listed(const val *list, slice text) {
  for (uint32_t i = 0; i < val_len(list); i++) {
    if (slice_eq(val_str(val_at(list, i)), text)) return true;
  }
  return false;
}

static bool ip_strictly(field_errors *errs, const path *p, slice text, ip_value *ip) {
  if (!ip_value_parse(text, ip)) {
    field_invalid_str(errs, p, text,
                      "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    return false;
  }
  if (ip->zeros) field_invalid_str(errs, p, text, "must not have leading 0s");
  if (ip->mapped) field_invalid_str(errs, p, text, "must not be an IPv4-mapped IPv6 address");
  return !ip->zeros && !ip->mapped;
}

bool ip_legacy_check(field_errors *errs, const path *p, slice text, const val *old) {
  ip_value ip;
  return listed(old, text) || ip_strictly(errs, p, text, &ip);
}

static bool canonical(field_errors *errs, const path *p, slice text, slice want) {
  if (slice_eq(text, want)) return true;
  field_invalid_str(errs, p, text, "must be in canonical form (\"%.*s\")", SLICE_ARG(want));
  return false;
}

bool ip_check(field_errors *errs, const path *p, slice text) {
  ip_value ip;
  return ip_strictly(errs, p, text, &ip) && canonical(errs, p, text, ip_value_text(errs->a, &ip));
}

static bool cidr_strictly(field_errors *errs, const path *p, slice text, ip_range *r) {
  const char *why = NULL;
  if (!ip_range_parse(text, r)) {
    why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
  } else {
    ip_value base = masked(r);
    if (r->ip.zeros)
      why = "must not have leading 0s in IP or prefix length";
    else if (r->ip.mapped)
      why = "must not have an IPv4-mapped IPv6 address";
    else if (memcmp(base.bytes, r->ip.bytes, 16) != 0)
      why = "must not have bits set beyond the prefix length";
  }
  if (why) field_invalid_str(errs, p, text, "%s", why);
  return !why;
}

bool cidr_legacy_check(field_errors *errs, const path *p, slice text, const val *old) {
  ip_range r;
  return listed(old, text) || cidr_strictly(errs, p, text, &r);
}

bool cidr_check(field_errors *errs, const path *p, slice text) {
  ip_range r;
  return cidr_strictly(errs, p, text, &r) && canonical(errs, p, text, ip_range_text(errs->a, &r));
}

void endpoint_ip_check(field_errors *errs, const path *p, slice text) {
  static const uint8_t zero[16], loopback6[16] = {[15] = 1};
  ip_value ip;
  if (!ip_value_parse(text, &ip)) {
    field_invalid_str(errs, p, text, "must be a valid IP address");
    return;
  }
  const uint8_t *b = ip.bytes, *four = b + 12;
  if (ip.v4 ? memcmp(four, zero, 4) == 0 : memcmp(b, zero, 16) == 0) {
    field_invalid_str(errs, p, text, "may not be unspecified (%.*s)", SLICE_ARG(text));
  }
  if (ip.v4 ? four[0] == 127 : memcmp(b, loopback6, 16) == 0) {
    field_invalid_str(errs, p, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
  }
  if (ip.v4 ? four[0] == 169 && four[1] == 254 : b[0] == 0xfe && (b[1] & 0xc0) == 0x80) {
    field_invalid_str(errs, p, text,
                      "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  if (ip.v4 ? four[0] == 224 && four[1] == 0 && four[2] == 0 : b[0] == 0xff && (b[1] & 0x0f) == 2) {
    field_invalid_str(errs, p, text,
                      "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  }
}

static void warn(request *rq, const path *p, slice text) {
  slice at = path_text(rq->arena, p);
  request_warn(rq, arena_printf(rq->arena, "%.*s: %.*s", SLICE_ARG(at), SLICE_ARG(text)));
}

void ip_warn(request *rq, const path *p, slice text) {
  ip_value ip;
  if (!ip_value_parse(text, &ip)) return;
  slice want = ip_value_text(rq->arena, &ip);
  if (ip.zeros || ip.mapped) {
    warn(rq, p,
         arena_printf(rq->arena, "non-standard IP address \"%.*s\" is invalid: use \"%.*s\"",
                      SLICE_ARG(text), SLICE_ARG(want)));
  } else if (!ip.v4 && !slice_eq(want, text)) {
    warn(rq, p,
         arena_printf(rq->arena,
                      "IPv6 address \"%.*s\" should be in RFC 5952 canonical format (\"%.*s\")",
                      SLICE_ARG(text), SLICE_ARG(want)));
  }
}

void cidr_warn(request *rq, const path *p, slice text) {
  ip_range r;
  if (!ip_range_parse(text, &r)) return;
  arena *a = rq->arena;
  ip_value base = masked(&r);
  slice want = ip_range_text(a, &r), own = ip_value_text(a, &r.ip);
  bool warned = memcmp(base.bytes, r.ip.bytes, 16) != 0;
  if (warned) {
    warn(
        rq, p,
        arena_printf(
            a,
            "CIDR value \"%.*s\" is ambiguous in this context (should be \"%.*s\" or \"%.*s/%u\"?)",
            SLICE_ARG(text), SLICE_ARG(want), SLICE_ARG(own),
            r.ip.v4 && !r.ip.mapped ? 32u : 128u));
  }
  if (r.ip.zeros || r.ip.mapped) {
    warn(rq, p,
         arena_printf(a, "non-standard CIDR value \"%.*s\" is invalid: use \"%.*s\"",
                      SLICE_ARG(text), SLICE_ARG(want)));
  } else if (!warned && !r.ip.v4 && !slice_eq(want, text)) {
    warn(rq, p,
         arena_printf(a,
                      "IPv6 CIDR value \"%.*s\" should be in RFC 5952 canonical format (\"%.*s\")",
                      SLICE_ARG(text), SLICE_ARG(want)));
  }
}
