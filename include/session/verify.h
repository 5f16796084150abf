/*
 * The cache held against computing everything again: the tokens go through a second run in one
 * pass, with the same patches, and what the two runs have is compared.
 */
#ifndef GPTSCOPE_SESSION_VERIFY_H
#define GPTSCOPE_SESSION_VERIFY_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct session;

struct verify {
    int n_pos, n_layer;
    float *k, *v;         /* [n_layer] largest |difference| of the cached keys and values */
    int k_layer, v_layer; /* where it is largest */
    float logits;         /* largest |difference| of the logits after the last position */
    uint64_t generation, version; /* of what was compared */
};

/* Compares the positions that are committed; the result is kept in the session. Fails when
 * there are none, for lack of memory, and when interrupted; the old result is gone then. */
bool session_verify(struct session *s, struct err *err);
/* The last result, if nothing has changed since; else NULL. Borrowed. */
const struct verify *session_verified(const struct session *s);
void verify_release(struct verify *v);

#endif
