/*
 * Any value of any position again, from what is kept: the ops that lead to it are executed once
 * more, for just these rows, patches and replaced functions included.
 */
#include "base/mem.h"
#include "engine/run_state.h"
#include "tensor/attention.h"
#include "tensor/simd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void derived_init(struct derived *d, const struct run *r)
{
    memset(d, 0, sizeof *d);
    d->run = r;
}

void derived_release(struct derived *d)
{
    for (int i = 0; i < d->n; i++)
        big_free(d->block[i].p, d->block[i].bytes);
    free(d->block);
}

static float *take(struct derived *d, size_t floats, struct err *err)
{
    size_t bytes;
    if (!size_mul(floats, sizeof(float), &bytes))
        bytes = (size_t) -1;
    float *p = big_alloc(bytes, "recomputing a value", err);
    if (!p)
        return NULL;
    VEC_ROOM(d->block, d->n, d->cap);
    d->block[d->n++] = (struct derived_block){p, bytes};
    return p;
}

static bool not_kept(const struct run *r, int value, struct err *err)
{
    return err_set(err, "%s was not kept in this run", r->program->value[value].name);
}

/* Keys that the stages of these queries need room for. */
static int keys_of(const struct run *r, int layer, int pos0, int rows)
{
    return run_seen(r, layer, pos0 + rows - 1);
}

/* The four stages and the mix of `rows` queries with n_key keys (pos0 + rows of them matter),
 * executed one by one up to op `last`. *out gets what the last one makes; the mix writes to
 * where *out points, unless that is NULL. */
static bool derive_staged(struct derived *d, int layer, int last, int pos0, int rows, int n_key,
                          float **out, struct err *err)
{
    const struct run *r = d->run;
    const struct program *p = r->program;
    int first = program_attention(p, layer, NULL);
    const float *q;
    if (!derive_rows(d, p->op[first].in[0], pos0, rows, &q, err))
        return false;
    size_t n_stage = (size_t) p->hp.n_head * (size_t) rows * (size_t) n_key;
    float *stage = take(d, n_stage, err), *z = *out;
    if (!stage)
        return false;
    *out = stage;
    for (int i = first; i <= last; i++) {
        const struct op *op = &p->op[i];
        struct op_call call = {.run = r, .op = op, .pos0 = pos0, .rows = rows, .n_key = n_key};
        call.in[0] = i == first ? q : stage;
        if (op->n_in > 1)
            call.in[1] = run_slot(r, op->in[1], 0);
        if (op->code == OP_MIX)
            *out = z ? z : take(d, program_width(p, op->out[0]) * (size_t) rows, err);
        if (!*out)
            return false;
        call.out[0] = *out;
        exec_op(r, &call);
    }
    return true;
}

static bool derive_z(struct derived *d, const struct op *mix, int pos0, int rows, float **out,
                     struct err *err)
{
    const struct run *r = d->run;
    const struct program *prog = r->program;
    if (patch_hooks(r, mix->layer))
        return derive_staged(d, mix->layer, (int) (mix - prog->op), pos0, rows,
                             keys_of(r, mix->layer, pos0, rows), out, err);
    const struct op *scores = &prog->op[program_attention(prog, mix->layer, NULL)];
    const float *q;
    if (!derive_rows(d, scores->in[0], pos0, rows, &q, err))
        return false;
    if (!*out)
        *out = take(d, program_width(prog, mix->out[0]) * (size_t) rows, err);
    float *lse = take(d, (size_t) rows * (size_t) prog->hp.n_head, err);
    if (!*out || !lse)
        return false;
    exec_fused(r, mix->layer, pos0, rows, q, *out, lse);
    return true;
}

bool derive_outputs(struct derived *d, const struct op *op, int pos0, int rows,
                    float *out[OP_MAX_OUT], struct err *err)
{
    const struct run *r = d->run;
    const struct program *prog = r->program;
    struct op_call call = {.run = r, .op = op, .pos0 = pos0, .rows = rows};
    if (op->code == OP_MIX)
        return derive_z(d, op, pos0, rows, &out[0], err);
    for (int i = 0; i < op->n_in; i++)
        if (prog->value[op->in[i]].life != LIFE_TOKENS &&
            !derive_rows(d, op->in[i], pos0, rows, &call.in[i], err))
            return false;
    if (!out[0]) /* a function in place of the op's own may count on it */
        out[0] = take(d, program_width(prog, op->out[0]) * (size_t) rows, err);
    if (op->code == OP_RESULT)
        call.work = take(d, program_width(prog, op->in[0]) * (size_t) rows, err);
    if (!out[0] || (op->code == OP_RESULT && !call.work))
        return false;
    for (int i = 0; i < op->n_out; i++)
        call.out[i] = out[i];
    exec_op(r, &call);
    return true;
}

bool derive_rows(struct derived *d, int value, int pos0, int rows, const float **p,
                 struct err *err)
{
    const struct run *r = d->run;
    float *held = run_slot(r, value, pos0);
    if (held || run_holds(r, value, pos0, rows, &held)) {
        *p = held;
        return true;
    }
    if (d->sweep && (*p = sweep_find(d->sweep, value, pos0, rows)))
        return true;
    const struct value *v = &r->program->value[value];
    if (r->lean && v->life == LIFE_KEPT)
        return not_kept(r, value, err);
    const struct op *op = &r->program->op[v->op];
    float *out[OP_MAX_OUT] = {NULL};
    for (int i = 1; i < op->n_out; i++)
        if (op->out[i] == value &&
            !(out[i] = take(d, program_width(r->program, value) * (size_t) rows, err)))
            return false;
    if (!derive_outputs(d, op, pos0, rows, out, err))
        return false;
    for (int i = 0; i < op->n_out; i++)
        if (op->out[i] == value)
            *p = out[i];
    return true;
}

/* --- viewports of scores and pattern --- */

struct viewport {
    const struct run *run;
    const struct op *scores;
    const struct region *region;
    const float *q;   /* of the first query of the region */
    const float *raw; /* the region's q . k, or NULL */
    float *out;
    enum opcode stage;
    int blocks; /* of queries, a head */
};
enum { VIEW_QUERIES = 64 };

/* Scores of one query with the region's keys, taken to the stage. */
static void viewport_row(const struct viewport *v, int head, int query, float *x)
{
    const struct run *r = v->run;
    const struct region *g = v->region;
    size_t n = (size_t) g->count[2];
    float hidden = v->stage == OP_SOFTMAX ? 0 : -INFINITY;
    int seen = query + 1 - g->first[2];
    seen = seen < 0 ? 0 : seen > g->count[2] ? g->count[2] : seen;
    simd_best()->scale(x, n, 1.0f / sqrtf((float) r->program->hp.d_head));
    if (v->stage == OP_SCALE)
        return;
    if (v->stage == OP_SOFTMAX)
        simd_best()->exp_sum(x, (size_t) seen, run_lse_at(r, v->scores->layer, query)[head]);
    for (int j = seen; j < g->count[2]; j++)
        x[j] = hidden;
}

/* A few queries of one head: scores of just these queries and keys, taken to the stage. */
static void viewport_block(void *arg, int index, float *scratch)
{
    const struct viewport *v = arg;
    const struct run *r = v->run;
    const struct hparams *hp = &r->program->hp;
    const struct region *g = v->region;
    int row0 = index % v->blocks * VIEW_QUERIES, h = index / v->blocks;
    int rows = g->count[1] - row0 < VIEW_QUERIES ? g->count[1] - row0 : VIEW_QUERIES;
    int head = g->first[0] + h, kv = head / (hp->n_head / hp->n_kv_head);
    size_t d = (size_t) hp->d_head, ldk = (size_t) hp->n_kv_head * d, n = (size_t) g->count[2];
    size_t ldq = (size_t) hp->n_head * d;
    size_t at = ((size_t) h * (size_t) g->count[1] + (size_t) row0) * n;
    const float *k = run_slot(r, v->scores->in[1], g->first[2]) + (size_t) kv * d;
    (void) scratch;
    if (v->raw)
        memcpy(v->out + at, v->raw + at, (size_t) rows * n * sizeof *v->out);
    else
        compute_gemm(r->compute, true, rows, g->count[2], hp->d_head, 1.0f,
                     v->q + (size_t) row0 * ldq + (size_t) head * d, ldq, k, ldk, 0.0f,
                     v->out + at, n);
    for (int i = 0; i < rows && v->stage != OP_SCORES; i++)
        viewport_row(v, head, g->first[1] + row0 + i, v->out + at + (size_t) i * n);
}

bool derive_viewport(const struct run *r, const struct op *op, const struct region *g,
                     const float *raw, float *out, struct err *err)
{
    int layer = op->layer;
    const struct op *scores = &r->program->op[program_attention(r->program, layer, NULL)];
    struct viewport v = {r, scores, g, NULL, raw, out, op->code, 0};
    v.q = run_slot(r, scores->in[0], g->first[1]);
    float *held = NULL;
    if (!v.q && run_holds(r, scores->in[0], g->first[1], g->count[1], &held))
        v.q = held;
    if (!v.q)
        return not_kept(r, op->out[0], err);
    v.blocks = (g->count[1] + VIEW_QUERIES - 1) / VIEW_QUERIES;
    compute_each(r->compute, g->count[0] * v.blocks, viewport_block, &v);
    return true;
}

/* With the stages executed one by one, a few queries at a time, whole rows. */
static bool derive_hooked(const struct run *r, const struct op *op, const struct region *g,
                          float *out, struct err *err)
{
    enum { BLOCK = 32 };
    int index = (int) (op - r->program->op);
    for (int begin = 0; begin < g->count[1]; begin += BLOCK) {
        int rows = g->count[1] - begin < BLOCK ? g->count[1] - begin : BLOCK;
        int pos0 = g->first[1] + begin, n_key = g->first[2] + g->count[2];
        struct derived d;
        float *stage = NULL;
        if (n_key < keys_of(r, op->layer, pos0, rows))
            n_key = keys_of(r, op->layer, pos0, rows);
        derived_init(&d, r);
        bool ok = derive_staged(&d, op->layer, index, pos0, rows, n_key, &stage, err);
        for (int h = 0; ok && h < g->count[0]; h++)
            for (int i = 0; i < rows; i++) {
                size_t to = (size_t) h * (size_t) g->count[1] + (size_t) (begin + i);
                size_t from = (size_t) (g->first[0] + h) * (size_t) rows + (size_t) i;
                memcpy(out + to * (size_t) g->count[2],
                       stage + from * (size_t) n_key + (size_t) g->first[2],
                       (size_t) g->count[2] * sizeof *out);
            }
        derived_release(&d);
        if (!ok)
            return false;
    }
    return true;
}

bool derive_stage(const struct run *r, int value, const struct region *g, float *out,
                  struct err *err)
{
    const struct op *op = &r->program->op[r->program->value[value].op];
    if (patch_hooks(r, op->layer))
        return derive_hooked(r, op, g, out, err);
    return derive_viewport(r, op, g, NULL, out, err);
}
