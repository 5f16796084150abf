#include "engine/sweep.h"

#include "base/mem.h"
#include "engine/run_state.h"
#include "engine/sweep_plan.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/*
 * Rows that are remembered, in the order of their places in the arena:
 *
 *     arena  |seg 0|  free  |  seg 1  |seg 2|   free   |
 */
struct seg {
    int value, chunk, rows;
    size_t at, floats;
    uint32_t pending; /* bit i: the value's i-th reader among the ops has not run */
    int reads;        /* times that the value itself is still to be read */
};

struct sweep {
    const struct run *run;
    uint64_t version; /* of the run, when what is remembered was made */
    struct sweep_plan plan;
    int now; /* the time of the last read: its place in the order of reading */

    float *arena;
    size_t arena_floats;
    struct seg *seg;
    int n_segs, cap_segs;

    float *raw; /* the last scores_raw that was read, for the stages after it */
    struct region raw_region;
    int raw_layer; /* -1: none */

    float *block;     /* what a view cannot point at elsewhere */
    struct derived d; /* of the last view */
};

struct sweep *sweep_new(const struct run *r, size_t budget, struct err *err)
{
    struct sweep *s = xcalloc(1, sizeof *s);
    s->run = r;
    s->raw_layer = -1;
    s->arena_floats = budget / sizeof *s->arena;
    sweep_plan_init(&s->plan, r);
    derived_init(&s->d, r);
    s->arena = big_alloc(s->arena_floats * sizeof *s->arena, "reading values", err);
    s->block = big_alloc(SWEEP_BLOCK * sizeof *s->block, "reading values", err);
    s->raw = big_alloc(SWEEP_BLOCK * sizeof *s->raw, "reading values", err);
    if (s->arena && s->block && s->raw)
        return s;
    sweep_free(s);
    return NULL;
}

void sweep_free(struct sweep *s)
{
    if (!s)
        return;
    derived_release(&s->d);
    sweep_plan_release(&s->plan);
    big_free(s->arena, s->arena_floats * sizeof *s->arena);
    big_free(s->block, SWEEP_BLOCK * sizeof *s->block);
    big_free(s->raw, SWEEP_BLOCK * sizeof *s->raw);
    free(s->seg);
    free(s);
}

static void forget_rows(struct sweep *s)
{
    s->n_segs = 0;
    s->raw_layer = -1;
    s->now = 0;
}

void sweep_want(struct sweep *s, int value)
{
    sweep_plan_want(&s->plan, program_resolve(s->run->program, value));
    forget_rows(s); /* chunks may become smaller */
}

void sweep_forget(struct sweep *s)
{
    sweep_plan_release(&s->plan);
    sweep_plan_init(&s->plan, s->run);
    forget_rows(s);
}

/* --- chunks --- */

int sweep_rows(struct sweep *s, int value)
{
    return sweep_plan_rows(&s->plan, program_resolve(s->run->program, value), s->arena_floats);
}

/* Positions of a value's chunk; returns how many, 0 behind the end. */
static int chunk_span(struct sweep *s, int value, int chunk, int *pos0)
{
    int size = sweep_rows(s, value), ready = run_ready(s->run, value);
    if (chunk > ready / size)
        return 0;
    *pos0 = chunk * size;
    return ready - *pos0 < size ? ready - *pos0 : size;
}

static struct seg *find_seg(const struct sweep *s, int value, int chunk)
{
    for (int i = 0; i < s->n_segs; i++)
        if (s->seg[i].value == value && s->seg[i].chunk == chunk)
            return &s->seg[i];
    return NULL;
}

const float *sweep_find(const struct sweep *s, int value, int pos0, int rows)
{
    int size = s->plan.made ? s->plan.value[value].rows : 0;
    const struct seg *seg = size ? find_seg(s, value, pos0 / size) : NULL;
    int begin = size ? pos0 % size : 0;
    if (!seg || begin + rows > seg->rows)
        return NULL;
    return s->arena + seg->at + (size_t) begin * program_width(s->run->program, value);
}

static bool in_memory(const struct sweep *s, int value, int pos0, int rows)
{
    float *p;
    return run_slot(s->run, value, pos0) || run_holds(s->run, value, pos0, rows, &p) ||
           sweep_find(s, value, pos0, rows);
}

/* --- places --- */

static void drop_seg(struct sweep *s, int i)
{
    s->n_segs--;
    memmove(s->seg + i, s->seg + i + 1, (size_t) (s->n_segs - i) * sizeof *s->seg);
}

/* Lets go of what nobody waits for any more. Not while a view points at it: at the next call.
 */
static void collect(struct sweep *s)
{
    for (int i = s->n_segs - 1; i >= 0; i--)
        if (!s->seg[i].pending && !s->seg[i].reads)
            drop_seg(s, i);
}

/* When a segment is needed next; INT_MAX: no more, as far as one can see. */
static int next_use(const struct sweep *s, const struct seg *seg)
{
    const struct sweep_value *v = &s->plan.value[seg->value];
    int next = seg->reads ? v->order : INT_MAX;
    for (int i = 0; i < v->n_uses; i++) {
        int time = s->plan.time[v->use[i]];
        if (seg->pending >> i & 1 && time < next)
            next = time;
    }
    return next < s->now ? INT_MAX : next;
}

/* First gap that is wide enough: an index into seg, or -1. */
static int find_gap(const struct sweep *s, size_t floats, size_t *at)
{
    *at = 0;
    for (int i = 0; i < s->n_segs; i++) {
        if (s->seg[i].at - *at >= floats)
            return i;
        *at = s->seg[i].at + s->seg[i].floats;
    }
    return s->arena_floats - *at >= floats ? s->n_segs : -1;
}

/* Drops what is needed last, if that is later than `time`. */
static bool make_room(struct sweep *s, int time)
{
    int last = -1, when = time;
    for (int i = 0; i < s->n_segs; i++) {
        int next = next_use(s, &s->seg[i]);
        if (next > when) {
            last = i;
            when = next;
        }
    }
    if (last >= 0)
        drop_seg(s, last);
    return last >= 0;
}

/* Room for a chunk of a value that somebody will need; NULL when there is none. */
static float *add_seg(struct sweep *s, int value, int chunk, int rows)
{
    const struct sweep_value *v = &s->plan.value[value];
    struct seg seg = {.value = value, .chunk = chunk, .rows = rows, .pending = v->needed};
    seg.reads = v->reads;
    seg.floats = (program_width(s->run->program, value) * (size_t) rows + 15) / 16 * 16;
    if (seg.floats > s->arena_floats)
        return NULL;
    int at = find_gap(s, seg.floats, &seg.at);
    while (at < 0 && make_room(s, next_use(s, &seg)))
        at = find_gap(s, seg.floats, &seg.at);
    if (at < 0)
        return NULL;
    VEC_ROOM(s->seg, s->n_segs, s->cap_segs);
    memmove(s->seg + at + 1, s->seg + at, (size_t) (s->n_segs - at) * sizeof *s->seg);
    s->seg[at] = seg;
    s->n_segs++;
    return s->arena + seg.at;
}

/* --- executing --- */

/* An op has run for all of a chunk, and what it made is either remembered or read. */
static void op_done(struct sweep *s, const struct op *op, int chunk)
{
    int index = (int) (op - s->run->program->op), in[OP_MAX_IN], n;
    n = sweep_plan_inputs(s->run->program, op, in);
    for (int i = 0; i < n; i++) {
        const struct sweep_value *v = &s->plan.value[in[i]];
        struct seg *seg = find_seg(s, in[i], chunk);
        for (int k = 0; seg && k < v->n_uses; k++)
            if (v->use[k] == index)
                seg->pending &= ~(UINT32_C(1) << k);
    }
}

static bool make_rows(struct sweep *s, int value, int chunk, struct err *err);

static bool make_inputs(struct sweep *s, const struct op *op, int chunk, struct err *err)
{
    int in[OP_MAX_IN], n = sweep_plan_inputs(s->run->program, op, in);
    for (int i = 0; i < n; i++)
        if (!make_rows(s, in[i], chunk, err))
            return false;
    return true;
}

static bool execute(struct sweep *s, const struct op *op, int pos0, int rows,
                    float *out[OP_MAX_OUT], struct err *err)
{
    s->plan.executed[op - s->run->program->op] += rows;
    return derive_outputs(&s->d, op, pos0, rows, out, err);
}

/* Room for those outputs of an op that somebody will need; false when not for all of them. */
static bool add_outputs(struct sweep *s, const struct op *op, int chunk, int pos0, int rows,
                        float *out[OP_MAX_OUT])
{
    bool all = true;
    for (int i = 0; i < op->n_out; i++) {
        const struct sweep_value *v = &s->plan.value[op->out[i]];
        if ((!v->needed && !v->reads) || in_memory(s, op->out[i], pos0, rows))
            continue;
        out[i] = add_seg(s, op->out[i], chunk, rows);
        all = all && out[i];
    }
    for (int i = 0; i < op->n_out; i++) { /* one may have had to go for a later one */
        const struct seg *seg = out[i] ? find_seg(s, op->out[i], chunk) : NULL;
        if (out[i] && (!seg || s->arena + seg->at != out[i])) {
            out[i] = NULL;
            all = false;
        }
    }
    return all;
}

/* Remembers a chunk of a value, and of what else its op makes that will be read, where there is
 * room; where there is none, whoever needs it derives it. */
static bool make_rows(struct sweep *s, int value, int chunk, struct err *err)
{
    const struct run *r = s->run;
    const struct op *op = &r->program->op[r->program->value[value].op];
    float *out[OP_MAX_OUT] = {NULL};
    int pos0 = 0, rows = chunk_span(s, value, chunk, &pos0);
    if (rows == 0 || in_memory(s, value, pos0, rows))
        return true;
    if (!make_inputs(s, op, chunk, err))
        return false;
    bool all = add_outputs(s, op, chunk, pos0, rows, out), any = false;
    for (int i = 0; i < op->n_out; i++)
        any = any || out[i];
    if (!any)
        return true;
    if (!execute(s, op, pos0, rows, out, err)) {
        forget_rows(s); /* places were given to what was not made */
        return false;
    }
    if (all)
        op_done(s, op, chunk);
    return true;
}

/* --- views --- */

/* The run may have moved on, and reading begins again at the front for another chunk. */
static void begin_view(struct sweep *s, int value, int chunk)
{
    derived_release(&s->d);
    derived_init(&s->d, s->run);
    s->d.sweep = s;
    sweep_plan_make(&s->plan, s->arena_floats);
    if (s->version != run_version(s->run))
        forget_rows(s);
    s->version = run_version(s->run);
    collect(s);
    bool timed = s->plan.value[value].reads && !run_slot(s->run, value, 0) &&
                 !program_is_stage(s->run->program, value);
    int order = timed ? s->plan.value[value].order : s->now;
    for (int i = s->n_segs - 1; i >= 0 && order < s->now; i--)
        if (s->seg[i].chunk < chunk)
            drop_seg(s, i);
    s->now = order;
}

static bool is_whole(const struct run *r, int value, const struct region *g)
{
    int shape[3];
    run_shape(r, value, shape);
    return g->count[1] == shape[1] && g->count[2] == shape[2];
}

/* Rows of a value within one chunk, wherever they lie. */
static bool view_rows(struct sweep *s, int value, int chunk, const struct region *g,
                      const float **p, struct err *err)
{
    const struct run *r = s->run;
    const struct op *op = &r->program->op[r->program->value[value].op];
    int pos0 = g->first[0], rows = g->count[0];
    size_t floats = program_width(r->program, value) * (size_t) rows;
    if (!in_memory(s, value, pos0, rows) && sweep_plan_by_piece(op) && floats <= SWEEP_BLOCK &&
        is_whole(r, value, g)) {
        float *out[OP_MAX_OUT] = {s->block};
        *p = s->block;
        return make_inputs(s, op, chunk, err) && execute(s, op, pos0, rows, out, err);
    }
    return (sweep_plan_by_piece(op) ? make_inputs(s, op, chunk, err)
                                    : make_rows(s, value, chunk, err)) &&
           derive_rows(&s->d, value, pos0, rows, p, err);
}

/* Notes that a chunk was read to its end. */
static void end_view(struct sweep *s, int value, int chunk, int end)
{
    const struct program *p = s->run->program;
    const struct op *op = &p->op[p->value[value].op];
    struct seg *seg = find_seg(s, value, chunk);
    int pos0 = 0, rows = chunk_span(s, value, chunk, &pos0);
    if (end < pos0 + rows)
        return;
    if (seg && seg->reads)
        seg->reads--;
    if (sweep_plan_by_piece(op))
        op_done(s, op, chunk);
}

static bool view_tokens(struct sweep *s, const struct region *g, const float **p)
{
    for (int i = 0; i < g->count[0]; i++)
        s->block[i] = (float) s->run->tokens[g->first[0] + i];
    *p = s->block;
    return true;
}

static bool same_region(const struct region *a, const struct region *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* The four stages of a region, read one after the other, share q . k. */
static bool view_stage(struct sweep *s, int value, const struct region *g, const float **p,
                       struct err *err)
{
    const struct program *prog = s->run->program;
    const struct op *op = &prog->op[prog->value[value].op];
    *p = s->block;
    if (patch_hooks(s->run, op->layer))
        return derive_stage(s->run, value, g, s->block, err);
    const struct op *scores = &prog->op[program_attention(prog, op->layer, NULL)];
    bool known = s->raw_layer == op->layer && same_region(&s->raw_region, g);
    if (!known && sweep_plan_later_stage(&s->plan, value)) {
        s->raw_layer = -1;
        if (!derive_viewport(s->run, scores, g, NULL, s->raw, err))
            return false;
        s->raw_layer = op->layer;
        s->raw_region = *g;
        known = true;
    }
    if (known && op == scores) {
        *p = s->raw;
        return true;
    }
    return derive_viewport(s->run, op, g, known ? s->raw : NULL, s->block, err);
}

bool sweep_view(struct sweep *s, int value, const struct region *region, const float **p,
                struct err *err)
{
    const struct program *prog = s->run->program;
    struct region g;
    int shape[3];
    if (!run_region(s->run, value, region, &g, err))
        return false;
    size_t floats = (size_t) g.count[0] * (size_t) g.count[1] * (size_t) g.count[2];
    value = program_resolve(prog, value);
    *p = s->block;
    if (floats == 0)
        return true;
    if (floats > SWEEP_BLOCK)
        return err_set(err, "%s: %zu numbers are too many for a view", prog->value[value].name,
                       floats);
    bool stage = program_is_stage(prog, value);
    int size = stage ? INT_MAX : sweep_rows(s, value), chunk = g.first[0] / size;
    begin_view(s, value, chunk);
    if (prog->value[value].life == LIFE_TOKENS)
        return view_tokens(s, &g, p);
    if (stage)
        return view_stage(s, value, &g, p, err);
    if (g.first[0] + g.count[0] > (chunk + 1) * size)
        return err_set(err, "%s: a view reaches over a chunk", prog->value[value].name);
    if (!view_rows(s, value, chunk, &g, p, err))
        return false;
    if (!is_whole(s->run, value, &g)) {
        run_shape(s->run, value, shape);
        run_copy_part(s->block, *p, g.count[0], shape, &g);
        *p = s->block;
    }
    end_view(s, value, chunk, g.first[0] + g.count[0]);
    return true;
}

/* --- copies --- */

/* The positions from g->first[0] + done on that one view can give. */
static int view_count(struct sweep *s, int value, const struct region *g, int done)
{
    size_t part = (size_t) g->count[1] * (size_t) g->count[2];
    int size = sweep_rows(s, value), pos = g->first[0] + done;
    int rows = size - pos % size, fit = part > SWEEP_BLOCK ? 1 : (int) (SWEEP_BLOCK / part);
    rows = rows < fit ? rows : fit;
    return rows < g->count[0] - done ? rows : g->count[0] - done;
}

bool sweep_read(struct sweep *s, int value, const struct region *region, float *out,
                struct err *err)
{
    struct region g;
    if (!run_region(s->run, value, region, &g, err))
        return false;
    int resolved = program_resolve(s->run->program, value);
    size_t part = (size_t) g.count[1] * (size_t) g.count[2];
    if (g.count[0] == 0 || part == 0)
        return true;
    if (program_is_stage(s->run->program, resolved) || part > SWEEP_BLOCK)
        return run_read(s->run, value, &g, out, err);
    for (int done = 0; done < g.count[0];) {
        struct region piece = g;
        const float *p;
        piece.first[0] = g.first[0] + done;
        piece.count[0] = view_count(s, resolved, &g, done);
        if (!sweep_view(s, value, &piece, &p, err))
            return false;
        memcpy(out + (size_t) done * part, p, (size_t) piece.count[0] * part * sizeof *out);
        done += piece.count[0];
    }
    return true;
}

long sweep_executed(const struct sweep *s, int op)
{
    return s->plan.executed[op];
}
