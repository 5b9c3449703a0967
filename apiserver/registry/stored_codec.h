/* stored_codec: between a store elsewhere (store/mirror.h) and what the server keeps of it: the
 * objects' stored bytes as kube-apiserver has them (registry/stored_etcd.h), and the encryption at
 * rest around them. */
#ifndef APISIM_REGISTRY_STORED_CODEC_H
#define APISIM_REGISTRY_STORED_CODEC_H

#include "store/mirror.h"

struct encryption; /* store/encrypt.h */
typedef struct stored_codec stored_codec;

/* json: objects are written as JSON (--storage-media-type); either is read. remote_prefix: of the
 * keys there, "/registry/": what is encrypted is bound to its key. e: borrowed; NULL: nothing
 * is encrypted. */
stored_codec *stored_codec_create(bool json, slice remote_prefix, const struct encryption *e);
void stored_codec_destroy(stored_codec *c);
/* Borrowed as long as the codec. */
const mirror_codec *stored_codec_of(stored_codec *c);

#endif
