/* What counts as secret is decided by kind and by URL, since items of a list and patches do not
 * say their kind. JSON is edited inside its text: what is not secret keeps its bytes. */
#include "sim/record/redact.h"

#include "base/buf.h"
#include "codec/codec.h"
#include "sim/replay/jtree.h"
#include "sim/replay/proto.h"
#include "sim/replay/proto_schema.h"
#include "sim/replay/tape.h"
#include "sim/replay/tokens.h"

#define REDACTED "redacted"
#define REDACTED_BASE64 "cmVkYWN0ZWQ="
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

static bool is_about_secrets(slice target) {
  slice path = target_path(target);
  ptrdiff_t at = slice_find(path, SLICE_LIT("/secrets"));
  size_t end = at < 0 ? 0 : (size_t)at + 8;
  return at >= 0 && (end == path.len || path.ptr[end] == '/');
}

static bool is_secret_kind(slice kind) {
  return slice_is(kind, "Secret") || slice_is(kind, "SecretList");
}

static bool holds_token(slice text) {
  pair_class class;
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] == 'e' && token_at(text, i, &class) > 0 && class == PAIR_TOKEN) {
      return true;
    }
  }
  return false;
}

/* What replaces a leaf, or NULL. under: the member that holds it or its container. */
static const char *instead(slice under, slice key, slice text, bool secret) {
  if (holds_token(text)) {
    return REDACTED;
  }
  if (!secret) {
    return NULL;
  }
  if (slice_is(under, "data")) {
    return REDACTED_BASE64;
  }
  return slice_is(under, "stringData") || slice_is(key, LAST_APPLIED) ? REDACTED : NULL;
}

/* ---- JSON ---- */

typedef struct editor {
  buf out;
  const char *from; /* what is copied so far */
} editor;

static void replace(editor *e, slice raw, const char *with) {
  buf_append(&e->out, slice_of(e->from, (size_t)(raw.ptr - e->from)));
  buf_char(&e->out, '"');
  buf_cstr(&e->out, with);
  buf_char(&e->out, '"');
  e->from = raw.ptr + raw.len;
}

/* An operation of a JSON patch on a Secret's data. */
static bool is_data_operation(const jnode *n, bool secret) {
  slice path = jtree_str(n, "path");
  return secret && jtree_get(n, "op") &&
         (slice_has_prefix(path, SLICE_LIT("/data")) ||
          slice_has_prefix(path, SLICE_LIT("/stringData")));
}

static void redact_node(editor *e, const jnode *parent, const jnode *n, bool secret) {
  if (n->type == J_STRING) {
    const char *with = instead(parent ? parent->key : SLICE_NONE, n->key, n->text, secret);
    if (with) {
      replace(e, n->raw, with);
    }
    return;
  }
  secret = secret || is_secret_kind(jtree_str(n, "kind"));
  bool operation = is_data_operation(n, secret);
  for (uint32_t i = 0; i < n->count; i++) {
    const jnode *item = &n->items[i];
    if (operation && slice_is(item->key, "value")) {
      replace(e, item->raw, REDACTED_BASE64);
    } else {
      redact_node(e, n, item, secret);
    }
  }
}

/* ---- protobuf ---- */

static bool redact_val(arena *a, slice under, slice key, val *v, bool secret) {
  bool changed = false;
  if (val_is_string(v)) {
    const char *with = instead(under, key, val_str(v), secret);
    if (with) {
      *v = *val_cstr(a, with);
    }
    return with != NULL;
  }
  for (uint32_t i = 0; val_is_list(v) && i < val_len(v); i++) {
    changed |= redact_val(a, key, SLICE_NONE, val_at(v, i), secret);
  }
  VAL_EACH(entry, v) {
    changed |= redact_val(a, key, entry->key, entry->value, secret);
  }
  return changed;
}

static slice redact_proto(arena *a, slice body) {
  slice api_version, kind;
  const type_info *type = NULL;
  val *tree = proto_open_body(a, body, &api_version, &kind, &type);
  if (!tree) {
    return body;
  }
  if (!redact_val(a, SLICE_NONE, SLICE_NONE, tree, is_secret_kind(kind))) {
    return body;
  }
  return proto_close_body(a, api_version, kind, tree, type);
}

/* One JSON text, or lines of them as a watch sends. */
static slice redact_json(arena *a, slice body, bool secret) {
  editor e = {.from = body.ptr};
  buf_init(&e.out, (size_t)1 << 30);
  slice rest = body, line;
  const jnode *whole = jtree_parse(a, body);
  if (whole) {
    redact_node(&e, NULL, whole, secret);
  }
  while (!whole && rest.len > 0) {
    slice_cut(rest, '\n', &line, &rest);
    const jnode *n = jtree_parse(a, line);
    if (n) {
      redact_node(&e, NULL, n, secret);
    } else if (secret || holds_token(line)) {
      replace(&e, line, REDACTED);
    }
  }
  buf_append(&e.out, slice_of(e.from, (size_t)(body.ptr + body.len - e.from)));
  slice s = arena_copy(a, buf_slice(&e.out));
  buf_dispose(&e.out);
  return s;
}

slice redact_body(arena *a, slice target, slice body) {
  if (body.len == 0) {
    return body;
  }
  return proto_is_envelope(body) ? redact_proto(a, body)
                                 : redact_json(a, body, is_about_secrets(target));
}
