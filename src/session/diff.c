#include "session/diff.h"

#include "base/mem.h"
#include "session/mark.h"
#include "tensor/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

bool diff_open(struct diff *d, const struct session *s, struct err *err)
{
    if (!s->mark)
        return mark_missing(err);
    *d = (struct diff){.now = s->run, .mark = s->mark->run, .mark_logits = s->mark->logits};
    d->n = min_int(s->ids.n, run_n_past(d->mark));
    while (d->n_same < d->n && s->ids.id[d->n_same] == run_tokens(d->mark)[d->n_same])
        d->n_same++;
    return true;
}

int diff_ready(const struct diff *d, int value)
{
    return min_int(min_int(run_ready(d->now, value), run_ready(d->mark, value)), d->n);
}

static void subtract(float *x, const float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] == y[i] ? 0 : x[i] - y[i];
}

bool diff_read(const struct diff *d, int value, const struct region *region, float *out,
               struct err *err)
{
    size_t n =
        (size_t) region->count[0] * (size_t) region->count[1] * (size_t) region->count[2];
    float *mark = xcalloc(n + 1, sizeof *mark);
    bool ok = run_read(d->now, value, region, out, err) &&
              run_read(d->mark, value, region, mark, err);

    if (ok)
        subtract(out, mark, n);
    free(mark);
    return ok;
}

bool diff_heads(const struct diff *d, int layer, int first, int count, float *most,
                struct err *err)
{
    const struct program *p = run_program(d->now);
    int n_head = p->hp.n_head, value = program_value(p, layer, "attn.pattern");
    struct region part = {{0, first, 0}, {n_head, count, first + count}};
    size_t each = (size_t) count * (size_t) (first + count);
    float *x = xcalloc(each * (size_t) n_head + 1, sizeof *x);
    bool ok = diff_read(d, value, &part, x, err);

    for (int head = 0; ok && head < n_head; head++)
        for (size_t i = 0; i < each; i++)
            most[head] = fmaxf(most[head], fabsf(x[(size_t) head * each + i]));
    free(x);
    return ok;
}

bool diff_length(const struct diff *d, int value, int pos, struct diff_length *out,
                 struct err *err)
{
    size_t n = program_width(run_program(d->now), value);
    int shape[3];
    struct region one = {{pos, 0, 0}, {1, 1, 1}};
    float *now = xcalloc(2 * n, sizeof *now), *mark = now + n;
    struct stats change, own;

    run_shape(d->now, value, shape);
    one.count[1] = shape[1];
    one.count[2] = shape[2];
    bool ok =
        run_read(d->now, value, &one, now, err) && run_read(d->mark, value, &one, mark, err);
    subtract(now, mark, n);
    stats_of(&change, now, n);
    stats_of(&own, mark, n);
    *out = (struct diff_length){change.norm, own.norm};
    free(now);
    return ok;
}

/* --- logits --- */

static bool read_logits(const struct diff *d, const struct run *r, int pos, float *out,
                        struct err *err)
{
    const struct program *p = run_program(r);
    struct region row = {{pos, 0, 0}, {1, p->hp.n_vocab, 1}};

    if (r == d->mark && pos == run_n_past(r) - 1) {
        memcpy(out, d->mark_logits, (size_t) p->hp.n_vocab * sizeof *out);
        return true;
    }
    return run_read(r, program_find(p, "logits"), &row, out, err);
}

/* Keeps the largest changes of one sign, sorted. */
static void take_change(struct logit_change *list, int *n, const struct logit_change *c)
{
    double size = fabs(c->p_now - c->p_mark);
    int i = *n;

    if (i == DIFF_TOKENS && size <= fabs(list[i - 1].p_now - list[i - 1].p_mark))
        return;
    if (i == DIFF_TOKENS)
        i--;
    for (; i > 0 && fabs(list[i - 1].p_now - list[i - 1].p_mark) < size; i--)
        list[i] = list[i - 1];
    list[i] = *c;
    if (*n < DIFF_TOKENS)
        ++*n;
}

static double log_sum_exp(const float *x, int n)
{
    double most = -INFINITY, sum = 0;

    for (int i = 0; i < n; i++)
        most = fmax(most, (double) x[i]);
    for (int i = 0; i < n; i++)
        sum += exp((double) x[i] - most);
    return most + log(sum);
}

static void compare_logits(struct logit_diff *out, const float *now, const float *mark, int n)
{
    double lse_now = log_sum_exp(now, n), lse_mark = log_sum_exp(mark, n);

    for (int i = 0; i < n; i++) {
        double log_now = (double) now[i] - lse_now, log_mark = (double) mark[i] - lse_mark;
        struct logit_change c = {i, now[i], mark[i], exp(log_now), exp(log_mark)};
        if (c.p_mark > 0)
            out->kl += c.p_mark * (log_mark - log_now);
        if (c.p_now > c.p_mark)
            take_change(out->up, &out->n_up, &c);
        else if (c.p_now < c.p_mark)
            take_change(out->down, &out->n_down, &c);
        if (now[i] > now[out->top_now])
            out->top_now = i;
        if (mark[i] > mark[out->top_mark])
            out->top_mark = i;
    }
}

bool diff_logits(const struct diff *d, int pos, struct logit_diff *out, struct err *err)
{
    int n = run_program(d->now)->hp.n_vocab;
    float *now = xcalloc((size_t) n * 2, sizeof *now), *mark = now + n;
    bool ok = read_logits(d, d->now, pos, now, err) && read_logits(d, d->mark, pos, mark, err);

    memset(out, 0, sizeof *out);
    out->pos = pos;
    if (ok)
        compare_logits(out, now, mark, n);
    if (out->kl < 0)
        out->kl = 0; /* the last bits of a sum that is 0 */
    free(now);
    return ok;
}
