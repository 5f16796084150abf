/* Attention: from one query and one key to a weight, and from a row of weights to z. */
#include "session/worked_parts.h"

#include "base/mem.h"
#include "engine/function.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The chain of stages of one cell, as the run has them; a stage that is to do is worked on. */
struct chain {
    int first; /* op of the scores */
    double raw, scaled;
    bool seen; /* the mask lets the query see the key */
};

static int stage_value(const struct working *k, const struct chain *c, enum opcode code)
{
    return k->p->op[c->first + (int) code - OP_SCORES].out[0];
}

/* What the run has at a stage of this cell, or `otherwise` before it gets there. */
static double stage_or(struct working *k, const struct chain *c, enum opcode code,
                       double otherwise)
{
    struct err none = ERR_INIT, *err = k->err;
    int value = stage_value(k, c, code);
    double x = otherwise;

    k->err = &none;
    if (run_ready(k->s->run, value) > k->pos)
        work_one(k, value, k->pos, k->head, k->at, &x);
    k->err = err;
    return x;
}

/* The stages before this value's that were changed on the way. */
static void say_changed(struct working *k, const struct chain *c)
{
    int cell[3] = {k->head, k->pos, k->at};

    for (int op = c->first; op <= c->first + OP_SOFTMAX - OP_SCORES; op++) {
        int value = k->p->op[op].out[0];
        float x = 0;
        for (int i = 0; value != k->value && i < run_n_patches(k->s->run); i++)
            if (run_patch_cell(k->s->run, i, value, cell, &x))
                work_say(k, false, WORKED_DIM "%s is changed by: " WORKED_PLAIN "%s",
                         NAME(k, value), run_patch_text(k->s->run, i, NULL));
    }
}

static void say_heads(struct working *k, bool detail)
{
    const struct hparams *hp = &k->p->hp;

    if (hp->n_kv_head < hp->n_head)
        work_say(k, detail, WORKED_DIM "head %d reads kv head %d", k->head,
                 work_kv_head(k, k->head));
}

static const char *tone(const struct working *k, enum opcode code)
{
    return k->op->code == code ? WORKED_STRONG : "";
}

/* What stands in the place of a stage's op; NULL: its own function. */
static const char *replaced(const struct working *k, const struct chain *c, enum opcode code)
{
    int op = c->first + (int) code - OP_SCORES;
    const struct function *f = run_function(k->s->run, op, NULL);

    return f ? f->name : run_replaced(k->s->run, op) ? "another function" : NULL;
}

static void say_chain(struct working *k, const struct chain *c)
{
    const char *scale = replaced(k, c, OP_SCALE), *hide = replaced(k, c, OP_MASK);
    char mask[64], divide[64];

    snprintf(divide, sizeof divide, "÷ √%d", k->p->hp.d_head);
    if (scale)
        snprintf(divide, sizeof divide, "scale replaced (%s)", scale);
    if (hide)
        snprintf(mask, sizeof mask, WORKED_DIM "mask replaced (%s): %s", hide,
                 c->seen ? "seen" : "hidden");
    else if (c->seen)
        snprintf(mask, sizeof mask, WORKED_DIM "not masked (%d ≤ %d)", k->at, k->pos);
    else
        snprintf(mask, sizeof mask, WORKED_STRONG "masked: %d > %d", k->at, k->pos);
    work_say(k, false,
             WORKED_STRONG "q%d·k%d" WORKED_PLAIN " = %s%s" WORKED_PLAIN
                           "  %s = %s%s" WORKED_PLAIN "  %s",
             k->pos, k->at, tone(k, OP_SCORES), NUM(c->raw), divide, tone(k, OP_SCALE),
             NUM(c->scaled), mask);
}

/* q · k with its products, and the stages after it. */
static bool chain_make(struct working *k, struct chain *c, double *dot)
{
    int d, kv = work_kv_head(k, k->head), after;

    c->first = program_attention(k->p, k->op->layer, &after);
    const struct op *scores = &k->p->op[c->first];
    float *q = work_row(k, scores->in[0], k->pos, k->head, &d);
    float *key = q ? work_row(k, scores->in[1], k->at, kv, &d) : NULL;
    if (key) {
        struct worked_table *t = work_products(k, q, key, d, "q", "k");
        snprintf(t->title, sizeof t->title, "q k by channel");
        work_from(t, k, scores->in[0], k->head);
        *dot = t->sum;
    }
    free(q);
    free(key);
    if (!key)
        return false;
    c->raw = stage_or(k, c, OP_SCORES, *dot);
    c->scaled = stage_or(k, c, OP_SCALE, c->raw / sqrt(d));
    c->seen = k->at <= k->pos;
    if (replaced(k, c, OP_MASK))
        c->seen = stage_or(k, c, OP_MASK, c->scaled) != -INFINITY;
    return true;
}

/* --- the softmax of a row of scores --- */

struct row {
    float *score, *weight; /* [n]; weight NULL: to do */
    int n;
    double max, sum; /* of the exps */
    double total;    /* of the weights */
};

static void row_release(struct row *row)
{
    free(row->score);
    free(row->weight);
}

static void row_sums(struct row *row)
{
    row->max = -INFINITY;
    for (int j = 0; j < row->n; j++)
        row->max = fmax(row->max, (double) row->score[j]);
    if (row->max == -INFINITY)
        row->max = 0;
    for (int j = 0; j < row->n; j++) {
        row->sum += exp((double) row->score[j] - row->max);
        row->total += row->weight ? (double) row->weight[j] : 0;
    }
}

/* The columns of a softmax: what goes in, its exponential, its share. */
static void name_softmax(struct worked_table *t, enum axis axis, const char *in,
                         const char *exponential, const char *share)
{
    t->axis = axis;
    t->col[0] = in;
    t->col[1] = exponential;
    t->col[2] = share;
    t->join[0] = t->join[1] = "→";
    t->is_signed = false;
}

static void row_table(struct working *k, const struct chain *c, const struct row *row)
{
    struct worked_table *t = work_table(k, row->n);

    for (int j = 0; j < row->n; j++) {
        double e = exp((double) row->score[j] - row->max);
        t->term[j] = (struct worked_term){j, row->score[j], (float) e, (double) row->weight[j]};
    }
    work_table_done(t);
    snprintf(t->title, sizeof t->title, "weights of query %d", k->pos);
    work_from(t, k, stage_value(k, c, OP_MASK), k->head);
    name_softmax(t, AXIS_KEY, "score", "e^(s-max)", "weight");
}

/* The map without token 0 shows the rest as if it were all. */
static void say_sink(struct working *k, const struct row *row)
{
    double rest = 1 - (double) row->weight[0];

    if (!k->s->set.hide_sink)
        return;
    if (k->at == 0) {
        work_say(k, false, "the map hides this column, token 0");
        return;
    }
    double shown = rest > 1e-6 ? (double) row->weight[k->at] / rest : 0;
    work_fact(k, "weight_without_sink", shown);
    work_say(k, false, "the map hides token 0 and shows %s / (1 - %s) = " WORKED_STRONG "%s",
             NUM((double) row->weight[k->at]), NUM((double) row->weight[0]), NUM(shown));
}

static void say_softmax(struct working *k, const struct row *row)
{
    if (k->at >= row->n || row->score[k->at] == -INFINITY) {
        work_say(k, false,
                 "exp(-inf) = " WORKED_STRONG "0" WORKED_PLAIN ": no weight on what %s",
                 k->at > k->pos ? "comes later" : "is hidden");
        return;
    }
    double weight = exp((double) row->score[k->at] - row->max) / row->sum;
    work_fact(k, "score", (double) row->score[k->at]);
    work_fact(k, "max", row->max);
    work_fact(k, "sum_of_exps", row->sum);
    work_fact(k, "sum_of_weights", row->total);
    work_fact(k, "weight", weight);
    work_say(k, false, "exp(%s - %s) / %s = %s%s", NUM((double) row->score[k->at]),
             OPERAND(row->max), NUM(row->sum), tone(k, OP_SOFTMAX), NUM(weight));
    work_say(k, true, WORKED_DIM "max %s, sum of exps %s, sum of weights %s", NUM(row->max),
             NUM(row->sum), NUM(row->total));
    say_sink(k, row);
}

/* False when the row is not there (yet). */
static bool row_make(struct working *k, const struct chain *c, struct row *row)
{
    *row = (struct row){.n = run_seen(k->s->run, k->op->layer, k->pos)};
    row->score = work_stage_row(k, stage_value(k, c, OP_MASK), row->n);
    if (row->score)
        row->weight = work_stage_row(k, stage_value(k, c, OP_SOFTMAX), row->n);
    if (!row->weight)
        return false;
    row_sums(row);
    return true;
}

static bool work_row_softmax(struct working *k, const struct chain *c)
{
    struct row row;
    const char *other = replaced(k, c, OP_SOFTMAX);

    if (other) {
        work_say(k, false, "the softmax is replaced (%s): weight %s", other,
                 NUM(stage_or(k, c, OP_SOFTMAX, NAN)));
        return true;
    }
    bool ok = row_make(k, c, &row);

    if (ok) {
        say_softmax(k, &row);
        row_table(k, c, &row);
    }
    if (ok && k->op->code == OP_SOFTMAX) {
        k->w->result = k->at >= row.n ? 0 : exp((double) row.score[k->at] - row.max) / row.sum;
        k->w->size = k->w->result;
    }
    row_release(&row);
    return ok || k->op->code != OP_SOFTMAX;
}

bool work_scores(struct working *k)
{
    struct chain c;
    double dot;

    if (!chain_make(k, &c, &dot))
        return false;
    work_fact(k, "q_k", dot);
    work_fact(k, "raw", c.raw);
    work_fact(k, "scaled", c.scaled);
    work_fact(k, "masked", !c.seen);
    k->w->result = k->op->code == OP_SCORES  ? dot
                   : k->op->code == OP_SCALE ? c.raw / sqrt(k->p->hp.d_head)
                   : c.seen                  ? c.scaled
                                             : -INFINITY;
    say_chain(k, &c);
    if (!work_row_softmax(k, &c))
        return false;
    say_heads(k, false);
    say_changed(k, &c);
    return true;
}

/* --- the softmax over the vocabulary --- */

enum { VOCAB_TERMS = 2048 };

/* How many are within `below` of the largest. */
static int count_near(const float *x, int n, double max, double below)
{
    int near = 0;

    for (int i = 0; i < n; i++)
        near += (double) x[i] >= max - below;
    return near;
}

/* The likeliest tokens: sorting a whole vocabulary is not worth its time. */
static void vocab_table(struct working *k, const float *x, int n, double max, double sum)
{
    double below = 64;
    int m = 0;

    while (count_near(x, n, max, below) > VOCAB_TERMS && below > 1e-3)
        below /= 2;
    struct worked_table *t = work_table(k, count_near(x, n, max, below));
    for (int i = 0; i < n; i++) {
        double e = exp((double) x[i] - max);
        if ((double) x[i] >= max - below)
            t->term[m++] = (struct worked_term){i, x[i], (float) e, e / sum};
        else
            t->rest += e / sum;
    }
    t->n_all = n;
    work_table_done(t);
    t->n_part = 0;
    snprintf(t->title, sizeof t->title, "the likeliest tokens");
    work_from(t, k, k->op->in[0], 0);
    name_softmax(t, AXIS_VOCAB, "logit", "e^(l-max)", "prob");
}

static bool work_probs(struct working *k)
{
    int n, best = 0;
    float *x = work_row(k, k->op->in[0], k->pos, 0, &n);
    double sum = 0;

    if (!x)
        return false;
    for (int i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    double max = (double) x[best];
    for (int i = 0; i < n; i++)
        sum += exp((double) x[i] - max);
    k->w->result = exp((double) x[k->at] - max) / sum;
    k->w->size = k->w->result;
    work_fact(k, "logit", (double) x[k->at]);
    work_fact(k, "max", max);
    work_fact(k, "sum_of_exps", sum);
    work_fact(k, "log_sum_exp", max + log(sum));
    work_say(k, false, "exp(%s - %s) / %s = " WORKED_STRONG "%s", NUM((double) x[k->at]),
             OPERAND(max), NUM(sum), NUM(k->w->result));
    work_say(k, false, "max %s is %s; log-sum-exp %s + log %s = %s", NUM(max), LABEL(k, best),
             NUM(max), NUM(sum), NUM(max + log(sum)));
    work_say(k, true, WORKED_DIM "over %d tokens, before temperature, top-k and top-p", n);
    vocab_table(k, x, n, max, sum);
    free(x);
    return true;
}

bool work_softmax(struct working *k)
{
    return k->op->layer < 0 ? work_probs(k) : work_scores(k);
}

/* --- the weighted sum of values --- */

bool work_mix(struct working *k)
{
    int n = run_seen(k->s->run, k->op->layer, k->pos), kv = work_kv_head(k, k->head);
    int value = k->op->in[1];
    struct region g = {{0, kv, k->at}, {n, 1, 1}};
    float *v = xmalloc((size_t) n * sizeof *v), *weight = work_stage_row(k, k->op->in[0], n);

    if (!weight || !run_read(k->s->run, value, &g, v, k->err)) {
        free(weight);
        free(v);
        return false;
    }
    struct worked_table *t = work_products(k, weight, v, n, "weight", "v");
    t->axis = AXIS_KEY;
    snprintf(t->title, sizeof t->title, "weight v by key");
    work_from(t, k, k->op->in[0], k->head);
    k->w->result = t->sum;
    work_fact(k, "sum", t->sum);
    work_say(k, false, "Σ weight × v[%d] over keys 0 to %d = " WORKED_STRONG "%s", k->at, n - 1,
             NUM(t->sum));
    say_heads(k, false);
    free(weight);
    free(v);
    return true;
}
