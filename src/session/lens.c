/* What the logit lens has seen: kept by position, thrown away when the position changes. */
#include "session/lens.h"

#include "base/mem.h"
#include "session/lens_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 32 }; /* rows of one product, unless a single position has more points */

struct lens *lens_new(void)
{
    return xcalloc(1, sizeof(struct lens));
}

static void end_job(struct lens *l)
{
    lens_job_free(l->job);
    l->job = NULL;
}

static void forget(struct lens *l)
{
    end_job(l);
    for (int i = 0; i < l->n_columns; i++)
        free(l->column[i].cell);
    l->n_columns = 0;
}

void lens_free(struct lens *l)
{
    if (!l)
        return;
    forget(l);
    free(l->column);
    free(l->value);
    free(l->ready);
    free(l);
}

/* --- the points --- */

static void find_points(struct lens *l, const struct program *p)
{
    size_t n = 2 * (size_t) p->hp.n_layer + 1;

    l->n_points = (int) n;
    l->value = xrealloc(l->value, n, sizeof *l->value);
    l->ready = xrealloc(l->ready, n, sizeof *l->ready);
    l->value[0] = program_value(p, 0, "resid_pre");
    for (int layer = 0; layer < p->hp.n_layer; layer++) {
        l->value[2 * layer + 1] = program_value(p, layer, "resid_mid");
        l->value[2 * layer + 2] = program_value(p, layer, "resid_post");
    }
    l->head = &p->op[p->value[program_find(p, "logits")].op];
    l->norm = &p->op[p->value[l->head->in[0]].op];
}

void lens_look(struct lens *l, const struct session *s)
{
    if (l->generation != s->generation) {
        forget(l);
        find_points(l, s->program);
    }
    l->s = s;
    l->run = s->run;
    l->generation = s->generation;
    for (int i = 0; i < l->n_points; i++) {
        int n = run_ready(s->run, l->value[i]);
        l->ready[i] = n < s->ids.n ? n : s->ids.n;
    }
}

int lens_n_points(const struct lens *l)
{
    return l->n_points;
}

int lens_ready(const struct lens *l, int pos)
{
    int n = 0;

    while (n < l->n_points && pos < l->ready[n])
        n++;
    return n;
}

/* --- the columns --- */

int32_t lens_next(const struct lens *l, int pos)
{
    return pos + 1 < l->s->ids.n ? l->s->ids.id[pos + 1] : -1;
}

/* The position's column if it still holds. */
static const struct lens_column *find_column(const struct lens *l, int pos)
{
    const struct lens_column *c = pos >= 0 && pos < l->n_columns ? &l->column[pos] : NULL;

    if (!c || c->stamp == 0 || c->stamp != run_stamp(l->run, pos) ||
        c->next != lens_next(l, pos))
        return NULL;
    return c;
}

struct lens_column *lens_take_column(struct lens *l, int pos)
{
    while (l->n_columns <= pos) {
        VEC_ROOM(l->column, l->n_columns, l->cap_columns);
        memset(&l->column[l->n_columns++], 0, sizeof *l->column);
    }
    struct lens_column *c = &l->column[pos];
    if (!find_column(l, pos)) {
        free(c->cell);
        *c = (struct lens_column){.stamp = run_stamp(l->run, pos), .next = lens_next(l, pos)};
    }
    return c;
}

static bool final_ready(const struct lens *l, int pos)
{
    return l->n_points > 0 && pos < l->ready[l->n_points - 1];
}

bool lens_has_final(const struct lens *l, int pos)
{
    const struct lens_column *c = find_column(l, pos);

    return c && c->has_final;
}

bool lens_has_cells(const struct lens *l, int pos)
{
    const struct lens_column *c = find_column(l, pos);
    int ready = lens_ready(l, pos);

    return ready == 0 || (c && c->done >= ready && (c->compared || !final_ready(l, pos)));
}

/* --- the work --- */

/* What position pos lacks: the batch's kind, or 0. */
static int lacks(const struct lens *l, int pos, bool all)
{
    enum { NOTHING, FINAL, CELLS };

    if (final_ready(l, pos) && !lens_has_final(l, pos))
        return FINAL;
    return all && !lens_has_cells(l, pos) ? CELLS : NOTHING;
}

/* Where a position's cells begin to be missing. */
static int first_point(const struct lens *l, int pos)
{
    const struct lens_column *c = find_column(l, pos);

    return c && !final_ready(l, pos) ? c->done : 0;
}

/* The next positions that lack the same, as many as make a batch. */
static struct lens_job *find_job(struct lens *l, int first, int count, bool all)
{
    int end = first + count < l->s->ids.n ? first + count : l->s->ids.n, pos = first, n = 1;

    for (int kind = 1; kind <= 2; kind++) { /* final predictions first: ranks are of them */
        for (pos = first < 0 ? 0 : first; pos < end; pos++)
            if (lacks(l, pos, all) == kind)
                break;
        if (pos >= end)
            continue;
        int ready = lens_ready(l, pos), begin = first_point(l, pos);
        int rows = kind == 1 ? 1 : ready - begin;
        while (pos + n < end && (n + 1) * rows <= BATCH_ROWS &&
               lacks(l, pos + n, all) == kind && lens_ready(l, pos + n) == ready &&
               first_point(l, pos + n) == begin)
            n++;
        return lens_job_new(l, pos, n, begin, kind == 2);
    }
    return NULL;
}

bool lens_work(struct lens *l, int first, int count, bool all, struct err *err)
{
    bool done = false;

    if (l->job && !lens_job_holds(l))
        end_job(l);
    if (!l->job)
        l->job = find_job(l, first, count, all);
    if (!l->job)
        return false;
    bool ok = lens_job_step(l, &done, err);
    if (!ok || done)
        end_job(l);
    return ok;
}

bool lens_wants(const struct lens *l, int first, int count, bool all)
{
    for (int pos = first < 0 ? 0 : first; pos < first + count && pos < l->s->ids.n; pos++)
        if (lacks(l, pos, all))
            return true;
    return false;
}

/* --- looking --- */

bool lens_final(const struct lens *l, int pos, struct lens_cell *cell)
{
    const struct lens_column *c = find_column(l, pos);

    if (!c || !c->has_final || !final_ready(l, pos))
        return false;
    *cell = c->final;
    return true;
}

bool lens_cell(const struct lens *l, int point, int pos, struct lens_cell *cell)
{
    const struct lens_column *c = find_column(l, pos);

    if (!c || point < 0 || point >= c->done || point >= lens_ready(l, pos))
        return false;
    *cell = c->cell[point];
    if (!final_ready(l, pos)) { /* the pass was taken back: what is to come is not told */
        cell->rank = 0;
        cell->kl = NAN;
    }
    return true;
}

bool lens_surprisal(const struct lens *l, int pos, float *nats, int *rank)
{
    struct lens_cell cell;

    if (pos < 1 || pos >= l->s->ids.n || !lens_final(l, pos - 1, &cell))
        return false;
    *nats = cell.surprisal;
    *rank = cell.rank_next;
    return true;
}
