/* Number formats, and the inner loops of every processor version against plain loops. */
#include "tensor_check.h"

#include "tensor/dtype.h"
#include "tensor/simd.h"

static const size_t lengths[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 97, 1023};

#define N_LENGTHS (sizeof lengths / sizeof *lengths)

static void test_table(void **state)
{
    (void) state;
    assert_string_equal(dtype_info(DTYPE_Q8_0)->name, "Q8_0");
    assert_int_equal(dtype_bytes(DTYPE_F32, 7), 28);
    assert_int_equal(dtype_bytes(DTYPE_BF16, 7), 14);
    assert_int_equal(dtype_bytes(DTYPE_Q8_0, 96), 3 * 34);
}

/* sign, exponent and mantissa as the standard defines them */
static double half_value(unsigned h)
{
    double sign = h & 0x8000 ? -1 : 1, m = h & 0x3ff;
    int e = (int) (h >> 10 & 31);

    if (e == 31)
        return m ? NAN : sign * INFINITY;
    return sign * (e ? ldexp(1024 + m, e - 25) : ldexp(m, -24));
}

static void test_f16_all(void **state)
{
    (void) state;
    for (unsigned h = 0; h < 0x10000; h++) {
        float f = dtype_f16_to_f32((uint16_t) h);
        double want = half_value(h);
        if (isnan(want)) {
            assert_true(isnan(f));
            assert_true(isnan(dtype_f16_to_f32(dtype_f32_to_f16(f))));
            continue;
        }
        assert_true((double) f == want && !signbit(f) == !signbit(want));
        assert_int_equal(dtype_f32_to_f16(f), h);
    }
}

/* Between two neighbours: the nearer one, and at the middle the even one. */
static void test_f16_rounding(void **state)
{
    (void) state;
    for (unsigned h = 0; h < 0x7bff; h++) {
        float lo = dtype_f16_to_f32((uint16_t) h), hi = dtype_f16_to_f32((uint16_t) (h + 1));
        float middle = lo + (hi - lo) / 2;
        assert_int_equal(dtype_f32_to_f16(middle), h + (h & 1));
        assert_int_equal(dtype_f32_to_f16(nextafterf(middle, 0)), h);
        assert_int_equal(dtype_f32_to_f16(nextafterf(middle, hi)), h + 1);
        assert_int_equal(dtype_f32_to_f16(-middle), 0x8000 | (h + (h & 1)));
    }
    assert_int_equal(dtype_f32_to_f16(65519.996f), 0x7bff);
    assert_int_equal(dtype_f32_to_f16(65520), 0x7c00);
    assert_int_equal(dtype_f32_to_f16(3e38f), 0x7c00);
    assert_int_equal(dtype_f32_to_f16(-INFINITY), 0xfc00);
    assert_int_equal(dtype_f32_to_f16(1e-30f), 0);
}

static void test_bf16(void **state)
{
    const struct dtype_info *info = dtype_info(DTYPE_BF16);
    const float in[] = {1, -2.5f, 1.00390625f, 1.01171875f, 3.4e38f, NAN, -INFINITY, 1e-40f};
    const float want[] = {1, -2.5f, 1, 1.015625f, INFINITY, NAN, -INFINITY, 0};
    uint8_t stored[16];
    float out[8];

    (void) state;
    info->narrow(stored, in, 8);
    info->widen(out, stored, 8);
    for (int i = 0; i < 7; i++)
        assert_true(isnan(want[i]) ? isnan(out[i]) : out[i] == want[i]);
    assert_true(fabsf(out[7] - 1e-40f) < 1e-41f); /* subnormals are kept */
}

static void test_q8_0(void **state)
{
    const struct dtype_info *info = dtype_info(DTYPE_Q8_0);
    struct rng rng;
    float in[64], out[64];
    uint8_t stored[68];

    (void) state;
    rng_seed(&rng, 3);
    for (int i = 0; i < 64; i++)
        in[i] = i < 32 ? (float) rng_normal(&rng) : 0;
    info->narrow(stored, in, 64);
    info->widen(out, stored, 64);
    for (int b = 0; b < 2; b++) {
        float d = dtype_f16_to_f32((uint16_t) (stored[34 * b] | stored[34 * b + 1] << 8));
        for (int i = 0; i < 32; i++) {
            assert_true(out[32 * b + i] == d * (float) (int8_t) stored[34 * b + 2 + i]);
            assert_true(fabsf(out[32 * b + i] - in[32 * b + i]) <= d * 0.57f);
        }
    }
}

/* Every version widens bit for bit as the format says, at any address. */
static void check_widen(const struct simd *simd, enum dtype dtype, struct rng *rng)
{
    uint8_t stored[4096 + 1], *bytes = stored + 1;
    float got[1024], want[1024];

    for (size_t i = 0; i < sizeof stored; i++)
        stored[i] = (uint8_t) rng_u64(rng);
    for (size_t l = 0; l < N_LENGTHS; l++) {
        size_t n = lengths[l] / (size_t) dtype_info(dtype)->block;
        n *= (size_t) dtype_info(dtype)->block;
        simd->widen[dtype](got, bytes, n);
        simd_plain.widen[dtype](want, bytes, n);
        for (size_t i = 0; i < n; i++)
            assert_true(isnan(want[i]) ? isnan(got[i]) : got[i] == want[i]);
        if (dtype == DTYPE_F16)
            for (size_t i = 0; i < n; i++) {
                double v = half_value((unsigned) (bytes[2 * i] | bytes[2 * i + 1] << 8));
                assert_true(isnan(v) ? isnan(got[i]) : (double) got[i] == v);
            }
    }
}

static void check_dots(const struct simd *simd, enum dtype dtype, int rows, int n,
                       struct rng *rng, struct largest *l)
{
    enum { OUT = 3 };
    size_t ldx = (size_t) n + 3, bytes = dtype_bytes(dtype, (size_t) n);
    float *x = random_floats(rng, ldx * SIMD_ROWS), *w = random_floats(rng, (size_t) n * OUT);
    uint8_t *stored = xcalloc(OUT, bytes + 1);
    float y[SIMD_ROWS * OUT] = {0};

    for (int o = 0; o < OUT; o++) {
        uint8_t *row = stored + (size_t) o * (bytes + 1);
        dtype_info(dtype)->narrow(row, w + o * n, (size_t) n);
        dtype_info(dtype)->widen(w + o * n, row, (size_t) n);
    }
    struct simd_dots d = {y, OUT, x, ldx, rows, stored, bytes + 1, OUT, n};
    simd->dots[dtype](&d);
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < OUT; o++) {
            double sum = 0, size = 1e-30;
            for (int i = 0; i < n; i++) {
                double p = (double) x[(size_t) r * ldx + (size_t) i] * (double) w[o * n + i];
                sum += p;
                size += fabs(p);
            }
            check_near(l, (double) y[r * OUT + o], sum, size, 5e-7);
        }
    for (int i = rows * OUT; i < SIMD_ROWS * OUT; i++)
        assert_true(y[i] == 0); /* rows that were not asked for */
    free(x);
    free(w);
    free(stored);
}

static void check_axpy(const struct simd *simd, int k, size_t n, struct rng *rng,
                       struct largest *l)
{
    float *y = random_floats(rng, n), *w = random_floats(rng, n * 4), x[4];
    const float *row[4];
    double *want = xcalloc(n, sizeof *want), *size = xcalloc(n, sizeof *size);

    for (int j = 0; j < 4; j++) {
        x[j] = (float) rng_normal(rng);
        row[j] = w + (size_t) j * n;
    }
    for (size_t i = 0; i < n; i++) {
        want[i] = (double) y[i];
        size[i] = fabs(want[i]);
        for (int j = 0; j < k; j++) {
            want[i] += (double) x[j] * (double) row[j][i];
            size[i] += fabs((double) x[j] * (double) row[j][i]);
        }
    }
    simd->axpy(y, x, row, k, n);
    for (size_t i = 0; i < n; i++)
        check_near(l, (double) y[i], want[i], size[i], 5e-7);
    free(y);
    free(w);
    free(want);
    free(size);
}

static void check_add_row(const struct simd *simd, enum dtype dtype, size_t n, struct rng *rng,
                          struct largest *l)
{
    float *y = random_floats(rng, n), *w = random_floats(rng, n), *before = xcalloc(n, 4);
    uint8_t *stored = xcalloc(1, dtype_bytes(dtype, n) + 1);

    dtype_info(dtype)->narrow(stored + 1, w, n);
    dtype_info(dtype)->widen(w, stored + 1, n);
    memcpy(before, y, n * sizeof *y);
    simd->add_row[dtype](y, 1.7f, stored + 1, n);
    for (size_t i = 0; i < n; i++) {
        double add = 1.7f * (double) w[i];
        check_near(l, (double) y[i], (double) before[i] + add,
                   fabs((double) before[i]) + fabs(add), 2e-7);
    }
    free(y);
    free(w);
    free(before);
    free(stored);
}

static void test_simd(void **state)
{
    const struct simd *simd;
    struct rng rng;

    (void) state;
    rng_seed(&rng, 1);
    for (int s = 0; (simd = simd_at(s)); s++) {
        struct largest dots = {"dots", 0}, axpy = {"axpy", 0};
        if (!simd->runs_here()) {
            print_message("    skipped: this processor cannot run '%s'\n", simd->name);
            continue;
        }
        for (int t = 0; t < DTYPE_COUNT; t++) {
            size_t block = (size_t) dtype_info((enum dtype) t)->block;
            check_widen(simd, (enum dtype) t, &rng);
            for (size_t l = 0; l < N_LENGTHS; l++)
                check_add_row(simd, (enum dtype) t, lengths[l] * block, &rng, &axpy);
            for (size_t l = 0; l < N_LENGTHS; l++)
                for (int rows = 1; rows <= SIMD_ROWS; rows++)
                    check_dots(simd, (enum dtype) t, rows, (int) (lengths[l] * block), &rng,
                               &dots);
        }
        for (size_t l = 0; l < N_LENGTHS; l++)
            for (int k = 1; k <= SIMD_ROWS; k++)
                check_axpy(simd, k, lengths[l], &rng, &axpy);
        print_message("    %s:\n", simd->name);
        print_largest(&dots);
        print_largest(&axpy);
    }
    assert_true(simd_best()->runs_here());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),        cmocka_unit_test(test_f16_all),
        cmocka_unit_test(test_f16_rounding), cmocka_unit_test(test_bf16),
        cmocka_unit_test(test_q8_0),         cmocka_unit_test(test_simd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
