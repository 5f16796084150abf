/* The inner loops for x86-64 with AVX2, FMA and F16C (2013 and later). */
#include "tensor/simd.h"

#ifdef __x86_64__

#include <immintrin.h>

#define VMATH_LANES  8
#define VMATH_TARGET __attribute__((target("avx2,fma,f16c")))
#include "tensor/vmath.h"

static bool runs_here(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c");
}

/* --- 8 weights, widened; i is a multiple of 8, for Q8_0 without the block's scale --- */

INLINE __m256 load_f32(const uint8_t *w, size_t i)
{
    return _mm256_loadu_ps((const float *) (const void *) (w + 4 * i));
}

INLINE __m256 load_f16(const uint8_t *w, size_t i)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) (const void *) (w + 2 * i)));
}

INLINE __m256 load_bf16(const uint8_t *w, size_t i)
{
    __m128i h = _mm_loadu_si128((const __m128i *) (const void *) (w + 2 * i));

    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}

INLINE __m256 load_q8(const uint8_t *q, int i)
{
    __m128i b = _mm_loadl_epi64((const __m128i *) (const void *) (q + i));

    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(b));
}

INLINE float half_float(const uint8_t *p)
{
    uint16_t h;

    memcpy(&h, p, 2);
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h)));
}

INLINE float bfloat_float(const uint8_t *p)
{
    uint32_t u = (uint32_t) (p[0] | p[1] << 8) << 16;
    float f;

    memcpy(&f, &u, 4);
    return f;
}

INLINE float float_float(const uint8_t *p)
{
    float f;

    memcpy(&f, p, 4);
    return f;
}

INLINE float horizontal(__m256 v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

/* --- widening --- */

static void widen_f32(float *dst, const void *src, size_t n)
{
    memcpy(dst, src, n * sizeof *dst);
}

#define WIDEN(name, load8, load1)                                                              \
    static VMATH_TARGET void name(float *dst, const void *src, size_t n)                       \
    {                                                                                          \
        size_t i = 0;                                                                          \
        for (; i + 8 <= n; i += 8)                                                             \
            _mm256_storeu_ps(dst + i, load8(src, i));                                          \
        for (; i < n; i++)                                                                     \
            dst[i] = load1((const uint8_t *) src + 2 * i);                                     \
    }
WIDEN(widen_f16, load_f16, half_float)
WIDEN(widen_bf16, load_bf16, bfloat_float)

static VMATH_TARGET void widen_q8_0(float *dst, const void *src, size_t n)
{
    const uint8_t *block = src;

    for (size_t b = 0; b < n / 32; b++, block += 34, dst += 32) {
        __m256 d = _mm256_set1_ps(half_float(block));
        for (int i = 0; i < 32; i += 8)
            _mm256_storeu_ps(dst + i, _mm256_mul_ps(d, load_q8(block + 2, i)));
    }
}

/* --- products of one row of weights with one row, or SIMD_ROWS rows, of activations --- */

#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)

/* `size` is the bytes of a weight. */
#define DOT1(name, load8, load1, size)                                                         \
    INLINE float name(const float *x, const uint8_t *w, size_t n)                              \
    {                                                                                          \
        __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;                            \
        size_t i = 0;                                                                          \
        float rest = 0;                                                                        \
        for (; i + 32 <= n; i += 32) {                                                         \
            s0 = FMA(load8(w, i), _mm256_loadu_ps(x + i), s0);                                 \
            s1 = FMA(load8(w, i + 8), _mm256_loadu_ps(x + i + 8), s1);                         \
            s2 = FMA(load8(w, i + 16), _mm256_loadu_ps(x + i + 16), s2);                       \
            s3 = FMA(load8(w, i + 24), _mm256_loadu_ps(x + i + 24), s3);                       \
        }                                                                                      \
        for (; i + 8 <= n; i += 8)                                                             \
            s0 = FMA(load8(w, i), _mm256_loadu_ps(x + i), s0);                                 \
        for (; i < n; i++)                                                                     \
            rest += load1(w + size * i) * x[i];                                                \
        return horizontal(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3))) + rest; \
    }

#define DOT4(name, load8, load1, size)                                                         \
    INLINE void name(float sum[4], const float *const x[4], const uint8_t *w, size_t n)        \
    {                                                                                          \
        const float *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];                            \
        __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;                            \
        __m256 t0 = s0, t1 = s0, t2 = s0, t3 = s0;                                             \
        size_t i = 0;                                                                          \
        for (; i + 16 <= n; i += 16) {                                                         \
            __m256 a = load8(w, i), b = load8(w, i + 8);                                       \
            s0 = FMA(a, _mm256_loadu_ps(x0 + i), s0);                                          \
            s1 = FMA(a, _mm256_loadu_ps(x1 + i), s1);                                          \
            s2 = FMA(a, _mm256_loadu_ps(x2 + i), s2);                                          \
            s3 = FMA(a, _mm256_loadu_ps(x3 + i), s3);                                          \
            t0 = FMA(b, _mm256_loadu_ps(x0 + i + 8), t0);                                      \
            t1 = FMA(b, _mm256_loadu_ps(x1 + i + 8), t1);                                      \
            t2 = FMA(b, _mm256_loadu_ps(x2 + i + 8), t2);                                      \
            t3 = FMA(b, _mm256_loadu_ps(x3 + i + 8), t3);                                      \
        }                                                                                      \
        sum[0] = horizontal(_mm256_add_ps(s0, t0));                                            \
        sum[1] = horizontal(_mm256_add_ps(s1, t1));                                            \
        sum[2] = horizontal(_mm256_add_ps(s2, t2));                                            \
        sum[3] = horizontal(_mm256_add_ps(s3, t3));                                            \
        for (; i < n; i++) {                                                                   \
            float v = load1(w + size * i);                                                     \
            sum[0] += v * x0[i];                                                               \
            sum[1] += v * x1[i];                                                               \
            sum[2] += v * x2[i];                                                               \
            sum[3] += v * x3[i];                                                               \
        }                                                                                      \
    }

DOT1(dot1_f32, load_f32, float_float, 4)
DOT1(dot1_f16, load_f16, half_float, 2)
DOT1(dot1_bf16, load_bf16, bfloat_float, 2)
DOT4(dot4_f32, load_f32, float_float, 4)
DOT4(dot4_f16, load_f16, half_float, 2)
DOT4(dot4_bf16, load_bf16, bfloat_float, 2)

/* The sum of a block without its scale, then the scale once. */
INLINE float dot1_q8_0(const float *x, const uint8_t *w, size_t n)
{
    __m256 s0 = _mm256_setzero_ps(), s1 = s0;

    for (size_t i = 0; i < n; i += 32, w += 34, x += 32) {
        __m256 d = _mm256_set1_ps(half_float(w));
        __m256 a = _mm256_mul_ps(load_q8(w + 2, 0), _mm256_loadu_ps(x));
        __m256 b = _mm256_mul_ps(load_q8(w + 2, 8), _mm256_loadu_ps(x + 8));
        a = FMA(load_q8(w + 2, 16), _mm256_loadu_ps(x + 16), a);
        b = FMA(load_q8(w + 2, 24), _mm256_loadu_ps(x + 24), b);
        s0 = FMA(d, a, s0);
        s1 = FMA(d, b, s1);
    }
    return horizontal(_mm256_add_ps(s0, s1));
}

INLINE void dot4_q8_0(float sum[4], const float *const x[4], const uint8_t *w, size_t n)
{
    __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;

    for (size_t i = 0; i < n; i += 32, w += 34) {
        __m256 d = _mm256_set1_ps(half_float(w));
        for (int k = 0; k < 32; k += 8) {
            size_t at = i + (size_t) k;
            __m256 a = _mm256_mul_ps(d, load_q8(w + 2, k)); /* exact */
            s0 = FMA(a, _mm256_loadu_ps(x[0] + at), s0);
            s1 = FMA(a, _mm256_loadu_ps(x[1] + at), s1);
            s2 = FMA(a, _mm256_loadu_ps(x[2] + at), s2);
            s3 = FMA(a, _mm256_loadu_ps(x[3] + at), s3);
        }
    }
    sum[0] = horizontal(s0);
    sum[1] = horizontal(s1);
    sum[2] = horizontal(s2);
    sum[3] = horizontal(s3);
}

/* Two or three rows are done as four: the missing ones repeat the first. */
#define DOTS(name, dot1, dot4)                                                                 \
    static VMATH_TARGET void name(const struct simd_dots *d)                                   \
    {                                                                                          \
        const uint8_t *w = d->w;                                                               \
        const float *x[4];                                                                     \
        float sum[4];                                                                          \
        for (int r = 0; r < 4; r++)                                                            \
            x[r] = d->x + (r < d->rows ? (size_t) r * d->ldx : 0);                             \
        for (int o = 0; o < d->n_out; o++, w += d->w_stride) {                                 \
            if (d->rows == 1) {                                                                \
                d->y[o] = dot1(x[0], w, (size_t) d->n);                                        \
                continue;                                                                      \
            }                                                                                  \
            dot4(sum, x, w, (size_t) d->n);                                                    \
            for (int r = 0; r < d->rows; r++)                                                  \
                d->y[(size_t) r * d->ldy + (size_t) o] = sum[r];                               \
        }                                                                                      \
    }
DOTS(dots_f32, dot1_f32, dot4_f32)
DOTS(dots_f16, dot1_f16, dot4_f16)
DOTS(dots_bf16, dot1_bf16, dot4_bf16)
DOTS(dots_q8_0, dot1_q8_0, dot4_q8_0)

INLINE void axpy1(float *y, float x, const float *w, size_t n)
{
    __m256 x8 = _mm256_set1_ps(x);
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, FMA(x8, _mm256_loadu_ps(w + i), _mm256_loadu_ps(y + i)));
    for (; i < n; i++)
        y[i] += x * w[i];
}

INLINE void axpy4(float *y, const float *x, const float *const *w, size_t n)
{
    const float *w0 = w[0], *w1 = w[1], *w2 = w[2], *w3 = w[3];
    __m256 x0 = _mm256_set1_ps(x[0]), x1 = _mm256_set1_ps(x[1]);
    __m256 x2 = _mm256_set1_ps(x[2]), x3 = _mm256_set1_ps(x[3]);
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        __m256 a = FMA(x0, _mm256_loadu_ps(w0 + i), _mm256_loadu_ps(y + i));
        __m256 b = _mm256_mul_ps(x1, _mm256_loadu_ps(w1 + i));
        a = FMA(x2, _mm256_loadu_ps(w2 + i), a);
        b = FMA(x3, _mm256_loadu_ps(w3 + i), b);
        _mm256_storeu_ps(y + i, _mm256_add_ps(a, b));
    }
    for (; i < n; i++)
        y[i] += (x[0] * w0[i] + x[1] * w1[i]) + (x[2] * w2[i] + x[3] * w3[i]);
}

static VMATH_TARGET void axpy(float *y, const float *x, const float *const *w, int k, size_t n)
{
    if (k == 4) {
        axpy4(y, x, w, n);
        return;
    }
    for (int j = 0; j < k; j++)
        axpy1(y, x[j], w[j], n);
}

const struct simd simd_avx2 = {
    .name = "avx2",
    .runs_here = runs_here,
    .widen = {widen_f32, widen_f16, widen_bf16, widen_q8_0},
    .dots = {dots_f32, dots_f16, dots_bf16, dots_q8_0},
    .axpy = axpy,
    VMATH_ROWS,
};

#else
typedef int simd_avx2_is_for_x86; /* a source file may not be empty */
#endif
