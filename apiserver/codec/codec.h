/* codec: bytes to trees and back, by the schema.
 *
 * Decoding has two steps. A parser (json_parse, yaml_parse) makes an untyped tree;
 * codec_conform makes it typed: unknown fields dropped (and reported), null read
 * as absent, numbers, times, quantities and bytes checked and brought into
 * canonical form, fields put into schema order, what Go would not write removed.
 * proto_decode makes a typed tree at once. After either the tree is canonical:
 * equal objects have equal trees and equal encodings. Canonical means: a struct's entries in
 * schema order, keyed by the field's own name slice; a map's entries sorted by key; a field
 * that is no Go pointer is absent while it has its zero value ("", 0, false, {}, "0", "0s",
 * null), an empty list, map or bytes with omitempty too, and without omitempty only as nil;
 * a pointer field is absent only when nil.
 *
 * Sources: sigs.k8s.io/json, sigs.k8s.io/yaml, apimachinery
 * pkg/runtime/serializer/{json,protobuf,versioning}. */
#ifndef APISIM_CODEC_CODEC_H
#define APISIM_CODEC_CODEC_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "base/status_error.h"
#include "base/val.h"
#include "schema/schema.h"

/* What strict decoding would refuse, in the order found; texts as the real server's:
 * unknown field "spec.foo", duplicate field "spec.replicas". */
typedef struct strict_report {
  slice *items;
  uint32_t count, cap;
  struct strict_mark *marks; /* private to strict.c, as what follows: where each item was found */
  slice text; /* what json_parse read */
  struct strict_key *keys; /* where keys that were unescaped stand in it */
  struct strict_map *maps; /* maps with duplicates */
  uint32_t key_count, key_cap, map_count, map_cap;
} strict_report;

void strict_add(strict_report *r, arena *a, slice text);
/* All of them as the one error that strict validation ends with: "strict decoding error: a, b". */
slice strict_error(arena *a, const strict_report *r);

/* Parses one JSON document. The tree borrows `text` where a string needs no
 * unescaping, so text must live as long as the arena. Numbers: int64 where it fits, else float.
 * On failure: NULL and *error in the words of Go's decoder ("invalid character 'x'
 * looking for beginning of value"). Depth up to 10,000. report (or NULL) gets duplicates. */
val *json_parse(arena *a, slice text, strict_report *report, slice *error);
/* The same for a tree that codec_conform will see: a number past float64 is no error yet (the tree
 * has an infinite float with its literal), because Go converts only what a field wants. */
val *json_parse_typed(arena *a, slice text, strict_report *report, slice *error);
/* The first document only, as the real server reads a body: what follows it is not looked at.
 * text may be JSON. *error as it is behind "error converting YAML to JSON: " of apply patches;
 * duplicate keys are one entry of the report ("yaml: unmarshal errors:\n  line 3: ..."). */
val *yaml_parse(arena *a, slice text, strict_report *report, slice *error);

/* Makes `v` typed as t, in place where possible; returns the tree to use, or NULL and
 * *error in the words of Go's encoding/json ("json: cannot unmarshal string into Go struct
 * field PodSpec.spec.containers of type []v1.Container"). */
val *codec_conform(arena *a, val *v, const type_info *t, strict_report *report, slice *error);

/* Go's JSON of a typed tree: fields in schema order, omitempty obeyed, map keys sorted,
 * HTML characters escaped as Go does. No newline. */
void json_encode(buf *out, const val *v, const type_info *t);
/* An untyped tree: keys sorted if asked, else in tree order. */
void json_encode_any(buf *out, const val *v, bool sort_keys);
/* The same as bytes in the arena; none of NULL. */
slice json_text(arena *a, const val *v, bool sort_keys);
/* With two spaces, as ?pretty=true gives it. */
void json_indent(buf *out, slice compact);
/* The same for a text that comes in parts, none of which ends within a string; zero it first. */
typedef struct json_indent_state {
  uint32_t depth;
  bool opened; /* the latest character opened a map or list */
} json_indent_state;
void json_indent_part(buf *out, slice compact, json_indent_state *s);
void yaml_encode(buf *out, const val *v, const type_info *t); /* t NULL: untyped, keys sorted */
/* A JSON string literal with Go's escaping. */
void json_encode_string(buf *out, slice s);
/* Go's encoding of a float64 in JSON. */
void json_encode_float(buf *out, double f);

/* Protobuf body of a typed tree (no envelope), appended to out. */
void proto_encode(buf *out, const val *v, const type_info *t);
/* The same in its envelope (see below), at once. */
void proto_encode_object(buf *out, const val *v, const type_info *t, slice api_version,
                         slice kind);
/* Message bytes to a canonical typed tree, or NULL and *error as Go's ("proto: wrong
 * wireType = 2 for field Replicas", "unexpected EOF"). Strings are borrowed from bytes. Floats that
 * JSON has no words for are refused, though Go's decoder takes them: the only kind with floats,
 * CustomResourceDefinition, is stored as JSON, and that is where the real server fails. */
#define PROTO_NO_JSON "json: unsupported value: "
val *proto_decode(arena *a, slice bytes, const type_info *t, slice *error);
/* One length-delimited field (string, bytes or message) by its number, appended to out. */
void proto_append_field(buf *out, uint32_t number, slice bytes);
/* The k8s envelope (magic, runtime.Unknown) around a message. */
void proto_envelope(buf *out, slice api_version, slice kind, slice message);
/* The same in two parts, around message_len bytes that the caller appends. */
void proto_envelope_open(buf *out, slice api_version, slice kind, uint64_t message_len);
void proto_envelope_close(buf *out);
bool proto_open_envelope(arena *a, slice body, slice *api_version, slice *kind, slice *message,
                         slice *content_encoding, slice *content_type, slice *error);
/* One frame of a watch in ;stream=watch: four bytes of length, big end first, then a
 * WatchEvent that is not enveloped around an object that is. */
void proto_watch_frame(buf *out, slice event_type, slice enveloped);

/* CBOR of a tree (t NULL: untyped), appended to out: maps in the deterministic order of RFC 8949.
 * cbor_document: behind the tag "self-described" (55799), as bodies are. */
void cbor_encode(buf *out, const val *v, const type_info *t);
void cbor_document(buf *out, const val *v, const type_info *t);
/* One item of a watch's sequence, around an object's document. */
void cbor_watch_frame(buf *out, slice event_type, slice document);
/* One item to a canonical typed tree, or NULL and *error as Go's ("cbor: cannot unmarshal array
 * into Go struct field v1.Pod.spec of type string"). A key met twice is an error. *unknown (NULL:
 * not asked for) gets the one entry that strict decoding reports. Strings are borrowed from bytes.
 * */
val *cbor_decode(arena *a, slice bytes, const type_info *t, slice *unknown, slice *error);
/* An untyped map, or null; else NULL and *error. */
val *cbor_parse(arena *a, slice bytes, slice *error);
/* What a body says of its kind, empty where it is silent. */
bool cbor_type_meta(arena *a, slice bytes, slice *api_version, slice *kind, slice *error);

/* Scalars in canonical form. Each returns false and fills *error (Go's words) when it is
 * not one. Durations as time.Duration.String. */
bool quantity_canonical(arena *a, slice text, slice *out, slice *error);
/* Sign of a - b; both canonical or any valid form. */
int quantity_cmp(slice a, slice b);
/* a + b or a - b, in a's format. */
slice quantity_add(arena *a, slice x, slice y);
slice quantity_sub(arena *a, slice x, slice y);
/* Value() and MilliValue(): rounded up; past int64 other numbers, as Go's. */
int64_t quantity_value(slice text);
int64_t quantity_milli(slice text);
/* Is it written with digits below 10^-3, zeros or not? */
bool quantity_is_below_milli(slice text);
bool quantity_from_i64(arena *a, int64_t n, slice *out);
/* Go's zero time is written null: *out is then SLICE_NONE. */
bool time_canonical(arena *a, slice text, bool micro, slice *out, slice *error);
bool duration_canonical(arena *a, slice text, slice *out, slice *error);
bool duration_parse(slice text, int64_t *ns);
slice duration_text(arena *a, int64_t ns);
/* "2026-11-20T15:11:59Z" and seconds since 1970 (ns for micro). */
slice time_text(arena *a, int64_t unix_seconds);
slice microtime_text(arena *a, int64_t unix_ns);
slice microtime_text_at(arena *a, int64_t unix_seconds, int64_t nanos); /* years 0 to 9999 */
bool time_parse(slice text, int64_t *unix_seconds, int32_t *nanos);
slice base64_encode(arena *a, slice bytes);
bool base64_decode(arena *a, slice text, slice *out);
/* The URL alphabet without padding (RFC 4648 section 5); the bytes decoded end with a NUL that
 * their length does not count. */
slice base64url_encode(arena *a, slice bytes);
bool base64url_decode(arena *a, slice text, slice *out);

#endif
