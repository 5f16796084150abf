/*
 * What can be at fault for the first value that differs: the ops between it and the values that
 * agree.
 *
 *     agree      ln1.out                 ok
 *     suspects     q, k, v -> scores ...      not in the dump
 *     row                       attn_out      differs
 */
#include "engine/differ_parts.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct walk {
    const struct differ *d;
    struct differ_why *why;
    bool *seen; /* per value */
};

static bool agrees(const struct differ *d, int value)
{
    int row = d->row_of[value];
    return row >= 0 && d->row[row]->state == DIFFER_SAME;
}

/* Inserts a number where it belongs; none twice. */
static void put(int **list, int *n, int x)
{
    int at = 0;
    while (at < *n && (*list)[at] < x)
        at++;
    if (at < *n && (*list)[at] == x)
        return;
    *list = xrealloc(*list, (size_t) *n + 1, sizeof **list);
    memmove(*list + at + 1, *list + at, (size_t) (*n - at) * sizeof **list);
    (*list)[at] = x;
    ++*n;
}

static void walk_op(struct walk *w, int op)
{
    const struct program *p = w->d->program;
    put(&w->why->suspect, &w->why->n_suspects, op);
    for (int i = 0; i < p->op[op].n_in; i++) {
        int in = program_resolve(p, p->op[op].in[i]);
        if (w->seen[in])
            continue;
        w->seen[in] = true;
        if (agrees(w->d, in))
            put(&w->why->agree, &w->why->n_agree, in);
        else if (p->value[in].op >= 0)
            walk_op(w, p->value[in].op);
    }
}

bool differ_explain(const struct differ *d, int i, struct differ_why *why, struct err *err)
{
    const struct differ_row *row = d->row[i];
    struct str hint = STR_INIT;
    *why = (struct differ_why){.op = -1};
    if (row->value >= 0)
        why->op = d->program->value[row->value].op;
    if (why->op >= 0) {
        struct walk w = {d, why, xcalloc((size_t) d->program->n_values, sizeof *w.seen)};
        walk_op(&w, why->op);
        free(w.seen);
    }
    bool ok = row->value < 0 || differ_hint(d, row, &hint, err);
    size_t n = hint.len < sizeof why->hint ? hint.len : sizeof why->hint - 1;
    memcpy(why->hint, hint.text, n);
    why->hint[n] = '\0';
    str_release(&hint);
    return ok;
}

void differ_why_release(struct differ_why *why)
{
    free(why->agree);
    free(why->suspect);
    *why = (struct differ_why){.op = -1};
}

/* --- reading a row again --- */

static bool read_extra(const struct differ *d, const struct differ_row *row,
                       const struct region *g, float *out[2], struct err *err)
{
    for (int side = 0; side < 2; side++) {
        struct arrays *from = d->side[side].dumped->arrays;
        int array = arrays_find(from, row->name);
        float *to = out[side];
        if (array < 0 || !arrays_load(from, array, err))
            return false;
        for (int i = g->first[0]; i < g->first[0] + g->count[0]; i++, to += g->count[1])
            arrays_read(from, (size_t) i * (size_t) row->shape[1] + (size_t) g->first[1],
                        (size_t) g->count[1], 1, to);
    }
    return true;
}

bool differ_read(const struct differ *d, const struct differ_row *row,
                 const struct region *region, float *a, float *b, struct err *err)
{
    struct region g = *region;
    float *out[2] = {a, b};
    if (row->value < 0)
        return read_extra(d, row, region, out, err);
    g.first[program_is_stage(d->program, row->value) ? 1 : 0] += row->first_pos;
    for (int side = 0; side < 2; side++)
        if (!differ_read_side(d, side, row, differ_as(row), 0, &g, out[side], err))
            return false;
    return true;
}
