/* text_rules: what names, labels, ports and the like must look like, with the real server's words.
 *
 * Each rule appends one field error a broken rule, at p, with `value` as the bad value. Sources:
 * apimachinery pkg/api/validate/content, pkg/util/validation/validation.go. Linear in the text. */
#ifndef APISIM_REGISTRY_VALIDATION_TEXT_RULES_H
#define APISIM_REGISTRY_VALIDATION_TEXT_RULES_H

#include "registry/field_error.h"

typedef enum text_rule {
  TEXT_DNS1123_LABEL,
  TEXT_DNS1123_SUBDOMAIN,
  TEXT_LONG_NAME, /* the same in declarative validation, which counts bytes */
  TEXT_DNS1123_SUBDOMAIN_CASELESS,
  TEXT_DNS1035_LABEL,
  TEXT_WILDCARD_SUBDOMAIN,
  TEXT_LABEL_KEY, /* qualified name */
  TEXT_LABEL_VALUE,
  TEXT_C_IDENTIFIER,
  TEXT_ENV_VAR_NAME, /* relaxed: printable ASCII but '=' */
  TEXT_CONFIG_MAP_KEY,
  TEXT_PORT_NAME, /* IANA_SVC_NAME */
  TEXT_HTTP_HEADER_NAME,
  TEXT_PATH_SEGMENT,
  TEXT_FQDN, /* at least two labels */
  TEXT_ANY,  /* the caller looks at it in its own way */
} text_rule;

/* The messages of the broken rules; returns how many were put into out (at most 4). Texts are in
 * `a` or constant. `prefix`: the value is a name's beginning (generateName): a trailing '-' is
 * fine. */
uint32_t text_problems(arena *a, text_rule rule, slice value, bool prefix, slice out[4]);
/* All of them in one text, `between` between; "" for none. */
slice text_problems_joined(arena *a, text_rule rule, slice value, const char *between);
bool text_is_valid(text_rule rule, slice value);
/* Appends Invalid errors; true when there were none. */
bool text_check(field_errors *errs, const path *p, text_rule rule, slice value);
/* "must be between 1 and 65535, inclusive" and the like. */
bool port_number_check(field_errors *errs, const path *p, int64_t port);
bool range_check(field_errors *errs, const path *p, int64_t n, int64_t min, int64_t max);
/* "must be greater than or equal to 0". */
bool nonnegative_check(field_errors *errs, const path *p, int64_t n);
/* Immutable: 'field is immutable' when they differ (NULL is absence). */
bool immutable_check(field_errors *errs, const path *p, const val *now, const val *before);
/* One of a NULL-terminated, sorted list; Required when empty if `required`. */
bool choice_check(field_errors *errs, const path *p, const val *v, const char *const *choices,
                  bool required);

#endif
