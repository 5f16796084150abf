#include "base/mem.h"
#include "engine/run_state.h"

#include <math.h>
#include <string.h>

float *run_slot(const struct run *r, int value, int pos)
{
    const struct value *v = &r->program->value[value];
    size_t at = (size_t) pos * program_width(r->program, value);
    if (v->life == LIFE_CACHE)
        return r->cache[v->slot] + at;
    if (v->life == LIFE_KEPT && !r->lean)
        return r->kept[v->slot] + at;
    return NULL;
}

float *run_lse_at(const struct run *r, int layer, int pos)
{
    size_t at = (size_t) layer * (size_t) r->n_ctx + (size_t) pos;
    return r->lse + at * (size_t) r->program->hp.n_head;
}

bool run_holds(const struct run *r, int value, int pos0, int rows, float **p)
{
    const struct value *v = &r->program->value[value];
    if (r->held_rows == 0 || !r->plan.offset || r->plan.offset[value] == SIZE_MAX)
        return false;
    if (program_is_stage(r->program, value) || r->pc <= v->op || r->pc >= r->plan.dead[value])
        return false;
    bool last = r->program->op[v->op].last_row;
    int begin = last ? r->held_pos + r->held_rows - 1 : r->held_pos;
    if (pos0 < begin || pos0 + rows > r->held_pos + r->held_rows)
        return false;
    *p = r->arena + r->plan.offset[value] +
         (size_t) (pos0 - begin) * program_width(r->program, value);
    return true;
}

int run_ready(const struct run *r, int value)
{
    const struct program *p = r->program;
    const struct value *v = &p->value[program_resolve(p, value)];
    int op = v->op;
    if (op >= p->n_steps)
        op = p->value[p->op[op].in[0]].op;
    return r->n_past + (r->pc > op || v->life == LIFE_TOKENS ? r->n_new : 0);
}

int run_shape(const struct run *r, int value, int shape[3])
{
    const struct value *v = &r->program->value[value];
    int ready = run_ready(r, value);
    shape[0] = shape[1] = shape[2] = 1;
    for (int i = 0; i < v->n_axis; i++)
        shape[i] = program_axis(r->program, v->axis[i], ready);
    return v->n_axis;
}

bool run_region(const struct run *r, int value, const struct region *want, struct region *g,
                struct err *err)
{
    int shape[3], n = run_shape(r, value, shape);
    const struct value *v = &r->program->value[value];
    for (int i = 0; i < 3; i++) {
        g->first[i] = want && i < n ? want->first[i] : 0;
        g->count[i] = want && i < n ? want->count[i] : shape[i];
        if (g->first[i] < 0 || g->count[i] < 0 || g->first[i] > shape[i] - g->count[i])
            return err_set(err, "%s has %d along axis %s, not %d..%lld%s", v->name, shape[i],
                           axis_name(v->axis[i]), g->first[i],
                           (long long) g->first[i] + g->count[i] - 1,
                           v->axis[i] == AXIS_POS || v->axis[i] == AXIS_KEY ? " yet" : "");
    }
    return true;
}

void run_copy_part(float *out, const float *rows, int n, const int shape[3],
                   const struct region *g)
{
    size_t width = (size_t) shape[1] * (size_t) shape[2], count = (size_t) g->count[2];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < g->count[1]; j++) {
            size_t at = (size_t) (g->first[1] + j) * (size_t) shape[2] + (size_t) g->first[2];
            memcpy(out, rows + (size_t) i * width + at, count * sizeof *out);
            out += count;
        }
}

int run_block_rows(const struct run *r, int value)
{
    size_t widest = program_width(r->program, value);
    size_t mlp = (size_t) r->program->hp.d_mlp;
    if (widest < mlp)
        widest = mlp;
    size_t rows = ((size_t) 4 << 20) / widest;
    return rows < 1 ? 1 : rows > 256 ? 256 : (int) rows;
}

static bool read_rows(const struct run *r, int value, const struct region *g, float *out,
                      struct err *err)
{
    int shape[3], block = run_block_rows(r, value);
    run_shape(r, value, shape);
    size_t part = (size_t) g->count[1] * (size_t) g->count[2];
    for (int i = 0; i < g->count[0]; i += block) {
        int rows = g->count[0] - i < block ? g->count[0] - i : block;
        struct derived d;
        const float *p;
        derived_init(&d, r);
        bool ok = derive_rows(&d, value, g->first[0] + i, rows, &p, err);
        if (ok)
            run_copy_part(out + (size_t) i * part, p, rows, shape, g);
        derived_release(&d);
        if (!ok)
            return false;
    }
    return true;
}

bool run_read(const struct run *r, int value, const struct region *region, float *out,
              struct err *err)
{
    struct region g;
    if (!run_region(r, value, region, &g, err))
        return false;
    if (g.count[0] == 0 || g.count[1] == 0 || g.count[2] == 0)
        return true;
    value = program_resolve(r->program, value);
    if (r->program->value[value].life == LIFE_TOKENS) {
        for (int i = 0; i < g.count[0]; i++)
            out[i] = (float) r->tokens[g.first[0] + i];
        return true;
    }
    if (program_is_stage(r->program, value))
        return derive_stage(r, value, &g, out, err);
    return read_rows(r, value, &g, out, err);
}

float run_lse(const struct run *r, int layer, int head, int query)
{
    return run_lse_at(r, layer, query)[head];
}
