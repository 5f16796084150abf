/*
 * In which order the arrays of a dump are read. Value by value, as the file has them, an op's
 * result must be remembered for all positions until its last reader is written. Where the file
 * can be written anywhere, it is better to go through each block of the model a chunk of
 * positions at a time:
 *
 *     positions      0 .. 511                     512 .. 1023
 *                    ln1.out q k v .. resid_post  ln1.out q k v .. resid_post    then block 1
 *
 * and through the four stages of an attention a piece at a time, which share q . k.
 */
#include "command/dump_array.h"

#include "base/mem.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* --- one sweep for all arrays --- */

static const struct run *run_of(const struct dump_job *job)
{
    for (int i = 0; i < job->n; i++)
        if (!job->array[i].data)
            return job->array[i].run;
    return NULL;
}

bool dump_job_begin(struct dump_job *job, struct err *err)
{
    const struct run *run = run_of(job);
    if (!run)
        return true;
    job->sweep = sweep_new(run, SWEEP_BUDGET, err);
    for (int i = 0; job->sweep && i < job->n; i++) {
        struct dump_array *a = &job->array[i];
        if (a->data)
            continue;
        a->sweep = job->sweep;
        sweep_want(job->sweep, a->value);
    }
    return job->sweep != NULL;
}

void dump_job_end(struct dump_job *job)
{
    sweep_free(job->sweep);
    job->sweep = NULL;
}

/* --- turns --- */

/* An array's turn: those of one phase are read side by side. */
struct turn {
    struct dump_array *array;
    int index, phase, order;
    bool stage;
};

enum { FIRST = -1, EMBED = 0, LAST = INT_MAX };

/* The op that makes the value; what is only derived comes right after what it is made of. */
static int order_of(const struct program *p, int value)
{
    int op = p->value[program_resolve(p, value)].op;
    if (op < p->n_steps)
        return 2 * op;
    return 2 * p->value[p->op[op].in[0]].op + 1;
}

static void set_turn(struct turn *t, struct dump_array *a, int index)
{
    *t = (struct turn){.array = a, .index = index, .phase = FIRST};
    if (a->data)
        return;
    const struct program *p = run_program(a->run);
    const struct value *v = &p->value[a->value];
    t->stage = program_is_stage(p, a->value);
    t->order = order_of(p, a->value);
    if (v->op >= 0 && p->op[v->op].last_row)
        t->phase = LAST;
    else
        t->phase = v->layer < 0 ? EMBED : 2 * v->layer + (t->stage ? 1 : 2);
}

static int compare(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;
    if (x->phase != y->phase)
        return x->phase < y->phase ? -1 : 1;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* --- reading --- */

struct reader {
    dump_sink *sink;
    void *user;
    struct err *err;
};

/* One piece; *more gets whether there was one. */
static bool give_piece(const struct reader *r, struct turn *t, bool *more)
{
    const void *data;
    size_t bytes = 0;
    if (!dump_array_next(t->array, &data, &bytes, r->err))
        return false;
    *more = bytes > 0;
    return bytes == 0 || r->sink(r->user, t->index, data, bytes, r->err);
}

static bool give_all(const struct reader *r, struct turn *t)
{
    bool more = true;
    while (more)
        if (!give_piece(r, t, &more))
            return false;
    return true;
}

/* A piece of each in turn: their regions are the same. */
static bool give_stages(const struct reader *r, struct turn *turn, int n)
{
    bool more = true;
    while (more)
        for (int i = 0; i < n; i++)
            if (!give_piece(r, &turn[i], &more))
                return false;
    return true;
}

static bool same_regions(const struct turn *turn, int n)
{
    for (int i = 1; i < n; i++)
        if (memcmp(&turn[i].array->region, &turn[0].array->region, sizeof(struct region)) != 0)
            return false;
    return true;
}

static size_t row_elements(const struct dump_array *a)
{
    size_t n = 1;
    for (int i = 1; i < a->n_value_axis; i++)
        n *= (size_t) a->region.count[i];
    return n;
}

/* A chunk of positions of each in turn. */
static bool give_rows(const struct reader *r, struct turn *turn, int n)
{
    size_t chunk = (size_t) sweep_rows(turn[0].array->sweep, turn[0].array->value);
    bool more = true;
    for (size_t end = chunk; more; end += chunk) {
        more = false;
        for (int i = 0; i < n; i++) {
            struct dump_array *a = turn[i].array;
            a->until = end * row_elements(a);
            if (!give_all(r, &turn[i]))
                return false;
            more = more || dump_array_more(a);
        }
    }
    return true;
}

static bool give_phase(const struct reader *r, struct turn *turn, int n)
{
    bool ok = true;
    for (int i = 0; i < n; i++) {
        turn[i].array->until = 0;
        ok = dump_array_open(turn[i].array, r->err) && ok;
    }
    if (ok && turn[0].phase != FIRST && !turn[0].stage && turn[0].array->sweep)
        ok = give_rows(r, turn, n);
    else if (ok && turn[0].stage && same_regions(turn, n))
        ok = give_stages(r, turn, n);
    else
        for (int i = 0; ok && i < n; i++)
            ok = give_all(r, &turn[i]);
    for (int i = 0; i < n; i++) {
        turn[i].array->until = 0;
        dump_array_close(turn[i].array);
    }
    return ok;
}

bool dump_each(const struct dump_job *job, dump_sink *sink, void *user, struct err *err)
{
    struct turn *turn = xcalloc((size_t) job->n, sizeof *turn);
    struct reader r = {sink, user, err};
    for (int i = 0; i < job->n; i++)
        set_turn(&turn[i], &job->array[i], i);
    qsort(turn, (size_t) job->n, sizeof *turn, compare);
    if (job->sweep)
        sweep_forget(job->sweep);
    for (int i = 0; i < job->n; i++)
        if (turn[i].array->sweep)
            sweep_want(job->sweep, turn[i].array->value);
    bool ok = true;
    for (int i = 0, end; ok && i < job->n; i = end) {
        for (end = i + 1; end < job->n && turn[end].phase == turn[i].phase; end++)
            ;
        ok = give_phase(&r, &turn[i], end - i);
    }
    free(turn);
    return ok;
}
