/* text: strings as Go's %q and %v print them, for messages that the wire carries. */
#ifndef APISIM_ACCESS_TEXT_H
#define APISIM_ACCESS_TEXT_H

#include "base/arena.h"
#include "base/buf.h"

/* strconv.Quote. */
void text_quote(buf *out, slice s);
slice text_quoted(arena *a, slice s);
/* A []string under %q: ["a" "b"]. */
void text_quote_list(buf *out, const slice *items, uint32_t count);
/* A buffer's bytes copied to the arena; the buffer is disposed of. */
slice text_take(arena *a, buf *b);
/* With HTML's three characters escaped: nothing in an error may look like it. */
slice text_sanitized(arena *a, slice s);
/* utilerrors.NewAggregate(errs).Error(): one text as it is, more in brackets, repeats once. */
slice text_aggregate(arena *a, const slice *errors, uint32_t count);

#endif
