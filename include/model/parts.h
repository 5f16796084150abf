/*
 * Where a model's parameters are: counted by component.
 */
#ifndef GPTSCOPE_MODEL_PARTS_H
#define GPTSCOPE_MODEL_PARTS_H

#include "model/model.h"

#include <stdint.h>

enum part {
    PART_EMBEDDING, /* of tokens */
    PART_POSITIONS, /* learned ones */
    PART_ATTENTION,
    PART_MLP,
    PART_NORMS,
    PART_HEAD,
    PART_COUNT
};
const char *part_name(enum part part); /* "embedding" */
enum part part_of(enum weight_role role);

struct parts {
    uint64_t params[PART_COUNT], total; /* a tied head counts as embedding, once */
    uint64_t bytes;                     /* of all weights as stored */
    uint64_t dtype_bytes[DTYPE_COUNT];
    uint64_t rule; /* 12 n_layer d_model^2: the rule of thumb for attention and MLP */
};
void parts_count(struct parts *p, const struct model *m);

#endif
