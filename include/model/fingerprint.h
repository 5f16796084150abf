/*
 * A number that tells one model's weights from another's, without reading all of them.
 */
#ifndef GPTSCOPE_MODEL_FINGERPRINT_H
#define GPTSCOPE_MODEL_FINGERPRINT_H

#include "model/model.h"

#include <stdint.h>

/* Of the hyper-parameters that a pass depends on, and of each weight its role, layer, shape and
 * number format; vectors whole; of matrices the first, middle and last row of numbers. The same
 * for a file under another name; never 0. */
uint64_t model_fingerprint(const struct model *m);

#endif
