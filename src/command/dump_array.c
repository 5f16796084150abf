#include "command/dump_array.h"

#include "base/interrupt.h"
#include "base/mem.h"

#include <string.h>

/* Floats a block: 4 MB. */
#define BLOCK SWEEP_BLOCK
/* Of scores and patterns, which a sweep makes of one another: what a cache holds twice. */
#define STAGE_BLOCK ((size_t) 1 << 18)

static size_t item_bytes(const struct dump_array *a)
{
    return a->type == DUMP_TEXT ? 4 * (size_t) a->width : 4;
}

size_t dump_array_count(const struct dump_array *a)
{
    size_t n = 1;
    for (int i = 0; i < a->n_axis; i++)
        n *= (size_t) a->shape[i];
    return n;
}

size_t dump_array_bytes(const struct dump_array *a)
{
    return dump_array_count(a) * item_bytes(a);
}

bool dump_array_open(struct dump_array *a, struct err *err)
{
    a->done = 0;
    if (a->data || (a->sweep && !a->keep))
        return true;
    a->block = big_alloc(BLOCK * sizeof(float), "a block of a value", err);
    return a->block != NULL;
}

void dump_array_close(struct dump_array *a)
{
    big_free(a->block, BLOCK * sizeof(float));
    a->block = NULL;
}

/* Of n heads of the region from `head` on, how many are all to be written, or all not to be. */
static size_t alike(const struct dump_array *a, size_t head, size_t n)
{
    size_t k = 1;
    while (k < n && a->keep[head + k] == a->keep[head])
        k++;
    return k;
}

static bool is_stage(const struct dump_array *a)
{
    return program_is_stage(run_program(a->run), a->value);
}

/* A sweep gives positions of one chunk at a time; of a pattern, the outermost axis is heads. */
static size_t in_chunk(const struct dump_array *a, int pos, size_t take)
{
    if (is_stage(a))
        return take;
    int size = sweep_rows(a->sweep, a->value);
    size_t left = (size_t) (size - pos % size);
    return take < left ? take : left;
}

/*
 * The next part of the value that is contiguous in C order and fits a block: several indices of
 * the outermost axis, or part of one.
 *
 *     [head, query, key]:  all of some heads | some queries of one head | some keys of one
 * query
 */
static size_t next_region(const struct dump_array *a, struct region *r)
{
    size_t inner = 1, left = a->done;
    size_t most = a->sweep && is_stage(a) ? STAGE_BLOCK : BLOCK;
    for (int i = 1; i < a->n_value_axis; i++)
        inner *= (size_t) a->region.count[i];
    *r = a->region;
    for (int i = 0; i < a->n_value_axis; i++) {
        size_t at = left / inner, rest = (size_t) a->region.count[i] - at;
        left %= inner;
        r->first[i] += (int) at;
        if (inner <= most && left == 0) {
            size_t take = most / inner < rest ? most / inner : rest;
            if (i == 0 && a->sweep)
                take = in_chunk(a, r->first[0], take);
            if (a->keep && i == a->keep_axis)
                take = alike(a, at, take);
            r->count[i] = (int) take;
            return take * inner;
        }
        r->count[i] = 1;
        inner /= (size_t) a->region.count[i + 1];
    }
    return 0; /* not reached: the innermost axis has inner 1, and left is 0 then */
}

/* Leaves the heads of a part that are to be written, in place; how many floats that is. */
static size_t keep_heads(const struct dump_array *a, const struct region *part)
{
    const bool *keep = a->keep + (part->first[a->keep_axis] - a->region.first[a->keep_axis]);
    int heads = part->count[a->keep_axis];
    size_t outer = 1, inner = 1;
    for (int i = 0; i < a->n_value_axis; i++) {
        outer *= i < a->keep_axis ? (size_t) part->count[i] : 1;
        inner *= i > a->keep_axis ? (size_t) part->count[i] : 1;
    }
    float *to = a->block;
    const float *from = a->block;
    for (size_t o = 0; o < outer; o++) {
        for (int h = 0; h < heads; h++, from += inner) {
            if (!keep[h])
                continue;
            memmove(to, from, inner * sizeof *to);
            to += inner;
        }
    }
    return (size_t) (to - a->block);
}

/* Whether anything of the part is written. */
static bool part_kept(const struct dump_array *a, const struct region *part)
{
    if (!a->keep)
        return true;
    for (int h = 0; h < part->count[a->keep_axis]; h++)
        if (a->keep[part->first[a->keep_axis] - a->region.first[a->keep_axis] + h])
            return true;
    return false;
}

/* Elements to go through: of the region, with the heads that are left out. */
static size_t region_count(const struct dump_array *a)
{
    size_t n = 1;
    for (int i = 0; i < a->n_value_axis; i++)
        n *= (size_t) a->region.count[i];
    return a->data ? dump_array_count(a) : n;
}

bool dump_array_more(const struct dump_array *a)
{
    return a->done < region_count(a);
}

/* Heads are taken out of a copy. */
static bool read_part(struct dump_array *a, const struct region *part, const void **data,
                      struct err *err)
{
    const float *p = a->block;
    bool ok;
    if (a->sweep && a->keep)
        ok = sweep_read(a->sweep, a->value, part, a->block, err);
    else if (a->sweep)
        ok = sweep_view(a->sweep, a->value, part, &p, err);
    else
        ok = run_read(a->run, a->value, part, a->block, err);
    *data = p;
    return ok || err_add(err, "%s", a->name);
}

static bool next_block(struct dump_array *a, const void **data, size_t *bytes, struct err *err)
{
    struct region part;
    while (dump_array_more(a) && (!a->until || a->done < a->until)) {
        if (interrupt_pending())
            return err_set(err, "interrupted");
        size_t got = next_region(a, &part);
        a->done += got;
        if (!part_kept(a, &part))
            continue;
        if (!read_part(a, &part, data, err))
            return false;
        *bytes = (a->keep ? keep_heads(a, &part) : got) * sizeof(float);
        return true;
    }
    return true;
}

static bool next_bytes(struct dump_array *a, const void **data, size_t *bytes, struct err *err)
{
    if (!a->data)
        return next_block(a, data, bytes, err);
    if (!dump_array_more(a))
        return true;
    if (interrupt_pending())
        return err_set(err, "interrupted");
    *data = a->data;
    *bytes = dump_array_bytes(a);
    a->done = dump_array_count(a);
    return true;
}

bool dump_array_next(struct dump_array *a, const void **data, size_t *bytes, struct err *err)
{
    *bytes = 0;
    if (!next_bytes(a, data, bytes, err))
        return false;
    if (*bytes && a->given)
        a->given(a->user, *bytes);
    return true;
}
