/*
 * What a run is made of: shared by run.c (passes), plan.c (memory of a pass), exec.c (ops),
 * read.c (reading and deriving) and patch.c. Nobody else includes this.
 */
#ifndef GPTSCOPE_ENGINE_RUN_STATE_H
#define GPTSCOPE_ENGINE_RUN_STATE_H

#include "engine/run.h"

/* PATCH_REPLACE: which ops, and what in their place. */
struct put {
    int layer; /* -1: all */
    char name[48];
    const struct function *function;
    double number;
};

struct patch {
    int id, value;
    enum patch_kind kind;
    struct region region; /* count < 0: to the end */
    float factor;         /* SCALE, ADD; SET without data */
    float *data;          /* SET, MEAN, ADD: data[region] */
    size_t n_data;        /* numbers in data */
    size_t data_pos;      /* positions in data: 1 when the same row serves all */
    int from;             /* acts on positions >= from: those computed with it */
    struct put put;
    char text[96];
};

/*
 * Memory of a pass: where each value lies in the arena, and when its place may be used again.
 *
 *     op       0   1   2   3   4
 *     value a  W---R               dies after op 1: from op 2 on its floats are free
 *     value b      W-------R
 */
struct plan {
    size_t *offset; /* per value; SIZE_MAX: not in the arena */
    int *dead;      /* per value: the pc from which on its place may hold something else */
    size_t floats;
};

struct run {
    const struct model *model;
    const struct program *program;
    struct compute *compute;
    int n_ctx, chunk;
    bool staged, lean;

    int32_t *tokens;   /* [n_ctx] */
    uint64_t *stamp;   /* [n_ctx]: the version at which the position's pass began */
    int32_t *pass_end; /* [n_ctx]: the position after the last of its pass */
    int n_past, n_new, pc;
    uint64_t version;

    /* [n_ctx, width] each; pages that were never written take no memory */
    float **kept, **cache;
    float *lse; /* [n_layer, n_ctx, n_head] */

    struct plan plan;
    float *arena;
    size_t arena_floats;
    bool *stepped; /* per layer: this pass went through its attention stage by stage */
    int held_pos, held_rows; /* positions that the arena speaks of; 0 rows: of none */

    struct patch *patch;
    int n_patches, cap_patches, next_patch;
    op_function **replaced;
    void **replaced_user;
    const struct function **function; /* per op: where `replaced` is of the table */
    double *number;                   /* per op: the function's */
    bool ahead;                       /* one of them shows what comes later */

    double *inv_freq; /* [rope_dim / 2] */
    size_t scratch_floats;
};

/* plan.c */
void plan_make(struct plan *plan, const struct run *r, int rows, int n_key, bool staged);
void plan_release(struct plan *plan);

/* exec.c: one op on `rows` positions; patches are applied to what it wrote. */
void exec_op(const struct run *r, const struct op_call *call);
/* The op's function, or what stands in its place; without patches. */
void exec_function(const struct run *r, const struct op_call *call);
/* An op's own function (also for ops that are replaced). */
void exec_own(const struct op_call *call);
/* OP_LINEAR with another bias, or none; a norm with another eps. */
void exec_product(const struct op_call *call, const float *bias);
void exec_norm_with(const struct op_call *call, float eps);
/* exec_attention.c: attention as one kernel; writes z and the log-sum-exp. */
void exec_fused(const struct run *r, int layer, int pos0, int rows, const float *q, float *z,
                float *lse);
void exec_scores(const struct op_call *call);
void exec_scale(const struct op_call *call);
void exec_mask(const struct op_call *call);
void exec_softmax(const struct op_call *call);
void exec_mix(const struct op_call *call);
void exec_result(const struct op_call *call);
/* Calls fn for all of [0, rows) in ranges, on all threads when `work` floats make it worth it.
 */
typedef void row_function(const struct op_call *call, int row, int rows);
void exec_rows(const struct op_call *call, size_t work, row_function *fn);

/* read.c */
float *run_slot(const struct run *r, int value, int pos); /* KEPT, CACHE; NULL when not kept */
float *run_lse_at(const struct run *r, int layer, int pos);
bool run_holds(const struct run *r, int value, int pos0, int rows, float **p);

/* Fails, with a message, for a region that the value does not have; *g: all of it for NULL. */
bool run_region(const struct run *r, int value, const struct region *want, struct region *g,
                struct err *err);
/* Positions to derive at a time without a sweep: bounds the memory, not the result. */
int run_block_rows(const struct run *r, int value);
/* [rows, shape 1, shape 2] -> the region's part of the last two axes, of n rows. */
void run_copy_part(float *out, const float *rows, int n, const int shape[3],
                   const struct region *g);

/* derive.c: `rows` positions of a value from pos0 on, from what is kept. Memory is the
 * derive's. */
struct derived_block {
    float *p;
    size_t bytes;
};
struct sweep;
struct derived {
    const struct run *run;
    const struct sweep *sweep; /* has rows already, or NULL */
    struct derived_block *block;
    int n, cap;
};
void derived_init(struct derived *d, const struct run *r);
void derived_release(struct derived *d);
bool derive_rows(struct derived *d, int value, int pos0, int rows, const float **p,
                 struct err *err);
/* Executes an op whose outputs are rows, not stages: those outputs that are not NULL are
 * written; out[0] is made when it is NULL. */
bool derive_outputs(struct derived *d, const struct op *op, int pos0, int rows,
                    float *out[OP_MAX_OUT], struct err *err);
bool derive_stage(const struct run *r, int value, const struct region *g, float *out,
                  struct err *err);
/* The same where nothing looks into the layer's attention; raw: the region's q . k, if it is
 * known. */
bool derive_viewport(const struct run *r, const struct op *op, const struct region *g,
                     const float *raw, float *out, struct err *err);

/* sweep.c: rows that a sweep remembers, or NULL. */
const float *sweep_find(const struct sweep *s, int value, int pos0, int rows);

/* patch.c */
void patch_apply(const struct run *r, int value, int pos0, int rows, int n_key, float *data);
/* replace.c: what stands in each op's place, by the patches there are. */
void replace_refresh(struct run *r);
/* patch_out.c: fails when p, on top of the patches there are, leaves a query without a key. */
bool patch_leaves_keys(const struct run *r, const struct patch *p, struct err *err);
/* Index into data[region] of a cell, or -1 when the data does not reach that far. */
long patch_data_at(const struct patch *p, const int cell[3], int pos_axis);
/* Something looks into this layer's attention: its stages must be executed one by one. */
bool patch_hooks(const struct run *r, int layer);

#endif
