#include "command/dump_array.h"

#include "base/interrupt.h"
#include "base/mem.h"

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
    if (a->data || a->sweep)
        return true;
    a->block = big_alloc(BLOCK * sizeof(float), "a block of a value", err);
    return a->block != NULL;
}

void dump_array_close(struct dump_array *a)
{
    big_free(a->block, BLOCK * sizeof(float));
    a->block = NULL;
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
            r->count[i] = (int) take;
            return take * inner;
        }
        r->count[i] = 1;
        inner /= (size_t) a->region.count[i + 1];
    }
    return 0; /* not reached: the innermost axis has inner 1, and left is 0 then */
}

static bool read_block(struct dump_array *a, const struct region *part, const void **data,
                       struct err *err)
{
    const float *p = a->block;
    bool ok = a->sweep ? sweep_view(a->sweep, a->value, part, &p, err)
                       : run_read(a->run, a->value, part, a->block, err);
    *data = p;
    return ok || err_add(err, "%s", a->name);
}

bool dump_array_next(struct dump_array *a, const void **data, size_t *bytes, struct err *err)
{
    size_t n = dump_array_count(a);
    *bytes = 0;
    if (a->done == n || (a->until && a->done >= a->until))
        return true;
    if (interrupt_pending())
        return err_set(err, "interrupted");
    if (a->data) {
        *data = a->data;
        *bytes = dump_array_bytes(a);
        a->done = n;
        return true;
    }
    struct region part;
    size_t got = next_region(a, &part);
    if (!read_block(a, &part, data, err))
        return false;
    a->done += got;
    *bytes = got * sizeof(float);
    return true;
}
