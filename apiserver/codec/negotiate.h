/* negotiate: which form an answer has, and which form a body came in. The rules are in media.h.
 * Sources: apiserver pkg/endpoints/handlers/negotiation; github.com/munnerz/goautoneg. */
#ifndef APISIM_CODEC_NEGOTIATE_H
#define APISIM_CODEC_NEGOTIATE_H

#include "codec/codec.h"
#include "request/request.h"

typedef enum body_format { FORMAT_JSON, FORMAT_YAML, FORMAT_PROTOBUF, FORMAT_CBOR } body_format;
typedef enum body_as { AS_OBJECT, AS_TABLE, AS_PARTIAL, AS_PARTIAL_LIST } body_as;

typedef struct output_form {
  body_format format;
  body_as as; /* ;as=Table and the like, of group meta.k8s.io */
  slice as_version; /* "v1" or "v1beta1" */
  bool pretty; /* JSON with indentation */
  bool stream; /* the client accepts ;stream=watch */
  bool raw; /* an error that no acceptable form can carry: JSON, two spaces, no last newline */
  slice content_type; /* of the answer, as the real server names it */
} output_form;

/* What the router itself refuses, before any verb sees the request and whether or not the object
 * exists: an Accept without any type served (406), a PATCH of another type (415). */
bool negotiate_route(request *rq);
/* as=PartialObjectMetadata of a list and as=PartialObjectMetadataList of an object are 406.
 * kind: of the answer before it is transformed ("NamespaceList"). */
bool negotiate_partial(request *rq, const output_form *form, bool is_list, slice group, slice kind);

/* From Accept, ?pretty and User-Agent. Review kinds have no table form. watch: the answer is a
 * stream (content_type is then the stream's). False with a 406 in rq->error. */
bool negotiate_output(request *rq, bool watch, output_form *out);
/* As above but never fails: what an error's Status is written in when the Accept header is
 * unusable or was not looked at yet. */
void negotiate_fallback(request *rq, output_form *out);

/* The body's format from Content-Type (absent: JSON). False with a 415. */
bool negotiate_input(request *rq, body_format *out);

/* Decodes an object's body for a write: parses by format, checks apiVersion and kind against
 * `r` (or the subresource's kind: want_*), conforms it to the type of the kind that the body names,
 * reports unknown and duplicate fields as rq->validation says (Warning headers or a 400). The
 * tree is typed and canonical, with apiVersion and kind set, not yet defaulted. NULL with
 * rq->error in the real server's words: 'Pod in version "v1" cannot be handled as a
 * ConfigMap: ...'. *got (may be NULL): the kind found. */
val *negotiate_decode(request *rq, slice want_group, slice want_version, slice want_kind,
                      const kind_info **got);
/* The steps of it that need no request: the object in `bytes`, which is of the given kind where it
 * does not say otherwise, as it was sent (defaults and apiVersion are not filled in). NULL with
 * *error in the decoder's words. report may be NULL. */
val *negotiate_decode_bytes(arena *a, body_format format, slice bytes, const kind_info *want,
                            strict_report *report, const kind_info **got, slice *error);
/* DeleteOptions and other option bodies (of any group and version). False with rq->error. */
bool negotiate_decode_options(request *rq, slice kind, val **out);

/* Types a tree that is a document of its own (a patched object of r): it may name another kind,
 * which is then an error in the decoder's words. NULL with *error. report may be NULL. */
val *negotiate_conform(request *rq, const resource_info *r, val *tree, strict_report *report,
                       slice *error);

/* Patch types by Content-Type. False with a 415 in the real words for this resource. cbor: an apply
 * whose body is CBOR. */
typedef enum patch_kind { PATCH_JSON, PATCH_MERGE, PATCH_STRATEGIC, PATCH_APPLY } patch_kind;
bool negotiate_patch(request *rq, patch_kind *out, bool *cbor);
/* Whether this server reads and writes CBOR (the feature gate CBORServingAndStorage). */
bool negotiate_has_cbor(const request *rq);

#endif
