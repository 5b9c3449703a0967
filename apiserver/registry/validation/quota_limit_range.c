/* LimitRanges: minima, defaults and maxima in order. Updates are validated as creations are. */
#include "registry/validation/rows.h"
#include "registry/validation/checks.h"
#include "registry/validation/pod_checks.h"

typedef struct limit_item {
  field_errors *e;
  const path *p;
  const val *item;
  slice type, name; /* name: of the resource */
} limit_item;

static slice amount(const limit_item *l, const char *key) {
  return val_str(val_get(val_getc(l->item, key), l->name));
}

static void names_check(limit_item *l, const char *key, val *names) {
  path list = path_child(l->p, key);
  VAL_EACH(entry, val_getc(l->item, key)) {
    path at = path_key(&list, entry->key);
    if (one_of(l->type, CHOICES("Pod", "Container")))
      container_resource_name_check(l->e, &at, entry->key);
    else
      resource_name_check(l->e, &at, entry->key);
    val_set(l->e->a, names, entry->key, val_null(l->e->a));
  }
}

/* low of one list must not be above high of another; the error is at `at`, about `shown`. */
typedef struct order_row {
  const char *low, *high, *at, *shown, *low_text, *high_text;
} order_row;

static const order_row orders[] = {
    {"min", "max", "min", "min", "min value", "max value"},
    {"min", "defaultRequest", "defaultRequest", "defaultRequest", "min value",
     "default request value"},
    {"defaultRequest", "max", "defaultRequest", "defaultRequest", "default request value",
     "max value"},
    {"defaultRequest", "default", "defaultRequest", "defaultRequest", "default request value",
     "default limit value"},
    {"min", "default", "default", "min", "min value", "default value"},
    {"default", "max", "default", "max", "default value", "max value"},
};

static void orders_check(limit_item *l) {
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
    const order_row *o = orders + i;
    slice low = amount(l, o->low), high = amount(l, o->high);
    path list = path_child(l->p, o->at), at = path_key(&list, l->name);
    if (!low.ptr || !high.ptr || quantity_cmp(low, high) <= 0) continue;
    field_invalid_str(l->e, &at, amount(l, o->shown), "%s %.*s is greater than %s %.*s",
                      o->low_text, SLICE_ARG(low), o->high_text, SLICE_ARG(high));
  }
}

#define MOST_MILLI ((int64_t)9223372036854775)

static void ratio_check(limit_item *l) {
  slice ratio = amount(l, "maxLimitRequestRatio"), min = amount(l, "min"), max = amount(l, "max");
  path list = path_child(l->p, "maxLimitRequestRatio"), at = path_key(&list, l->name);
  if (!ratio.ptr) return;
  if (quantity_cmp(ratio, SLICE_LIT("1")) < 0)
    field_invalid_str(l->e, &at, ratio, "ratio %.*s is less than 1", SLICE_ARG(ratio));
  if (!min.ptr || !max.ptr) return;
  double r = (double)quantity_value(ratio), low = (double)quantity_value(min),
         high = (double)quantity_value(max);
  if (quantity_value(ratio) < MOST_MILLI && quantity_value(min) < MOST_MILLI &&
      quantity_value(max) < MOST_MILLI) {
    r = (double)quantity_milli(ratio) / 1000;
    low = (double)quantity_milli(min);
    high = (double)quantity_milli(max);
  }
  if (r > high / low)
    field_invalid_str(l->e, &at, ratio, "ratio %.*s is greater than max/min = %f", SLICE_ARG(ratio),
                      high / low);
}

static void resource_check(limit_item *l) {
  slice limit = amount(l, "default"), wanted = amount(l, "defaultRequest");
  path list = path_child(l->p, "defaultRequest"), at = path_key(&list, l->name);
  orders_check(l);
  ratio_check(l);
  if (resource_overcommits(l->name) || !limit.ptr || !wanted.ptr ||
      quantity_cmp(limit, wanted) == 0)
    return;
  field_invalid_str(l->e, &at, wanted,
                    "default value %.*s must equal to defaultRequest value %.*s in %.*s",
                    SLICE_ARG(limit), SLICE_ARG(wanted), SLICE_ARG(l->name));
}

static void item_check(limit_item *l) {
  bool pod = slice_is(l->type, "Pod");
  val *names = val_map(l->e->a);
  names_check(l, "max", names);
  names_check(l, "min", names);
  if (pod) {
    if (val_len(val_getc(l->item, "default")))
      forbid(l->e, l->p, "default", "may not be specified when `type` is 'Pod'");
    if (val_len(val_getc(l->item, "defaultRequest")))
      forbid(l->e, l->p, "defaultRequest", "may not be specified when `type` is 'Pod'");
  } else {
    names_check(l, "default", names);
    names_check(l, "defaultRequest", names);
  }
  if (slice_is(l->type, "PersistentVolumeClaim") && !val_path(l->item, "min.storage") &&
      !val_path(l->item, "max.storage")) {
    require(l->e, l->p, "limits",
            "either minimum or maximum storage value is required, but neither was provided");
  }
  names_check(l, "maxLimitRequestRatio", names);
  val *item = val_copy(l->e->a, l->item);
  if (pod) {
    val_delc(item, "default");
    val_delc(item, "defaultRequest");
  }
  l->item = item;
  val_sort(names);
  VAL_EACH(entry, names) {
    l->name = entry->key;
    resource_check(l);
  }
}

void validate_limitrange(const validate_args *v) {
  const val *list = val_path(v->obj, "spec.limits");
  path spec = path_root("spec"), p = path_child(&spec, "limits");
  val *types = val_map(v->errs->a);
  core_meta_validate(v->errs, v->obj, true, TEXT_DNS1123_SUBDOMAIN);
  EACH_ITEM(i, list) {
    slice type = val_get_str(val_at(list, i), "type");
    path at = path_index(&p, i), at_type = path_child(&at, "type");
    if (text_check_named(v->errs, &at_type, TEXT_LABEL_KEY, type) &&
        slice_find_char(type, '/') < 0 && !one_of(type, CHOICES("Pod", "Container", "PersistentVolumeClaim"))) {
      field_invalid_named(v->errs, &at_type, type,
                          "must be a standard limit type or fully qualified");
    }
    if (val_get(types, type)) field_duplicate(v->errs, &at_type, val_string(v->errs->a, type));
    val_set(v->errs->a, types, type, val_null(v->errs->a));
    limit_item l = {v->errs, &at, val_at(list, i), type, SLICE_NONE};
    item_check(&l);
  }
}
