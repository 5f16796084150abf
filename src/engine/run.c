#include "engine/run.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "engine/run_state.h"
#include "tensor/attention.h"
#include "tensor/kernels.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_CHUNK = 512, DERIVE_ROWS = 256 };

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* --- making one --- */

static size_t slot_bytes(const struct run *r, int value)
{
    return (size_t) r->n_ctx * program_width(r->program, value) * sizeof(float);
}

static size_t lse_bytes(const struct run *r)
{
    const struct hparams *hp = &r->program->hp;
    return (size_t) hp->n_layer * (size_t) r->n_ctx * (size_t) hp->n_head * sizeof(float);
}

static bool make_slots(struct run *r, struct err *err)
{
    const struct program *p = r->program;
    r->kept = xcalloc((size_t) p->n_kept, sizeof *r->kept);
    r->cache = xcalloc((size_t) p->n_cache, sizeof *r->cache);
    for (int i = 0; i < p->n_values; i++) {
        const struct value *v = &p->value[i];
        if (v->same_as >= 0 || (v->life != LIFE_CACHE && (v->life != LIFE_KEPT || r->lean)))
            continue;
        float **slot = v->life == LIFE_CACHE ? &r->cache[v->slot] : &r->kept[v->slot];
        *slot = big_alloc(slot_bytes(r, i), "the context", err);
        if (!*slot)
            return err_add(err, "a context of %d tokens; use a smaller --ctx", r->n_ctx);
    }
    r->lse = big_alloc(lse_bytes(r), "the context", err);
    return r->lse != NULL;
}

static bool reserve_scratch(struct run *r, struct err *err)
{
    const struct hparams *hp = &r->program->hp;
    int rows = r->chunk > DERIVE_ROWS ? r->chunk : DERIVE_ROWS;
    struct attention_dims dims = {.n_head = hp->n_head,
                                  .n_kv_head = hp->n_kv_head,
                                  .d_head = hp->d_head,
                                  .n_query = min_int(rows, r->n_ctx)};
    size_t most = attention_scratch(&dims, r->n_ctx);
    for (int i = 0; i < r->program->n_ops; i++) {
        const struct op *op = &r->program->op[i];
        if (op->code != OP_LINEAR && op->code != OP_RESULT)
            continue;
        size_t n = matmul_scratch(model_matrix(r->model, op->weight, op->layer));
        if (n > most)
            most = n;
    }
    r->scratch_floats = most;
    return compute_reserve(r->compute, most, err);
}

struct run *run_new(const struct model *m, const struct program *p, struct compute *c,
                    const struct run_options *o, struct err *err)
{
    struct run *r = xcalloc(1, sizeof *r);
    r->model = m;
    r->program = p;
    r->compute = c;
    r->n_ctx = o->n_ctx > 0 ? o->n_ctx : min_int(p->hp.n_ctx, RUN_DEFAULT_CTX);
    r->chunk = min_int(o->chunk > 0 ? o->chunk : DEFAULT_CHUNK, r->n_ctx);
    r->staged = o->staged;
    r->lean = o->lean;
    r->replaced = xcalloc((size_t) p->n_ops, sizeof *r->replaced);
    r->replaced_user = xcalloc((size_t) p->n_ops, sizeof *r->replaced_user);
    r->function = xcalloc((size_t) p->n_ops, sizeof *r->function);
    r->number = xcalloc((size_t) p->n_ops, sizeof *r->number);
    r->stepped = xcalloc((size_t) p->hp.n_layer, sizeof *r->stepped);
    r->inv_freq = xcalloc((size_t) p->hp.rope_dim / 2 + 1, sizeof *r->inv_freq);
    if (p->hp.rope_dim > 0)
        rope_inv_freq(r->inv_freq, p->hp.rope_dim, (double) p->hp.rope_theta);
    if (p->hp.learned_pos && r->n_ctx > p->hp.n_ctx) {
        err_set(err, "this model has positions for %d tokens, not %d; use --ctx %d or less",
                p->hp.n_ctx, r->n_ctx, p->hp.n_ctx);
        run_free(r);
        return NULL;
    }
    r->tokens = big_alloc((size_t) r->n_ctx * sizeof *r->tokens, "the context", err);
    r->stamp = big_alloc((size_t) r->n_ctx * sizeof *r->stamp, "the context", err);
    r->pass_end = big_alloc((size_t) r->n_ctx * sizeof *r->pass_end, "the context", err);
    if (!r->tokens || !r->stamp || !r->pass_end || !make_slots(r, err) ||
        !reserve_scratch(r, err)) {
        run_free(r);
        return NULL;
    }
    return r;
}

void run_free(struct run *r)
{
    if (!r)
        return;
    const struct program *p = r->program;
    for (int i = 0; i < p->n_values; i++) {
        const struct value *v = &p->value[i];
        if (v->same_as < 0 && v->life == LIFE_CACHE && r->cache)
            big_free(r->cache[v->slot], slot_bytes(r, i));
        if (v->same_as < 0 && v->life == LIFE_KEPT && r->kept)
            big_free(r->kept[v->slot], slot_bytes(r, i));
    }
    big_free(r->lse, lse_bytes(r));
    big_free(r->arena, r->arena_floats * sizeof *r->arena);
    plan_release(&r->plan);
    for (int i = 0; i < r->n_patches; i++)
        free(r->patch[i].data);
    free(r->patch);
    free(r->kept);
    free(r->cache);
    big_free(r->tokens, (size_t) r->n_ctx * sizeof *r->tokens);
    big_free(r->stamp, (size_t) r->n_ctx * sizeof *r->stamp);
    big_free(r->pass_end, (size_t) r->n_ctx * sizeof *r->pass_end);
    free(r->replaced);
    free(r->replaced_user);
    free(r->function);
    free(r->number);
    free(r->stepped);
    free(r->inv_freq);
    free(r);
}

/* --- a pass --- */

static bool check_tokens(const struct run *r, const int32_t *ids, int n, struct err *err)
{
    int n_vocab = r->program->hp.n_vocab;
    if (n < 1 || n > r->chunk)
        return err_set(err, "a pass takes 1 to %d tokens, not %d", r->chunk, n);
    if (n > r->n_ctx - r->n_past)
        return err_set(err,
                       "the context of %d tokens is full: %d are there, %d more do not fit",
                       r->n_ctx, r->n_past, n);
    for (int i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= n_vocab)
            return err_set(err, "token id %d is not in the vocabulary of %d", (int) ids[i],
                           n_vocab);
    return true;
}

static bool any_hook(const struct run *r)
{
    for (int layer = 0; layer < r->program->hp.n_layer; layer++)
        if (patch_hooks(r, layer))
            return true;
    return false;
}

static bool make_arena(struct run *r, int n, struct err *err)
{
    plan_make(&r->plan, r, n, r->n_past + n, r->staged || any_hook(r));
    if (r->plan.floats <= r->arena_floats)
        return true;
    float *arena = big_alloc(r->plan.floats * sizeof *arena, "this pass", err);
    if (!arena)
        return err_add(err, "%d tokens at once; use a smaller --chunk", n);
    big_free(r->arena, r->arena_floats * sizeof *arena);
    r->arena = arena;
    r->arena_floats = r->plan.floats;
    return true;
}

bool run_begin(struct run *r, const int32_t *ids, int n, struct err *err)
{
    if (!check_tokens(r, ids, n, err))
        return false;
    run_truncate(r, r->n_past);
    if (!make_arena(r, n, err))
        return false;
    memcpy(r->tokens + r->n_past, ids, (size_t) n * sizeof *ids);
    for (int i = 0; i < n; i++) {
        r->stamp[r->n_past + i] = r->version;
        r->pass_end[r->n_past + i] = r->n_past + n;
    }
    r->n_new = n;
    r->held_pos = r->n_past;
    r->held_rows = n;
    memset(r->stepped, 0, (size_t) r->program->hp.n_layer * sizeof *r->stepped);
    return true;
}

/* Where an input or output of the pass's op lies, for positions from pos on. */
static float *pass_floats(const struct run *r, int value, int pos)
{
    float *p = run_slot(r, value, pos);
    if (p)
        return p;
    int begin = r->held_pos;
    if (r->program->op[r->program->value[value].op].last_row)
        begin += r->held_rows - 1;
    return r->arena + r->plan.offset[value] +
           (size_t) (pos - begin) * program_width(r->program, value);
}

static void execute(struct run *r, int index)
{
    const struct program *p = r->program;
    const struct op *op = &p->op[index];
    struct op_call call = {.run = r, .op = op, .pos0 = r->n_past, .rows = r->n_new};
    bool attention = op->code == OP_SCORES || op->code == OP_MIX;
    if (op->last_row) {
        call.pos0 += r->n_new - 1;
        call.rows = 1;
    }
    for (int i = 0; i < op->n_in; i++) {
        if (p->value[op->in[i]].life == LIFE_TOKENS)
            continue;
        bool stage = program_is_stage(p, op->in[i]);
        int pos = stage || !(attention && i == 1) ? call.pos0 : 0;
        call.in[i] = pass_floats(r, op->in[i], stage ? r->held_pos : pos);
    }
    call.out[0] = pass_floats(r, op->out[0], call.pos0);
    call.n_key = r->n_past + r->n_new;
    if (op->code == OP_SOFTMAX && op->layer >= 0)
        call.lse = run_lse_at(r, op->layer, r->n_past);
    exec_op(r, &call);
}

static void execute_attention(struct run *r, int index, int after)
{
    const struct op *scores = &r->program->op[index], *mix = &r->program->op[after - 1];
    exec_fused(r, scores->layer, r->n_past, r->n_new, pass_floats(r, scores->in[0], r->n_past),
               pass_floats(r, mix->out[0], r->n_past), run_lse_at(r, scores->layer, r->n_past));
}

/* Executes from pc on, not beyond `until` unless attention runs as one; `one`: stages one by
 * one. Attention that was stepped through stays so in this pass: going back and forth gives
 * exactly the same numbers. */
static void advance(struct run *r, int until, bool one)
{
    const struct op *op = &r->program->op[r->pc];
    int after = 0;
    if (op->code == OP_SCORES && !patch_hooks(r, op->layer)) {
        program_attention(r->program, op->layer, &after);
        r->stepped[op->layer] |= r->staged && (one || until < after);
        if (r->stepped[op->layer])
            after = 0;
    }
    if (after) {
        execute_attention(r, r->pc, after);
        r->pc = after;
    } else {
        execute(r, r->pc);
        r->pc++;
    }
    r->version++;
}

bool run_step(struct run *r)
{
    if (r->n_new == 0 || r->pc >= r->program->n_steps)
        return false;
    advance(r, r->pc + 1, true);
    return true;
}

void run_until(struct run *r, int op)
{
    if (op > r->program->n_steps)
        op = r->program->n_steps;
    while (r->n_new > 0 && r->pc < op)
        advance(r, op, false);
}

/* Latest op <= op before which everything needed is kept: a block's first, or the program's. */
static int restart_at(const struct run *r, int op)
{
    const struct program *p = r->program;
    int best = 0;
    for (int i = 0; i <= p->hp.n_layer && !r->lean; i++)
        if (p->block_begin[i] <= op)
            best = p->block_begin[i];
    return best;
}

/* The op itself, or the begin of the attention that has it inside and runs as one. */
static int before_attention(const struct run *r, int op)
{
    int after, layer = op < r->program->n_steps ? r->program->op[op].layer : -1;
    if (layer < 0 || r->staged || patch_hooks(r, layer))
        return op;
    int first = program_attention(r->program, layer, &after);
    return op > first && op < after ? first : op;
}

void run_rewind(struct run *r, int op)
{
    if (r->n_new == 0 || op < 0 || op > r->pc)
        return;
    op = before_attention(r, op);
    r->pc = restart_at(r, op);
    r->version++;
    run_until(r, op);
}

void run_commit(struct run *r)
{
    if (r->n_new == 0)
        return;
    run_until(r, r->program->n_steps);
    r->n_past += r->n_new;
    r->n_new = 0;
    r->version++;
}

/* Where a mask shows what comes later, a token falls with any that it has seen. */
static int whole_passes(const struct run *r, int n)
{
    while (n > 0 && r->pass_end[n - 1] > n)
        n--;
    return n;
}

void run_truncate(struct run *r, int n)
{
    if (n < 0)
        n = 0;
    if (n < r->n_past && run_looks_ahead(r, -1))
        n = whole_passes(r, n);
    if (n < r->n_past)
        r->n_past = n;
    for (int i = 0; i < r->n_patches; i++) /* what comes again comes with the patch */
        r->patch[i].from = min_int(r->patch[i].from, r->n_past);
    r->n_new = 0;
    r->held_rows = 0;
    r->pc = 0;
    r->version++;
}

bool run_feed(struct run *r, const int32_t *ids, int n, struct err *err)
{
    if (n > r->n_ctx - r->n_past)
        return err_set(err,
                       "the context of %d tokens is full: %d are there, %d more do not fit",
                       r->n_ctx, r->n_past, n);
    for (int i = 0; i < n;) {
        int count = min_int(n - i, r->chunk);
        if (interrupt_pending())
            return err_set(err, "stopped after %d of %d tokens", i, n);
        if (!run_begin(r, ids + i, count, err))
            return false;
        run_commit(r);
        i += count;
    }
    return true;
}

/* --- looking at it --- */

const struct model *run_model(const struct run *r)
{
    return r->model;
}

const struct program *run_program(const struct run *r)
{
    return r->program;
}

struct compute *run_compute(const struct run *r)
{
    return r->compute;
}

int run_pc(const struct run *r)
{
    return r->pc;
}

bool run_in_pass(const struct run *r)
{
    return r->n_new > 0;
}

int run_n_past(const struct run *r)
{
    return r->n_past;
}

int run_n_new(const struct run *r)
{
    return r->n_new;
}

int run_n_ctx(const struct run *r)
{
    return r->n_ctx;
}

int run_chunk(const struct run *r)
{
    return r->chunk;
}

const int32_t *run_tokens(const struct run *r)
{
    return r->tokens;
}

uint64_t run_version(const struct run *r)
{
    return r->version;
}

uint64_t run_stamp(const struct run *r, int pos)
{
    return pos >= 0 && pos < r->n_past + r->n_new ? r->stamp[pos] : 0;
}

void run_memory(const struct run *r, struct run_memory *m)
{
    const struct program *p = r->program;
    size_t n = (size_t) (r->n_past + r->n_new);
    memset(m, 0, sizeof *m);
    for (int i = 0; i < p->n_values; i++) {
        const struct value *v = &p->value[i];
        size_t bytes = n * program_width(p, i) * sizeof(float);
        if (v->same_as >= 0)
            continue;
        if (v->life == LIFE_CACHE)
            m->cache += bytes;
        else if (v->life == LIFE_KEPT && !r->lean)
            m->kept += bytes;
    }
    m->kept += n * (size_t) p->hp.n_layer * (size_t) p->hp.n_head * sizeof(float);
    m->arena = r->arena_floats * sizeof(float);
    m->scratch = r->scratch_floats * (size_t) compute_threads(r->compute) * sizeof(float);
}
