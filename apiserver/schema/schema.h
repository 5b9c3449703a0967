/* schema: what every built-in type, field, kind and resource looks like on the wire.
 *
 * Constant tables, generated at build time (schema/gen/) from committed facts
 * (schema/facts/). Nothing is parsed at start-up and nothing here is ever freed.
 * Adding a field or a kind is a change of the facts, not of code. */
#ifndef APISIM_SCHEMA_SCHEMA_H
#define APISIM_SCHEMA_SCHEMA_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* How a value looks in JSON and protobuf. */
typedef enum type_kind {
  TYPE_STRUCT,
  TYPE_LIST, /* elem; elem_pointer when the items are pointers in Go */
  TYPE_MAP, /* string keys; elem */
  TYPE_STRING,
  TYPE_BOOL,
  TYPE_INT32,
  TYPE_INT64,
  TYPE_FLOAT64,
  TYPE_BYTES, /* base64 in JSON */
  TYPE_TIME, /* metav1.Time: RFC 3339, seconds */
  TYPE_MICROTIME,
  TYPE_DURATION, /* metav1.Duration: "1m0s"; protobuf int64 nanoseconds */
  TYPE_QUANTITY,
  TYPE_INT_OR_STRING,
  TYPE_RAW_EXTENSION, /* any JSON object */
  TYPE_FIELDS_V1, /* any JSON object, kept as raw bytes in protobuf */
  TYPE_JSON, /* apiextensions JSON: any JSON value */
  /* The three unions have `fields` and `protos` (schema, jSONSchemas, allows, property)
   * that describe their protobuf message only; in JSON they are one of the two. */
  TYPE_SCHEMA_OR_ARRAY, /* JSONSchemaPropsOrArray */
  TYPE_SCHEMA_OR_BOOL,
  TYPE_SCHEMA_OR_STRINGS,
} type_kind;

typedef struct type_info type_info;

/* x-kubernetes-list-type, x-kubernetes-map-type. */
typedef enum list_type { LIST_UNSET, LIST_ATOMIC, LIST_SET, LIST_MAP } list_type;

typedef struct field_info {
  slice name; /* JSON name; the text around it is `"name":` */
  const type_info *type;
  /* Protobuf field number; 0: not a direct field of the type's protobuf message (the
   * two of TypeMeta, and what an inlined struct brought in: see proto_field). */
  uint16_t proto;
  bool pointer; /* a Go pointer: absent and zero differ */
  bool omitempty; /* Go's omitempty: has no effect on a struct that is no pointer */
  bool omitzero; /* Go's omitzero */
  bool required; /* of the OpenAPI schema */
  bool patch_merge; /* strategic merge: patchStrategy merge */
  bool patch_retain_keys; /* patchStrategy retainKeys */
  bool patch_replace; /* patchStrategy replace: a struct that is replaced, not merged */
  slice patch_merge_key; /* patchMergeKey, or empty (a list of scalars merges as a set) */
  uint8_t list_type; /* list_type; of the field's list */
  bool map_atomic; /* x-kubernetes-map-type: atomic on the field, or on a type that it leaves so */
  uint8_t list_key_count;
  const slice *list_keys; /* x-kubernetes-list-map-keys */
  slice default_json; /* the OpenAPI default as JSON text ("" for none) */
} field_info;

/* What the encoders ask of each field, side by side. */
typedef struct field_brief {
  const char *name; /* the field's name.ptr; 32 bytes can be read from the quote before it */
  const type_info *type;
  uint8_t name_len;
  bool pointer, omitzero;
  bool omits_empty; /* Go's omitempty leaves an empty value out */
  bool keeps_absent; /* written, as its zero, where the tree has nothing */
} field_brief;

#define PROTO_BEFORE 255u

/* What gogo writes for a field that the tree does not have. */
typedef enum proto_absent {
  ABSENT_NONE, /* nothing */
  ABSENT_ZERO, /* its tag and a zero byte */
  ABSENT_OTHER, /* the zero value of its type */
} proto_absent;

/* How a value is written, where it is of the type that a canonical tree mostly has there. */
typedef enum proto_op {
  PROTO_TEXT, /* behind a tag of one byte */
  PROTO_FAR_TEXT, /* of two */
  PROTO_NUMBER, /* a varint */
  PROTO_BOOL,
  PROTO_TIME, /* of both kinds */
  PROTO_QUANTITY,
  PROTO_INT_OR_STRING,
  PROTO_MESSAGE, /* a struct */
  PROTO_MESSAGES, /* a list of structs */
  PROTO_TEXTS, /* a list of strings that is no message of its own */
  PROTO_LIST, /* any other */
  PROTO_MAP,
  PROTO_OTHER, /* by its kind */
} proto_op;

/* One field of a struct's protobuf message. Go inlines some structs (Volume and its
 * VolumeSource, Probe and its handler): in JSON their fields are the outer object's own
 * (`fields` below is flattened), in protobuf they are a nested message. So a codec walks
 * `fields` for JSON and `protos` for protobuf; where `inlined` is set, the nested
 * message's members are members of the same JSON object (the same val), it is always
 * written, even when empty, and never repeated. */
typedef struct proto_field {
  uint16_t key; /* the tag's value: number and wire type; 0 in a row before the first */
  uint8_t tag[2]; /* the tag as it is written, in the last tag_len bytes */
  uint8_t at; /* the field's index in the type's fields; where inlined is set, of its first one's */
  uint8_t kind; /* type_kind of the field; TYPE_STRUCT where inlined is set */
  uint8_t op; /* proto_op */
  uint8_t tag_len : 2;
  uint8_t absent : 2; /* proto_absent */
  bool pointer : 1; /* the field's */
  bool inlined : 1; /* Go inlines the struct `type` here; else `at` is one of the own fields */
  const char *name; /* the field's name.ptr: the key of its entry in a canonical tree */
  /* The field's, or of what is inlined; in a row before the first the struct itself. */
  const type_info *type;
  /* protos_end of the struct that the value or each of its items is, where that is proto_in_order;
   * else NULL. */
  const struct proto_field *inner;
} proto_field;

struct type_info {
  slice name; /* Go's short name, as in its errors: "v1.PodSpec", "resource.Quantity" */
  slice full_name; /* OpenAPI definition name: "io.k8s.api.core.v1.PodSpec"; empty for scalars */
  uint8_t kind; /* type_kind */
  bool elem_pointer;
  bool map_atomic; /* x-kubernetes-map-type: atomic on the type */
  uint16_t id; /* dense, 0..schema_type_count-1: index for side tables (defaults rows) */
  uint16_t field_count;
  uint16_t proto_count;
  /* A named Go slice that protobuf wraps in a message of its own: message
   * { repeated items = 1 }, even as a map's value (metav1.Verbs, ExtraValue). */
  bool wrapped;
  bool proto_in_order; /* protos, with what is inlined, has the fields in their own order */
  /* Of custom resources (crd/crd_type.c). untyped: a whole object: its trees are what was sent,
   * encoders sort their keys and nothing is implied by the fields. named: a struct of such an
   * object: only what is there counts; rest: what members without a field are (NULL: none may). */
  bool untyped, named;
  const field_info *rest;
  const type_info *elem;
  const field_info *fields; /* in declaration order: Go's wire order; inlined structs flattened */
  const uint16_t *by_name; /* indexes into fields, sorted by name, for look-up */
  const uint16_t *by_length; /* likewise, the shorter name first: CBOR's order */
  /* Ascending number: the order on the wire. Before the first and behind the last stands a row
   * that is nobody's, without a name and key and of kind PROTO_BEFORE. */
  const proto_field *protos, *protos_end;
  const field_brief *brief; /* field_count: the fields again */
};

/* What a resource can be asked, as discovery lists it. */
enum verb_bit {
  VERB_CREATE = 1,
  VERB_DELETE = 2,
  VERB_DELETECOLLECTION = 4,
  VERB_GET = 8,
  VERB_LIST = 16,
  VERB_PATCH = 32,
  VERB_UPDATE = 64,
  VERB_WATCH = 128,
};

typedef struct kind_info { /* a registered kind, for bodies and for the scheme's errors */
  slice group, version, kind;
  const type_info *type;
} kind_info;

/* A subresource, as discovery lists it: "pods/status". */
typedef struct subresource_info {
  slice name; /* "status" */
  slice group, version, kind; /* of its body: autoscaling v1 Scale */
  uint16_t verbs;
  const type_info *type; /* NULL where discovery's kind is only an option type */
  bool foreign; /* discovery names group and version, because they are not the resource's */
} subresource_info;

typedef struct table_column {
  slice name, type, format;
  int32_t priority;
} table_column;

typedef struct resource_info {
  slice group, version, resource; /* "apps", "v1", "deployments" */
  slice singular, kind, list_kind; /* "deployment", "Deployment", "DeploymentList" */
  bool namespaced;
  uint16_t verbs;
  /* Dense, 0..schema_resource_count-1: index for side tables (strategies); of custom resources
   * larger (crd/crd.h), which have no place in these. */
  uint32_t id;
  const type_info *type;
  const type_info *list_type; /* struct of the list kind; NULL for review kinds (create only) */
  uint8_t short_name_count, category_count, subresource_count, column_count;
  const slice *short_names, *categories;
  const subresource_info *subresources;
  const table_column *columns; /* of ?as=Table */
  slice storage_hash; /* discovery's storageVersionHash, or empty */
  /* The resource whose stored form this one shares (autoscaling/v1 HPA and v2,
   * events of two groups): itself where it has its own. */
  const struct resource_info *storage;
  /* Of "/registry/" + this + "/" + [namespace/] + name: "deployments", "services/specs". */
  slice etcd_prefix;
  bool standard; /* served without --runtime-config; what this server serves: schema/served.h */
  slice gate; /* the feature gate that it needs too, or empty */
  const struct crd_version *custom; /* of a CustomResourceDefinition (crd/crd.h); else NULL */
} resource_info;

typedef struct group_info { /* in discovery's order; with the versions that are off by default */
  slice group; /* "" is the core group */
  uint8_t version_count;
  const slice *versions; /* preferred first */
} group_info;

extern const type_info *const schema_types[]; /* those with a full_name first, sorted by it */
extern const uint16_t schema_type_count;
extern const uint16_t schema_named_type_count;
extern const resource_info schema_resources[]; /* in discovery's order */
extern const uint16_t schema_resource_count;
extern const kind_info schema_kinds[]; /* sorted by group, version, kind */
extern const uint16_t schema_kind_count;
extern const group_info schema_groups[];
extern const uint16_t schema_group_count;

/* An apiVersion in two; the core group is "". */
void schema_version_cut(slice api_version, slice *group, slice *version);
/* NULL when there is none. */
const resource_info *schema_resource(slice group, slice version, slice resource);
const resource_info *schema_resource_of_kind(slice group, slice version, slice kind);
/* The one whose stored keys begin with "/registry/" + prefix + "/". */
const resource_info *schema_resource_of_prefix(slice etcd_prefix);
const kind_info *schema_kind(slice group, slice version, slice kind);
const subresource_info *schema_subresource(const resource_info *r, slice name);
const type_info *schema_type(slice full_name);
const group_info *schema_group(slice group);
bool schema_group_has_version(slice group, slice version);
/* Exact, case-sensitive match on the JSON name. */
const field_info *type_field(const type_info *t, slice name);
const proto_field *type_proto_field(const type_info *t, uint32_t number);
static inline uint32_t proto_number(const proto_field *p) { return p->key >> 3; }
/* The same for direct fields only: NULL for an inlined message's number. */
const field_info *type_field_by_proto(const type_info *t, uint32_t number);
/* The type reached by a path of field names ("spec.template.spec"); NULL if none. */
const type_info *type_path(const type_info *t, const char *dotted);

/* "apps/v1", or "v1" for the core group; in the arena-free buffer `out`. */
#define GROUP_VERSION_ROOM 384 /* a custom resource's group may have 253 bytes, its version 63 */
slice schema_group_version(const resource_info *r, char out[GROUP_VERSION_ROOM]);

#endif
