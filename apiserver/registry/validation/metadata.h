/* metadata: validation of ObjectMeta, for every kind. Source: apimachinery
 * pkg/api/validation/objectmeta.go, pkg/apis/meta/v1/validation. */
#ifndef APISIM_REGISTRY_VALIDATION_METADATA_H
#define APISIM_REGISTRY_VALIDATION_METADATA_H

#include "registry/strategy.h"
#include "registry/validation/text_rules.h"

/* metadata of obj at `p` ("metadata"): name by `rule`, namespace, labels, annotations, owners,
 * finalizers, managedFields. */
void metadata_validate(field_errors *errs, const path *p, const val *obj, bool namespaced,
                       text_rule rule);
/* What an update may not change. (resourceVersion was checked before.) */
void metadata_validate_update(field_errors *errs, const path *p, const val *obj, const val *old);
/* Both, as every validator of an object begins: on update both the object's and the change. */
void metadata_check(const validate_args *v, text_rule rule);

void labels_validate(field_errors *errs, const path *p, const val *labels);
void annotations_validate(field_errors *errs, const path *p, const val *annotations);
/* A metav1.LabelSelector. */
void label_selector_validate(field_errors *errs, const path *p, const val *selector);
/* metav1.Condition lists. */
void conditions_validate(field_errors *errs, const path *p, const val *conditions);

/* The selector as Go prints it: key and operator are there though empty. */
const val *label_selector_whole(arena *a, const val *selector);

#endif
