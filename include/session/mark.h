/*
 * The mark: a run kept as the other side of comparisons. Taking it copies what the run keeps;
 * nothing is computed, and nothing that happens to the session afterwards changes it.
 *
 *     mark_take(s, NULL, &err);            // then ablate, or give another prompt
 *     diff_open(&d, s, &err);              // session/diff.h
 */
#ifndef GPTSCOPE_SESSION_MARK_H
#define GPTSCOPE_SESSION_MARK_H

#include "session/session.h"

struct mark {
    struct run *run; /* its tokens and patches are the mark's */
    float *logits;   /* [n_vocab] after its last token */
    char label[64];  /* safe: as given, or "13 tokens, 1 ablated" */
    int number;      /* no other mark of the session has it: for caches */
};

/* Keeps the session's run, as far as it is computed, in place of an earlier mark. label NULL or
 * "": says how many tokens and ablations there are. Fails while nothing is computed, and for
 * lack of memory; the earlier mark stays then. */
bool mark_take(struct session *s, const char *label, struct err *err);
/* Keeps the same tokens with the same patches computed afresh, in a single pass without the KV
 * cache. Stops when interrupted. */
bool mark_recompute(struct session *s, struct err *err);
void mark_clear(struct session *s); /* also ends comparing */
void mark_free(struct mark *m);     /* NULL is fine */

bool mark_missing(struct err *err); /* false, with what to do */

#endif
