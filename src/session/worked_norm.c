/* LayerNorm and RMSNorm: the statistics of a row, and one channel brought to their scale. */
#include "session/worked_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Which output of a norm's op it is (engine/build.c). */
enum { NORM_OUT, NORM_NORMALIZED, NORM_SCALE, NORM_MEAN };

struct row_stats {
    double mean, var, scale; /* RMSNorm: mean 0, var the mean square */
};

/* The squares are the terms: which channels make the scale. */
static void stats_make(struct working *k, const float *x, int n, struct row_stats *t)
{
    bool rms = k->op->code == OP_RMSNORM;
    struct worked_table *table = work_table(k, n);

    t->mean = 0;
    for (int i = 0; i < n && !rms; i++)
        t->mean += (double) x[i] / n;
    for (int i = 0; i < n; i++) {
        double d = (double) x[i] - t->mean;
        table->term[i] = (struct worked_term){i, x[i], (float) d, d * d};
    }
    work_table_done(table);
    work_from(table, k, k->op->in[0], 0);
    snprintf(table->title, sizeof table->title,
             rms ? "x^2 by channel" : "(x - mean)^2 by channel");
    table->axis = AXIS_D_MODEL;
    table->col[0] = "x";
    table->col[1] = rms ? "x" : "x - mean";
    table->col[2] = "square";
    table->join[0] = rms ? "×" : "→";
    table->join[1] = rms ? "=" : "^2 =";
    table->is_signed = false;
    t->var = table->sum / n;
    t->scale = sqrt(t->var + (double) k->p->hp.norm_eps);
    if (!rms)
        work_fact(k, "mean", t->mean);
    work_fact(k, rms ? "mean_square" : "variance", t->var);
    work_fact(k, "eps", (double) k->p->hp.norm_eps);
    work_fact(k, "scale", t->scale);
}

static void say_stats(struct working *k, const struct row_stats *t, int n, bool detail)
{
    bool rms = k->op->code == OP_RMSNORM;

    if (!rms)
        work_say(k, detail, "mean of %d channels %s", n, NUM(t->mean));
    work_say(k, detail, "scale = √(%s %s + eps %s) = " WORKED_STRONG "%s",
             rms ? "mean square" : "variance", NUM(t->var), NUM((double) k->p->hp.norm_eps),
             NUM(t->scale));
}

/* (x - mean) / scale */
static double normalized(struct working *k, const struct row_stats *t, double x)
{
    double y = (x - t->mean) / t->scale;

    work_fact(k, "x", x);
    work_fact(k, "normalized", y);
    k->w->size = (fabs(x) + fabs(t->mean)) / t->scale;
    if (k->op->code == OP_RMSNORM)
        work_say(k, false, "x / scale = %s / %s = " WORKED_STRONG "%s", NUM(x), NUM(t->scale),
                 NUM(y));
    else
        work_say(k, false, "(x - mean) / scale = (%s - %s) / %s = " WORKED_STRONG "%s", NUM(x),
                 OPERAND(t->mean), NUM(t->scale), NUM(y));
    return y;
}

static double gained(struct working *k, double y)
{
    const float *gain = model_vector(k->s->model, k->op->weight, k->op->layer), *bias = NULL;
    double g = (double) gain[k->at];

    if (k->op->bias < W_COUNT)
        bias = model_vector(k->s->model, k->op->bias, k->op->layer);
    k->w->size *= fabs(g);
    work_fact(k, "gain", g);
    if (!bias) {
        work_say(k, false, "× gain = %s × %s = " WORKED_STRONG "%s", NUM(y), NUM(g),
                 NUM(y * g));
        return y * g;
    }
    double b = (double) bias[k->at], z = y * g + b;
    k->w->size += fabs(b);
    work_fact(k, "bias", b);
    work_say(k, false, "× gain + bias = %s × %s + %s = " WORKED_STRONG "%s", NUM(y), OPERAND(g),
             OPERAND(b), NUM(z));
    return z;
}

bool work_norm(struct working *k)
{
    struct row_stats t;
    int n;
    float *x = work_row(k, k->op->in[0], k->pos, 0, &n);

    if (!x)
        return false;
    stats_make(k, x, n, &t);
    if (k->out == NORM_OUT || k->out == NORM_NORMALIZED) {
        k->w->result = normalized(k, &t, (double) x[k->at]);
        if (k->out == NORM_OUT)
            k->w->result = gained(k, k->w->result);
        say_stats(k, &t, n, false);
    } else {
        k->w->result = k->out == NORM_MEAN ? t.mean : t.scale;
        k->w->size = t.scale + fabs(t.mean);
        say_stats(k, &t, n, false);
    }
    work_say(k, true, WORKED_DIM "x is %s at position %d", NAME(k, k->op->in[0]), k->pos);
    free(x);
    return true;
}
