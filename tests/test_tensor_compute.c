/* The products that tasks use, many at once; scratch memory; the choice of OpenBLAS's kernels.
 */
#include "tensor_check.h"

#include "tensor/blas.h"
#include "tensor/compute.h"

struct one {
    struct compute *c;
    const float *a, *b;
    float *out[64];
    int m, n, k;
    bool trans_b;
    float alpha, beta;
};

static void gemm_task(void *arg, int task, float *scratch)
{
    struct one *o = arg;

    (void) scratch;
    compute_gemm(o->c, o->trans_b, o->m, o->n, o->k, o->alpha, o->a, (size_t) o->k + 1, o->b,
                 (size_t) (o->trans_b ? o->k : o->n) + 2, o->beta, o->out[task],
                 (size_t) o->n + 1);
}

static void check_gemm(struct compute *c, struct rng *rng, int m, int n, int k, bool trans_b,
                       float alpha, float beta, struct largest *l)
{
    struct one o = {c, NULL, NULL, {0}, m, n, k, trans_b, alpha, beta};
    size_t lda = (size_t) k + 1, ldb = (size_t) (trans_b ? k : n) + 2, ldc = (size_t) n + 1;
    float *a = random_floats(rng, lda * (size_t) m);
    float *b = random_floats(rng, ldb * (size_t) (trans_b ? n : k));
    float *before = random_floats(rng, ldc * (size_t) m);

    o.a = a;
    o.b = b;
    for (int t = 0; t < 64; t++) {
        o.out[t] = xmalloc(ldc * (size_t) m * sizeof(float));
        memcpy(o.out[t], before, ldc * (size_t) m * sizeof(float));
        if (beta == 0)
            o.out[t][0] = NAN; /* is not to be read */
    }
    compute_each(c, 64, gemm_task, &o);
    for (size_t i = 0; i < (size_t) m; i++)
        for (size_t j = 0; j < (size_t) n; j++) {
            double sum = 0, size = 1e-30, was = (double) beta * (double) before[i * ldc + j];
            for (size_t p = 0; p < (size_t) k; p++) {
                float w = trans_b ? b[j * ldb + p] : b[p * ldb + j];
                sum += (double) a[i * lda + p] * (double) w;
                size += fabs((double) a[i * lda + p] * (double) w);
            }
            check_near(l, (double) o.out[0][i * ldc + j], (double) alpha * sum + was,
                       fabs((double) alpha) * size + fabs(was), 1e-6);
        }
    for (int t = 1; t < 64; t++) { /* the same work gives the same bits, whoever does it */
        for (size_t i = 0; i < (size_t) m; i++)
            assert_memory_equal(o.out[t] + i * ldc, o.out[0] + i * ldc,
                                (size_t) n * sizeof(float));
        free(o.out[t]);
    }
    free(o.out[0]);
    free(a);
    free(b);
    free(before);
}

static void check_products(bool blas, const char *what)
{
    static const int size[][3] = {{1, 1, 1},   {3, 7, 5},     {16, 64, 64},
                                  {65, 33, 9}, {64, 300, 64}, {40, 259, 401}};
    struct compute *c = compute_new(4);
    struct largest l = {what, 0};
    struct rng rng;

    if (!blas)
        compute_avoid_blas(c);
    rng_seed(&rng, 11);
    for (size_t s = 0; s < sizeof size / sizeof *size; s++)
        for (int kind = 0; kind < 4; kind++)
            check_gemm(c, &rng, size[s][0], size[s][1], size[s][2], kind & 1,
                       kind & 2 ? 0.125f : 1, kind & 2 ? 1 : 0, &l);
    print_largest(&l);
    compute_free(c);
}

static void test_gemm(void **state)
{
    (void) state;
    check_products(true, "gemm, many at once");
    check_products(false, "own gemm, many at once");
}

static void fill_task(void *arg, int task, float *scratch)
{
    size_t n = *(size_t *) arg;

    assert_int_equal((uintptr_t) scratch % 64, 0);
    for (size_t i = 0; i < n; i++)
        scratch[i] = (float) task;
    for (size_t i = 0; i < n; i++)
        if (scratch[i] != (float) task)
            abort(); /* two threads share it */
}

static void test_scratch(void **state)
{
    struct compute *c = compute_new(3);
    struct err err = ERR_INIT;

    (void) state;
    assert_int_equal(compute_threads(c), 3);
    for (size_t n = 1000; n < 100000; n *= 9) {
        assert_true(compute_reserve(c, n, &err));
        compute_each(c, 40, fill_task, &n);
        compute_each(c, 1, fill_task, &n);
    }
    assert_false(compute_reserve(c, SIZE_MAX / 2, &err));
    assert_true(strlen(err.text) > 0);
    assert_false(compute_reserve(c, SIZE_MAX / 64, &err));
    compute_free(c);
    compute_free(NULL);
}

static void test_better_core(void **state)
{
    (void) state;
    assert_string_equal(blas_better_core("Haswell", BLAS_CPU_AVX512), "SkylakeX");
    assert_string_equal(blas_better_core("zen", BLAS_CPU_AVX512), "SkylakeX");
    assert_string_equal(blas_better_core("Prescott", BLAS_CPU_AVX2), "Haswell");
    assert_null(blas_better_core("Zen", BLAS_CPU_AVX2));
    assert_null(blas_better_core("Prescott", BLAS_CPU_OTHER));
    assert_null(blas_better_core("SkylakeX", BLAS_CPU_AVX512));
    assert_null(blas_better_core("Cooperlake", BLAS_CPU_AVX512)); /* newer: left alone */
    assert_null(blas_better_core("SapphireRapids", BLAS_CPU_AVX512));
    assert_null(blas_better_core("neoversen1", BLAS_CPU_OTHER));
}

/* The library can be loaded again with other kernels: what the choice relies on. */
static void test_reload(void **state)
{
    struct blas b;

    (void) state;
    unsetenv("OPENBLAS_CORETYPE");
    setenv("OPENBLAS_NUM_THREADS", "7", 1);
    blas_open_core(&b, NULL);
    if (!b.lib || blas_cpu() < BLAS_CPU_AVX2 || !strstr(b.config, "DYNAMIC_ARCH")) {
        print_message("    skipped: no OpenBLAS with a choice of kernels here (%s)\n",
                      b.config);
        blas_release(&b);
        skip();
    }
    print_message("    detected %s\n", b.core);
    blas_release(&b);
    blas_open_core(&b, "Haswell");
    assert_string_equal(b.core, "Haswell");
    assert_string_equal(b.why, "chosen by gptscope");
    blas_release(&b);
    assert_null(getenv("OPENBLAS_CORETYPE")); /* the environment is as it was */
    assert_string_equal(getenv("OPENBLAS_NUM_THREADS"), "7");
    unsetenv("OPENBLAS_NUM_THREADS");
}

static void test_blas_info(void **state)
{
    struct compute *c = compute_new(1);
    struct blas_info info;
    struct blas b;

    (void) state;
    unsetenv("OPENBLAS_CORETYPE");
    compute_blas(c, &info);
    print_message("    %s (%s), own kernels: %s\n    %s\n", info.core, info.why, info.simd,
                  info.config);
    assert_null(blas_better_core(info.core, blas_cpu()));
    compute_free(c);

    c = compute_new(1);
    compute_avoid_blas(c);
    compute_blas(c, &info);
    assert_string_equal(info.core, "own kernels");
    compute_free(c);

    setenv("OPENBLAS_CORETYPE", "Prescott", 1);
    blas_open(&b); /* the user's choice stands, good or bad */
    if (b.lib)
        assert_string_equal(b.why, "set by OPENBLAS_CORETYPE");
    blas_release(&b);
    unsetenv("OPENBLAS_CORETYPE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_better_core), cmocka_unit_test(test_reload),
        cmocka_unit_test(test_blas_info),   cmocka_unit_test(test_scratch),
        cmocka_unit_test(test_gemm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
