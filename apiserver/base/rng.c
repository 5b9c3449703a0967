/* xoshiro256** seeded by splitmix64: small, fast, and the same on every machine. */
#include "base/rng.h"

#include <assert.h>
#include <string.h>

static uint64_t splitmix(uint64_t *x) {
  uint64_t z = (*x += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void rng_init(rng *r, uint64_t seed) {
  for (int i = 0; i < 4; i++) r->s[i] = splitmix(&seed);
}

rng rng_split(const rng *r, uint64_t purpose) {
  rng out;
  rng_init(&out, r->s[0] ^ (purpose * 0x9e3779b97f4a7c15u));
  return out;
}

static uint64_t rotl(uint64_t x, int k) {
  return (x << k) | (x >> (64 - k));
}

uint64_t rng_u64(rng *r) {
  uint64_t *s = r->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotl(s[3], 45);
  return result;
}

uint64_t rng_below(rng *r, uint64_t n) {
  assert(n > 0);
  uint64_t limit = UINT64_MAX - UINT64_MAX % n, x;
  do x = rng_u64(r);
  while (x >= limit);
  return x % n;
}

bool rng_chance(rng *r, uint64_t num, uint64_t den) {
  return rng_below(r, den) < num;
}

void rng_bytes(rng *r, void *out, size_t len) {
  unsigned char *p = out;
  for (size_t i = 0; i < len; i++) {
    p[i] = (unsigned char)(rng_u64(r) >> 56);
  }
}

void rng_uuid(rng *r, char out[37]) {
  unsigned char b[16];
  rng_bytes(r, b, sizeof b);
  b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
  b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
  for (unsigned i = 0; i < sizeof b; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
    *out++ = "0123456789abcdef"[b[i] >> 4];
    *out++ = "0123456789abcdef"[b[i] & 15];
  }
  *out = '\0';
}
