/* yaml_emit: scalars and indicators with libyaml's rules for style, folding and line ends. */
#ifndef APISIM_CODEC_YAML_EMIT_H
#define APISIM_CODEC_YAML_EMIT_H

#include "base/buf.h"
#include "base/slice.h"

typedef struct yaml_emitter {
  buf *out;
  int column; /* in characters */
  bool whitespace; /* the latest thing written was white space */
  bool indention; /* only indentation and indicators stand on this line */
} yaml_emitter;

/* To a line that has only `indent` spaces on it, or stays on it. */
void yaml_emit_indent(yaml_emitter *e, int indent);
/* '-', ':' or '?'. */
void yaml_emit_indicator(yaml_emitter *e, char c, bool need_whitespace, bool is_indention);
/* Text that needs no care. */
void yaml_emit_plain(yaml_emitter *e, slice text);
/* A string, quoted as needed; continuation lines start at `indent`. Keys are not folded. */
void yaml_emit_string(yaml_emitter *e, slice text, int indent, bool key);
/* Does key fit before a ':' (one line, at most 128 bytes)? */
bool yaml_is_simple_key(slice key);

#endif
