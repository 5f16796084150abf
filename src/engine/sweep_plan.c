#include "engine/sweep_plan.h"

#include "base/mem.h"
#include "engine/run_state.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 512, TILE = 64 };

void sweep_plan_init(struct sweep_plan *p, const struct run *r)
{
    const struct program *prog = r->program;
    *p = (struct sweep_plan){.run = r};
    p->value = xcalloc((size_t) prog->n_values, sizeof *p->value);
    p->time = xcalloc((size_t) prog->n_ops, sizeof *p->time);
    p->executed = xcalloc((size_t) prog->n_ops, sizeof *p->executed);
}

void sweep_plan_release(struct sweep_plan *p)
{
    free(p->value);
    free(p->time);
    free(p->executed);
    *p = (struct sweep_plan){0};
}

void sweep_plan_want(struct sweep_plan *p, int value)
{
    p->value[value].reads++;
    p->value[value].order = p->n_wants++;
    p->made = false;
}

int sweep_plan_inputs(const struct program *p, const struct op *op, int in[OP_MAX_IN])
{
    int n = 0;
    if (op->code == OP_MIX) {
        in[0] = p->op[program_attention(p, op->layer, NULL)].in[0];
        return 1;
    }
    for (int i = 0; i < op->n_in; i++)
        if (p->value[op->in[i]].life != LIFE_TOKENS)
            in[n++] = op->in[i];
    return n;
}

bool sweep_plan_by_piece(const struct op *op)
{
    return op->code == OP_RESULT || (op->code == OP_SOFTMAX && op->layer < 0);
}

/* Not remembered by a sweep: kept by the run, or a stage, which has its own way. */
static bool apart(const struct run *r, int value)
{
    const struct value *v = &r->program->value[value];
    return v->same_as >= 0 || v->life == LIFE_TOKENS || v->life == LIFE_CACHE ||
           (v->life == LIFE_KEPT && !r->lean) || program_is_stage(r->program, value);
}

static void list_uses(struct sweep_plan *p)
{
    const struct program *prog = p->run->program;
    for (int i = 0; i < prog->n_values; i++)
        p->value[i].n_uses = 0;
    for (int i = 0; i < prog->n_ops; i++) {
        int in[OP_MAX_IN], n = sweep_plan_inputs(prog, &prog->op[i], in);
        for (int k = 0; k < n; k++) {
            struct sweep_value *v = &p->value[in[k]];
            if (!apart(p->run, in[k]) && v->n_uses < SWEEP_USES)
                v->use[v->n_uses++] = i;
        }
    }
}

/* Readers come after what they read, so going backwards each reader's time is known. */
static void set_times(struct sweep_plan *p)
{
    const struct program *prog = p->run->program;
    for (int i = prog->n_ops - 1; i >= 0; i--) {
        const struct op *op = &prog->op[i];
        p->time[i] = INT_MAX;
        for (int k = 0; k < op->n_out; k++) {
            struct sweep_value *v = &p->value[op->out[k]];
            v->needed = 0;
            if (apart(p->run, op->out[k]))
                continue;
            if (v->reads && v->order < p->time[i])
                p->time[i] = v->order;
            for (int u = 0; u < v->n_uses; u++) {
                int time = p->time[v->use[u]];
                v->needed |= (uint32_t) (time < INT_MAX) << u;
                p->time[i] = time < p->time[i] ? time : p->time[i];
            }
        }
    }
}

/* When a value is let go: after its last reader. */
static int last_time(const struct sweep_plan *p, const struct sweep_value *v)
{
    int last = v->reads ? v->order : -1;
    for (int u = 0; u < v->n_uses; u++)
        if (v->needed >> u & 1 && p->time[v->use[u]] > last)
            last = p->time[v->use[u]];
    return last;
}

static bool after_blocks(const struct program *p, int value)
{
    int op = p->value[value].op;
    return op >= 0 && p->op[op].last_row;
}

/* Floats a position that are remembered at once for the values of `value`'s block, or behind
 * the blocks. What an op makes a piece at a time is not. */
static size_t most_alive(const struct sweep_plan *p, int layer, bool after)
{
    const struct program *prog = p->run->program;
    size_t most = 0;
    for (int at = 0; at < prog->n_ops; at++) {
        size_t alive = 0;
        if (p->time[at] == INT_MAX || prog->op[at].layer != layer ||
            prog->op[at].last_row != after)
            continue;
        for (int i = 0; i < prog->n_values; i++) {
            const struct sweep_value *v = &p->value[i];
            int op = prog->value[i].op;
            if (apart(p->run, i) || (!v->needed && !v->reads) ||
                prog->value[i].layer != layer || after_blocks(prog, i) != after)
                continue;
            if (p->time[op] <= p->time[at] && last_time(p, v) >= p->time[at] &&
                !sweep_plan_by_piece(&prog->op[op]))
                alive += program_width(prog, i);
        }
        most = alive > most ? alive : most;
    }
    return most;
}

/* Chunks of equal size, of whole tiles of the attention kernel. */
static int chunk_rows(size_t floats, size_t alive, int n_pos)
{
    size_t fit = alive ? floats / alive : MOST_ROWS;
    int rows = fit < 1 ? TILE : fit > MOST_ROWS ? MOST_ROWS : (int) fit;
    if (n_pos < 1 || rows >= n_pos)
        return rows;
    int n = (n_pos + rows - 1) / rows, even = (n_pos + n - 1) / n;
    int tiled = (even + TILE - 1) / TILE * TILE;
    return tiled <= rows ? tiled : even;
}

void sweep_plan_make(struct sweep_plan *p, size_t floats)
{
    const struct program *prog = p->run->program;
    int n_pos = p->run->n_past + p->run->n_new;
    if (p->made)
        return;
    list_uses(p);
    set_times(p);
    size_t most = most_alive(p, -1, false);
    for (int layer = 0; layer < prog->hp.n_layer; layer++) {
        size_t alive = most_alive(p, layer, false);
        most = alive > most ? alive : most;
    }
    int inside = chunk_rows(floats, most, n_pos);
    int after = chunk_rows(floats, most_alive(p, -1, true), n_pos);
    for (int i = 0; i < prog->n_values; i++)
        p->value[i].rows = after_blocks(prog, i) ? after : inside;
    p->made = true;
}

int sweep_plan_rows(struct sweep_plan *p, int value, size_t floats)
{
    sweep_plan_make(p, floats);
    return p->value[value].rows;
}

bool sweep_plan_later_stage(const struct sweep_plan *p, int value)
{
    const struct program *prog = p->run->program;
    int first = program_attention(prog, prog->value[value].layer, NULL);
    for (int i = first; prog->op[i].code != OP_MIX; i++) {
        const struct sweep_value *v = &p->value[prog->op[i].out[0]];
        if (v->reads && v->order > p->value[value].order)
            return true;
    }
    return false;
}
