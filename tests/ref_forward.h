/*
 * The oracle: both families' forward pass in plain C, written out by hand and in double, with
 * nothing of the engine's. Slow and readable; every value that has a name is stored.
 *
 *     struct ref ref = {0};
 *     ref_forward(&ref, model, ids, n, NULL, NULL);
 *     const struct ref_value *q = ref_find(&ref, "blocks.0.attn.q");   // [n, n_head, d_head]
 *     ref_release(&ref);
 */
#ifndef GPTSCOPE_TESTS_REF_FORWARD_H
#define GPTSCOPE_TESTS_REF_FORWARD_H

#include "model/model.h"

struct ref_value {
    char name[48];
    int shape[3], n_axis;
    size_t n;
    double *data;
};

struct ref {
    struct ref_value *item;
    int n, cap;
};

/* Called for each value when it has been computed and nothing has read it yet: may change its
 * data. Earlier values are found in r. */
typedef void ref_change(struct ref *r, struct ref_value *v, void *user);

/* change may be NULL. */
void ref_forward(struct ref *r, const struct model *m, const int32_t *ids, int n,
                 ref_change *change, void *user);
struct ref_value *ref_find(const struct ref *r, const char *name); /* or NULL */
void ref_release(struct ref *r);

#endif
