/* Attention in blocks against the definition in double: grouped heads, windows, chunks. */
#include "tensor_check.h"

#include "tensor/attention.h"

struct data {
    float *q, *k, *v, *z, *lse;
};

static struct data data_new(struct rng *rng, const struct attention_dims *d, float gain)
{
    size_t nq = (size_t) d->n_query * (size_t) (d->n_head * d->d_head);
    size_t nk = (size_t) (d->pos0 + d->n_query) * (size_t) (d->n_kv_head * d->d_head);
    struct data x = {random_floats(rng, nq), random_floats(rng, nk), random_floats(rng, nk),
                     xcalloc(nq, sizeof(float)),
                     xcalloc((size_t) (d->n_query * d->n_head), sizeof(float))};

    for (size_t i = 0; i < nq; i++) {
        x.q[i] *= gain;
        x.z[i] = NAN;
    }
    return x;
}

static void data_release(struct data *x)
{
    free(x->q);
    free(x->k);
    free(x->v);
    free(x->z);
    free(x->lse);
}

/* One query of one head, as the definition says. */
static void check_query(const struct data *x, const struct attention_dims *d, int i, int h,
                        struct largest *lz, struct largest *llse)
{
    int pos = d->pos0 + i, kv = h / (d->n_head / d->n_kv_head);
    int lo = d->window && pos - d->window + 1 > 0 ? pos - d->window + 1 : 0;
    const float *q = x->q + (i * d->n_head + h) * d->d_head;
    double *p = xcalloc((size_t) pos + 1, sizeof *p), most = -INFINITY, sum = 0, biggest = 0;

    for (int j = lo; j <= pos; j++) {
        const float *k = x->k + (j * d->n_kv_head + kv) * d->d_head;
        double size = 0;
        for (int c = 0; c < d->d_head; c++) {
            double part = (double) q[c] * (double) k[c] * (double) d->scale;
            p[j] += part;
            size += fabs(part);
        }
        most = fmax(most, p[j]);
        biggest = fmax(biggest, size);
    }
    for (int j = lo; j <= pos; j++)
        sum += p[j] = exp(p[j] - most);
    /* a score's rounding is relative to its summands, and exp makes it a factor */
    check_near(llse, (double) x->lse[i * d->n_head + h], most + log(sum), 1 + biggest, 1e-6);
    for (int c = 0; c < d->d_head; c++) {
        double z = 0, size = 0;
        for (int j = lo; j <= pos; j++) {
            double v = (double) x->v[(j * d->n_kv_head + kv) * d->d_head + c];
            z += p[j] / sum * v;
            size += p[j] / sum * fabs(v);
        }
        check_near(lz, (double) x->z[(i * d->n_head + h) * d->d_head + c], z,
                   size * (1 + biggest), 1e-6);
    }
    free(p);
}

static void check_attention(struct compute *c, const struct attention_dims *d, float gain,
                            struct largest *lz, struct largest *llse)
{
    struct err err = ERR_INIT;
    struct rng rng;
    struct data x;

    rng_seed(&rng, 21);
    x = data_new(&rng, d, gain);
    assert_true(compute_reserve(c, attention_scratch(d, d->pos0 + d->n_query), &err));
    attention(c, x.z, x.lse, x.q, x.k, x.v, d);
    for (int i = 0; i < d->n_query; i++)
        for (int h = 0; h < d->n_head; h++)
            check_query(&x, d, i, h, lz, llse);
    data_release(&x);
}

static const struct attention_dims cases[] = {
    /* heads, kv heads, d_head, queries, pos0, window, scale */
    {1, 1, 1, 1, 0, 0, 1},           {2, 2, 8, 5, 0, 0, 0.35f},
    {3, 3, 5, 67, 0, 0, 0.4f},       {12, 12, 64, 129, 0, 0, 0.125f},
    {6, 2, 16, 40, 100, 0, 0.25f},   {14, 2, 7, 1, 300, 0, 0.37f},
    {12, 12, 64, 1, 0, 0, 0.125f},   {4, 4, 64, 1, 1100, 0, 0.125f},
    {4, 1, 32, 130, 1000, 0, 0.17f}, {4, 2, 16, 200, 0, 8, 0.25f},
    {4, 2, 16, 200, 0, 1, 0.25f},    {2, 1, 24, 70, 1300, 600, 0.2f},
    {10, 2, 16, 1, 900, 8, 0.25f},   {5, 1, 20, 1, 1200, 700, 0.25f},
    {2, 2, 16, 64, 512, 0, 0.25f},   {2, 2, 16, 2, 511, 0, 0.25f},
};

static void check_cases(int threads, bool blas)
{
    struct compute *c = compute_new(threads);
    struct largest lz = {"z", 0}, llse = {"lse", 0};

    if (!blas)
        compute_avoid_blas(c);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_attention(c, &cases[i], 1, &lz, &llse);
        check_attention(c, &cases[i], 30, &lz, &llse); /* sharp: most weights are 0 */
    }
    print_largest(&lz);
    print_largest(&llse);
    compute_free(c);
}

static void test_one_thread(void **state)
{
    (void) state;
    check_cases(1, true);
}

static void test_two_threads(void **state)
{
    (void) state;
    check_cases(2, true);
}

static void test_own_kernels(void **state)
{
    (void) state;
    check_cases(2, false);
}

/* A chunk gives what its queries give one by one. */
static void test_chunk_is_queries(void **state)
{
    struct attention_dims whole = {4, 2, 32, 70, 9, 0, 0.17f}, one = whole;
    struct compute *c = compute_new(2);
    struct largest l = {"chunk and single queries", 0};
    struct err err = ERR_INIT;
    struct rng rng;
    struct data x;
    float z[128], lse[4];

    (void) state;
    rng_seed(&rng, 2);
    x = data_new(&rng, &whole, 1);
    assert_true(compute_reserve(c, attention_scratch(&whole, 100), &err));
    attention(c, x.z, x.lse, x.q, x.k, x.v, &whole);
    one.n_query = 1;
    for (int i = 0; i < whole.n_query; i++) {
        one.pos0 = whole.pos0 + i;
        attention(c, z, lse, x.q + (size_t) i * 128, x.k, x.v, &one);
        for (int j = 0; j < 128; j++)
            check_near(&l, (double) x.z[i * 128 + j], (double) z[j], 1, 1e-5);
        for (int h = 0; h < 4; h++)
            check_near(&l, (double) x.lse[i * 4 + h], (double) lse[h], 1, 1e-5);
    }
    print_largest(&l);
    data_release(&x);
    compute_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_thread),
        cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_own_kernels),
        cmocka_unit_test(test_chunk_is_queries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
