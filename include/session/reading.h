/*
 * What analyses read of a run: whether a value is there, one position of it, and all rows of a
 * layer's attention pattern, a few queries at a time, so that memory does not grow with T x T.
 *
 *     if (!reading_ready(s, value, pos, &err) || !reading_row(s->run, value, pos, row, &err))
 *         return false;
 *     pattern_walk(s->run, layer, 0, n, add_block, &sums, &err);
 */
#ifndef GPTSCOPE_SESSION_READING_H
#define GPTSCOPE_SESSION_READING_H

#include "session/session.h"

/* False, with what to do, while the value is not computed at this position. */
bool reading_ready(const struct session *s, int value, int pos, struct err *err);
/* One position of a value, [program_width(value)]; not of stages of attention. */
bool reading_row(const struct run *r, int value, int pos, float *out, struct err *err);

/* Weights of queries [first, first + count) of all heads of a layer. */
struct pattern_block {
    const struct run *run;
    int layer, first, count, n_head;
    int n_key;      /* keys a row has: all that its last query sees; those hidden weigh 0 */
    const float *p; /* [n_head, count, n_key] */
};
/* One query's weights, [pattern_keys] and zeros. */
const float *pattern_row(const struct pattern_block *b, int head, int query);
/* The keys that a query sees: query + 1, more where a mask shows what comes later. */
int pattern_keys(const struct pattern_block *b, int query);

/* Called for one block after the other; false ends the walk. */
typedef bool pattern_function(const struct pattern_block *b, void *arg, struct err *err);
/* Blocks of queries [first, first + count), rising; they must be computed. Memory is a few
 * megabytes, or one query of all heads. Fails when interrupted. */
bool pattern_walk(const struct run *r, int layer, int first, int count, pattern_function *fn,
                  void *arg, struct err *err);

#endif
