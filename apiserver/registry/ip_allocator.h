/* ip_allocator: which cluster addresses are taken. The IPAddress objects in the store are the
 * only record, so there is nothing to rebuild after a restart, a fork or a restore.
 * Source: pkg/registry/core/service/ipallocator (bands, texts, the IPAddress of a Service). */
#ifndef APISIM_REGISTRY_IP_ALLOCATOR_H
#define APISIM_REGISTRY_IP_ALLOCATOR_H

#include "request/request.h"

enum { IP_CIDRS_MAX = 2 };

typedef struct ip_cidr {
  bool v6;
  uint8_t base[16]; /* the network's address; IPv4 in the last 4 bytes */
  uint64_t size; /* addresses that may be given out, from base + 1 */
  uint64_t band; /* of these the first, kept for those who ask for a certain one */
} ip_cidr;

typedef struct ip_allocator {
  uint32_t cidr_count; /* one, or one a family; the first is the default family */
  ip_cidr cidrs[IP_CIDRS_MAX];
} ip_allocator;

/* From --service-cluster-ip-range; empty: 10.0.0.0/24. NULL for what is no range. */
ip_allocator *ip_allocator_create(slice cidrs);
void ip_allocator_destroy(ip_allocator *ips);

/* The range of a family ("IPv4", "IPv6"), or NULL. */
const ip_cidr *ip_allocator_family(const ip_allocator *ips, slice family);
slice ip_cidr_family(const ip_cidr *c);
/* "IPv4", "IPv6", or SLICE_NONE for what is no address. */
slice ip_family_of(slice text);
/* Canonical text, or SLICE_NONE. */
slice ip_canonical(arena *a, slice text);

/* Takes an address for the Service: *ip is the one asked for, or empty for any (then set).
 * False with *problem in the real words, *full when there is none left. A dry run stores
 * nothing. */
bool ip_take(request *rq, const ip_cidr *c, const val *service, slice *ip, slice *problem,
             bool *full);
/* Gives it back. */
void ip_release(request *rq, const val *service, slice ip);

#endif
