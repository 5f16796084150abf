/* The logit lens at work: some positions' streams, normed, times the unembedding, in slices of
 * the vocabulary that are summed up and forgotten. */
#include "base/mem.h"
#include "session/lens_parts.h"
#include "tensor/kernels.h"
#include "tensor/simd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Multiply-adds of a piece: about half a millisecond of one core; and what summing up a logit
 * costs in them. */
enum { PIECE = 16 << 20, SUM_COST = 128, SLICE_STEP = 64 };

static const struct matrix *unembedding(const struct lens *l)
{
    return model_matrix(l->s->model, l->head->weight, l->head->layer);
}

static size_t width(const struct lens *l)
{
    return (size_t) l->s->program->hp.d_model;
}

static int slice_of(const struct lens *l, int rows)
{
    int n = PIECE / rows / ((int) width(l) + SUM_COST) / SLICE_STEP * SLICE_STEP;
    int most = unembedding(l)->n_out;

    n = n < SLICE_STEP ? SLICE_STEP : n;
    return n < most ? n : most;
}

static void begin_sum(struct lens_sum *sum, const struct lens *l, const struct lens_job *j,
                      int row)
{
    bool compares = j->all && j->end == l->n_points;

    *sum = (struct lens_sum){.pos = j->pos + row % j->n_pos,
                             .point = j->point + row / j->n_pos,
                             .final = compares ? j->n_rows - j->n_pos + row % j->n_pos : -1,
                             .target = -1,
                             .most = -INFINITY,
                             .at_next = NAN};
    sum->next = lens_next(l, sum->pos);
    if (compares)
        sum->target = l->column[sum->pos].final.top[0].id;
    for (int i = 0; i < LENS_TOP; i++)
        sum->top[i] = (struct lens_token){-1, -INFINITY};
}

struct lens_job *lens_job_new(const struct lens *l, int pos, int n_pos, int point, bool all)
{
    struct lens_job *j = xcalloc(1, sizeof *j);
    size_t d = width(l), n = (size_t) n_pos;

    *j = (struct lens_job){.pos = pos, .n_pos = n_pos, .all = all};
    j->end = all ? lens_ready(l, pos) : l->n_points;
    j->point = all ? point : j->end - 1;
    j->read = all && j->point > 0 ? j->point - 1 : j->point; /* for what is added since */
    j->n_rows = (j->end - j->point) * n_pos;
    j->slice = slice_of(l, j->n_rows);
    size_t cells = (size_t) j->n_rows * (size_t) j->slice;
    j->stamp = xcalloc(n, sizeof *j->stamp);
    j->raw = xcalloc(n * d, sizeof *j->raw);
    j->before = xcalloc(n * d, sizeof *j->before);
    j->x = xcalloc((size_t) j->n_rows * d, sizeof *j->x);
    j->logits = xcalloc(cells, sizeof *j->logits);
    j->exps = xcalloc(cells, sizeof *j->exps);
    j->sum = xcalloc((size_t) j->n_rows, sizeof *j->sum);
    for (int i = 0; i < n_pos; i++)
        j->stamp[i] = run_stamp(l->run, pos + i);
    for (int row = 0; row < j->n_rows; row++)
        begin_sum(&j->sum[row], l, j, row);
    return j;
}

void lens_job_free(struct lens_job *j)
{
    if (!j)
        return;
    free(j->stamp);
    free(j->raw);
    free(j->before);
    free(j->x);
    free(j->logits);
    free(j->exps);
    free(j->sum);
    free(j);
}

bool lens_job_holds(const struct lens *l)
{
    const struct lens_job *j = l->job;

    for (int i = 0; i < j->n_pos; i++)
        if (j->stamp[i] != run_stamp(l->run, j->pos + i) ||
            j->sum[i].next != lens_next(l, j->pos + i) || lens_ready(l, j->pos + i) < j->end)
            return false;
    return true;
}

/* --- reading --- */

/* Positions from pos on; as the run does it, when something else stands in the norm's place. */
static void norm_rows(const struct lens *l, float *out, const float *x, int pos, int rows)
{
    const struct op *op = l->norm;
    const struct model *m = l->s->model;
    const float *gain = model_vector(m, op->weight, op->layer);
    float eps = l->s->program->hp.norm_eps;
    int d = (int) width(l), index = (int) (op - l->s->program->op);

    if (run_replaced(l->run, index))
        run_apply(l->run, index, pos, rows, x, out);
    else if (op->code == OP_RMSNORM)
        rmsnorm(out, NULL, NULL, x, gain, rows, d, eps);
    else
        layernorm(out, NULL, NULL, NULL, x, gain, model_vector(m, op->bias, op->layer), rows, d,
                  eps);
}

/* |x|, |x - before|, and the cosine of x - before with before. */
static void measure(struct lens_sum *sum, const float *x, const float *before, size_t d)
{
    double xx = 0, bb = 0, aa = 0, ab = 0;

    for (size_t i = 0; i < d; i++) {
        double b = (double) before[i], a = (double) x[i] - b;
        xx += (double) x[i] * (double) x[i];
        bb += b * b;
        aa += a * a;
        ab += a * b;
    }
    sum->norm = (float) sqrt(xx);
    sum->added = sum->point > 0 ? (float) sqrt(aa) : 0;
    sum->cosine = sum->point > 0 && aa > 0 && bb > 0 ? (float) (ab / sqrt(aa * bb)) : NAN;
}

/* One logit, for the ranks: tokens above it are counted as the others go by. */
static float logit_of(const struct lens *l, const float *x, int id, float *room)
{
    const float *bias =
        l->head->bias < W_COUNT ? model_vector(l->s->model, l->head->bias, -1) : NULL;

    if (id < 0)
        return INFINITY;
    matrix_row(unembedding(l), id, room);
    return dot(room, x, width(l)) + (bias ? bias[id] : 0);
}

static void take_row(const struct lens *l, struct lens_job *j, int row, float *room)
{
    struct lens_sum *sum = &j->sum[row];
    size_t d = width(l), at = (size_t) (row % j->n_pos) * d;
    const float *x = j->x + (size_t) row * d;

    if (j->all)
        measure(sum, j->raw + at, j->before + at, d);
    sum->target_logit = logit_of(l, x, sum->target, room);
    sum->next_logit = logit_of(l, x, sum->next, room);
}

/* The stream at one point, for all positions of the job. */
static bool read_point(const struct lens *l, struct lens_job *j, struct err *err)
{
    size_t d = width(l), n = (size_t) j->n_pos * d;
    struct region part = {{j->pos, 0, 0}, {j->n_pos, (int) d, 1}};

    memcpy(j->before, j->raw, n * sizeof *j->raw);
    if (!run_read(l->run, l->value[j->read], &part, j->raw, err))
        return false;
    int row = (j->read - j->point) * j->n_pos;
    j->read++;
    if (row < 0)
        return true;
    float *room = xmalloc(d * sizeof *room);
    norm_rows(l, j->x + (size_t) row * d, j->raw, j->pos, j->n_pos);
    for (int i = 0; i < j->n_pos; i++)
        take_row(l, j, row + i, room);
    free(room);
    return true;
}

bool lens_logits(const struct lens *l, int point, int pos, float *out, struct err *err)
{
    const struct matrix *w = unembedding(l);
    size_t d = width(l);
    struct region part = {{pos, 0, 0}, {1, (int) d, 1}};
    char name[32];

    if (point >= lens_ready(l, pos))
        return err_set(err, "%s is not computed at position %d yet; run first",
                       point_name(point, name, sizeof name), pos);
    float *x = xmalloc(2 * d * sizeof *x);
    bool ok = run_read(l->run, l->value[point], &part, x, err);
    if (ok) {
        norm_rows(l, x + d, x, pos, 1);
        matmul(l->s->compute, out, (size_t) w->n_out, x + d, d, 1, w,
               l->head->bias < W_COUNT ? model_vector(l->s->model, l->head->bias, -1) : NULL);
    }
    free(x);
    return ok;
}

/* --- summing up --- */

static double weigh(const float *w, const float *x, int n)
{
    double sum[4] = {0};
    int i = 0;

    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++)
            sum[k] += (double) w[i + k] * (double) x[i + k];
    for (; i < n; i++)
        sum[0] += (double) w[i] * (double) x[i];
    return sum[0] + sum[1] + sum[2] + sum[3];
}

static void insert_top(struct lens_token *top, int id, float logit)
{
    int i = LENS_TOP - 1;

    for (; i > 0 && logit > top[i - 1].prob; i--)
        top[i] = top[i - 1];
    top[i] = (struct lens_token){id, logit};
}

static int count_above(const float *x, int n, float limit)
{
    int above = 0;

    for (int i = 0; i < n; i++)
        above += x[i] > limit;
    return above;
}

/* The token itself does not stand above itself, however its logit was rounded. */
static int count_others(const float *x, int first, int n, int32_t id, float limit)
{
    int above = id < 0 ? 0 : count_above(x, n, limit);

    return id >= first && id < first + n && x[id - first] > limit ? above - 1 : above;
}

static void sum_row(void *arg, int row, float *scratch)
{
    struct lens_job *j = arg;
    struct lens_sum *sum = &j->sum[row];
    size_t at = (size_t) row * (size_t) j->slice;
    int n = j->slice; /* as multiplied just now */
    const float *x = j->logits + at;
    float *e = j->exps + at, most = simd_best()->max(x, (size_t) n);

    (void) scratch;
    most = most > sum->most ? most : sum->most;
    sum->rescale = sum->most > -INFINITY ? expf(sum->most - most) : 0;
    sum->most = most;
    memcpy(e, x, (size_t) n * sizeof *e);
    sum->z = sum->z * (double) sum->rescale +
             simd_best()->exp_sum(e, (size_t) n, most > -INFINITY ? most : 0);
    sum->s = sum->s * (double) sum->rescale + weigh(e, x, n);
    sum->above_target += count_others(x, j->vocab, n, sum->target, sum->target_logit);
    sum->above_next += count_others(x, j->vocab, n, sum->next, sum->next_logit);
    if (sum->next >= j->vocab && sum->next < j->vocab + n)
        sum->at_next = x[sum->next - j->vocab];
    for (int i = 0; i < n; i++)
        if (x[i] > sum->top[LENS_TOP - 1].prob)
            insert_top(sum->top, j->vocab + i, x[i]);
}

/* Under the final prediction of the same position, whose row is summed up. */
static void cross_row(void *arg, int row, float *scratch)
{
    struct lens_job *j = arg;
    struct lens_sum *sum = &j->sum[row];
    const struct lens_sum *final = &j->sum[sum->final < 0 ? 0 : sum->final];
    size_t n = (size_t) j->slice;

    (void) scratch;
    if (sum->final >= 0)
        sum->cross =
            sum->cross * (double) final->rescale +
            weigh(j->exps + (size_t) sum->final * n, j->logits + (size_t) row * n, j->slice);
}

static void multiply(const struct lens *l, struct lens_job *j)
{
    const struct matrix *w = unembedding(l);
    const float *bias =
        l->head->bias < W_COUNT ? model_vector(l->s->model, l->head->bias, -1) : NULL;

    if (j->slice > w->n_out - j->vocab)
        j->slice = w->n_out - j->vocab;
    struct matrix slice = matrix_slice(w, j->vocab, j->slice);
    matmul(l->s->compute, j->logits, (size_t) j->slice, j->x, width(l), j->n_rows, &slice,
           bias ? bias + j->vocab : NULL);
    compute_each(l->s->compute, j->n_rows, sum_row, j);
    compute_each(l->s->compute, j->n_rows, cross_row, j);
    j->vocab += j->slice;
}

/* --- the results --- */

static void conclude(const struct lens_job *j, const struct lens_sum *sum,
                     struct lens_cell *out)
{
    double log_z = (double) sum->most + log(sum->z);

    *out = (struct lens_cell){.kl = NAN,
                              .surprisal = NAN,
                              .norm = sum->norm,
                              .added = sum->added,
                              .cosine = sum->cosine};
    for (int i = 0; i < LENS_TOP; i++)
        out->top[i] = (struct lens_token){
            sum->top[i].id,
            sum->top[i].id < 0 ? 0 : (float) exp((double) sum->top[i].prob - log_z)};
    out->entropy = (float) (log_z - sum->s / sum->z);
    if (sum->next >= 0) {
        out->surprisal = (float) (log_z - (double) sum->at_next);
        out->rank_next = sum->above_next + 1;
    }
    if (sum->final >= 0) {
        const struct lens_sum *f = &j->sum[sum->final];
        double kl = f->s / f->z - ((double) f->most + log(f->z)) - sum->cross / f->z + log_z;
        out->kl = kl < 0 ? 0 : (float) kl; /* rounding */
        out->rank = sum->target < 0 ? 0 : sum->above_target + 1;
    }
}

static void finish(struct lens *l)
{
    struct lens_job *j = l->job;

    for (int row = 0; row < j->n_rows; row++) {
        const struct lens_sum *sum = &j->sum[row];
        struct lens_column *c = lens_take_column(l, sum->pos);
        if (!j->all) {
            conclude(j, sum, &c->final);
            c->final.kl = 0;
            c->final.rank = 1;
            c->has_final = true;
            continue;
        }
        c->cell = xrealloc(c->cell, (size_t) sum->point + 1, sizeof *c->cell);
        conclude(j, sum, &c->cell[sum->point]);
        c->done = sum->point + 1;
        c->compared = sum->final >= 0;
    }
}

bool lens_job_step(struct lens *l, bool *done, struct err *err)
{
    struct lens_job *j = l->job;

    if (j->read < j->end)
        return read_point(l, j, err);
    multiply(l, j);
    *done = j->vocab == unembedding(l)->n_out;
    if (*done)
        finish(l);
    return true;
}
