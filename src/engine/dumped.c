#include "engine/dumped.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/safe.h"

#include <stdlib.h>
#include <string.h>

const char *fit_name(int i)
{
    static const char *const names[FITS] = {
        "axes of length 1 dropped",
        "heads side by side in one axis",
        "axes in another order",
        "shape in ggml's order, from the contiguous axis on",
        "key and value heads repeated for the query heads",
        "last position only",
        "channels of RoPE's pairs side by side",
        "padding keys cut off",
        "q, k and v from one array",
        "layers from one array",
    };
    return names[i];
}

/* --- names --- */

static struct dumped_item *add_item(struct dumped *d, int array, int value,
                                    const struct alias *a)
{
    VEC_ROOM(d->item, d->n, d->cap);
    struct dumped_item *item = &d->item[d->n++];
    *item = (struct dumped_item){
        .array = array, .value = value, .or_value = a->or_value, .of = a->of};
    return item;
}

/* q, k and v of [pos, q | k | v]. */
static void add_fused(struct dumped *d, int array, const struct alias *a)
{
    static const char *const part[] = {"attn.q", "attn.k", "attn.v"};
    const struct program *p = d->program;
    int at = 0, first = d->n;
    for (int i = 0; i < 3; i++) {
        int value = program_value(p, p->value[a->value].layer, part[i]);
        if (value < 0)
            continue;
        add_item(d, array, value, a)->part = at;
        at += (int) program_width(p, value);
    }
    for (int i = first; i < d->n; i++)
        d->item[i].n_parts = at;
}

static void add_stacked(struct dumped *d, int array, const struct alias *a)
{
    const struct array *x = arrays_at(d->arrays, array);
    int n = x->n_dims > 0 && x->dim[0] < 10000 ? (int) x->dim[0] : 0;
    for (int i = 0; i < n; i++) {
        int value = alias_stacked(d->program, a, i, n);
        if (value < 0)
            continue;
        struct dumped_item *item = add_item(d, array, value, a);
        item->lead = i;
        item->n_lead = n;
    }
}

static void name_arrays(struct dumped *d)
{
    int owners[ALIAS_OWNERS] = {0};
    struct alias a;
    for (int i = 0; i < arrays_count(d->arrays); i++) {
        const struct array *x = arrays_at(d->arrays, i);
        if (x->refused || !alias_find(d->program, x->name, &a))
            continue;
        d->known[i] = true;
        owners[a.of]++;
        if (a.fused)
            add_fused(d, i, &a);
        else if (a.stacked)
            add_stacked(d, i, &a);
        else
            add_item(d, i, a.value, &a);
    }
    for (int i = 1; i < ALIAS_OWNERS; i++)
        if (owners[i] > owners[d->of])
            d->of = (enum alias_of) i;
}

int dumped_find(const struct dumped *d, int value, int from)
{
    for (int i = from; i < d->n; i++)
        if (d->item[i].value == value)
            return i;
    return -1;
}

/* --- tokens and positions --- */

static bool read_tokens(struct dumped *d, struct err *err)
{
    int item = dumped_find(d, program_find(d->program, "tokens"), 0);
    if (item < 0)
        return true;
    const struct array *x = arrays_at(d->arrays, d->item[item].array);
    struct axes axes;
    axes_of(x, &axes);
    if (axes.n > 1 || x->count > 1 << 24) {
        struct str shape = STR_INIT;
        array_shape_print(x, &shape);
        err_set(err, "array '%s' has shape %s; tokens of one sequence are wanted", x->name,
                shape.text);
        str_release(&shape);
        return path_add(err, arrays_path(d->arrays));
    }
    if (!arrays_load(d->arrays, d->item[item].array, err))
        return false;
    d->n_tokens = (int) x->count;
    d->tokens = xcalloc(x->count + 1, sizeof *d->tokens);
    for (size_t i = 0; i < x->count; i++) {
        float id;
        arrays_read(d->arrays, i, 1, 1, &id);
        d->tokens[i] = id >= 0 && id < (float) (1 << 24) ? (int32_t) id : -1;
    }
    return true;
}

/* The tokens' texts, as numpy's arrays of text have them. */
static bool read_texts(struct dumped *d, struct err *err)
{
    int i = arrays_find(d->arrays, "token_str");
    const struct array *x = i < 0 ? NULL : arrays_at(d->arrays, i);
    if (!x || x->type != ARRAY_TEXT || !d->tokens || x->count != (size_t) d->n_tokens)
        return true;
    if (!arrays_load(d->arrays, i, err))
        return false;
    d->text = xcalloc(x->count + 1, sizeof *d->text);
    for (size_t at = 0; at < x->count; at++) {
        struct str raw = STR_INIT, safe = STR_INIT;
        arrays_text(d->arrays, at, &raw);
        safe_add(&safe, raw.text, raw.len, SAFE_SPACE_DOT);
        str_adds(&safe, "");
        str_release(&raw);
        d->text[at] = str_steal(&safe);
    }
    return true;
}

/* How many positions an array of a value with so many numbers each has: one of its axes is as
 * long. 0: it does not look so. */
static int positions_by(const struct dumped *d, const struct dumped_item *item, size_t width)
{
    const struct array *x = arrays_at(d->arrays, item->array);
    size_t n = width ? x->count / width : 0;
    if (n * width != x->count || n > 1 << 24)
        return 0;
    for (int i = 0; i < x->n_dims; i++)
        if (x->dim[i] == (int64_t) n)
            return (int) n;
    return n == 1;
}

static int positions_of(const struct dumped *d, const struct dumped_item *item)
{
    const struct program *p = d->program;
    const struct value *v = &p->value[item->value];
    size_t width = program_width(p, item->value);
    if (v->n_axis < 2 || width == 1 || item->n_lead || program_is_stage(p, item->value))
        return 0;
    if (item->n_parts)
        return positions_by(d, item, (size_t) item->n_parts);
    int n = positions_by(d, item, width);
    bool keys = v->n_axis == 3 && v->axis[1] == AXIS_KV_HEAD;
    return n || !keys
               ? n
               : positions_by(d, item, width * (size_t) (p->hp.n_head / p->hp.n_kv_head));
}

static int stage_positions(const struct dumped *d, const struct dumped_item *item)
{
    struct axes a;
    axes_of(arrays_at(d->arrays, item->array), &a);
    bool stage = program_is_stage(d->program, item->value) && !item->n_lead && a.n >= 2;
    return stage ? (int) a.dim[a.n - 2] : 0;
}

static int count_positions(const struct dumped *d)
{
    int most = 0;
    if (d->n_tokens > 0)
        return d->n_tokens;
    for (int i = 0; i < d->n; i++) {
        int n = positions_of(d, &d->item[i]);
        most = n > most ? n : most;
    }
    for (int i = 0; most <= 1 && i < d->n; i++) {
        int n = stage_positions(d, &d->item[i]);
        most = n > most ? n : most;
    }
    return most;
}

struct dumped *dumped_open(struct arrays *arrays, const struct program *p, struct err *err)
{
    if (!arrays)
        return NULL;
    struct dumped *d = xcalloc(1, sizeof *d);
    d->arrays = arrays;
    d->program = p;
    d->known = xcalloc((size_t) arrays_count(arrays) + 1, sizeof *d->known);
    name_arrays(d);
    if (!read_tokens(d, err) || !read_texts(d, err)) {
        dumped_free(d);
        return NULL;
    }
    d->n_pos = count_positions(d);
    return d;
}

void dumped_free(struct dumped *d)
{
    if (!d)
        return;
    arrays_free(d->arrays);
    for (int i = 0; d->text && i < d->n_tokens; i++)
        free(d->text[i]);
    free(d->text);
    free(d->item);
    free(d->tokens);
    free(d->known);
    free(d);
}

/* --- reading --- */

/* The channels of a row whose RoPE pairs lie side by side, in their order:
 * file 2i + b is channel i + b * dim / 2. */
static void pairs_apart(float *row, int n, int dim, float *work)
{
    memcpy(work, row, (size_t) n * sizeof *row);
    for (int i = 0; i < dim / 2 && dim <= n; i++) {
        row[i] = work[2 * i];
        row[i + dim / 2] = work[2 * i + 1];
    }
}

static size_t place_of(const struct dumped *d, const struct dumped_item *item,
                       const struct layout *l, int rep, int i, int j, int k)
{
    const struct value *v = &d->program->value[item->value];
    int at[3] = {i, j, k};
    ptrdiff_t place = (ptrdiff_t) l->offset;
    for (int x = 0; x < v->n_axis; x++) {
        int index = at[x];
        if (v->axis[x] == AXIS_POS)
            index -= l->first_pos;
        if (v->axis[x] == AXIS_KV_HEAD)
            index = index * l->repeat + rep;
        place += index * l->stride[x];
    }
    return (size_t) place;
}

/* Regions of FIT_PAIRS hold whole rows. */
bool dumped_read(const struct dumped *d, int item, const struct layout *l, int rep,
                 const struct region *g, float *out, struct err *err)
{
    const struct dumped_item *it = &d->item[item];
    int n_axis = d->program->value[it->value].n_axis, last = n_axis - 1;
    int count[3] = {1, 1, 1}, first[3] = {0, 0, 0};
    if (!arrays_load(d->arrays, it->array, err))
        return false;
    for (int i = 0; i < n_axis; i++) {
        count[i] = g->count[i];
        first[i] = g->first[i];
    }
    int run = count[last];
    float *work = l->fit & FIT_PAIRS ? xcalloc((size_t) run + 1, sizeof *work) : NULL;
    count[last] = 1;
    for (int i = first[0]; i < first[0] + count[0]; i++)
        for (int j = first[1]; j < first[1] + count[1]; j++)
            for (int k = first[2]; k < first[2] + count[2]; k++, out += run) {
                size_t at = place_of(d, it, l, rep, i, j, k);
                arrays_read(d->arrays, at, (size_t) run, l->stride[last], out);
                if (work)
                    pairs_apart(out, run, d->program->hp.rope_dim, work);
            }
    free(work);
    return true;
}
