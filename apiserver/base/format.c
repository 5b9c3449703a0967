/* Literal parts and %s are copied; every other directive is C's own, one at a time. */
#include "base/format.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SPEC_MAX 24u
#define NUMBER_MAX 512u /* %f of the greatest double has 309 digits before the point */

typedef struct writer {
  char *to;
  size_t room, len;
} writer;

/* A directive, with the numbers that stood for its stars. */
typedef struct directive {
  char text[SPEC_MAX];
  size_t len;
  int stars[2], star_count;
  int width, precision; /* of a text; -1: no precision */
  bool left, told; /* to the left of its width; the precision was an argument */
  char size; /* 'l', 'L' for ll, 'z', 'j', or 0 */
  char letter;
} directive;

static void put(writer *w, const char *bytes, size_t n) {
  size_t left = w->len + 1 < w->room ? w->room - 1 - w->len : 0;
  size_t now = n < left ? n : left;
  if (now) memcpy(w->to + w->len, bytes, now);
  w->len += n;
}

static void note(directive *d, char c) {
  assert(d->len + 1 < SPEC_MAX);
  d->text[d->len++] = c;
  d->text[d->len] = '\0';
}

/* format stands behind the %; gives what follows the size letters but for the conversion's own. */
static const char *read_size(directive *d, const char *format) {
  for (; *format == 'l' || *format == 'h' || *format == 'z' || *format == 'j'; format++) {
    if (*format == 'l' && d->size == 'l') d->size = 'L';
    else if (*format != 'h') d->size = *format;
    note(d, *format);
  }
  return format;
}

/* One number, of the type that it was given with. */
#define PUT_NUMBER(w, d, value)                                                                \
  do {                                                                                         \
    char number[NUMBER_MAX];                                                                   \
    int stars = (d)->star_count, n;                                                            \
    if (stars == 2) {                                                                          \
      n = snprintf(number, NUMBER_MAX, (d)->text, (d)->stars[0], (d)->stars[1], value);        \
    } else if (stars) n = snprintf(number, NUMBER_MAX, (d)->text, (d)->stars[0], value);       \
    else n = snprintf(number, NUMBER_MAX, (d)->text, value);                                   \
    assert(n >= 0 && n < (int)NUMBER_MAX);                                                     \
    put(w, number, (size_t)n);                                                                 \
  } while (0)

/* A letter of a directive behind its %, `point`: behind the point. */
static void read_letter(directive *d, char c, bool *point, int star) {
  int *number = *point ? &d->precision : &d->width;
  note(d, c);
  if (c == '.') {
    *point = true;
    d->precision = 0;
  } else if (c == '*') {
    d->stars[d->star_count++] = *number = star;
    d->told = d->told || *point;
  } else if (c >= '0' && c <= '9') {
    *number = *number * 10 + (c - '0');
  } else if (c == '-') {
    d->left = true;
  }
}

static void put_text(writer *w, const directive *d, const char *text) {
  size_t n = d->precision < 0 ? strlen(text)
             : d->told        ? (size_t)d->precision
                              : strnlen(text, (size_t)d->precision);
  size_t width = (size_t)(d->width < 0 ? -d->width : d->width), blanks = width > n ? width - n : 0;
  bool left = d->left || d->width < 0;
  assert(!d->size);
  for (size_t i = 0; i < blanks && !left; i++) put(w, " ", 1);
  put(w, text, n);
  for (size_t i = 0; i < blanks && left; i++) put(w, " ", 1);
}

size_t format_text(char *to, size_t room, const char *format, va_list args) {
  writer w = {to, room, 0};
  while (*format) {
    const char *percent = strchrnul(format, '%');
    put(&w, format, (size_t)(percent - format));
    format = percent;
    if (!*format) break;
    if (format[1] == '%') {
      put(&w, "%", 1);
      format += 2;
      continue;
    }
    directive d = {.precision = -1};
    note(&d, *format++);
    for (bool point = false; *format && strchr("-+ #0123456789.*", *format); format++) {
      read_letter(&d, *format, &point, *format == '*' ? va_arg(args, int) : 0);
    }
    format = read_size(&d, format);
    d.letter = *format++;
    note(&d, d.letter);
    if (d.letter == 's') put_text(&w, &d, va_arg(args, const char *));
    else if (strchr("feEgGF", d.letter)) PUT_NUMBER(&w, &d, va_arg(args, double));
    else if (d.letter == 'p') PUT_NUMBER(&w, &d, va_arg(args, void *));
    else if (d.size == 'L') PUT_NUMBER(&w, &d, va_arg(args, long long));
    else if (d.size == 'l') PUT_NUMBER(&w, &d, va_arg(args, long));
    else if (d.size == 'z') PUT_NUMBER(&w, &d, va_arg(args, size_t));
    else if (d.size == 'j') PUT_NUMBER(&w, &d, va_arg(args, intmax_t));
    else PUT_NUMBER(&w, &d, va_arg(args, int));
  }
  if (room) to[w.len < room ? w.len : room - 1] = '\0';
  return w.len;
}
