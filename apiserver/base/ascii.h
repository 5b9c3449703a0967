/* ascii: character classes of ASCII, whatever the locale. Bytes above 0x7f are in none.
 *
 * Why not ctype.h: it asks the locale and takes an int that must not be negative, and what goes
 * over the wire is defined by Go's regular expressions over bytes. */
#ifndef APISIM_BASE_ASCII_H
#define APISIM_BASE_ASCII_H

#include <stdbool.h>

static inline bool ascii_is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool ascii_is_lower(char c) { return c >= 'a' && c <= 'z'; }
static inline bool ascii_is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static inline bool ascii_is_alpha(char c) { return ascii_is_lower(c) || ascii_is_upper(c); }
static inline bool ascii_is_alnum(char c) { return ascii_is_digit(c) || ascii_is_alpha(c); }
static inline char ascii_lower(char c) { return ascii_is_upper(c) ? (char)(c + ('a' - 'A')) : c; }
/* The value of a hexadecimal digit of either case; -1 for what is none. */
static inline int ascii_hex(char c) {
  if (ascii_is_digit(c)) return c - '0';
  char l = ascii_lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

#endif
