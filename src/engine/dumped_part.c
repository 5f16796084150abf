/* What is known of the part of the values that a dump holds: heads, positions. */
#include "engine/dumped.h"

#include "base/mem.h"

#include <stdlib.h>

void dumped_part_release(struct dumped_part *p)
{
    for (int i = 0; p->text && i < p->n_tokens; i++)
        free(p->text[i]);
    free(p->text);
    free(p->tokens);
    free(p->head);
    free(p->value);
    *p = (struct dumped_part){0};
}

/* The place of each of n heads among those that are there. group: query heads to one of them.
 */
static int *rank_heads(const struct dumped_part *p, int n, int group, int *held)
{
    int *rank = xcalloc((size_t) n, sizeof *rank), last = -1;
    for (int i = 0; i < n; i++)
        rank[i] = -1;
    *held = 0;
    for (int i = 0; i < p->n_heads; i++) {
        int head = p->head[i] / group;
        if (head == last)
            continue;
        if (head < n)
            rank[head] = *held;
        ++*held;
        last = head;
    }
    return rank;
}

void dumped_part_take(struct dumped *d, struct dumped_part *part)
{
    const struct hparams *hp = &d->program->hp;
    if (!part)
        return;
    d->part = *part;
    *part = (struct dumped_part){0};
    if (!d->part.head)
        return;
    d->rank[0] = rank_heads(&d->part, hp->n_head, 1, &d->n_rank[0]);
    d->rank[1] = rank_heads(&d->part, hp->n_kv_head, d->part.group, &d->n_rank[1]);
}

bool dumped_part_tokens(struct dumped *d)
{
    d->tokens = d->part.tokens;
    d->text = d->part.text;
    d->n_tokens = d->part.n_tokens;
    d->part.tokens = NULL;
    d->part.text = NULL;
    d->part.n_tokens = 0;
    return true;
}

bool dumped_cut(const struct dumped *d, int item)
{
    return d->part.count > 0 && d->program->value[d->item[item].value].life != LIFE_TOKENS;
}

int dumped_axis(const struct dumped *d, int item, int i)
{
    const struct value *v = &d->program->value[d->item[item].value];
    bool kv = v->axis[i] == AXIS_KV_HEAD;
    if (kv || v->axis[i] == AXIS_HEAD) {
        if (d->item[item].head >= 0)
            return 1;
        if (d->rank[kv])
            return d->n_rank[kv];
    }
    if (v->axis[i] == AXIS_POS && dumped_cut(d, item))
        return d->part.count;
    return program_axis(d->program, v->axis[i], d->n_pos);
}

int dumped_head(const struct dumped *d, int item, int head)
{
    const struct dumped_item *it = &d->item[item];
    const struct value *v = &d->program->value[it->value];
    int axis = value_head_axis(d->program, it->value);
    if (it->head >= 0)
        return it->head == head ? 0 : -1;
    const int *rank = axis < 0 ? NULL : d->rank[v->axis[axis] == AXIS_KV_HEAD];
    return rank ? rank[head] : head;
}

/* What is smaller than the value may be a part of it. */
static const char *remedy(const struct dumped *d, int item)
{
    const struct array *x = arrays_at(d->arrays, d->item[item].array);
    size_t n = 1;
    for (int i = 0; i < d->program->value[d->item[item].value].n_axis; i++)
        n *= (size_t) dumped_axis(d, item, i);
    if (d->part.told == PART_OTHER)
        return "; its sidecar, FILE.json, is of another file";
    return d->part.told == PART_NONE && x->count < n
               ? "; a sidecar, FILE.json, would tell which part it is"
               : "";
}

void dumped_misfit_print(const struct dumped *d, int item, const char *where, struct str *out)
{
    const struct value *v = &d->program->value[d->item[item].value];
    int lost = d->item[item].head >= 0 ? value_head_axis(d->program, d->item[item].value) : -1,
        n = 0;
    str_adds(out, "shape ");
    array_shape_print(arrays_at(d->arrays, d->item[item].array), out);
    str_addf(out, "%s does not fit [", where);
    for (int i = 0; i < v->n_axis; i++)
        if (i != lost && v->axis[i] == AXIS_ONE)
            str_addf(out, "%s1", n++ ? ", " : "");
        else if (i != lost)
            str_addf(out, "%s%s %d", n++ ? ", " : "", axis_name(v->axis[i]),
                     dumped_axis(d, item, i));
    str_addf(out, "]%s", remedy(d, item));
}
