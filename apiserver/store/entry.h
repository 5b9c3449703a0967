/* entry: the making of store entries; for backends only. Everything else about them is in
 * store/store.h. */
#ifndef APISIM_STORE_ENTRY_H
#define APISIM_STORE_ENTRY_H

#include "store/store.h"

/* One reference, the caller's; revisions and version are 0 and the caller's to fill before
 * anybody else sees it. The key is copied, the value referenced. */
store_entry *store_entry_create(slice key, blob *value);

#endif
