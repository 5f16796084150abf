/*
 * Reading many values of a run, each op executed once. run_read derives a value from what is
 * kept, whatever was read before it; a sweep remembers rows on the way that values still to be
 * read need, within a budget of bytes, and lets each go after its last reader. Numbers are
 * those of run_read.
 *
 *     struct sweep *s = sweep_new(run, SWEEP_BUDGET, &err);
 *     for each value, in the order in which they will be read:
 *         sweep_want(s, value);
 *     ... sweep_read(s, value, &region, out, &err) ...
 *     sweep_free(s);
 *
 * Rows are remembered a chunk of positions at a time. Two orders of reading have every op
 * executed once: all values of a block for one chunk, then for the next (that takes memory for
 * one chunk, whatever the number of positions); and value by value, as long as the budget holds
 * what the later ones need. Where it does not, what is needed last is derived again. Any other
 * order is right, too, and slower. When the run changes, everything is forgotten.
 */
#ifndef GPTSCOPE_ENGINE_SWEEP_H
#define GPTSCOPE_ENGINE_SWEEP_H

#include "engine/run.h"

struct sweep;

#define SWEEP_BUDGET ((size_t) 22 << 20)
#define SWEEP_BLOCK  ((size_t) 1 << 20) /* most floats of a view */

/* Memory: the budget, and up to two blocks of SWEEP_BLOCK floats. The run is borrowed. */
struct sweep *sweep_new(const struct run *r, size_t budget, struct err *err);
void sweep_free(struct sweep *s); /* NULL is fine */

/* The value will be read once more, all its positions in order, after those named before. To be
 * said before reading: what is remembered is forgotten. */
void sweep_want(struct sweep *s, int value);
/* Forgets what is wanted and what is remembered. */
void sweep_forget(struct sweep *s);
/* Positions of a chunk: a view does not reach over a multiple of this. */
int sweep_rows(struct sweep *s, int value);

/* As run_read. */
bool sweep_read(struct sweep *s, int value, const struct region *region, float *out,
                struct err *err);
/* The same without copying where that is possible: *p is borrowed until the next call. The
 * region has at most SWEEP_BLOCK floats and, unless it is of scores or a pattern, positions of
 * one chunk. */
bool sweep_view(struct sweep *s, int value, const struct region *region, const float **p,
                struct err *err);

/* For how many positions the sweep has executed an op so far; not for scores to pattern. */
long sweep_executed(const struct sweep *s, int op);

#endif
