#include "base/mem.h"
#include "engine/run_state.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 16 /* floats: a cache line */

/* Floats of a value in this pass; 0: it does not live in the arena. */
static size_t value_floats(const struct run *r, int i, int rows, int n_key, bool staged)
{
    const struct program *p = r->program;
    const struct value *v = &p->value[i];
    bool arena = v->life == LIFE_PASS || (r->lean && v->life == LIFE_KEPT);
    if (!arena || v->same_as >= 0)
        return 0;
    if (program_is_stage(p, i) && !staged)
        return 0;
    if (p->op[v->op].last_row)
        rows = 1;
    size_t n = program_width(p, i) * (size_t) rows;
    if (program_is_stage(p, i))
        n *= (size_t) n_key;
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

/* The attention stages are worked on in place: each takes the memory of the one before. */
static bool in_place(const struct program *p, int value)
{
    const struct op *op = &p->op[p->value[value].op];
    return program_is_stage(p, value) && op->code != OP_SCORES;
}

/* The last op during which the value's place must stay its own. All four stages live in one
 * place, until the mix has read the last; and attention as one kernel reads q while it writes
 * z, so q lives as long. */
static int last_op(const struct program *p, int value)
{
    const struct value *v = &p->value[value];
    if (program_is_stage(p, value))
        return v->op + (OP_MIX - OP_SCORES);
    if (v->last_use < p->n_ops && p->op[v->last_use].code == OP_SCORES)
        return v->last_use + (OP_MIX - OP_SCORES);
    return v->last_use;
}

struct span {
    size_t at, floats;
    int dead;
};

/* First gap that is wide enough among the spans alive at op, which are sorted by place. */
static size_t place(struct span *span, int *n, int op, size_t floats, int dead)
{
    size_t at = 0;
    int keep = 0, where = -1;
    for (int i = 0; i < *n; i++)
        if (span[i].dead > op)
            span[keep++] = span[i];
    for (int i = 0; i < keep && where < 0; i++) {
        if (span[i].at - at >= floats)
            where = i;
        else
            at = span[i].at + span[i].floats;
    }
    if (where < 0)
        where = keep;
    memmove(span + where + 1, span + where, (size_t) (keep - where) * sizeof *span);
    span[where] = (struct span){at, floats, dead};
    *n = keep + 1;
    return at;
}

void plan_make(struct plan *plan, const struct run *r, int rows, int n_key, bool staged)
{
    const struct program *p = r->program;
    struct span *span = xmalloc(((size_t) p->n_values + 1) * sizeof *span);
    int n = 0;
    if (!plan->offset) {
        plan->offset = xcalloc((size_t) p->n_values, sizeof *plan->offset);
        plan->dead = xcalloc((size_t) p->n_values, sizeof *plan->dead);
    }
    plan->floats = 0;
    for (int i = 0; i < p->n_values; i++) {
        const struct value *v = &p->value[i];
        size_t floats = value_floats(r, i, rows, n_key, staged);
        plan->offset[i] = SIZE_MAX;
        plan->dead[i] = 0;
        if (floats == 0)
            continue;
        if (in_place(p, i)) {
            int before = p->op[v->op].in[0];
            plan->offset[i] = plan->offset[before];
            plan->dead[before] = v->op + 1;
        } else {
            plan->offset[i] = place(span, &n, v->op, floats, last_op(p, i) + 1);
        }
        plan->dead[i] = v->last_use + 2;
        if (plan->offset[i] + floats > plan->floats)
            plan->floats = plan->offset[i] + floats;
    }
    free(span);
}

void plan_release(struct plan *plan)
{
    free(plan->offset);
    free(plan->dead);
    plan->offset = NULL;
    plan->dead = NULL;
}
