/* encrypt: encryption at rest, as --encryption-provider-config describes it: what a store elsewhere
 * keeps of the named resources is encrypted with the first key of their first provider, and read
 * with any key of any provider. Providers: identity, aescbc, aesgcm, secretbox; kms is refused.
 * Bytes: "k8s:enc:PROVIDER:v1:KEYNAME:" and the provider's form, as kube-apiserver's.
 * Source: apiserver pkg/server/options/encryptionconfig, pkg/storage/value.
 *
 * Initialization vectors are no random numbers but a keyed hash of key, path and value: unique
 * where the value is, so safe with a counter that nobody keeps, and the same in every run. */
#ifndef APISIM_STORE_ENCRYPT_H
#define APISIM_STORE_ENCRYPT_H

#include "base/buf.h"

typedef struct encryption encryption;

/* config: the file's text (YAML or JSON). NULL with a line in `problem`. */
#define ENCRYPTION_PROBLEM_MAX 256
encryption *encryption_create(slice config, char problem[ENCRYPTION_PROBLEM_MAX]);
/* Another configuration in its place, for all that hold e. False: it stays as it was. */
bool encryption_replace(encryption *e, slice config, char problem[ENCRYPTION_PROBLEM_MAX]);
void encryption_destroy(encryption *e);
/* Whether the configuration names the resource. */
bool encryption_covers(const encryption *e, slice group, slice resource);

/* key: the full key in the store, to which aesgcm binds the bytes. Both append to out, and pass on
 * what is of a resource that the configuration does not name.
 * False with *problem (static): the bytes can't be read with any of the keys. *stale: they are not
 * what a write would make now, so that a write of the same value is due (rotation). */
bool encryption_seal(const encryption *e, slice group, slice resource, slice key, slice plain,
                     buf *out);
bool encryption_open(const encryption *e, slice group, slice resource, slice key, slice stored,
                     buf *out, bool *stale, slice *problem);

#endif
