/*
 * The cache held against computing everything again: the tokens go through a second run in one
 * pass, with the same patches, and what the two runs have is compared.
 *
 *     bool more = session_verify_begin(s, &err);
 *     while (more && session_verify_step(s, 0.03, &more, &err)) ;
 *     session_verified(s)->logits
 */
#ifndef GPTSCOPE_SESSION_VERIFY_H
#define GPTSCOPE_SESSION_VERIFY_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct session;
struct run;

struct verify {
    int n_pos, n_layer;
    float *k, *v;         /* [n_layer] largest |difference| of the cached keys and values */
    int k_layer, v_layer; /* where it is largest */
    float logits;         /* largest |difference| of the logits after the last position */
    uint64_t generation, version; /* of what is compared */
    struct run *other;            /* computing; NULL: none, or all is compared */
};

/* Begins to compute the committed positions again, in place of what was compared before. Fails
 * when there are none, and for lack of memory. */
bool session_verify_begin(struct session *s, struct err *err);
/* Goes on for about so many seconds (0: to the end). *more: there is more to do. Fails, and
 * ends it, when the tokens or the run have changed since, and when interrupted. */
bool session_verify_step(struct session *s, double seconds, bool *more, struct err *err);
bool session_verifying(const struct session *s);
void session_verify_stop(struct session *s); /* if it is at work */
/* The last result, if nothing has changed since; else NULL. Borrowed. */
const struct verify *session_verified(const struct session *s);
void verify_release(struct verify *v);

#endif
