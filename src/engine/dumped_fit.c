/*
 * How an array may hold a value. The array's axes (those of length 1 left out) are matched with
 * the value's, as they are or with the heads joined to their channels, in each order that the
 * sizes allow; scores keep queries before keys, for their transpose is another thing.
 *
 *     value  [pos 10, head 6, d_head 32]
 *     array  [1, 10, 192]   joined: head and d_head are one axis
 *            [1, 6, 10, 32] another order
 *            [32, 6, 10]    ggml's shape of the same memory, or another order of other memory
 */
#include "engine/dumped.h"

#include <string.h>

void axes_of(const struct array *x, struct axes *out)
{
    ptrdiff_t stride = 1;
    *out = (struct axes){0};
    for (int i = 0; i < x->n_dims; i++) { /* from the contiguous axis on */
        int axis = x->fortran ? i : x->n_dims - 1 - i;
        if (x->dim[axis] != 1) {
            out->dim[out->n] = x->dim[axis];
            out->stride[out->n++] = stride;
        }
        stride *= (ptrdiff_t) x->dim[axis];
    }
    for (int i = 0, j = out->n - 1; !x->fortran && i < j; i++, j--) {
        int64_t dim = out->dim[i];
        ptrdiff_t step = out->stride[i];
        out->dim[i] = out->dim[j];
        out->stride[i] = out->stride[j];
        out->dim[j] = dim;
        out->stride[j] = step;
    }
}

/* The same memory with the shape read from its other end. */
static bool reverse(const struct array *x, struct axes *a)
{
    struct array other = *x;
    if (x->fortran || a->n < 2)
        return false;
    for (int i = 0; i < x->n_dims; i++)
        other.dim[i] = x->dim[x->n_dims - 1 - i];
    unsigned fit = a->fit;
    axes_of(&other, a);
    a->fit = fit | FIT_REVERSED;
    return true;
}

static void drop_axis(struct axes *a, int axis)
{
    a->n--;
    for (int i = axis; i < a->n; i++) {
        a->dim[i] = a->dim[i + 1];
        a->stride[i] = a->stride[i + 1];
    }
}

/* One layer of all. */
static bool take_lead(const struct dumped_item *item, struct axes *a)
{
    if (!item->n_lead)
        return true;
    if (a->n < 2 || a->dim[0] != item->n_lead)
        return false;
    a->offset += (size_t) (item->lead * a->stride[0]);
    a->fit |= FIT_STACKED;
    drop_axis(a, 0);
    return true;
}

/* One of q, k and v. */
static bool take_part(const struct dumped_item *item, size_t width, struct axes *a)
{
    if (!item->n_parts)
        return true;
    for (int i = a->n - 1; i >= 0; i--) {
        if (a->dim[i] != item->n_parts)
            continue;
        a->offset += (size_t) (item->part * a->stride[i]);
        a->dim[i] = (int64_t) width;
        a->fit |= FIT_FUSED;
        return true;
    }
    return false;
}

/* --- the value's axes --- */

struct want {
    int n; /* axes of the program's value */
    enum axis kind[3];
    int size[3];
    bool joined;     /* axes 1 and 2 are one */
    struct layout l; /* repeat, first_pos, n_pos, fit */
};

/* The sizes to be matched: those that are not 1. */
static int sizes_of(const struct want *w, int64_t *size, int *axis)
{
    int n = 0;
    for (int i = 0; i < w->n; i++) {
        int64_t s = w->size[i];
        if (w->joined && i == 1)
            s *= w->size[2];
        if (!(w->joined && i == 2) && s != 1) {
            axis[n] = i;
            size[n++] = s;
        }
    }
    return n;
}

static bool key_before_query(const struct want *w, const int *axis, const int *order, int n)
{
    int query = -1, key = -1;
    for (int i = 0; i < n; i++) {
        if (w->kind[axis[order[i]]] == AXIS_POS)
            query = i;
        if (w->kind[axis[order[i]]] == AXIS_KEY)
            key = i;
    }
    return query >= 0 && key >= 0 && key < query;
}

struct found {
    struct layout *out;
    int n, most;
};

static void add_layout(struct found *f, const struct layout *l)
{
    for (int i = 0; i < f->n; i++)
        if (f->out[i].offset == l->offset && f->out[i].repeat == l->repeat &&
            (f->out[i].fit & FIT_PAIRS) == (l->fit & FIT_PAIRS) &&
            f->out[i].first_pos == l->first_pos &&
            memcmp(f->out[i].stride, l->stride, sizeof l->stride) == 0)
            return;
    if (f->n < f->most)
        f->out[f->n++] = *l;
}

/* Axis i of the array is the order[i]-th of the value's that are not 1. */
static void try_order(struct found *f, const struct axes *a, const struct want *w,
                      const int64_t *size, const int *axis, const int *order)
{
    struct layout l = w->l;
    l.offset = a->offset;
    l.fit |= a->fit;
    if (key_before_query(w, axis, order, a->n))
        return;
    for (int i = 0; i < a->n; i++) {
        int to = axis[order[i]];
        bool keys = w->kind[to] == AXIS_KEY && a->dim[i] > size[order[i]];
        if (a->dim[i] != size[order[i]] && !keys)
            return;
        if (keys)
            l.fit |= FIT_KEYS;
        if (order[i] != i)
            l.fit |= FIT_SWAPPED;
        if (w->joined && to == 1) {
            l.stride[1] = a->stride[i] * w->size[2];
            l.stride[2] = a->stride[i];
            l.fit |= FIT_FLAT;
        } else {
            l.stride[to] = a->stride[i];
        }
    }
    add_layout(f, &l);
}

static void try_orders(struct found *f, const struct axes *a, const struct want *w)
{
    static const int orders[6][3] = {{0, 1, 2}, {1, 0, 2}, {0, 2, 1},
                                     {2, 1, 0}, {1, 2, 0}, {2, 0, 1}};
    int64_t size[3];
    int axis[3], n = sizes_of(w, size, axis);
    if (n != a->n)
        return;
    for (int i = 0; i < 6; i++) {
        bool fits = true;
        for (int j = 0; j < 3; j++)
            fits = fits && (j < n ? orders[i][j] < n : orders[i][j] == j);
        if (fits)
            try_order(f, a, w, size, axis, orders[i]);
    }
}

/* Whether more axes of length 1 were dropped than the value has. */
static unsigned dropped(const struct array *x, const struct want *w)
{
    int ones = 0;
    for (int i = 0; i < x->n_dims; i++)
        ones += x->dim[i] == 1;
    for (int i = 0; i < w->n; i++)
        ones -= w->size[i] == 1;
    return ones > 0 ? FIT_BATCH : 0;
}

/* Both forms of the array in both forms of the value. */
static void try_forms(struct found *f, const struct dumped *d, const struct dumped_item *item,
                      struct want *w)
{
    const struct array *x = arrays_at(d->arrays, item->array);
    size_t width = program_width(d->program, item->value);
    for (int i = 0; i < 2; i++) {
        struct axes a;
        axes_of(x, &a);
        a.fit = dropped(x, w);
        bool reversed = (i == 1) != (item->of == ALIAS_LLAMA_CPP);
        if ((reversed && !reverse(x, &a)) || !take_lead(item, &a) ||
            !take_part(item, width, &a))
            continue;
        for (int joined = 0; joined < 1 + (w->n == 3 && w->kind[2] != AXIS_KEY); joined++) {
            w->joined = joined;
            try_orders(f, &a, w);
        }
    }
}

static void want_of(const struct dumped *d, const struct dumped_item *item, struct want *w)
{
    const struct value *v = &d->program->value[item->value];
    *w = (struct want){.n = v->n_axis, .l = {.repeat = 1, .n_pos = d->n_pos}};
    for (int i = 0; i < v->n_axis; i++) {
        w->kind[i] = v->axis[i];
        w->size[i] = program_axis(d->program, v->axis[i], d->n_pos);
    }
}

static void set_size(struct want *w, enum axis kind, int size)
{
    for (int i = 0; i < w->n; i++)
        if (w->kind[i] == kind)
            w->size[i] = size;
}

static void try_repeated(struct found *f, const struct dumped *d,
                         const struct dumped_item *item, struct want *w)
{
    const struct hparams *hp = &d->program->hp;
    if (f->n > 0 || w->n != 3 || w->kind[1] != AXIS_KV_HEAD || hp->n_kv_head == hp->n_head)
        return;
    set_size(w, AXIS_KV_HEAD, hp->n_head);
    w->l.repeat = hp->n_head / hp->n_kv_head;
    w->l.fit |= FIT_REPEATED;
    try_forms(f, d, item, w);
}

/* Values that RoPE's order of channels matters to. */
static bool may_have_pairs(const struct dumped *d, int value)
{
    const struct program *p = d->program;
    const struct value *v = &p->value[program_resolve(p, value)];
    const struct op *op = v->op < 0 ? NULL : &p->op[v->op];
    return op && p->hp.rope_dim > 0 &&
           (op->code == OP_ROPE ||
            (op->code == OP_LINEAR && (op->weight == W_Q || op->weight == W_K)));
}

/* What has its axes in the value's order is the likelier. */
static void in_order_first(struct found *f)
{
    int first = 0;
    for (int i = 0; i < f->n; i++) {
        struct layout l = f->out[i];
        if (l.fit & FIT_SWAPPED)
            continue;
        memmove(f->out + first + 1, f->out + first, (size_t) (i - first) * sizeof l);
        f->out[first++] = l;
    }
}

int dumped_layouts(const struct dumped *d, int i, struct layout *out, int most)
{
    const struct dumped_item *item = &d->item[i];
    struct found f = {out, 0, most};
    struct want w;
    want_of(d, item, &w);
    try_forms(&f, d, item, &w);
    try_repeated(&f, d, item, &w);
    if (f.n == 0 && d->n_pos > 1) {
        want_of(d, item, &w);
        set_size(&w, AXIS_POS, 1);
        w.l.first_pos = d->n_pos - 1;
        w.l.n_pos = 1;
        w.l.fit = FIT_LAST;
        try_forms(&f, d, item, &w);
        try_repeated(&f, d, item, &w);
    }
    in_order_first(&f);
    int n = may_have_pairs(d, item->value) ? f.n : 0;
    for (int k = 0; k < n; k++) {
        struct layout pairs = out[k];
        pairs.fit |= FIT_PAIRS;
        add_layout(&f, &pairs);
    }
    return f.n;
}
