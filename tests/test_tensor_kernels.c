/* Norms, softmax, activations, RoPE and statistics against their formulas in double. */
#include "tensor_check.h"

#include "tensor/kernels.h"
#include "tensor/simd.h"
#include "tensor/stats.h"

#include <float.h>

static const int lengths[] = {1, 2, 3, 7, 8, 9, 31, 64, 97, 255, 257, 768, 1000, 50257};

#define N_LENGTHS (sizeof lengths / sizeof *lengths)

static void check_norm(struct rng *rng, int n, bool rms, struct largest *l)
{
    enum { ROWS = 3 };
    size_t len = (size_t) n;
    float *x = random_floats(rng, ROWS * len), *gain = random_floats(rng, len);
    float *bias = random_floats(rng, len), *out = xcalloc(ROWS * len, sizeof *out);
    float *normalized = xcalloc(ROWS * len, sizeof *out), *alone = xcalloc(ROWS * len, 4);
    float mean[ROWS] = {0}, scale[ROWS], eps = 1e-5f;

    for (size_t i = 0; i < ROWS * len; i++)
        x[i] = x[i] * 3 + 0.5f;
    if (rms) {
        rmsnorm(out, normalized, scale, x, gain, ROWS, n, eps);
        rmsnorm(alone, NULL, NULL, x, gain, ROWS, n, eps);
    } else {
        layernorm(out, normalized, mean, scale, x, gain, bias, ROWS, n, eps);
        layernorm(alone, NULL, NULL, NULL, x, gain, bias, ROWS, n, eps);
    }
    assert_memory_equal(out, alone, ROWS * len * sizeof *out);
    for (size_t r = 0; r < ROWS; r++) {
        double m = 0, var = 0;
        for (size_t i = 0; i < len && !rms; i++)
            m += (double) x[r * len + i] / n;
        for (size_t i = 0; i < len; i++)
            var += pow((double) x[r * len + i] - m, 2) / n;
        double s = sqrt(var + (double) eps);
        check_near(l, (double) mean[r], m, 3, 1e-6);
        check_near(l, (double) scale[r], s, s, 1e-6);
        for (size_t i = 0; i < len; i++) {
            double v = ((double) x[r * len + i] - m) / s;
            double size = (fabs((double) x[r * len + i]) + fabs(m)) / s;
            double add = rms ? 0 : (double) bias[i];
            check_near(l, (double) normalized[r * len + i], v, size, 1e-6);
            check_near(l, (double) out[r * len + i], v * (double) gain[i] + add,
                       size * fabs((double) gain[i]) + fabs(add), 1e-6);
        }
    }
    free(x);
    free(gain);
    free(bias);
    free(out);
    free(normalized);
    free(alone);
}

static void test_norms(void **state)
{
    struct largest layer = {"layernorm", 0}, rms = {"rmsnorm", 0};
    struct rng rng;

    (void) state;
    rng_seed(&rng, 1);
    for (size_t i = 0; i < N_LENGTHS; i++) {
        if (lengths[i] > 1) /* one number has no deviation: only eps is left */
            check_norm(&rng, lengths[i], false, &layer);
        check_norm(&rng, lengths[i], true, &rms);
    }
    print_largest(&layer);
    print_largest(&rms);
}

static void check_softmax(struct rng *rng, int n, float spread, struct largest *l)
{
    float *x = random_floats(rng, (size_t) n), *p = xcalloc((size_t) n, sizeof *p);
    double most = -INFINITY, sum = 0, total = 0, lse;

    for (int i = 0; i < n; i++) {
        x[i] = i % 5 == 3 ? -INFINITY : x[i] * spread;
        p[i] = x[i];
        most = fmax(most, (double) x[i]);
    }
    for (int i = 0; i < n; i++)
        sum += exp((double) x[i] - most);
    lse = most + log(sum);
    check_near(l, (double) logsumexp(p, n), lse, 1 + fabs(lse), 1e-6);
    assert_memory_equal(p, x, (size_t) n * sizeof *p);
    check_near(l, (double) softmax_row(p, n), lse, 1 + fabs(lse), 1e-6);
    for (int i = 0; i < n; i++) {
        /* x - most is rounded, and exp makes of that a factor */
        double want = exp((double) x[i] - most) / sum, slack = 1 + fabs((double) x[i] - most);
        if (x[i] == -INFINITY || want < 1.8e-38) /* exp does not go lower */
            assert_true(x[i] != -INFINITY ? p[i] <= 1.9e-38f : p[i] == 0 && !signbit(p[i]));
        else
            check_near(l, (double) p[i], want, want * slack, 1e-6);
        total += (double) p[i];
    }
    check_near(l, total, 1, 1, 1e-6);
    free(x);
    free(p);
}

static void test_softmax(void **state)
{
    static const float spread[] = {0, 1, 30, 1e4f};
    struct largest l = {"softmax, logsumexp", 0};
    struct rng rng;

    (void) state;
    rng_seed(&rng, 2);
    for (size_t i = 0; i < N_LENGTHS; i++)
        for (int s = 0; s < 4; s++)
            check_softmax(&rng, lengths[i], spread[s], &l);
    print_largest(&l);
}

static void test_softmax_strange(void **state)
{
    float shift[] = {1e30f, 1e30f, -1e30f}, nan[20] = {0}, masked[] = {-INFINITY, -INFINITY};

    (void) state;
    assert_true(softmax_row(shift, 3) == 1e30f);
    assert_true(shift[0] == 0.5f && shift[1] == 0.5f && shift[2] == 0);
    nan[13] = NAN;
    assert_true(isnan(softmax_row(nan, 20)) && isnan(nan[0]) && isnan(nan[19]));
    /* outside the contract, but nothing breaks */
    assert_true(softmax_row(masked, 2) == -INFINITY && masked[0] == 0 && masked[1] == 0);
}

static void test_exp(void **state)
{
    const struct simd *simd;

    (void) state;
    for (int s = 0; (simd = simd_at(s)); s++) {
        struct largest l = {simd->name, 0};
        if (!simd->runs_here())
            continue;
        for (double v = -86.9; v < 88.7; v += 0.0037) {
            float x = (float) v, e = x;
            simd->exp_sum(&e, 1, 0);
            check_near(&l, (double) e, exp((double) x), exp((double) x), 2.5e-7);
        }
        float ends[] = {0, -INFINITY, INFINITY, NAN, -88, 89, -1e30f, 1e30f, 88.72f};
        simd->exp_sum(ends, 9, 0);
        assert_true(ends[0] == 1 && ends[1] == 0 && ends[2] == INFINITY && isnan(ends[3]));
        assert_true(ends[4] == 0 && ends[5] == INFINITY && ends[6] == 0 && ends[7] == INFINITY);
        check_near(&l, (double) ends[8], exp((double) 88.72f), exp(88.72), 2.5e-7);
        print_largest(&l);
    }
}

static void test_entropy(void **state)
{
    const struct simd *simd;
    float p[1000];

    (void) state;
    for (int s = 0; (simd = simd_at(s)); s++) {
        struct largest l = {simd->name, 0};
        if (!simd->runs_here())
            continue;
        for (float x = 1e-37f; x < 4; x *= 1.013f) {
            double want = -(double) x * log((double) x);
            check_near(&l, simd->entropy(&x, 1), want, fabs(want) + (double) x, 2.5e-7);
        }
        for (int n = 0; n < 1000; n += 37) {
            double want = 0;
            for (int i = 0; i < n; i++) {
                p[i] = i % 5 ? (float) (i * 7919 % 1000) / 500000 : 0;
                want -= p[i] > 0 ? (double) p[i] * log((double) p[i]) : 0;
            }
            check_near(&l, simd->entropy(p, (size_t) n), want, 1, 1e-6);
        }
        print_largest(&l);
    }
}

static double want_gelu_tanh(double x)
{
    return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
}

static double want_gelu_erf(double x)
{
    return 0.5 * x * (1 + erf(x / sqrt(2)));
}

static double want_silu(double x)
{
    return x / (1 + exp(-x));
}

static void test_activations(void **state)
{
    static const struct {
        const char *name;
        void (*fn)(float *, const float *, size_t);
        double (*want)(double);
        double low; /* what it goes to at -inf stays exact down to here */
    } fns[] = {{"gelu_tanh", gelu_tanh, want_gelu_tanh, -4},
               {"gelu_erf", gelu_erf, want_gelu_erf, -4},
               {"silu", silu, want_silu, -80}};
    enum { N = 20011 };
    static float x[N], y[N];

    (void) state;
    for (int i = 0; i < N; i++)
        x[i] = (float) ((i - N / 2) * 0.0031);
    for (size_t f = 0; f < 3; f++) {
        struct largest l = {fns[f].name, 0};
        fns[f].fn(y, x, N);
        for (int i = 0; i < N; i++) {
            double want = fns[f].want((double) x[i]);
            double size = (double) x[i] > fns[f].low ? fabs(want) + 1e-30 : 1;
            check_near(&l, (double) y[i], want, size, 1.5e-6);
        }
        float ends[] = {INFINITY, 1e30f, -1e30f, NAN, 0};
        fns[f].fn(ends, ends, 5);
        assert_true(ends[0] == INFINITY && ends[1] == 1e30f && ends[2] == 0);
        assert_true(isnan(ends[3]) && ends[4] == 0);
        print_largest(&l);
    }
}

/* All versions of the loops, at the lengths where vectors end. */
static void test_loops(void **state)
{
    const struct simd *simd;
    struct rng rng;

    (void) state;
    rng_seed(&rng, 4);
    for (int s = 0; (simd = simd_at(s)); s++)
        for (size_t i = 0; i < N_LENGTHS && simd->runs_here(); i++) {
            size_t n = (size_t) lengths[i];
            float *a = random_floats(&rng, n), *b = random_floats(&rng, n), *o = xcalloc(n, 4);
            struct largest l = {simd->name, 0};
            double sum = 0, size = 0, most = -INFINITY, squares = 0;
            simd->add(o, a, b, n);
            for (size_t j = 0; j < n; j++)
                assert_true(o[j] == a[j] + b[j]);
            simd->mul(o, a, b, n);
            for (size_t j = 0; j < n; j++)
                assert_true(o[j] == a[j] * b[j]);
            simd->scale(o, n, 0.5f);
            for (size_t j = 0; j < n; j++) {
                assert_true(o[j] == a[j] * b[j] * 0.5f);
                sum += (double) a[j];
                size += fabs((double) a[j]);
                squares += pow((double) a[j] - 2, 2);
                most = fmax(most, (double) a[j]);
            }
            assert_true((double) simd->max(a, n) == most);
            check_near(&l, simd->sum(a, n), sum, size, 5e-7);
            check_near(&l, simd->sum_squares(a, n, 2), squares, squares, 5e-7);
            free(a);
            free(b);
            free(o);
        }
}

static void test_add_mul_dot(void **state)
{
    float a[] = {1, 2, 3}, b[] = {4, -5, 6}, out[3];

    (void) state;
    add(out, a, b, 3);
    assert_true(out[0] == 5 && out[1] == -3 && out[2] == 9);
    mul(out, a, b, 3);
    assert_true(out[0] == 4 && out[1] == -10 && out[2] == 18);
    assert_true(dot(a, b, 3) == 12);
    add(a, a, b, 3);
    assert_true(a[0] == 5 && a[2] == 9);
}

static void check_rope(struct rng *rng, int heads, int d_head, int n_rot, int pos, double theta,
                       struct largest *l)
{
    size_t n = (size_t) (heads * d_head);
    float *x = random_floats(rng, n), *out = xcalloc(n, sizeof *out);
    double *freq = xcalloc((size_t) n_rot / 2 + 1, sizeof *freq);
    int half = n_rot / 2;

    rope_inv_freq(freq, n_rot, theta);
    rope(out, x, heads, d_head, n_rot, pos, freq);
    for (int h = 0; h < heads; h++)
        for (int i = 0; i < d_head; i++) {
            const float *v = x + h * d_head;
            float got = out[h * d_head + i];
            if (i >= n_rot) {
                assert_true(got == v[i]);
                continue;
            }
            double angle = pos * pow(theta, -2.0 * (i % half) / n_rot);
            double other = (double) (i < half ? -v[i + half] : v[i - half]);
            check_near(l, (double) got, (double) v[i] * cos(angle) + other * sin(angle),
                       fabs((double) v[i]) + fabs(other), 1e-6);
        }
    rope(x, x, heads, d_head, n_rot, pos, freq);
    assert_memory_equal(x, out, n * sizeof *x);
    free(x);
    free(out);
    free(freq);
}

static void test_rope(void **state)
{
    struct largest l = {"rope", 0};
    struct rng rng;

    (void) state;
    rng_seed(&rng, 5);
    check_rope(&rng, 1, 2, 2, 1, 10000, &l);
    check_rope(&rng, 8, 64, 64, 2047, 10000, &l);
    check_rope(&rng, 3, 128, 128, 131071, 500000, &l);
    check_rope(&rng, 3, 20, 6, 77, 10000, &l);
    check_rope(&rng, 2, 8, 0, 7, 10000, &l);
    print_largest(&l);
}

static void test_stats(void **state)
{
    float x[] = {3, NAN, -1, INFINITY, 2, -INFINITY, 0, NAN}, p[] = {0.5f, 0, 0.25f, 0.25f};
    float none[] = {NAN, INFINITY}, big[1000];
    struct stats s;

    (void) state;
    stats_of(&s, x, 8);
    assert_true(s.n == 8 && s.n_nan == 2 && s.n_inf == 2 && s.n_zero == 1 && s.min == -1 &&
                s.max == 3);
    assert_true(s.mean == 1 && fabs(s.norm - sqrt(14)) < 1e-12);
    assert_true(fabs(s.std - sqrt((4 + 4 + 1 + 1) / 4.0)) < 1e-12);
    stats_of(&s, none, 2);
    assert_true(s.n == 2 && s.min == 0 && s.max == 0 && s.mean == 0 && s.std == 0);
    stats_of(&s, x, 0);
    assert_true(s.n == 0 && s.norm == 0);
    for (int i = 0; i < 1000; i++)
        big[i] = i % 2 ? FLT_MAX : -FLT_MAX;
    stats_of(&s, big, 1000);
    assert_true(s.mean == 0 && fabs(s.std / (double) FLT_MAX - 1) < 1e-12);
    struct stats all = {0}, part;
    for (int i = 0; i < 8; i += 3) { /* in parts of 3, 3 and 2 */
        stats_of(&part, x + i, i < 6 ? 3 : 2);
        stats_add(&all, &part);
    }
    assert_true(all.n == 8 && all.n_nan == 2 && all.n_inf == 2 && all.n_zero == 1);
    assert_true(all.min == -1 && all.max == 3 && fabs(all.mean - 1) < 1e-12);
    assert_true(fabs(all.std - sqrt(2.5)) < 1e-12 && fabs(all.norm - sqrt(14)) < 1e-12);
    assert_true(fabs(entropy(p, 4) - 1.5 * log(2)) < 1e-12);
    p[1] = NAN;
    assert_true(isnan(entropy(p, 4)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_norms),
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_softmax_strange),
        cmocka_unit_test(test_entropy),
        cmocka_unit_test(test_exp),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_loops),
        cmocka_unit_test(test_add_mul_dot),
        cmocka_unit_test(test_rope),
        cmocka_unit_test(test_stats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
