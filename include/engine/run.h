/*
 * A run: one sequence going through a program, one op at a time. The only mutable part of the
 * engine.
 *
 *     struct run *run = run_new(model, program, compute, &options, &err);
 *     run_begin(run, ids, n, &err);       // a pass over n new tokens; all that can fail, fails
 * here while (run_step(run)) ;             // one op a call; or run_until(run, op)
 *     run_commit(run);                    // the cache now holds these n tokens
 *     run_read(run, value, NULL, out, &err);
 *
 * What is kept: at each block's input the residual stream, q (after rotation), k and v (the KV
 * cache), and per query and head the log-sum-exp of its scores. Everything else of any layer
 * and position is derived from those when it is read, by the same ops, patches included: memory
 * is O(T d) a layer, not O(T^2).
 */
#ifndef GPTSCOPE_ENGINE_RUN_H
#define GPTSCOPE_ENGINE_RUN_H

#include "engine/program.h"
#include "tensor/compute.h"

#include <stdint.h>

struct run;
struct function; /* engine/function.h */

enum { RUN_DEFAULT_CTX = 4096 };

struct run_options {
    int n_ctx;   /* positions; 0: the model's, at most RUN_DEFAULT_CTX */
    int chunk;   /* most tokens a pass; 0: 512 (or n_ctx, if that is less) */
    bool staged; /* run_step does the attention stages one by one: a pass then needs
                    n_head * n_new * n_kv floats more */
    bool lean; /* keep nothing but the cache: run_read then only gives what the last pass still
                  holds. For measuring what keeping costs. */
};

struct run *run_new(const struct model *m, const struct program *p, struct compute *c,
                    const struct run_options *o, struct err *err);
void run_free(struct run *r); /* NULL is fine */
/* A second run with the same committed positions, patches, replaced functions and options:
 * what is kept is copied, nothing is computed. An open pass is left out. */
struct run *run_copy(const struct run *r, struct err *err);
/* Computes with c from now on: for when the one it was made with goes away. */
bool run_use(struct run *r, struct compute *c, struct err *err);

/* --- a pass --- */

/* Starts a pass over n new tokens (1 <= n <= chunk) after those committed; an unfinished pass
 * is dropped. Fails for ids outside the vocabulary, lack of context or of memory. */
bool run_begin(struct run *r, const int32_t *ids, int n, struct err *err);
/* Executes the op at run_pc. False at the end of the program (nothing is done then). */
bool run_step(struct run *r);
/* Executes ops until pc == op (at most n_steps). Attention that nobody looks into runs as one
 * blocked kernel. */
void run_until(struct run *r, int op);
/* Goes back to the state before `op` (<= pc): re-executes from that block's kept input, the
 * same way as before, so to the same numbers. Without `staged`, an op inside an attention that
 * runs as one means the begin of that attention. */
void run_rewind(struct run *r, int op);
/* Ends the pass: finishes it if need be, then the cache holds its tokens. */
void run_commit(struct run *r);
/* Drops an unfinished pass and forgets all but the first n positions. */
void run_truncate(struct run *r, int n);
/* begin, until the end, commit, in chunks, for any n. Stops between chunks when interrupted:
 * the chunks done stay. */
bool run_feed(struct run *r, const int32_t *ids, int n, struct err *err);

const struct program *run_program(const struct run *r);
const struct model *run_model(const struct run *r);
struct compute *run_compute(const struct run *r);
int run_pc(const struct run *r);       /* next op; n_steps when the pass is done */
bool run_in_pass(const struct run *r); /* begun and not committed */
int run_n_past(const struct run *r);   /* positions committed */
int run_n_new(const struct run *r);    /* positions of the pass begun; 0 outside */
int run_n_ctx(const struct run *r);
int run_chunk(const struct run *r);
const int32_t *run_tokens(const struct run *r); /* n_past + n_new ids */
/* Changes whenever any value may have: for caches of drawings. */
uint64_t run_version(const struct run *r);
/* Changes when a position is computed anew, with whatever tokens, patches and functions there
 * are by then: while it stays, so do all values of that position, as far as they are ready. 0
 * for positions that no pass has begun. */
uint64_t run_stamp(const struct run *r, int pos);

/* --- reading values --- */

/* Part of a value: per axis the first index and the count. */
struct region {
    int first[3], count[3];
};

/* Positions for which a value can be read: committed ones, and those of the pass once the op
 * that makes it has run. */
int run_ready(const struct run *r, int value);
/* The value's shape now (AXIS_POS and AXIS_KEY: run_ready) ; returns its number of axes. */
int run_shape(const struct run *r, int value, int shape[3]);
/* Copies a region (NULL: all) into out, C order, f32; derives it when it is not in memory. A
 * view of any head's scores or pattern costs what the region holds, not T x T. Tokens come as
 * floats. */
bool run_read(const struct run *r, int value, const struct region *region, float *out,
              struct err *err);
/* Log-sum-exp of the scaled, masked scores of one query in one head. */
float run_lse(const struct run *r, int layer, int head, int query);

/* Bytes held: for `info`, the cache view and benchmarks. */
struct run_memory {
    size_t cache, kept, arena, scratch; /* of n_past + n_new positions, not of n_ctx */
};
void run_memory(const struct run *r, struct run_memory *m);

/* --- patches: changes made to values as they are computed --- */

enum patch_kind {
    PATCH_ZERO,
    PATCH_SCALE,
    PATCH_SET,
    PATCH_MEAN,
    PATCH_ADD,
    PATCH_REPLACE /* another function in an op's place: run_put */
};

/*
 * Adds a patch of a region of a value (NULL: all; count -1: to the end, also of positions to
 * come):
 *
 *     ZERO   to 0
 *     SCALE  times factor
 *     SET    to data[region] (copied), or to factor where data is NULL
 *     MEAN   every position to the mean that the region has now
 *     ADD    plus factor * data[region] (copied), or plus factor where data is NULL
 *
 * It acts on positions computed from now on: an unfinished pass is dropped; whoever wants it to
 * act on earlier positions truncates the run first. In scores and patterns it leaves keys after
 * the query alone: what the mask hides stays hidden. Fails for values that nothing reads
 * (LIFE_DEMAND) and for regions outside the value. Returns the patch's id >= 0, or -1.
 *
 * An attention edge is knocked out by SET of its score to -INFINITY (Geva et al. 2023): the
 * softmax gives its weight to the rest of the row. SCALE and ADD leave such a score out. Fails
 * where a query would have no key left.
 */
int run_patch(struct run *r, enum patch_kind kind, int value, const struct region *region,
              float factor, const float *data, struct err *err);
/* ADD of one position's numbers, row[region without its positions], to every position of the
 * region, also to those to come. */
int run_patch_row(struct run *r, int value, const struct region *region, float factor,
                  const float *row, struct err *err);
/* SET to what another run of the same program has there. */
int run_patch_from(struct run *r, const struct run *other, int value,
                   const struct region *region, struct err *err);
/* Takes over the patches of another run of the same program, ids included; they act as they do
 * there, and this run forgets its positions and patches. Fails, with nothing changed, where a
 * region lies beyond this run's context. */
bool run_patches_of(struct run *r, const struct run *other, struct err *err);
/* Removes a patch (-1: all) and truncates the run to the positions that were computed without.
 */
void run_unpatch(struct run *r, int id);
int run_n_patches(const struct run *r);
const char *run_patch_text(const struct run *r, int i,
                           int *id); /* "zero blocks.2.attn.z[:, 3, :]" */
/* Whether patch i acts on a cell of a value; *x, what the op made there, is then changed as the
 * patch says. */
bool run_patch_cell(const struct run *r, int i, int value, const int cell[3], float *x);

/* What an op's function is given: pointers for `rows` positions from pos0 on. */
struct op_call {
    const struct run *run;
    const struct op *op;
    int pos0, rows;
    int n_key;                  /* attention stages: keys a row has room for (stride) */
    const float *in[OP_MAX_IN]; /* as shaped in the program; a k or v input of an attention
                                   stage starts at position 0 */
    float *out[OP_MAX_OUT];     /* NULL: not wanted */
    float *work;                /* OP_RESULT: [rows, n_head, d_head] to work in */
    float *lse;                 /* OP_SOFTMAX in attention: [rows, n_head], may be NULL */
    double number;              /* of the function in the op's place (run_put) */
};
typedef void op_function(const struct op_call *call, void *user);

/* Puts fn in place of an op's own function (NULL restores it); truncates the run to nothing. */
void run_replace(struct run *r, int op, op_function *fn, void *user);
bool run_replaced(const struct run *r, int op);

/*
 * Puts a function of the table in engine/function.h in place of the ops that a name means in a
 * layer, or in all layers (-1). A patch like the others: run_unpatch with its id takes it back,
 * run_patches_of and run_copy take it along, and where two reach one op the later counts. Acts
 * on all positions, so the run is truncated to nothing. Fails, with -1, where the name means no
 * op, or one that the function does not fit.
 *
 * The mask "none": a query sees the keys up to the end of its pass. What is derived later sees
 * the same ones, and run_truncate into the midst of a pass forgets all of it, for its tokens
 * have seen what is gone.
 */
int run_put(struct run *r, int layer, const char *name, const struct function *f, double number,
            struct err *err);
int run_put_find(const struct run *r, int layer, const char *name); /* which patch, or -1 */
/* What stands in an op's place, and its number; NULL: its own function, or that of run_replace.
 */
const struct function *run_function(const struct run *r, int op, double *number);
/* "softmax(attn.scores)", or what stands in its place: "window(attn.scores_scaled, 3)" */
void run_call_print(const struct run *r, int op, struct str *out);
/* A mask of this layer (-1: of any) shows what comes later. */
bool run_looks_ahead(const struct run *r, int layer);
/* The keys that a query may see: from 0 on; query + 1 with a causal mask. */
int run_seen(const struct run *r, int layer, int query);
int run_pass_end(const struct run *r, int pos); /* of the pass that computed it: its end */
/* One op's function, with what stands in its place, on `rows` positions from pos0 on of rows
 * given: x in, out[0] out. For ops of one input that is shaped by position; patches are left
 * out. */
void run_apply(const struct run *r, int op, int pos0, int rows, const float *x, float *out);
/* The op's own function, for one in its place that leaves the work to it. */
void run_own(const struct op_call *call);

#endif
