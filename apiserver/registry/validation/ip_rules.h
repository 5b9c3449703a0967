/* ip_rules: addresses and ranges in fields, with the real server's words.
 *
 * Two strengths: "legacy" fields take any spelling that names one address without doubt (and, on
 * updates, whatever stood there before); newer fields take the canonical spelling only. Source:
 * apimachinery pkg/util/validation/ip.go. No allocation but of the canonical texts. */
#ifndef APISIM_REGISTRY_VALIDATION_IP_RULES_H
#define APISIM_REGISTRY_VALIDATION_IP_RULES_H

#include "registry/field_error.h"
#include "request/request.h"

typedef struct ip_value {
  uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
  bool v4; /* means an IPv4 address, however written */
  bool mapped; /* written as ::ffff:a.b.c.d */
  bool zeros; /* an octet or the prefix has leading zeros */
} ip_value;

typedef struct ip_range {
  ip_value ip;
  uint32_t bits; /* as written */
} ip_range;

bool ip_value_parse(slice text, ip_value *out);
bool ip_range_parse(slice text, ip_range *out);
slice ip_value_text(arena *a, const ip_value *ip); /* canonical */
/* Of the network: host bits are gone. */
slice ip_range_text(arena *a, const ip_range *r);

/* `old`: a list of strings that are accepted as they are, or NULL. */
bool ip_legacy_check(field_errors *errs, const path *p, slice text, const val *old);
bool ip_check(field_errors *errs, const path *p, slice text);
bool cidr_legacy_check(field_errors *errs, const path *p, slice text, const val *old);
bool cidr_check(field_errors *errs, const path *p, slice text);
/* An address that traffic can be sent to: no loopback, link-local or 0.0.0.0. */
void endpoint_ip_check(field_errors *errs, const path *p, slice text);

/* Warning headers of legacy fields; nothing for what does not parse. */
void ip_warn(request *rq, const path *p, slice text);
void cidr_warn(request *rq, const path *p, slice text);

#endif
