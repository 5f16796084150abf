#include "command/dump_array.h"

#include "base/interrupt.h"
#include "base/mem.h"

/* Floats a block: 4 MB. */
#define BLOCK ((size_t) 1 << 20)

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
    if (a->data)
        return true;
    a->block = big_alloc(BLOCK * sizeof(float), "a block of a value", err);
    return a->block != NULL;
}

void dump_array_close(struct dump_array *a)
{
    big_free(a->block, BLOCK * sizeof(float));
    a->block = NULL;
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
    for (int i = 1; i < a->n_value_axis; i++)
        inner *= (size_t) a->region.count[i];
    *r = a->region;
    for (int i = 0; i < a->n_value_axis; i++) {
        size_t at = left / inner, rest = (size_t) a->region.count[i] - at;
        left %= inner;
        r->first[i] += (int) at;
        if (inner <= BLOCK && left == 0) {
            size_t take = BLOCK / inner < rest ? BLOCK / inner : rest;
            r->count[i] = (int) take;
            return take * inner;
        }
        r->count[i] = 1;
        inner /= (size_t) a->region.count[i + 1];
    }
    return 0; /* not reached: the innermost axis has inner 1, and left is 0 then */
}

bool dump_array_next(struct dump_array *a, const void **data, size_t *bytes, struct err *err)
{
    size_t n = dump_array_count(a);
    *bytes = 0;
    if (a->done == n)
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
    if (!run_read(a->run, a->value, &part, a->block, err))
        return err_add(err, "%s", a->name);
    a->done += got;
    *data = a->block;
    *bytes = got * sizeof(float);
    return true;
}
