/*
 * Changes to the oracle's values, stated as patches are: what a patched run is held against.
 *
 *     struct changes changes = {list, n, 0};
 *     ref_forward(&ref, model, ids, n, change_value, &changes);
 */
#ifndef GPTSCOPE_TESTS_CHANGE_H
#define GPTSCOPE_TESTS_CHANGE_H

#include "engine/run.h"
#include "ref_forward.h"

/* A change as a test states it; data: the region's numbers, in order. */
struct change {
    const char *name;
    enum patch_kind kind;
    struct region region;
    double factor;
    const double *data;
};

struct changes {
    const struct change *item;
    int n;
    int from; /* positions before it are not changed */
};

/* A ref_change; user is a struct changes. */
void change_value(struct ref *r, struct ref_value *v, void *user);
/* Whether a cell lies in a region whose counts may be -1. */
bool change_inside(const struct region *g, const int cell[3]);

#endif
