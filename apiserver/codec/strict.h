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

/* A duplicate `key` of `map`; path is the quoted text's inside. */
void strict_add_duplicate(strict_report *r, arena *a, slice path, const val *map, slice key);
/* `key`, which is no piece of the text because it was unescaped, was read at `at`. */
void strict_note_key(strict_report *r, arena *a, slice key, const char *at);
/* The entries of a map with duplicates, all of them in the order of the text (copied). */
void strict_note_entries(strict_report *r, arena *a, const val *map, const val_entry *e,
                         uint32_t count);
/* Did the string v of a JSON text need unescaping? r may be NULL: false. */
bool strict_was_escaped(const strict_report *r, const val *v);
/* What strict_note_entries was told of the map, or the map's own entries. r may be NULL. */
const val_entry *strict_entries(const strict_report *r, const val *map, uint32_t *count);
void strict_add_unknown(strict_report *r, arena *a, slice path, slice key);
/* How many of the entries are duplicates that no strict_confirm has reached. */
uint32_t strict_open_duplicates(const strict_report *r);
/* conform visits `map`: its duplicates count; in a struct, t, only those of known fields. */
void strict_confirm(strict_report *r, const val *map, const type_info *t);
/* The same for v and what is below it: a value of any shape that Go decodes itself. */
void strict_confirm_all(strict_report *r, const val *v, const type_info *t, unsigned depth);
/* Drops the duplicates that were not confirmed, sorts by place in the text. */
void strict_finish(strict_report *r);
/* The quoting of Go's time package: bytes outside of printable ASCII as \x... */
slice time_quote(arena *a, slice s);
/* As base64_decode; *bad is the offset of Go's CorruptInputError. */
bool base64_decode_at(arena *a, slice text, slice *out, size_t *bad);
/* Is text what encoding its decoded bytes gives? */
bool base64_is_canonical(slice text);
/* Go's words for what is wrong with the grammar of text, which does not parse. */
slice json_syntax_error(arena *a, slice text);

#endif
