/*
 * What is compared with what, in the order of the program: arrays of whole values (or of what a
 * dump holds of them), then arrays of single heads with that head of the other side.
 *
 *     A                       B
 *     blocks.2.attn.pattern   blocks.2.attn.pattern
 *     L2.H5.attn.pattern      blocks.2.attn.pattern     its head 5
 *     L2.H3.attn.pattern      L2.H3.attn.pattern
 */
#include "engine/differ_parts.h"

#include "base/mem.h"

#include <stdlib.h>

/* --- the order --- */

/* Statistics of a norm before what is made of them, each head's result after z. */
static long order_key(const struct program *p, int value)
{
    int op = p->value[value].op, at = 0;
    if (op < 0)
        return -1;
    if (p->op[op].code == OP_RESULT)
        return 16L * p->value[p->op[op].in[0]].op + 8;
    for (int i = 0; i < p->op[op].n_out; i++)
        if (p->op[op].out[i] == program_resolve(p, value))
            at = p->op[op].n_out - i;
    return 16L * op + at;
}

static int *values_in_order(const struct program *p)
{
    long *key = xcalloc((size_t) p->n_values, sizeof *key);
    int *order = xcalloc((size_t) p->n_values, sizeof *order);
    for (int i = 0; i < p->n_values; i++) {
        long k = order_key(p, i);
        int at = i;
        for (; at > 0 && key[at - 1] > k; at--) {
            key[at] = key[at - 1];
            order[at] = order[at - 1];
        }
        key[at] = k;
        order[at] = i;
    }
    free(key);
    return order;
}

bool differ_selects(const struct differ *d)
{
    return d->only != NULL;
}

bool differ_wanted(const struct differ *d, int value, int head)
{
    bool any = !d->only;
    for (int i = 0; d->only && i < d->only->n; i++) {
        const struct selected *s = &d->only->item[i];
        any = any || (s->value == value && (head < 0 || s->head < 0 || s->head == head));
    }
    return any;
}

/* --- what both have --- */

static bool has(const struct differ *d, int side, int value)
{
    if (d->side[side].run)
        return d->map[side][value] >= 0 &&
               run_ready(d->side[side].run, d->map[side][value]) > 0;
    return dumped_find(d->side[side].dumped, value, -1) >= 0;
}

/* Both have it, or one has it and the other under another of its names. */
static bool both_have(const struct differ *d, int value)
{
    bool own[2] = {has(d, 0, value), has(d, 1, value)};
    bool live = d->side[0].run && d->side[1].run;
    if (live)
        return own[0] && own[1] && d->program->value[value].same_as < 0;
    if (own[0] && own[1])
        return true;
    for (int i = 0; i < 2; i++)
        if (own[i] && d->side[i].dumped && d->side[1 - i].dumped &&
            dumped_find_any(d->side[1 - i].dumped, value, -1) >= 0)
            return true;
    return false;
}

static void add_pair(struct differ *d, int value, int head, const int item[2])
{
    VEC_ROOM(d->pair, d->n_pairs, d->cap_pairs);
    d->pair[d->n_pairs++] = (struct differ_pair){value, head, {item[0], item[1]}};
    for (int i = 0; i < 2; i++) {
        const struct dumped *x = d->side[i].dumped;
        for (int k = 0; x && k < x->n; k++)
            if (x->item[k].value == value && x->item[k].head == head)
                d->paired[i][x->item[k].array] = true;
        if (x)
            d->paired[i][x->item[item[i]].array] = true;
    }
}

static void pair_values(struct differ *d, int value)
{
    int item[2] = {-1, -1};
    if (!both_have(d, value))
        return;
    for (int i = 0; i < 2; i++)
        if (d->side[i].dumped)
            item[i] = dumped_find_any(d->side[i].dumped, value, -1);
    add_pair(d, value, -1, item);
}

/* What the other side has of a head: an array of its own, or a place in a value's. */
static bool head_item(const struct differ *d, int side, int value, int head, int *item)
{
    const struct dumped *x = d->side[side].dumped;
    *item = -1;
    if (!x)
        return has(d, side, value);
    *item = dumped_find_any(x, value, head);
    if (*item < 0)
        *item = dumped_find_any(x, value, -1);
    return *item >= 0 && dumped_head(x, *item, head) >= 0;
}

/* The single heads of one side; those that the side before it has, too, are paired already. */
static void pair_heads(struct differ *d, int side, int value)
{
    const struct dumped *x = d->side[side].dumped;
    for (int i = 0; d->single[side] && i < x->n; i++) {
        int head = x->item[i].head, item[2];
        if (x->item[i].value != value || head < 0 || dumped_find(x, value, head) != i ||
            (side == 1 && d->single[0] && dumped_find(d->side[0].dumped, value, head) >= 0))
            continue;
        item[side] = i;
        if (head_item(d, 1 - side, value, head, &item[1 - side]))
            add_pair(d, value, head, item);
    }
}

void differ_pair_all(struct differ *d)
{
    int *order = values_in_order(d->program);
    for (int i = 0; i < 2; i++) {
        const struct dumped *x = d->side[i].dumped;
        d->paired[i] = x ? xcalloc((size_t) arrays_count(x->arrays) + 1, sizeof(bool)) : NULL;
        for (int k = 0; x && k < x->n; k++)
            d->single[i] = d->single[i] || x->item[k].head >= 0;
    }
    for (int i = 0; i < d->program->n_values; i++) {
        pair_values(d, order[i]);
        for (int side = 0; side < 2; side++)
            pair_heads(d, side, order[i]);
    }
    free(order);
}

/* --- what only one side has --- */

bool differ_only(const struct differ *d, int side, int array)
{
    const struct dumped *x = d->side[side].dumped;
    for (int i = 0; i < d->n_extra; i++)
        if (d->extra[i].array[side] == array)
            return false;
    return arrays_at(x->arrays, array)->type != ARRAY_TEXT && !d->paired[side][array];
}
