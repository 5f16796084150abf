/* Products with weights: one output is the dot product of the input's row with the weight's. */
#include "session/worked_parts.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool interleaved(const struct working *k)
{
    return k->p->hp.qk_interleaved && (k->op->weight == W_Q || k->op->weight == W_K);
}

/* The stored row that makes this cell. Where the file has the pairs that turn together side by
 * side, channels i and i + half of a head are its rows 2i and 2i + 1. */
static int stored_row(const struct working *k)
{
    const struct value *v = &k->p->value[k->value];
    int at = k->at, half = k->p->hp.rope_dim / 2;

    if (interleaved(k) && at < 2 * half)
        at = at < half ? 2 * at : 2 * (at - half) + 1;
    return v->n_axis == 3 ? k->head * k->p->hp.d_head + at : at;
}

/* "attn.q", "mlp_up": the weight's role. */
static const char *weight_name(const struct working *k)
{
    return weight_role_name(k->op->weight);
}

static float *weight_row(const struct working *k, int row, int *n)
{
    const struct matrix *w = model_matrix(k->s->model, k->op->weight, k->op->layer);
    float *x = xmalloc((size_t) w->n_in * sizeof *x);

    matrix_row(w, row, x);
    *n = w->n_in;
    return x;
}

static void say_sum(struct working *k, const char *what, double sum, int row)
{
    const float *bias = NULL;

    if (k->op->bias < W_COUNT)
        bias = model_vector(k->s->model, k->op->bias, k->op->layer);
    k->w->result = sum;
    work_fact(k, "sum", sum);
    if (!bias) {
        work_say(k, false, "%s = " WORKED_STRONG "%s", what, NUM(sum));
        return;
    }
    double b = (double) bias[row];
    work_fact(k, "bias", b);
    k->w->result += b;
    k->w->size += fabs(b);
    work_say(k, false, "%s + bias = %s + %s = " WORKED_STRONG "%s", what, NUM(sum), OPERAND(b),
             NUM(k->w->result));
}

static void say_about(struct working *k, int row)
{
    if (k->op->weight == W_LM_HEAD) {
        work_say(k, false, WORKED_DIM "token %d %s: its row of the %s", k->at, LABEL(k, k->at),
                 k->p->hp.tied ? "token table" : "LM head");
        return;
    }
    if (interleaved(k))
        work_say(k, true,
                 WORKED_DIM
                 "the file has the pairs that turn together side by side: channel %d "
                 "of the head is its row %d",
                 k->at, row);
}

/* The whole input of a position: all heads of z. */
static float *input_row(struct working *k, int *n)
{
    int in = k->op->in[0];
    const struct value *v = &k->p->value[in];
    struct region g = {{k->pos, 0, 0}, {1, 1, 1}};

    *n = (int) program_width(k->p, in);
    for (int i = 1; i < v->n_axis; i++)
        g.count[i] = program_axis(k->p, v->axis[i], 0);
    float *x = xmalloc((size_t) *n * sizeof *x);
    if (run_read(k->s->run, in, &g, x, k->err))
        return x;
    free(x);
    return NULL;
}

bool work_linear(struct working *k)
{
    int n, row = stored_row(k);
    float *x = input_row(k, &n);
    char what[160];

    work_fact(k, "weight_row", row);

    if (!x)
        return false;
    float *w = weight_row(k, row, &n);
    struct worked_table *t = work_products(k, x, w, n, "x", "w");
    snprintf(what, sizeof what, "%s[%d] · W_%s[%d]", NAME(k, k->op->in[0]), k->pos,
             weight_name(k), row);
    snprintf(t->title, sizeof t->title, "x w by channel");
    work_from(t, k, k->op->in[0], 0);
    say_sum(k, what, t->sum, row);
    say_about(k, row);
    free(x);
    free(w);
    return true;
}

bool work_result(struct working *k)
{
    int d = k->p->hp.d_head, n;
    float *z = work_row(k, k->op->in[0], k->pos, k->head, &d);

    if (!z)
        return false;
    float *w = weight_row(k, k->at, &n);
    struct worked_table *t = work_products(k, z, w + k->head * d, d, "z", "w");
    k->w->result = t->sum;
    work_fact(k, "sum", t->sum);
    snprintf(t->title, sizeof t->title, "z w by channel of the head");
    work_from(t, k, k->op->in[0], k->head);
    work_say(k, false, "%s.H%d[%d] · W_%s[%d, %d..%d] = " WORKED_STRONG "%s",
             NAME(k, k->op->in[0]), k->head, k->pos, weight_name(k), k->at, k->head * d,
             k->head * d + d - 1, NUM(t->sum));
    work_say(k, true, WORKED_DIM "the part of the output projection that reads head %d alone",
             k->head);
    free(z);
    free(w);
    return true;
}
