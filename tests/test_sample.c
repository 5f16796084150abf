/* Sampling: every stage's rule, ties, strange numbers, and that draws follow the probabilities.
 */
#include "base/mem.h"
#include "engine/sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define N(a) ((int) (sizeof(a) / sizeof *(a)))

static const struct sampler plain = {1, 0, 1, 0};

/* probabilities 0.5, 0.25, 0.125, 0.125 for ids 2, 0, 1, 3 */
static const float four[] = {-1.3862944f, -2.0794415f, -0.6931472f, -2.0794415f};

static double prob_of(const struct sample_trace *t, int id, enum sample_stage stage)
{
    for (int i = 0; i < t->n; i++) {
        if (t->candidate[i].id == id)
            return t->candidate[i].prob[stage];
    }
    return NAN;
}

static int kept_with(const struct sampler *s, const float *logits, int n)
{
    struct sample_trace t;
    sample_trace_of(&t, logits, n, s);
    int kept = t.kept[SAMPLE_MIN_P];
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += t.candidate[i].prob[SAMPLE_MIN_P];
    assert_true(fabs(sum - 1) < 1e-12);
    sample_trace_release(&t);
    return kept;
}

static void test_order_and_raw(void **state)
{
    (void) state;
    struct sample_trace t;
    sample_trace_of(&t, four, 4, &plain);
    static const int order[] = {2, 0, 1, 3}; /* 1 and 3 are equal: lower id first */
    static const double p[] = {0.5, 0.25, 0.125, 0.125};
    assert_int_equal(t.n, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(t.candidate[i].id, order[i]);
        assert_true(t.candidate[i].logit == four[order[i]]);
        for (int stage = 0; stage < SAMPLE_STAGES; stage++)
            assert_true(fabs(t.candidate[i].prob[stage] - p[i]) < 1e-7);
    }
    assert_int_equal(t.kept[SAMPLE_RAW], 4);
    assert_true(fabs(t.entropy[SAMPLE_RAW] - 1.75 * log(2)) < 1e-6);
    sample_trace_release(&t);
    assert_null(t.candidate);
}

static void test_temperature(void **state)
{
    (void) state;
    struct sampler s = plain;
    struct sample_trace t;
    s.temp = 0.5; /* squares: 16, 4, 1, 1 of 22 */
    sample_trace_of(&t, four, 4, &s);
    assert_true(fabs(prob_of(&t, 2, SAMPLE_TEMP) - 16.0 / 22) < 1e-6);
    assert_true(fabs(prob_of(&t, 3, SAMPLE_TEMP) - 1.0 / 22) < 1e-6);
    assert_true(fabs(prob_of(&t, 3, SAMPLE_RAW) - 0.125) < 1e-6);
    sample_trace_release(&t);
    s.temp = INFINITY;
    sample_trace_of(&t, four, 4, &s);
    assert_true(fabs(prob_of(&t, 3, SAMPLE_TEMP) - 0.25) < 1e-12);
    sample_trace_release(&t);
    s.temp = 1e-300;
    assert_int_equal(kept_with(&s, four, 4), 1);
}

static void test_top_k(void **state)
{
    (void) state;
    struct sampler s = plain;
    static const int k[] = {0, 1, 2, 3, 4, 5, 1000000}, kept[] = {4, 1, 2, 3, 4, 4, 4};
    for (int i = 0; i < N(k); i++) {
        s.top_k = k[i];
        assert_int_equal(kept_with(&s, four, 4), kept[i]);
    }
    s.top_k = 3; /* of the equal ones the lower id stays */
    struct sample_trace t;
    sample_trace_of(&t, four, 4, &s);
    assert_true(fabs(prob_of(&t, 1, SAMPLE_TOP_K) - 1.0 / 7) < 1e-6);
    assert_true(prob_of(&t, 3, SAMPLE_TOP_K) == 0);
    assert_true(prob_of(&t, 3, SAMPLE_TEMP) > 0);
    sample_trace_release(&t);
}

static void test_top_p(void **state)
{
    (void) state;
    struct sampler s = plain;
    static const double p[] = {-1, 0, 0.4, 0.51, 0.74, 0.76, 0.9, 1, 2, NAN};
    static const int kept[] = {1, 1, 1, 2, 2, 3, 4, 4, 4, 4};
    for (int i = 0; i < N(p); i++) {
        s.top_p = p[i];
        assert_int_equal(kept_with(&s, four, 4), kept[i]);
    }
    s.top_k = 2; /* the nucleus is of what top-k left: 2/3, 1/3 */
    s.top_p = 0.6;
    assert_int_equal(kept_with(&s, four, 4), 1);
    s.top_p = 0.7;
    assert_int_equal(kept_with(&s, four, 4), 2);
}

static void test_min_p(void **state)
{
    (void) state;
    struct sampler s = plain;
    static const double p[] = {-1, 0, 0.2, 0.26, 0.49, 0.51, 1, 5};
    static const int kept[] = {4, 4, 4, 2, 2, 1, 1, 1};
    for (int i = 0; i < N(p); i++) {
        s.min_p = p[i];
        assert_int_equal(kept_with(&s, four, 4), kept[i]);
    }
}

static void test_greedy(void **state)
{
    (void) state;
    static const float ties[] = {1, 3, 3, -INFINITY, 3};
    struct sampler s = {0, 2, 0.9, 0.1};
    struct rng rng, same;
    rng_seed(&rng, 5);
    same = rng;
    assert_int_equal(sample_token(ties, 5, &s, &rng, NULL), 1);
    struct sample_trace t;
    double draw = 9;
    sample_trace_of(&t, ties, 5, &s);
    assert_int_equal(sample_choose(&t, &s, &rng, &draw), 1);
    assert_int_equal(t.kept[SAMPLE_RAW], 4);
    for (int stage = SAMPLE_TEMP; stage < SAMPLE_STAGES; stage++) {
        assert_int_equal(t.kept[stage], 1);
        assert_true(t.entropy[stage] == 0);
    }
    sample_trace_release(&t);
    assert_true(rng_u64(&rng) == rng_u64(&same)); /* no number was drawn */
}

static void test_strange_numbers(void **state)
{
    (void) state;
    static const float nan_first[] = {NAN, 1, 2, NAN}, all_nan[] = {NAN, NAN, NAN},
                       minus[] = {-INFINITY, -INFINITY}, plus[] = {3, INFINITY, 7, INFINITY},
                       one[] = {-4}, far[] = {3e38f, -3e38f};
    static const struct {
        const float *logits;
        int n, greedy, kept;
    } row[] = {{nan_first, 4, 2, 2}, {all_nan, 3, 0, 3}, {minus, 2, 0, 2},
               {plus, 4, 1, 2},      {one, 1, 0, 1},     {far, 2, 0, 1}};
    struct sampler greedy = {0, 0, 1, 0};
    struct rng rng;
    rng_seed(&rng, 1);
    for (int i = 0; i < N(row); i++) {
        assert_int_equal(sample_token(row[i].logits, row[i].n, &greedy, &rng, NULL),
                         row[i].greedy);
        assert_int_equal(kept_with(&plain, row[i].logits, row[i].n), row[i].kept);
        assert_int_equal(kept_with(&greedy, row[i].logits, row[i].n), 1);
        for (int draw = 0; draw < 200; draw++) {
            int id = sample_token(row[i].logits, row[i].n, &plain, &rng, NULL);
            assert_in_range(id, 0, row[i].n - 1);
            if (row[i].logits == nan_first)
                assert_true(id == 1 || id == 2);
            if (row[i].logits == plus)
                assert_true(id == 1 || id == 3);
        }
    }
    struct sampler odd = {NAN, -3, -INFINITY, NAN};
    assert_int_equal(sample_token(four, 4, &odd, &rng, NULL), 2);
    struct sample_trace t;
    sample_trace_of(&t, NULL, 0, &plain);
    assert_int_equal(sample_choose(&t, &plain, &rng, NULL), -1);
    sample_trace_release(&t);
}

/* Pearson's chi-square of draws against the trace's probabilities. With 4 standard deviations
 * above the mean as the bound, and the seed fixed, this fails for wrong rules only. */
static double chi_square(const float *logits, int n, const struct sampler *s, int draws,
                         int *df)
{
    struct sample_trace t;
    struct rng rng;
    int *count = xcalloc((size_t) n, sizeof *count);
    double chi = 0;
    rng_seed(&rng, 42);
    sample_trace_of(&t, logits, n, s);
    for (int i = 0; i < draws; i++)
        count[sample_token(logits, n, s, &rng, NULL)]++;
    *df = t.kept[SAMPLE_MIN_P] - 1;
    for (int i = 0; i < n; i++) {
        double expect = t.candidate[i].prob[SAMPLE_MIN_P] * draws;
        int got = count[t.candidate[i].id];
        if (expect == 0)
            assert_int_equal(got, 0);
        else
            chi += (got - expect) * (got - expect) / expect;
    }
    sample_trace_release(&t);
    free(count);
    return chi;
}

static void test_distribution(void **state)
{
    (void) state;
    enum { n = 24 };
    static const struct sampler row[] = {{1, 0, 1, 0},     {0.7, 0, 1, 0}, {1.5, 10, 1, 0},
                                         {1, 0, 0.8, 0},   {1, 0, 1, 0.2}, {0.8, 12, 0.9, 0.05},
                                         {2, 24, 0.99, 0}, {1, 2, 1, 0}};
    float logits[n];
    struct rng rng;
    rng_seed(&rng, 7);
    for (int i = 0; i < n; i++)
        logits[i] = (float) rng_normal(&rng);
    for (int i = 0; i < N(row); i++) {
        int df;
        double chi = chi_square(logits, n, &row[i], 40000, &df);
        print_message("temp %g top-k %d top-p %g min-p %g: chi-square %.1f, %d degrees\n",
                      row[i].temp, row[i].top_k, row[i].top_p, row[i].min_p, chi, df);
        assert_true(df > 0);
        assert_true(chi < df + 4 * sqrt(2.0 * df) + 4);
    }
}

/* The quick way and the explained way are one rule: the same seed gives the same tokens. */
static void test_token_is_choose_of_trace(void **state)
{
    (void) state;
    enum { n = 5000 };
    static const struct sampler row[] = {{1, 0, 1, 0},      {0.3, 0, 0.9, 0}, {1.2, 40, 1, 0},
                                         {1, 5000, 0.5, 0}, {1, 0, 1, 0.1},   {5, 7, 0.7, 0.3}};
    float *logits = xmalloc(n * sizeof *logits);
    struct rng rng, a, b;
    rng_seed(&rng, 11);
    for (int i = 0; i < n; i++)
        logits[i] = (float) (3 * rng_normal(&rng));
    for (int i = 0; i < 50; i++) /* ties, also across cuts */
        logits[i * 50] = logits[7];
    for (int i = 0; i < N(row); i++) {
        struct sample_trace t;
        sample_trace_of(&t, logits, n, &row[i]);
        rng_seed(&a, 3);
        rng_seed(&b, 3);
        for (int draw = 0; draw < 60; draw++) {
            double u;
            int id = sample_choose(&t, &row[i], &a, &u);
            assert_true(u >= 0 && u < 1);
            assert_int_equal(id, sample_token(logits, n, &row[i], &b, NULL));
        }
        sample_trace_release(&t);
    }
    free(logits);
}

static void test_seed(void **state)
{
    (void) state;
    struct rng a, b;
    int differ = 0;
    rng_seed(&a, 1);
    rng_seed(&b, 2);
    for (int i = 0; i < 100; i++)
        differ +=
            sample_token(four, 4, &plain, &a, NULL) != sample_token(four, 4, &plain, &b, NULL);
    assert_true(differ > 20);
    for (int stage = 0; stage < SAMPLE_STAGES; stage++)
        assert_true(sample_stage_name(stage)[0] > ' ');
}

/* The interval that the number fell into is the chosen candidate's share of [0, 1). */
static void test_draw(void **state)
{
    (void) state;
    static const struct sampler row[] = {
        {1, 0, 1, 0}, {0.7, 3, 1, 0}, {1.3, 0, 0.8, 0}, {2, 0, 1, 0.2}, {0.5, 4, 0.9, 0.05}};
    static const float logits[] = {0.3f, 2.1f, -1, 2.1f, 0.9f, -5};
    double worst = 0;

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct sample_trace t;
        struct rng rng;
        rng_seed(&rng, i);
        sample_trace_of(&t, logits, 6, &row[i]);
        for (int k = 0; k < 200; k++) {
            struct sample_draw d;
            double low = 0;
            int id = sample_token(logits, 6, &row[i], &rng, &d), at = 0;
            while (t.candidate[at].id != id)
                low += t.candidate[at++].prob[SAMPLE_MIN_P];
            worst = fmax(worst, fabs(d.low - low));
            worst = fmax(worst, fabs(d.p - t.candidate[at].prob[SAMPLE_MIN_P]));
            assert_true(d.drawn && d.u >= d.low - 1e-12 && d.u < d.low + d.p + 1e-12);
        }
        sample_trace_release(&t);
    }
    print_message("largest difference %.2g\n", worst);
    assert_true(worst < 1e-12);

    struct sampler greedy = {.temp = 0, .top_p = 1};
    struct sample_draw d = {.drawn = true};
    struct rng rng;
    rng_seed(&rng, 1);
    assert_int_equal(sample_token(logits, 6, &greedy, &rng, &d), 1);
    assert_false(d.drawn);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draw),         cmocka_unit_test(test_order_and_raw),
        cmocka_unit_test(test_temperature),  cmocka_unit_test(test_top_k),
        cmocka_unit_test(test_top_p),        cmocka_unit_test(test_min_p),
        cmocka_unit_test(test_greedy),       cmocka_unit_test(test_strange_numbers),
        cmocka_unit_test(test_distribution), cmocka_unit_test(test_token_is_choose_of_trace),
        cmocka_unit_test(test_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
