/*
 * Runs of made-up models and arrays of their values, for the tests of sweeps and dumps.
 */
#ifndef GPTSCOPE_TESTS_SWEEP_FIXTURE_H
#define GPTSCOPE_TESTS_SWEEP_FIXTURE_H

#include "command/dump_array.h"
#include "rig.h"

struct form {
    bool llama;
    int layers, heads, kv_heads, d_head, n_ctx;
    bool tied, staged;
    enum dtype dtype;
};

extern const struct form forms[5];

void form_make(struct rig *g, const struct form *f, int chunk);
void form_feed(struct run *r, int n);
struct region form_whole(const struct run *r, int value);
size_t form_floats(const struct region *g);
/* Adds a value of the run, or one head of it, to a job that has room. */
void form_array(struct dump_job *job, const struct run *r, int value, int head);
/* The activation of a block, and a function that takes its place: half of the input; a `long`
 * that user points at, if it does, counts positions. */
int form_act_op(const struct program *p, int layer);
void form_halve(const struct op_call *call, void *user);

#endif
