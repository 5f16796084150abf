/*
 * The weights of each family: one row per role with its kind, its shape in terms of the
 * hyper-parameters, and its name in each file format. Readers, the synthetic models and the
 * parameter count are loops over this table.
 */
#ifndef GPTSCOPE_MODEL_ROLES_H
#define GPTSCOPE_MODEL_ROLES_H

#include "model/model.h"

enum names { NAMES_GGUF, NAMES_HF, NAMES_COUNT };

enum dim {
    DIM_ONE,
    DIM_VOCAB,
    DIM_CTX,
    DIM_MODEL,
    DIM_Q,  /* n_head * d_head */
    DIM_KV, /* n_kv_head * d_head */
    DIM_MLP,
};

/* Where a weight lies in a stored tensor: all of it, or one of the three parts of a fused
 * [q; k; v]. */
enum part { PART_ALL, PART_Q, PART_K, PART_V };

struct role_place {
    const char *pattern; /* "blk.N.attn_q.weight"; N stands for the layer. NULL: no such weight
                            in this family. */
    enum part part;
    bool in_major; /* stored [n_in, n_out] (GPT-2's Conv1D) */
};

struct role {
    const char *name;    /* "q" */
    bool vector, global; /* global: outside the blocks */
    enum dim rows, cols; /* cols is DIM_ONE for vectors */
    struct role_place at[NAMES_COUNT][ARCH_COUNT];
};
extern const struct role roles[W_COUNT];

int role_dim(const struct hparams *hp, enum dim dim);
/* The family has this weight (the LM head is there in both, maybe tied). */
bool role_in(enum weight_role role, enum arch arch);
const char *dim_name(enum dim dim); /* "d_model" */

#define ROLE_NAME_SIZE 80
/* The pattern with the layer put in. Returns buf. */
char *role_tensor_name(const char *pattern, int layer, char buf[ROLE_NAME_SIZE]);
/* True when name is the pattern with some number for every N. */
bool role_name_matches(const char *pattern, const char *name);

#endif
