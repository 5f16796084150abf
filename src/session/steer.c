#include "session/steer.h"

#include "base/mem.h"
#include "session/mark.h"
#include "tensor/matrix.h"
#include "tensor/stats.h"

#include <stdio.h>
#include <stdlib.h>

static bool read_position(const struct run *r, int value, int pos, float *out, struct err *err)
{
    struct region one = {{pos, 0, 0}, {1, run_program(r)->hp.d_model, 1}};

    return run_read(r, value, &one, out, err);
}

static double length(const float *x, int n)
{
    struct stats s;

    stats_of(&s, x, (size_t) n);
    return s.norm;
}

bool steer_to_mark(struct session *s, int layer, float x, int pos, struct err *err)
{
    int value = program_value(s->program, layer, "resid_post"), d = s->program->hp.d_model;
    char note[64];

    if (!s->mark)
        return mark_missing(err);
    if (pos >= run_n_past(s->run) || pos >= run_n_past(s->mark->run))
        return err_set(err, "position %d is not computed in both; the run has %d, the mark %d",
                       pos, run_n_past(s->run), run_n_past(s->mark->run));
    float *now = xcalloc((size_t) d * 2, sizeof *now), *mark = now + d;
    bool ok = read_position(s->run, value, pos, now, err) &&
              read_position(s->mark->run, value, pos, mark, err);
    for (int i = 0; i < d; i++)
        mark[i] -= now[i];
    if (ok && !(length(mark, d) > 0))
        ok = err_set(err, "the mark is the same there: no direction to steer in");
    snprintf(note, sizeof note, "mark - now at %d", pos);
    ok = ok && session_add_row(s, layer, x, mark, note, err);
    free(now);
    return ok;
}

/* The mean length of a value's rows over the positions computed. */
static bool mean_length(const struct session *s, int value, double *mean, struct err *err)
{
    int n = run_n_past(s->run), d = s->program->hp.d_model;
    float *row = xcalloc((size_t) d, sizeof *row);
    bool ok = n > 0 || err_set(err, "nothing is computed yet; run first");

    *mean = 0;
    for (int i = 0; ok && i < n; i++) {
        ok = read_position(s->run, value, i, row, err);
        *mean += length(row, d) / n;
    }
    free(row);
    return ok;
}

bool steer_to_token(struct session *s, int layer, float x, int id, struct err *err)
{
    int value = program_value(s->program, layer, "resid_post"), d = s->program->hp.d_model;
    float *row = xcalloc((size_t) d, sizeof *row);
    char label[24], note[64];
    double mean;

    matrix_row(model_matrix(s->model, W_LM_HEAD, -1), id, row);
    bool ok = mean_length(s, value, &mean, err);
    double own = length(row, d);
    if (ok && !(own > 0))
        ok = err_set(err, "token %d has an empty row in the unembedding", id);
    for (int i = 0; ok && i < d; i++)
        row[i] = (float) ((double) row[i] * mean / own);
    tokenizer_label(s->tokenizer, id, label, sizeof label);
    snprintf(note, sizeof note, "toward %s", label);
    ok = ok && session_add_row(s, layer, x, row, note, err);
    free(row);
    return ok;
}
