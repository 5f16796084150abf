/* The inner loops for any processor. */
#include "tensor/simd.h"

#define VMATH_LANES 4
#define VMATH_TARGET
#include "tensor/vmath.h"

static bool runs_here(void)
{
    return true;
}

static void widen_f32(float *dst, const void *src, size_t n)
{
    memcpy(dst, src, n * sizeof *dst);
}

static void widen_f16(float *dst, const void *src, size_t n)
{
    const uint8_t *bytes = src;
    uint16_t h;

    for (size_t i = 0; i < n; i++) {
        memcpy(&h, bytes + 2 * i, 2);
        dst[i] = dtype_f16_to_f32(h);
    }
}

static void widen_bf16(float *dst, const void *src, size_t n)
{
    const uint8_t *bytes = src;
    uint16_t h;

    for (size_t i = 0; i < n; i++) {
        memcpy(&h, bytes + 2 * i, 2);
        uint32_t u = (uint32_t) h << 16;
        memcpy(dst + i, &u, 4);
    }
}

static void widen_q8_0(float *dst, const void *src, size_t n)
{
    const uint8_t *block = src;
    uint16_t h;

    for (size_t b = 0; b < n / 32; b++, block += 34, dst += 32) {
        memcpy(&h, block, 2);
        float d = dtype_f16_to_f32(h);
        for (int i = 0; i < 32; i++)
            dst[i] = d * (float) (int8_t) block[2 + i];
    }
}

/* Four vectors of partial sums, to keep errors small and the adders busy. */
static float dot_plain(const float *a, const float *b, size_t n)
{
    vf s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    size_t i = 0;
    float rest = 0;

    for (; i + 4 * V <= n; i += 4 * V) {
        s0 += v_load(a + i) * v_load(b + i);
        s1 += v_load(a + i + V) * v_load(b + i + V);
        s2 += v_load(a + i + 2 * V) * v_load(b + i + 2 * V);
        s3 += v_load(a + i + 3 * V) * v_load(b + i + 3 * V);
    }
    for (; i < n; i++)
        rest += a[i] * b[i];
    return (float) v_sum((s0 + s1) + (s2 + s3)) + rest;
}

/* A piece of weights is widened into a buffer that stays in the first cache. */
static void dots_widened(const struct simd_dots *d, enum dtype dtype)
{
    enum { PIECE = 512 };
    float piece[PIECE];
    size_t n = (size_t) d->n;

    for (int o = 0; o < d->n_out; o++) {
        const uint8_t *w = (const uint8_t *) d->w + (size_t) o * d->w_stride;
        float sum[SIMD_ROWS] = {0};
        for (size_t i = 0; i < n; i += PIECE) {
            size_t len = n - i < PIECE ? n - i : PIECE;
            simd_plain.widen[dtype](piece, w + dtype_bytes(dtype, i), len);
            for (int r = 0; r < d->rows; r++)
                sum[r] += dot_plain(d->x + (size_t) r * d->ldx + i, piece, len);
        }
        for (int r = 0; r < d->rows; r++)
            d->y[(size_t) r * d->ldy + (size_t) o] = sum[r];
    }
}

static void dots_f32(const struct simd_dots *d)
{
    dots_widened(d, DTYPE_F32);
}

static void dots_f16(const struct simd_dots *d)
{
    dots_widened(d, DTYPE_F16);
}

static void dots_bf16(const struct simd_dots *d)
{
    dots_widened(d, DTYPE_BF16);
}

static void dots_q8_0(const struct simd_dots *d)
{
    dots_widened(d, DTYPE_Q8_0);
}

static void axpy1(float *y, float x, const float *w, size_t n)
{
    size_t i = 0;

    for (; i + V <= n; i += V)
        v_store(y + i, v_load(y + i) + x * v_load(w + i));
    for (; i < n; i++)
        y[i] += x * w[i];
}

static void add_row(float *y, float x, const uint8_t *w, size_t n, enum dtype dtype)
{
    enum { PIECE = 512 };
    float piece[PIECE];

    for (size_t i = 0; i < n; i += PIECE) {
        size_t len = n - i < PIECE ? n - i : PIECE;
        simd_plain.widen[dtype](piece, w + dtype_bytes(dtype, i), len);
        axpy1(y + i, x, piece, len);
    }
}

static void add_row_f32(float *y, float x, const void *w, size_t n)
{
    add_row(y, x, w, n, DTYPE_F32);
}

static void add_row_f16(float *y, float x, const void *w, size_t n)
{
    add_row(y, x, w, n, DTYPE_F16);
}

static void add_row_bf16(float *y, float x, const void *w, size_t n)
{
    add_row(y, x, w, n, DTYPE_BF16);
}

static void add_row_q8_0(float *y, float x, const void *w, size_t n)
{
    add_row(y, x, w, n, DTYPE_Q8_0);
}

static void axpy(float *y, const float *x, const float *const *w, int k, size_t n)
{
    size_t i = 0;

    if (k < 4) {
        for (int j = 0; j < k; j++)
            axpy1(y, x[j], w[j], n);
        return;
    }
    for (; i + V <= n; i += V)
        v_store(y + i, v_load(y + i) + ((x[0] * v_load(w[0] + i) + x[1] * v_load(w[1] + i)) +
                                        (x[2] * v_load(w[2] + i) + x[3] * v_load(w[3] + i))));
    for (; i < n; i++)
        y[i] += (x[0] * w[0][i] + x[1] * w[1][i]) + (x[2] * w[2][i] + x[3] * w[3][i]);
}

const struct simd simd_plain = {
    .name = "plain",
    .runs_here = runs_here,
    .widen = {widen_f32, widen_f16, widen_bf16, widen_q8_0},
    .dots = {dots_f32, dots_f16, dots_bf16, dots_q8_0},
    .add_row = {add_row_f32, add_row_f16, add_row_bf16, add_row_q8_0},
    .axpy = axpy,
    VMATH_ROWS,
};
