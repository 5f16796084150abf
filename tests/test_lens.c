/* The logit lens against plain C in double, from the streams that the run gives and the model's
 * weights; against the model's own logits at the last point; and against the golden logits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "golden.h"
#include "session/lens.h"
#include "session_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE 1e-4

static void compute_all(struct session *s)
{
    OK(session_run(s, 0, NULL, &err));
}

/* Everything there is to see. */
static void work(struct lens *l, const struct session *s)
{
    struct err err = ERR_INIT;

    lens_look(l, s);
    while (lens_work(l, 0, s->ids.n, true, &err)) {
    }
    assert_string_equal(err.text, "");
}

/* --- plain C --- */

struct plain {
    double *logit; /* [n_vocab] */
    double log_z, entropy, norm;
    int best;
};

static void plain_norm(const struct session *s, const float *x, double *y, double *size)
{
    const struct hparams *hp = &s->program->hp;
    const float *gain = model_vector(s->model, W_LN_FINAL_GAIN, -1);
    const float *bias = model_vector(s->model, W_LN_FINAL_BIAS, -1);
    int d = hp->d_model;
    double mean = 0, squares = 0, sum = 0;

    for (int i = 0; i < d; i++) {
        sum += (double) x[i] * (double) x[i];
        if (hp->norm == NORM_LAYER)
            mean += (double) x[i] / d;
    }
    for (int i = 0; i < d; i++)
        squares += ((double) x[i] - mean) * ((double) x[i] - mean) / d;
    for (int i = 0; i < d; i++)
        y[i] =
            ((double) x[i] - mean) / sqrt(squares + (double) hp->norm_eps) * (double) gain[i] +
            (bias ? (double) bias[i] : 0);
    *size = sqrt(sum);
}

static void plain_see(struct plain *p, const struct session *s, const float *x)
{
    int d = s->program->hp.d_model, n = s->program->hp.n_vocab;
    const struct matrix *w = model_matrix(s->model, W_LM_HEAD, -1);
    double *y = xcalloc((size_t) d, sizeof *y), z = 0;
    float *row = xcalloc((size_t) d, sizeof *row);

    *p = (struct plain){.logit = xcalloc((size_t) n, sizeof *p->logit)};
    plain_norm(s, x, y, &p->norm);
    for (int v = 0; v < n; v++) {
        matrix_row(w, v, row);
        for (int i = 0; i < d; i++)
            p->logit[v] += y[i] * (double) row[i];
        if (p->logit[v] > p->logit[p->best])
            p->best = v;
    }
    for (int v = 0; v < n; v++)
        z += exp(p->logit[v] - p->logit[p->best]);
    p->log_z = p->logit[p->best] + log(z);
    for (int v = 0; v < n; v++)
        p->entropy -= exp(p->logit[v] - p->log_z) * (p->logit[v] - p->log_z);
    free(y);
    free(row);
}

static float *read_point(const struct session *s, const char *name, int pos)
{
    int d = s->program->hp.d_model;
    float *x = xcalloc((size_t) d, sizeof *x);
    struct region part = {{pos, 0, 0}, {1, d, 1}};

    OK(run_read(s->run, program_find(s->program, name), &part, x, &err));
    return x;
}

static const char *value_name(int point, char name[48])
{
    if (point == 0)
        snprintf(name, 48, "blocks.0.resid_pre");
    else
        snprintf(name, 48, "blocks.%d.resid_%s", (point - 1) / 2, point % 2 ? "mid" : "post");
    return name;
}

static double worst; /* of the largest difference, printed at the end of a test */

static void near(double got, double want, const char *what, int point, int pos)
{
    double diff = fabs(got - want) / (fabs(want) > 1 ? fabs(want) : 1);

    if (!(diff <= CLOSE))
        fail_msg("%s at point %d, position %d: %g and not %g", what, point, pos, got, want);
    worst = diff > worst ? diff : worst;
}

/* Ranks where the logits are so near each other that rounding decides may be off. */
static void near_rank(int got, const struct plain *p, int n, int id, int point)
{
    int least = 1, most = 1;

    for (int v = 0; v < n; v++) {
        least += v != id && p->logit[v] > p->logit[id] + CLOSE;
        most += v != id && p->logit[v] > p->logit[id] - CLOSE;
    }
    if (got < least || got > most)
        fail_msg("point %d: rank %d is not in %d..%d", point, got, least, most);
}

static void check_cell(const struct session *s, const struct lens_cell *c,
                       const struct plain *p, const struct plain *final, int point, int pos)
{
    int n = s->program->hp.n_vocab, next = pos + 1 < s->ids.n ? s->ids.id[pos + 1] : -1;
    double kl = 0;

    for (int v = 0; v < n; v++)
        kl += exp(final->logit[v] - final->log_z) *
              (final->logit[v] - final->log_z - p->logit[v] + p->log_z);
    near((double) c->entropy, p->entropy, "entropy", point, pos);
    near((double) c->kl, kl, "KL", point, pos);
    near((double) c->norm, p->norm, "norm", point, pos);
    for (int i = 0; i < LENS_TOP; i++) {
        int id = c->top[i].id;
        assert_in_range(id, 0, n - 1);
        near((double) c->top[i].prob, exp(p->logit[id] - p->log_z), "probability", point, pos);
        near_rank(i + 1, p, n, id, point);
    }
    near_rank(c->rank, p, n, final->best, point);
    if (next < 0) {
        assert_true(isnan(c->surprisal));
        assert_int_equal(c->rank_next, 0);
        return;
    }
    near((double) c->surprisal, p->log_z - p->logit[next], "surprisal", point, pos);
    near_rank(c->rank_next, p, n, next, point);
}

/* What attention or the MLP added, from the values that they wrote. */
static void check_added(const struct session *s, const struct lens_cell *c, int point, int pos)
{
    char name[48];
    double aa = 0, bb = 0, ab = 0;

    if (point == 0) {
        assert_true(c->added == 0 && isnan(c->cosine));
        return;
    }
    float *before = read_point(s, value_name(point - 1, name), pos);
    snprintf(name, sizeof name, "blocks.%d.%s_out", (point - 1) / 2,
             point % 2 ? "attn" : "mlp");
    float *added = read_point(s, name, pos);
    for (int i = 0; i < s->program->hp.d_model; i++) {
        aa += (double) added[i] * (double) added[i];
        bb += (double) before[i] * (double) before[i];
        ab += (double) added[i] * (double) before[i];
    }
    near((double) c->added, sqrt(aa), "added", point, pos);
    near((double) c->cosine, ab / sqrt(aa * bb), "cosine", point, pos);
    free(before);
    free(added);
}

static void check_position(const struct session *s, const struct lens *l, int pos)
{
    int n = lens_n_points(l);
    char name[48];
    struct plain final, p;
    struct lens_cell c;

    float *x = read_point(s, value_name(n - 1, name), pos);
    plain_see(&final, s, x);
    free(x);
    for (int point = 0; point < n; point++) {
        assert_true(lens_cell(l, point, pos, &c));
        x = read_point(s, value_name(point, name), pos);
        plain_see(&p, s, x);
        check_cell(s, &c, &p, &final, point, pos);
        check_added(s, &c, point, pos);
        free(p.logit);
        free(x);
    }
    assert_true(lens_final(l, pos, &c));
    assert_true(c.norm == 0);
    c.norm = (float) final.norm;
    check_cell(s, &c, &final, &final, n - 1, pos);
    free(final.logit);
}

static void plain_c(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        struct lens *l = lens_new();
        char name[32];
        compute_all(s);
        work(l, s);
        assert_int_equal(lens_n_points(l), 2 * s->program->hp.n_layer + 1);
        assert_string_equal(point_name(0, name, sizeof name), "embed");
        assert_string_equal(point_name(1, name, sizeof name), "L0 attn");
        assert_string_equal(point_name(8, name, sizeof name), "L3 mlp");
        worst = 0;
        for (int pos = 0; pos < s->ids.n; pos++)
            check_position(s, l, pos);
        printf("%s: %d positions, largest difference %.2g (at most %.0e)\n", models[m],
               s->ids.n, worst, CLOSE);
        lens_free(l);
        session_free(s);
    }
}

/* --- the model's own logits, as the run has them and as another program has --- */

static void check_logits(const struct lens *l, const float *logits, int n, int pos, int next)
{
    struct lens_cell c, last;
    struct plain p = {.logit = xcalloc((size_t) n, sizeof *p.logit)};
    double z = 0;

    for (int v = 0; v < n; v++) {
        p.logit[v] = (double) logits[v];
        p.best = p.logit[v] > p.logit[p.best] ? v : p.best;
        z += exp(p.logit[v]);
    }
    assert_true(lens_final(l, pos, &c));
    assert_true(lens_cell(l, lens_n_points(l) - 1, pos, &last));
    assert_int_equal(c.top[0].id, p.best);
    for (int i = 0; i < LENS_TOP; i++) {
        near((double) c.top[i].prob, exp(p.logit[c.top[i].id]) / z, "probability", -1, pos);
        near((double) last.top[i].prob, (double) c.top[i].prob, "probability", -2, pos);
    }
    assert_int_equal(c.rank, 1);
    assert_int_equal(last.rank, 1);
    assert_true(c.kl == 0 && last.kl == 0);
    if (next >= 0) {
        float nats;
        int rank;
        assert_true(lens_surprisal(l, pos + 1, &nats, &rank));
        near((double) nats, log(z) - p.logit[next], "surprisal", -1, pos);
        near_rank(rank, &p, n, next, -1);
    }
    free(p.logit);
}

static void check_all_logits(struct session *s, const float *logits)
{
    struct lens *l = lens_new();
    int n = s->program->hp.n_vocab;

    work(l, s);
    worst = 0;
    for (int pos = 0; pos < s->ids.n; pos++)
        check_logits(l, logits + (size_t) pos * (size_t) n, n, pos,
                     pos + 1 < s->ids.n ? s->ids.id[pos + 1] : -1);
    printf("%s: %d positions, largest difference %.2g (at most %.0e)\n", s->program->hp.name,
           s->ids.n, worst, CLOSE);
    lens_free(l);
}

static struct session *open_golden(struct golden *g, const char *model, const char *prompt)
{
    struct session *s = open_plain(model, NULL);

    assert_true(golden_open(g, model, prompt));
    OK(session_prompt_ids(s, g->ids, g->n_ids, &err));
    compute_all(s);
    return s;
}

static void own_logits(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct golden g;
        struct session *s = open_golden(&g, models[m], "long");
        size_t n = (size_t) g.n_ids * (size_t) s->program->hp.n_vocab;
        float *logits = xcalloc(n, sizeof *logits);
        OK(run_read(s->run, program_find(s->program, "logits"), NULL, logits, &err));
        check_all_logits(s, logits);
        free(logits);
        session_free(s);
        golden_release(&g);
    }
}

static void golden_logits(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct golden g;
        struct session *s = open_golden(&g, models[m], "short");
        const struct npz_array *want = npz_find(&g.values, "logits");
        assert_int_equal(want->n, g.n_ids * s->program->hp.n_vocab);
        check_all_logits(s, want->f);
        session_free(s);
        golden_release(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_c),
        cmocka_unit_test(own_logits),
        cmocka_unit_test(golden_logits),
    };

    return cmocka_run_group_tests_name("lens", tests, session_setup, session_teardown);
}
