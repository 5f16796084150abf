/* Attention edges that are knocked out: a score of -inf, which the softmax gives no weight. A
 * query must keep one key at least, for a row without any has no softmax. */
#include "engine/run_state.h"

#include <math.h>

static bool reaches(const struct patch *p, const int cell[3])
{
    const struct region *g = &p->region;

    for (int i = 0; i < 3; i++)
        if (cell[i] < g->first[i] || (g->count[i] >= 0 && cell[i] >= g->first[i] + g->count[i]))
            return false;
    return true;
}

/* Whether a score is out after the patch, when it was as `out` says before. */
static bool out_after(const struct patch *p, const int cell[3], bool out)
{
    long at = 0;

    if (!reaches(p, cell) || p->kind == PATCH_SCALE || p->kind == PATCH_ADD ||
        p->kind == PATCH_REPLACE)
        return out;
    if (p->kind == PATCH_SET && p->data && (at = patch_data_at(p, cell, 1)) < 0)
        return out;
    return p->kind == PATCH_SET && (p->data ? p->data[at] : p->factor) == -INFINITY;
}

static bool out(const struct run *r, const struct patch *extra, int layer, const int cell[3])
{
    const struct program *p = r->program;
    int after, first = program_attention(p, layer, &after);
    bool is = false;

    for (int op = first; op < after && p->op[op].code != OP_SOFTMAX; op++) {
        int value = p->op[op].out[0];
        for (int i = 0; i < r->n_patches; i++)
            if (r->patch[i].value == value)
                is = out_after(&r->patch[i], cell, is);
        if (extra->value == value)
            is = out_after(extra, cell, is);
    }
    return is;
}

static bool sets_out(const struct patch *p)
{
    for (size_t i = 0; p->data && i < p->n_data; i++)
        if (p->data[i] == -INFINITY)
            return true;
    return !p->data && p->factor == -INFINITY;
}

static int region_end(const struct region *g, int axis, int length)
{
    return g->count[axis] < 0 ? length : g->first[axis] + g->count[axis];
}

bool patch_leaves_keys(const struct run *r, const struct patch *p, struct err *err)
{
    const struct program *prog = r->program;
    const struct value *v = &prog->value[p->value];
    const struct region *g = &p->region;
    int cell[3];

    if (p->kind != PATCH_SET || !program_is_stage(prog, p->value) ||
        prog->op[v->op].code == OP_SOFTMAX || !sets_out(p))
        return true;
    for (cell[0] = g->first[0]; cell[0] < region_end(g, 0, prog->hp.n_head); cell[0]++)
        for (cell[1] = g->first[1]; cell[1] < region_end(g, 1, r->n_ctx); cell[1]++) {
            cell[2] = 0;
            while (cell[2] <= cell[1] && out(r, p, v->layer, cell))
                cell[2]++;
            if (cell[2] > cell[1])
                return err_set(err,
                               "query %d of L%d.H%d would have no key left to look at: one of "
                               "keys 0 to %d must stay",
                               cell[1], v->layer, cell[0], cell[1]);
        }
    return true;
}
