/*
 * The functions of engine/function.h written out plainly, in double, as a change to the oracle:
 *
 *     struct plain_function f = {.op = "softmax", .layer = 1, .name = "uniform", ...};
 *     ref_forward(&ref, model, ids, n, plain_function, &f);
 */
#ifndef GPTSCOPE_TESTS_PLAIN_FUNCTION_H
#define GPTSCOPE_TESTS_PLAIN_FUNCTION_H

#include "ref_forward.h"

struct plain_function {
    const char *op; /* label: "softmax", "ln1", "rope q", "q" */
    int layer;      /* -1: all */
    const char *name;
    double number;

    const struct model *model;
    int chunk; /* tokens a pass */
    int calls; /* out: values that were changed */
};

ref_change plain_function;

#endif
