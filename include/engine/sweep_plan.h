/*
 * What a sweep knows before it reads: who needs which value, and when. Used by sweep.c alone.
 *
 * Time counts values in the order in which they will be read. An op runs at the time of the
 * first of its outputs to be read, or of the first op that reads one:
 *
 *     order   0 ln2.out   1 mlp.pre   2 mlp_out              (mlp.post is not wanted)
 *     time    norm 0      linear 1    gelu 2, linear 2
 */
#ifndef GPTSCOPE_ENGINE_SWEEP_PLAN_H
#define GPTSCOPE_ENGINE_SWEEP_PLAN_H

#include "engine/run.h"

enum { SWEEP_USES = 16 }; /* ops that read a value; there are at most four */

struct sweep_value {
    int reads, order; /* how often it is wanted, and its place in the order, the last one's */
    int use[SWEEP_USES], n_uses; /* ops that read it */
    uint32_t needed;             /* bit i: use[i] will have to run */
    int rows;                    /* positions of a chunk */
};

struct sweep_plan {
    const struct run *run;
    struct sweep_value *value;
    int *time;      /* per op; INT_MAX: not needed */
    long *executed; /* per op: positions so far */
    int n_wants;
    bool made;
};

void sweep_plan_init(struct sweep_plan *p, const struct run *r);
void sweep_plan_release(struct sweep_plan *p);
void sweep_plan_want(struct sweep_plan *p, int value);
/* Works everything out, for that much memory, unless that is done. */
void sweep_plan_make(struct sweep_plan *p, size_t floats);
int sweep_plan_rows(struct sweep_plan *p, int value, size_t floats);
/* Whether an op makes so much of so little that only the rows asked for are made, at once. */
bool sweep_plan_by_piece(const struct op *op);
/* Whether another stage of the same attention is wanted after this one. */
bool sweep_plan_later_stage(const struct sweep_plan *p, int value);
/* The values that an op needs the rows of, to be derived: for the mix, q, by way of its scores.
 * Returns how many. */
int sweep_plan_inputs(const struct program *p, const struct op *op, int in[OP_MAX_IN]);

#endif
