/* Products with weight matrices: all formats, layouts, numbers of rows, odd sizes, slices. */
#include "tensor_check.h"

#include "tensor/matrix.h"

static const int rows_of[] = {1, 2, 3, 4, 5, 7, 8, 9, 23, 25, 31, 64, 65};
static const int sizes[][2] = {{1, 1},   {1, 37},   {3, 5},    {7, 8},    {64, 64},
                               {97, 33}, {127, 61}, {33, 700}, {600, 17}, {300, 1100}};

/* A matrix of made-up weights, stored, and the same widened. */
struct made {
    struct matrix m;
    uint8_t *stored;
    float *wide; /* [n_out, n_in] */
};

static int round_up(int n, int block)
{
    return (n + block - 1) / block * block;
}

/* slack: columns of a wider stored row that are not part of the matrix */
static struct made make(struct rng *rng, enum dtype dtype, bool in_major, int n_out, int n_in,
                        int slack)
{
    const struct dtype_info *info = dtype_info(dtype);
    int rows = in_major ? n_in : n_out, len = in_major ? n_out : n_in;
    size_t ld = (size_t) (len + slack), row_bytes = dtype_bytes(dtype, ld);
    struct made made = {.stored = xcalloc((size_t) rows, row_bytes),
                        .wide = xcalloc((size_t) n_out * (size_t) n_in, sizeof(float))};

    for (int r = 0; r < rows; r++) {
        float *w = random_floats(rng, ld);
        info->narrow(made.stored + (size_t) r * row_bytes, w, ld);
        info->widen(w, made.stored + (size_t) r * row_bytes, ld);
        for (int i = 0; i < len; i++)
            made.wide[in_major ? i * n_in + r : r * n_in + i] = w[i];
        free(w);
    }
    made.m = (struct matrix){made.stored, dtype, n_out, n_in, ld, in_major};
    return made;
}

static void made_release(struct made *made)
{
    free(made->stored);
    free(made->wide);
}

static void check_rows(const struct made *made)
{
    int n = made->m.n_in;
    float *row = xcalloc((size_t) n, sizeof *row);

    for (int o = 0; o < made->m.n_out; o += 1 + made->m.n_out / 5) {
        matrix_row(&made->m, o, row);
        assert_memory_equal(row, made->wide + (size_t) o * (size_t) n,
                            (size_t) n * sizeof *row);
    }
    free(row);
    float *column = xcalloc((size_t) made->m.n_out, sizeof *column);
    for (int i = 0; i < n; i += 1 + n / 5) {
        matrix_column(&made->m, i, column);
        for (int o = 0; o < made->m.n_out; o++)
            assert_true(column[o] == made->wide[(size_t) o * (size_t) n + (size_t) i]);
    }
    free(column);
}

static void check_matmul(struct compute *c, struct rng *rng, const struct matrix *m,
                         const float *wide, int rows, bool with_bias, struct largest *l)
{
    size_t n_out = (size_t) m->n_out, n_in = (size_t) m->n_in, ldx = n_in + 5, ldy = n_out + 3;
    float *x = random_floats(rng, ldx * (size_t) rows), *bias = random_floats(rng, n_out);
    float *y = xcalloc(ldy * (size_t) rows, sizeof *y);

    for (size_t i = 0; i < ldy * (size_t) rows; i++)
        y[i] = i % ldy < n_out ? NAN : 77;
    matmul(c, y, ldy, x, ldx, rows, m, with_bias ? bias : NULL);
    for (size_t r = 0; r < (size_t) rows; r++)
        for (size_t o = 0; o < ldy; o++) {
            double sum = with_bias && o < n_out ? (double) bias[o] : 0, size = fabs(sum);
            if (o >= n_out) {
                assert_true(y[r * ldy + o] == 77);
                continue;
            }
            for (size_t i = 0; i < n_in; i++) {
                double p = (double) x[r * ldx + i] * (double) wide[o * n_in + i];
                sum += p;
                size += fabs(p);
            }
            check_near(l, (double) y[r * ldy + o], sum, size + 1e-30, 1e-6);
        }
    free(x);
    free(y);
    free(bias);
}

static void check_format(struct compute *c, enum dtype dtype, bool in_major)
{
    struct largest l = {dtype_info(dtype)->name, 0};
    int block = dtype_info(dtype)->block;
    struct err err = ERR_INIT;
    struct rng rng;

    rng_seed(&rng, 5);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int slack = 0; slack < 2; slack++) {
            int n_out = round_up(sizes[s][0], in_major ? block : 1);
            int n_in = round_up(sizes[s][1], in_major ? 1 : block);
            struct made made =
                make(&rng, dtype, in_major, n_out, n_in, slack ? round_up(3, block) : 0);
            assert_true(compute_reserve(c, matmul_scratch(&made.m), &err));
            check_rows(&made);
            for (size_t r = 0; r < sizeof rows_of / sizeof *rows_of; r++)
                check_matmul(c, &rng, &made.m, made.wide, rows_of[r], (r + s) % 2, &l);
            made_release(&made);
        }
    print_largest(&l);
}

static void check_all(int threads, bool blas)
{
    struct compute *c = compute_new(threads);

    if (!blas)
        compute_avoid_blas(c);
    for (int t = 0; t < DTYPE_COUNT; t++)
        for (int in_major = 0; in_major < 2; in_major++)
            check_format(c, (enum dtype) t, in_major);
    compute_free(c);
}

static void test_one_thread(void **state)
{
    (void) state;
    check_all(1, true);
}

static void test_two_threads(void **state)
{
    (void) state;
    check_all(2, true);
}

static void test_own_kernels(void **state)
{
    (void) state;
    check_all(3, false);
}

/* The three parts of a fused matrix, in both layouts. */
static void test_slices(void **state)
{
    struct compute *c = compute_new(2);
    struct largest l = {"slices", 0};
    struct err err = ERR_INIT;
    struct rng rng;

    (void) state;
    rng_seed(&rng, 6);
    for (int in_major = 0; in_major < 2; in_major++)
        for (int t = 0; t < DTYPE_COUNT - in_major; t++) {
            struct made made = make(&rng, (enum dtype) t, in_major, 3 * 41, 64, 0);
            assert_true(compute_reserve(c, matmul_scratch(&made.m), &err));
            for (int part = 0; part < 3; part++) {
                struct matrix m = matrix_slice(&made.m, part * 41, 41);
                assert_int_equal(m.n_out, 41);
                for (int rows = 1; rows < 20; rows += 9)
                    check_matmul(c, &rng, &m, made.wide + part * 41 * 64, rows, true, &l);
            }
            made_release(&made);
        }
    print_largest(&l);
    compute_free(c);
}

/* Files put no tensor at a multiple of 4. */
static void test_odd_address(void **state)
{
    struct compute *c = compute_new(2);
    struct largest l = {"odd address", 0};
    struct err err = ERR_INIT;
    struct rng rng;

    (void) state;
    rng_seed(&rng, 7);
    for (int in_major = 0; in_major < 2; in_major++)
        for (int t = 0; t < DTYPE_COUNT; t++) {
            struct made made = make(&rng, (enum dtype) t, in_major, 96, 64, 0);
            size_t bytes = dtype_bytes((enum dtype) t, 96 * 64);
            uint8_t *moved = xmalloc(bytes + 1);
            memcpy(moved + 1, made.stored, bytes);
            made.m.data = moved + 1;
            assert_true(compute_reserve(c, matmul_scratch(&made.m), &err));
            check_rows(&made);
            for (int rows = 1; rows < 20; rows += 9)
                check_matmul(c, &rng, &made.m, made.wide, rows, false, &l);
            made_release(&made);
            free(moved);
        }
    print_largest(&l);
    compute_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_thread),  cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_own_kernels), cmocka_unit_test(test_slices),
        cmocka_unit_test(test_odd_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
