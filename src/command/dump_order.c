/*
 * In which order the arrays of a dump are read. Value by value, as the file has them, an op's
 * result must be remembered for all positions until its last reader is written. Where the file
 * can be written anywhere, it is better to go through each block of the model a chunk of
 * positions at a time:
 *
 *     positions      0 .. 511                     512 .. 1023
 *                    ln1.out q k v .. resid_post  ln1.out q k v .. resid_post    then block 1
 *
 * and through the four stages of an attention a piece at a time, which share q . k. Pieces of
 * the two come in turn, at the same pace: stages are many bytes and quickly computed, the rest
 * is the other way round, and the disk is to have something to do all the time.
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
        t->phase = v->layer < 0 ? EMBED : v->layer + 1;
}

static int compare(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;
    if (x->phase != y->phase)
        return x->phase < y->phase ? -1 : 1;
    if (x->stage != y->stage)
        return x->stage ? 1 : -1;
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

/* The arrays of a phase with a row a position, or those with stages. */
struct lane {
    struct turn *turn;
    int n, at;          /* at: of stages that are read one after the other */
    bool same;          /* their regions are the same: a piece of each in turn */
    size_t total, done; /* bytes */
};

static bool give_piece(const struct reader *r, struct lane *lane, int i, size_t *bytes)
{
    const void *data;
    struct turn *t = &lane->turn[i];
    *bytes = 0;
    if (!dump_array_next(t->array, &data, bytes, r->err))
        return false;
    lane->done += *bytes;
    return *bytes == 0 || r->sink(r->user, t->index, data, *bytes, r->err);
}

static bool give_stages(const struct reader *r, struct lane *l)
{
    size_t bytes;
    for (int i = 0; l->same && i < l->n; i++)
        if (!give_piece(r, l, i, &bytes))
            return false;
    if (l->same)
        return true;
    if (!give_piece(r, l, l->at, &bytes))
        return false;
    l->at += bytes == 0;
    return true;
}

/* As much of the stages as of the rest, in parts of the whole. */
static bool keep_pace(const struct reader *r, struct lane *stages, const struct lane *rows)
{
    while (stages->done < stages->total && (double) stages->done * (double) rows->total <=
                                               (double) rows->done * (double) stages->total)
        if (!give_stages(r, stages))
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

/* One array up to the end of a chunk, or all of it. */
static bool give_chunk(const struct reader *r, struct lane *rows, int i, size_t end,
                       struct lane *stages)
{
    struct dump_array *a = rows->turn[i].array;
    a->until = a->sweep ? end * row_elements(a) : 0;
    for (size_t bytes = 1; bytes;)
        if (!give_piece(r, rows, i, &bytes) || !keep_pace(r, stages, rows))
            return false;
    a->until = 0;
    return true;
}

/* A chunk of positions of each in turn. */
static bool give_rows(const struct reader *r, struct lane *rows, struct lane *stages)
{
    const struct dump_array *first = rows->turn[0].array;
    size_t chunk = first->sweep ? (size_t) sweep_rows(first->sweep, first->value) : 1;
    for (size_t end = chunk; rows->done < rows->total; end += chunk)
        for (int i = 0; i < rows->n; i++)
            if (!give_chunk(r, rows, i, end, stages))
                return false;
    return true;
}

static struct lane lane_of(struct turn *turn, int n)
{
    struct lane l = {.turn = turn, .n = n, .same = true};
    for (int i = 0; i < n; i++) {
        l.total += dump_array_bytes(turn[i].array);
        if (memcmp(&turn[i].array->region, &turn[0].array->region, sizeof(struct region)) != 0)
            l.same = false;
    }
    return l;
}

static bool give_phase(const struct reader *r, struct turn *turn, int n)
{
    int n_rows = 0;
    bool ok = true;
    while (n_rows < n && !turn[n_rows].stage)
        n_rows++;
    struct lane rows = lane_of(turn, n_rows), stages = lane_of(turn + n_rows, n - n_rows);
    for (int i = 0; i < n; i++) {
        turn[i].array->until = 0;
        ok = dump_array_open(turn[i].array, r->err) && ok;
    }
    ok = ok && (n_rows == 0 || give_rows(r, &rows, &stages));
    while (ok && stages.done < stages.total)
        ok = give_stages(r, &stages);
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
