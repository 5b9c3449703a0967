/* image_ref: the tag that a container image's name asks for.
 * Source: github.com/distribution/reference (grammar and Docker's short names),
 * pkg/util/parsers of the real server. */
#ifndef APISIM_VERSION_IMAGE_REF_H
#define APISIM_VERSION_IMAGE_REF_H

#include "base/slice.h"

/* Whether the image is pulled always by default: its tag is "latest", or it has neither tag
 * nor digest. False for what is no image name at all. */
bool image_ref_is_latest(slice image);

#endif
