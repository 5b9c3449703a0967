/* strict: what codec's own files share about strict decoding and Go's texts.
 *
 * The real decoder finds unknown and duplicate fields in one walk; here the parser finds
 * the duplicates and codec_conform the unknown ones. Each entry therefore remembers where in
 * the text it was found, and conform puts them into that order and drops the duplicates that
 * lie where the real decoder does not look (below unknown fields, inside raw values). */
#ifndef APISIM_CODEC_STRICT_H
#define APISIM_CODEC_STRICT_H

#include "base/quote.h"
#include "codec/codec.h"

#define STRICT_ERRORS_MAX 100u /* the real decoder stops to remember at this many */

/* A duplicate `key` of `map`, read at `at` in the text; path is the quoted text's inside.
 * `old` is the value that the later one replaced. */
void strict_add_duplicate(strict_report *r, arena *a, slice path, const char *at, val *map,
                          slice key, val *old);
void strict_add_unknown(strict_report *r, arena *a, slice path, const char *at);
/* How many of the entries are duplicates that no strict_confirm has reached. */
uint32_t strict_open_duplicates(const strict_report *r);
/* conform visits `map`: its duplicates count; in a struct, t, only those of known fields. */
void strict_confirm(strict_report *r, const val *map, const type_info *t);
/* Drops the duplicates that were not confirmed, sorts by place in the text. */
void strict_finish(strict_report *r);
/* A value of map[key] that a later duplicate replaced, the latest first: nth from 0; NULL
 * when there are no more. */
val *strict_replaced(const strict_report *r, const val *map, slice key, uint32_t nth);

/* The quoting of Go's time package: bytes outside of printable ASCII as \x... */
slice time_quote(arena *a, slice s);
/* As base64_decode; *bad is the offset of Go's CorruptInputError. */
bool base64_decode_at(arena *a, slice text, slice *out, size_t *bad);
/* Is text what encoding its decoded bytes gives? */
bool base64_is_canonical(slice text);
/* Go's words for what is wrong with the grammar of text, which does not parse. */
slice json_syntax_error(arena *a, slice text);

#endif
