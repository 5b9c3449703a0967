/* format: printf's texts, in which %.*s gives all the bytes that it is told of.
 *
 * C's own ends a text at its first NUL; Go's do not, and clients can send NUL wherever a text may
 * stand. Known: what C11 has but for %n, %a, long double, wchar_t and numbers of arguments. */
#ifndef APISIM_BASE_FORMAT_H
#define APISIM_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Writes at most room bytes, the last one a NUL. Gives the length of the whole text. */
size_t format_text(char *to, size_t room, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif
