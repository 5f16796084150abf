/* Rollout, entropy, similarity and head scores against plain C in double on all of a pattern or
 * a value at once; the heads that the two models are known for, on random tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis_fixture.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "engine/function.h"
#include "session/heads.h"
#include "session/lens.h"
#include "session/rollout.h"
#include "session/row_entropy.h"
#include "session/similarity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- rollout --- */

/* A times R, where A is half the identity and half the mean pattern. */
static void plain_layer(const struct session *s, int layer, double *r)
{
    int n, n_head = s->program->hp.n_head;
    float *p = pattern_of(s, layer, &n);
    size_t nn = (size_t) n * (size_t) n;
    double *a = xcalloc(2 * nn, sizeof *a), *next = a + nn;

    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double *x = &a[i * n + j];
            for (int h = 0; h < n_head; h++)
                *x += 0.5 * (double) p[(size_t) h * nn + (size_t) (i * n + j)] / n_head;
            *x += i == j ? 0.5 : 0;
        }
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++)
            for (int j = 0; j < n; j++)
                next[i * n + j] += a[i * n + k] * r[k * n + j];
    memcpy(r, next, nn * sizeof *r);
    free(a);
    free(p);
}

static void check_rollout(const struct session *s, const double *r, int layer)
{
    int n = s->ids.n, at[] = {0, n / 2, n - 1};
    double *weight = xcalloc((size_t) n, sizeof *weight);

    for (int i = 0; i < 3; i++) {
        double sum = 0;
        OK(rollout(s, at[i], layer, weight, &err));
        for (int j = 0; j <= at[i]; j++) {
            near_by(weight[j], r[at[i] * n + j], 1e-6, "rollout");
            sum += weight[j];
        }
        near_by(sum, 1, 1e-5, "the sum");
    }
    free(weight);
}

static void rollouts(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++)
        for (int i = 0; i < 3; i++) {
            struct session *s = open_case(m, i);
            int n = s->ids.n;
            double *r = xcalloc((size_t) n * (size_t) n, sizeof *r);
            for (int j = 0; j < n; j++)
                r[j * n + j] = 1;
            for (int layer = 0; layer < s->program->hp.n_layer; layer++) {
                plain_layer(s, layer, r);
                check_rollout(s, r, layer);
            }
            printf("%d tokens, ", n);
            say(models[m], "rollout", 1e-5);
            free(r);
            session_free(s);
        }
}

/* --- entropy --- */

static void check_entropy(const struct session *s)
{
    const struct hparams *hp = &s->program->hp;
    size_t heads = (size_t) (hp->n_layer * hp->n_head);
    double *at = xcalloc(2 * heads, sizeof *at), *mean = at + heads, most, log_keys = 0;
    double *one = xcalloc((size_t) s->ids.n, sizeof *one);
    int n, query = s->ids.n / 2, queries;

    OK(row_entropy_at(s, query, at, &err));
    OK(row_entropy_mean(s, mean, &queries, &most, &err));
    for (int q = 0; q < s->ids.n; q++)
        log_keys += log(q + 1.0) / s->ids.n;
    assert_int_equal(queries, s->ids.n);
    near_by(most, log_keys, 1e-9, "mean of the log of the keys");
    for (int i = 0; i < (int) heads; i++) {
        float *p = pattern_of(s, i / hp->n_head, &n);
        const float *row = p + (size_t) (i % hp->n_head) * (size_t) n * (size_t) n;
        double sum = 0;
        OK(row_entropy_head(s, i / hp->n_head, i % hp->n_head, one, &err));
        for (int q = 0; q < n; q++) {
            double want = plain_entropy(row + (size_t) q * (size_t) n, q + 1);
            near_by(one[q], want, 1e-5, "entropy of a query");
            assert_true(one[q] >= 0 && one[q] <= log(q + 1.0) + 1e-5);
            sum += want / n;
        }
        near_by(at[i], one[query], 1e-5, "entropy");
        near_by(mean[i], sum, 1e-5, "mean entropy");
        free(p);
    }
    free(one);
    free(at);
}

static void entropies(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++)
        for (int i = 0; i < 3; i++) {
            struct session *s = open_case(m, i);
            check_entropy(s);
            printf("%d tokens, ", s->ids.n);
            say(models[m], "entropy", 1e-5);
            session_free(s);
        }
}

/* --- a mask that shows what comes later --- */

/* Rollout and entropy count all keys that a query sees, in passes of four tokens. */
static void ahead(void **state)
{
    (void) state;
    struct session *s = open_case(0, 1);
    const struct function *f = function_table;
    int n = s->ids.n, n_layer = s->program->hp.n_layer, n_head = s->program->hp.n_head;
    double *r = xcalloc((size_t) n * (size_t) n, sizeof *r), *out = xcalloc(300, sizeof *out);

    OK(session_set(s, "chunk", "4", &err));
    while (!f->ahead)
        f++;
    OK(session_put(s, -1, "mask", f, 0, &err));
    OK(session_run(s, 0, NULL, &err));
    for (int i = 0; i < n; i++)
        r[i * n + i] = 1;
    for (int layer = 0; layer < n_layer; layer++)
        plain_layer(s, layer, r);
    for (int pos = 0; pos < n; pos++) {
        int end = pos / 4 * 4 + 4 < n ? pos / 4 * 4 + 4 : n;
        double sum = 0;
        assert_int_equal(rollout_tokens(s, pos), end);
        near_by(row_entropy_most(s, 1, pos), log(end), 1e-12, "most");
        OK(rollout(s, pos, n_layer - 1, out, &err));
        for (int j = 0; j < end; j++)
            near_by(out[j], r[pos * n + j], 1e-6, "rollout"), sum += out[j];
        near_by(sum, 1, 1e-5, "the sum");
    }
    float *p = pattern_of(s, 1, &n);
    OK(row_entropy_head(s, 1, n_head - 1, out, &err));
    for (int q = 0; q < n; q++)
        near_by(out[q], plain_entropy(p + (size_t) (((n_head - 1) * n + q) * n), n), 1e-5,
                "entropy");
    say(models[0], "a mask that shows what comes later", 1e-5);
    free(p);
    free(out);
    free(r);
    session_free(s);
}

/* --- similarity --- */

/* Of two positions, at a head (-1: all) of [n, heads, width]. */
static double plain_cosine(const float *x, int a, int b, int heads, int width, int head)
{
    size_t row = (size_t) heads * (size_t) width, from = head < 0 ? 0 : (size_t) (head * width);
    size_t to = head < 0 ? row : from + (size_t) width;
    double ab = 0, aa = 0, bb = 0;

    for (size_t i = from; i < to; i++) {
        double p = (double) x[(size_t) a * row + i], q = (double) x[(size_t) b * row + i];
        ab += p * q;
        aa += p * p;
        bb += q * q;
    }
    return ab / sqrt(aa * bb);
}

static void check_similarity(const struct session *s, int value, int heads, int head)
{
    struct similarity sim;
    size_t all;
    float *x = read_all(s->run, value, &all);
    int n = s->ids.n, width = (int) (all / (size_t) n) / heads, part = n < 7 ? n : 7;

    OK(similarity_init(&sim, s, value, head, &err));
    assert_int_equal(sim.n, n);
    assert_int_equal(sim.width, head < 0 ? heads * width : width);
    float *got = xcalloc((size_t) n * (size_t) n, sizeof *got);
    OK(similarity_read(&sim, s, 0, n, 0, n, got, &err));
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            near_by((double) got[i * n + j], plain_cosine(x, i, j, heads, width, head), 2e-6,
                    "cosine");
    OK(similarity_read(&sim, s, n - part, part, 0, 1, got, &err));
    for (int i = 0; i < part; i++)
        near_by((double) got[i], plain_cosine(x, n - part + i, 0, heads, width, head), 2e-6,
                "cosine");
    free(got);
    free(x);
}

static void similarities(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++)
        for (int i = 0; i < 3; i++) {
            struct session *s = open_case(m, i);
            const struct hparams *hp = &s->program->hp;
            check_similarity(s, value_of(s, -1, "embed"), 1, -1);
            check_similarity(s, value_of(s, 2, "resid_post"), 1, -1);
            check_similarity(s, value_of(s, 1, "attn.q"), hp->n_head, -1);
            check_similarity(s, value_of(s, 1, "attn.q"), hp->n_head, hp->n_head - 1);
            check_similarity(s, value_of(s, 3, "attn.k"), hp->n_kv_head, hp->n_kv_head - 1);
            check_similarity(s, value_of(s, 0, "attn.result"), hp->n_head, 2);
            check_similarity(s, value_of(s, -1, "logits"), 1, -1); /* in several blocks */
            printf("%d tokens, ", s->ids.n);
            say(models[m], "similarity", 2e-6);
            session_free(s);
        }
}

static void zeros(void **state)
{
    (void) state;
    struct session *s = open_plain(models[0], TEXT);
    struct region one = {{3, 0, 0}, {1, -1, -1}};
    struct similarity sim;
    float x[10];

    OK(session_ablate(s, PATCH_ZERO, value_of(s, 1, "mlp_out"), &one, 0, &err));
    OK(session_run(s, 0, NULL, &err));
    OK(similarity_init(&sim, s, value_of(s, 1, "mlp_out"), -1, &err));
    OK(similarity_read(&sim, s, 5, 1, 0, 10, x, &err));
    for (int i = 0; i < 10; i++)
        assert_true(isnan(x[i]) == (i == 3));
    session_free(s);
}

static void check_nearest(const struct session *s, enum weight_role role, int id)
{
    enum { N = 12 };
    const struct matrix *w = model_matrix(s->model, role, -1);
    struct neighbour near[N];
    float *x = xcalloc((size_t) w->n_out * (size_t) w->n_in, sizeof *x);
    int above = 0;
    struct err err = ERR_INIT;

    assert_int_equal(similarity_nearest(s, role, id, near, N, &err), N);
    for (int i = 0; i < w->n_out; i++)
        matrix_row(w, i, x + (size_t) i * (size_t) w->n_in);
    for (int i = 0; i < N; i++) {
        near_by(near[i].cosine, plain_cosine(x, id, near[i].id, 1, w->n_in, -1), 1e-9,
                "nearest");
        assert_true(i == 0 || near[i].cosine <= near[i - 1].cosine);
        assert_int_not_equal(near[i].id, id);
    }
    for (int i = 0; i < w->n_out; i++)
        above += i != id && plain_cosine(x, id, i, 1, w->n_in, -1) > near[N - 1].cosine + 1e-12;
    assert_int_equal(above, N - 1);
    free(x);
}

static void nearest(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        check_nearest(s, W_TOK_EMBD, 1256);
        check_nearest(s, W_TOK_EMBD, 0);
        check_nearest(s, W_LM_HEAD, 2047);
        say(models[m], "nearest", 1e-9);
        session_free(s);
    }
}

/* A vocabulary smaller than what is asked for. */
static void small_vocabulary(void **state)
{
    (void) state;
    struct session *s = open_plain(models[0], TEXT);
    int n = s->program->hp.n_vocab;
    struct neighbour *near = xcalloc((size_t) n, sizeof *near);
    struct err err = ERR_INIT;
    int used = similarity_nearest(s, W_TOK_EMBD, 5, near, n, &err);

    assert_in_range(used, 1, n - 1); /* all but itself, and rows of zeros */
    interrupt_set();
    assert_int_equal(similarity_nearest(s, W_TOK_EMBD, 5, near, n, &err), -1);
    interrupt_clear();
    assert_string_equal(err.text, "interrupted at token 0 of 2048");
    free(near);
    session_free(s);
}

/* --- the lens's logits --- */

static void lens_of_all(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_computed(m, TEXT);
        int n = s->program->hp.n_vocab;
        struct lens *l = lens_new();
        float *logit = xcalloc((size_t) n, sizeof *logit);
        struct err unheard = ERR_INIT;
        lens_look(l, s);
        while (lens_work(l, 4, 1, true, &unheard)) {
        }
        for (int point = 0; point < lens_n_points(l); point++) {
            struct lens_cell c;
            double z = 0;
            int above = 0;
            assert_true(lens_cell(l, point, 4, &c));
            OK(lens_logits(l, point, 4, logit, &err));
            for (int i = 0; i < n; i++)
                z += exp((double) logit[i]);
            for (int i = 0; i < n; i++)
                above += logit[i] > logit[c.top[0].id];
            assert_int_equal(above, 0);
            for (int i = 0; i < LENS_TOP; i++)
                near_by((double) c.top[i].prob, exp((double) logit[c.top[i].id]) / z, 1e-5,
                        "probability");
            near_by((double) c.surprisal, log(z) - (double) logit[s->ids.id[5]], 1e-4,
                    "surprisal");
        }
        FAILS(lens_logits(l, 0, 99, logit, &err),
              "embed is not computed at position 99 yet; run first");
        say(models[m], "lens", 1e-4);
        free(logit);
        lens_free(l);
        session_free(s);
    }
}

/* --- what stops --- */

static void interrupted(void **state)
{
    (void) state;
    struct session *s = open_computed(0, TEXT);
    double x[200];
    float cosine[100];
    struct similarity sim;
    struct heads h;
    int queries;

    OK(similarity_init(&sim, s, value_of(s, 0, "resid_post"), -1, &err));
    interrupt_set();
    FAILS(rollout(s, 5, 3, x, &err), "interrupted at layer 3, query 5");
    FAILS(row_entropy_at(s, 5, x, &err), "interrupted at layer 0, query 5");
    FAILS(row_entropy_mean(s, x, &queries, x + 100, &err), "interrupted at layer 0, query 0");
    FAILS(row_entropy_head(s, 2, 1, x, &err), "interrupted at layer 2, query 0");
    FAILS(heads_of_session(&h, s, &err), "interrupted at layer 0, query 0");
    FAILS(similarity_read(&sim, s, 2, 1, 0, 10, cosine, &err),
          "interrupted at position 2 of 10");
    interrupt_clear();
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rollouts),
        cmocka_unit_test(entropies),
        cmocka_unit_test(ahead),
        cmocka_unit_test(similarities),
        cmocka_unit_test(zeros),
        cmocka_unit_test(nearest),
        cmocka_unit_test(small_vocabulary),
        cmocka_unit_test(lens_of_all),
        cmocka_unit_test(interrupted),
    };

    return cmocka_run_group_tests_name("analysis", tests, session_setup, session_teardown);
}
