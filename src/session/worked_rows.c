/* Embeddings, sums and products of two values, activations, rotations. */
#include "session/worked_parts.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool work_embed(struct working *k)
{
    const struct matrix *table = model_matrix(k->s->model, k->op->weight, -1);
    bool token = k->op->code == OP_EMBED;
    int row = token ? k->s->ids.id[k->pos] : k->pos, n = table->n_in;
    float *x = xmalloc((size_t) n * sizeof *x);

    matrix_row(table, row, x);
    k->w->result = (double) x[k->at];
    k->w->size = fabs(k->w->result);
    work_fact(k, "table_row", row);
    work_say(k, false, "%s[%d, %d] = " WORKED_STRONG "%s",
             token ? "token table" : "position table", row, k->at, NUM(k->w->result));
    if (token)
        work_say(k, false,
                 WORKED_DIM "position %d holds token %d %s: row %d of the %d in the table",
                 k->pos, row, LABEL(k, row), row, table->n_out);
    else
        work_say(k, false, WORKED_DIM "row %d of the %d in the table, whatever the token is",
                 row, table->n_out);
    struct worked_table *t = work_table(k, 0);
    snprintf(t->title, sizeof t->title, "the row");
    t->axis = AXIS_D_MODEL;
    t->part = x;
    t->n_part = n;
    return true;
}

bool work_pair(struct working *k)
{
    bool add = k->op->code == OP_ADD;
    double x, y;

    if (!work_one(k, k->op->in[0], k->pos, k->head, k->at, &x) ||
        !work_one(k, k->op->in[1], k->pos, k->head, k->at, &y))
        return false;
    k->w->result = add ? x + y : x * y;
    work_fact(k, "a", x);
    work_fact(k, "b", y);
    k->w->size = add ? fabs(x) + fabs(y) : fabs(x * y);
    work_next(k, k->op->in[add && fabs(y) > fabs(x)], k->at);
    work_say(k, false, "%s %s %s %s %s = " WORKED_STRONG "%s", NAME(k, k->op->in[0]), NUM(x),
             add ? "+" : "×", NAME(k, k->op->in[1]), OPERAND(y), NUM(k->w->result));
    if (add)
        work_say(k, true,
                 WORKED_DIM "the residual stream, plus what this part of the block "
                            "adds to it");
    else
        work_say(k, true, WORKED_DIM "the gate lets %s times the up projection through",
                 NUM(x));
    return true;
}

static void work_silu(struct working *k, double x)
{
    double below = 1 + exp(-x);

    work_fact(k, "pass", 1 / below);
    k->w->result = x / below;
    work_say(k, false, "%s / (1 + exp(%s)) = %s / %s = " WORKED_STRONG "%s", NUM(x), NUM(-x),
             NUM(x), NUM(below), NUM(k->w->result));
    work_say(k, true, WORKED_DIM "1 / %s = %s of x pass", NUM(below), NUM(1 / below));
}

static void work_gelu(struct working *k, double x)
{
    bool erf_form = k->p->hp.act == ACT_GELU_ERF;
    double inner = erf_form ? x / sqrt(2) : sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x);
    double pass = 0.5 * (1 + (erf_form ? erf(inner) : tanh(inner)));

    work_fact(k, "inner", inner);
    work_fact(k, "pass", pass);
    k->w->result = x * pass;
    work_say(k, false, "%s × 0.5 (1 + %s(%s)) = %s × %s = " WORKED_STRONG "%s", NUM(x),
             erf_form ? "erf" : "tanh", NUM(inner), NUM(x), NUM(pass), NUM(k->w->result));
    if (erf_form)
        work_say(k, true, WORKED_DIM "%s = x / √2", NUM(inner));
    else
        work_say(k, true, WORKED_DIM "%s = 0.79788 (x + 0.044715 x^3), with √(2/pi) = 0.79788",
                 NUM(inner));
    work_say(k, true, WORKED_DIM "%s of x pass", NUM(pass));
}

bool work_act(struct working *k)
{
    double x;

    if (!work_one(k, k->op->in[0], k->pos, k->head, k->at, &x))
        return false;
    work_next(k, k->op->in[0], k->at);
    work_fact(k, "x", x);
    work_say(k, true, "x = %s[%d, %d] = %s", NAME(k, k->op->in[0]), k->pos, k->at, NUM(x));
    if (k->op->code == OP_SILU)
        work_silu(k, x);
    else
        work_gelu(k, x);
    k->w->size = fabs(x);
    return true;
}

/* Channel i and the one half the rotated part away turn together:
 *
 *     x_i      cos - x_i+half sin
 *     x_i+half cos + x_i      sin
 */
bool work_rope(struct working *k)
{
    const struct hparams *hp = &k->p->hp;
    int half = hp->rope_dim / 2, i = k->at % (half > 0 ? half : 1);
    bool upper = k->at >= half;
    double x, y;

    work_next(k, k->op->in[0], k->at);
    if (k->at >= hp->rope_dim) {
        if (!work_one(k, k->op->in[0], k->pos, k->head, k->at, &x))
            return false;
        k->w->result = x;
        work_fact(k, "x", x);
        work_say(k, false, "only channels 0 to %d turn; this one stays " WORKED_STRONG "%s",
                 hp->rope_dim - 1, NUM(x));
        return true;
    }
    if (!work_one(k, k->op->in[0], k->pos, k->head, k->at, &x) ||
        !work_one(k, k->op->in[0], k->pos, k->head, upper ? i : i + half, &y))
        return false;
    double angle = k->pos * pow((double) hp->rope_theta, -2.0 * i / hp->rope_dim);
    k->w->result = x * cos(angle) + (upper ? y : -y) * sin(angle);
    k->w->size = fabs(x) + fabs(y);
    work_fact(k, "a", upper ? y : x);
    work_fact(k, "b", upper ? x : y);
    work_fact(k, "angle", angle);
    work_say(k, false, "%s cos %s %s sin = %s × %s %s %s × %s = " WORKED_STRONG "%s",
             upper ? "b" : "a", upper ? "+" : "-", upper ? "a" : "b", NUM(x),
             OPERAND(cos(angle)), upper ? "+" : "-", OPERAND(y), OPERAND(sin(angle)),
             NUM(k->w->result));
    work_say(k, false, "angle = pos %d × %g^(-2·%d/%d) = %s", k->pos, (double) hp->rope_theta,
             i, hp->rope_dim, NUM(angle));
    work_say(k, false, WORKED_DIM "channels %d and %d of %s turn together: a = %s, b = %s", i,
             i + half, NAME(k, k->op->in[0]), NUM(upper ? y : x), NUM(upper ? x : y));
    return true;
}
