/* checks: what many validators say, said once. Strings that are absent count as "" here, as they
 * do in the real server's structs. */
#ifndef APISIM_REGISTRY_VALIDATION_CHECKS_H
#define APISIM_REGISTRY_VALIDATION_CHECKS_H

#include "registry/validation/metadata.h"
#include "schema/schema.h"

/* The two halves of metadata_check, for kinds that do one of them or in another order. */
void meta_rules(const validate_args *v, text_rule rule);
void meta_change(const validate_args *v); /* nothing on create */

/* True when text was in the set before; else puts it there. `set` is a val_map. */
bool seen_before(arena *a, val *set, slice text);
bool str_in(slice text, const char *const *choices);
/* Unsupported value unless it is one of the choices ("" too). */
/* The same of a field that is a plain string in Go. */
bool plain_enum_check(field_errors *errs, const path *p, slice text, const char *const *choices);
bool enum_check(field_errors *errs, const path *p, slice text, const char *const *choices);
/* Required with no words when empty. */
bool required_str(field_errors *errs, const path *p, slice text);
/* Of a text of a named type: field_invalid_named. */
bool text_check_named(field_errors *errs, const path *p, text_rule rule, slice text);
/* text_check of another text than the one that is shown; `before` stands ahead of each problem. */
bool text_check_as(field_errors *errs, const path *p, text_rule rule, slice tested, slice bad,
                   const char *before);
/* The same with the lower-cased text tested. */
void text_check_lowered(field_errors *errs, const path *p, text_rule rule, slice text);
void csi_driver_name_check(field_errors *errs, const path *p, slice name);
void quantity_nonnegative_check(field_errors *errs, const path *p, slice quantity);

/* Invalid with a struct of the internal type as the bad value: Go's names, every field there. `v`
 * is of type t; NULL prints null. */
void field_invalid_struct(field_errors *errs, const path *p, const val *v, const type_info *t,
                          const char *detail);
/* The same for a repeated struct. */
void field_duplicate_struct(field_errors *errs, const path *p, const val *v, const type_info *t);
/* Invalid when they differ: "field is immutable". */
bool immutable_struct_check(field_errors *errs, const path *p, const val *now, const val *before,
                            const type_info *t);
/* A map or a list as a bad value is shown: one that was sent empty is not nil. The field must have
 * a mark of its own in its struct (val_had_empty). */
const val *map_shown(arena *a, const val *v, const char *name);
const val *list_shown(arena *a, const val *v, const char *name);
/* A field that is a struct in Go, no pointer: absent, it is one with nothing set. */
const val *struct_shown(arena *a, const val *v, const char *name);
/* Digits, and no zero in front of others. */
bool is_plain_number(slice s);
/* "field is immutable" of a plain string: absence is "". */
bool immutable_str_check(field_errors *errs, const path *p, slice now, slice before);
/* The type of a field of the validated kind: "spec.source". */
const type_info *field_type(const validate_args *v, const char *dotted);

/* All problems of a text in one error, commas between; `before` stands ahead of them. */
void text_check_joined(field_errors *errs, const path *p, text_rule rule, slice tested, slice bad,
                       const char *before);

/* "path: text" as a Warning. */
void warn_at(request *rq, const path *p, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Node labels that went out of use: "path: text" each. */
const char *node_label_deprecated(slice key); /* NULL: it is not */

#endif
