/*
 * An implementation with one planted error: the oracle's pass (ref_forward.h), in which the
 * values that the error touches are computed wrongly, and everything after them from those.
 */
#ifndef GPTSCOPE_TESTS_FAULTS_H
#define GPTSCOPE_TESTS_FAULTS_H

#include "ref_forward.h"

struct fault {
    const char *name, *model;
    /* The op that is wrong, by its name; and the first wrong value under our names, under
     * TransformerLens' and under Hugging Face's, where each may lack the value itself. */
    const char *op, *first[3];
    void (*plant)(const struct model *m, struct ref *r, struct ref_value *v);
};
extern const struct fault faults[]; /* ends with a NULL name */

/* The pass of a model with the error; fault NULL: without. */
void fault_forward(struct ref *r, const struct model *m, const struct fault *fault,
                   const int32_t *ids, int n);

#endif
