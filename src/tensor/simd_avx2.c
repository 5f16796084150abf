/* The inner loops for x86-64 with AVX2, FMA and F16C (2013 and later). */
#include "tensor/simd.h"

#ifdef __x86_64__

#include <immintrin.h>

#define VMATH_LANES        8
#define VMATH_TARGET       __attribute__((target("avx2,fma,f16c")))
#define VMATH_FMA(a, b, c) ((vf) _mm256_fmadd_ps((__m256) (a), (__m256) (b), (__m256) (c)))
#define VMATH_SELECT(mask, yes, no)                                                            \
    ((vf) _mm256_blendv_ps((__m256) (no), (__m256) (yes), (__m256) (mask)))
#include "tensor/vmath.h"

static bool runs_here(void)
{
    /* F16C is older than AVX2, and not all compilers know its name here. */
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
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

INLINE __m256 load_q8(const uint8_t *q, size_t i)
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

/* The sums of four vectors, in order. */
INLINE __m128 sums4(__m256 a, __m256 b, __m256 c, __m256 d)
{
    __m256 v = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));

    return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
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
        for (size_t i = 0; i < 32; i += 8)
            _mm256_storeu_ps(dst + i, _mm256_mul_ps(d, load_q8(block + 2, i)));
    }
}

/* --- products ---
 * With one row of activations memory decides: weights are read as one stream, which is what the
 * processor fetches best by itself. With up to four, two rows of weights share the loading of
 * activations; the next two are fetched ahead, again as one stream.
 */

#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define AHEAD        2048
#define FETCH(p)     _mm_prefetch((const char *) (p), _MM_HINT_T0)

/* `size` is the bytes of a weight. */
#define DOT_1X1(name, load8, load1, size)                                                      \
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

#define DOT_2X4(name, load8, load1, size)                                                      \
    INLINE void name(__m128 sum[2], const float *const x[4], const uint8_t *const w[2],        \
                     size_t n, size_t ahead)                                                   \
    {                                                                                          \
        const float *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];                            \
        const uint8_t *w0 = w[0], *w1 = w[1];                                                  \
        __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;                            \
        __m256 t0 = s0, t1 = s0, t2 = s0, t3 = s0;                                             \
        size_t i = 0;                                                                          \
        for (; i + 8 <= n; i += 8) {                                                           \
            __m256 a = load8(w0, i), b = load8(w1, i), v;                                      \
            FETCH(w0 + ahead + 2 * size * i);                                                  \
            v = _mm256_loadu_ps(x0 + i);                                                       \
            s0 = FMA(a, v, s0);                                                                \
            t0 = FMA(b, v, t0);                                                                \
            v = _mm256_loadu_ps(x1 + i);                                                       \
            s1 = FMA(a, v, s1);                                                                \
            t1 = FMA(b, v, t1);                                                                \
            v = _mm256_loadu_ps(x2 + i);                                                       \
            s2 = FMA(a, v, s2);                                                                \
            t2 = FMA(b, v, t2);                                                                \
            v = _mm256_loadu_ps(x3 + i);                                                       \
            s3 = FMA(a, v, s3);                                                                \
            t3 = FMA(b, v, t3);                                                                \
        }                                                                                      \
        sum[0] = sums4(s0, s1, s2, s3);                                                        \
        sum[1] = sums4(t0, t1, t2, t3);                                                        \
        for (; i < n; i++) {                                                                   \
            __m128 v = _mm_setr_ps(x0[i], x1[i], x2[i], x3[i]);                                \
            sum[0] = _mm_fmadd_ps(v, _mm_set1_ps(load1(w0 + size * i)), sum[0]);               \
            sum[1] = _mm_fmadd_ps(v, _mm_set1_ps(load1(w1 + size * i)), sum[1]);               \
        }                                                                                      \
    }

DOT_1X1(dot_1x1_f32, load_f32, float_float, 4)
DOT_1X1(dot_1x1_f16, load_f16, half_float, 2)
DOT_1X1(dot_1x1_bf16, load_bf16, bfloat_float, 2)
DOT_2X4(dot_2x4_f32, load_f32, float_float, 4)
DOT_2X4(dot_2x4_f16, load_f16, half_float, 2)
DOT_2X4(dot_2x4_bf16, load_bf16, bfloat_float, 2)

/* The sum of a block without its scale, then the scale once. */
INLINE float dot_1x1_q8_0(const float *x, const uint8_t *w, size_t n)
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

INLINE void dot_2x4_q8_0(__m128 sum[2], const float *const x[4], const uint8_t *const w[2],
                         size_t n, size_t ahead)
{
    __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    __m256 t0 = s0, t1 = s0, t2 = s0, t3 = s0;

    for (size_t i = 0, at = 0; i < n; i += 32, at += 34) {
        FETCH(w[0] + ahead + 2 * at);
        FETCH(w[0] + ahead + 2 * at + 34);
        __m256 d = _mm256_set1_ps(half_float(w[0] + at));
        __m256 e = _mm256_set1_ps(half_float(w[1] + at));
        for (size_t k = 0; k < 32; k += 8) { /* the widened weights are exact */
            __m256 a = _mm256_mul_ps(d, load_q8(w[0] + at + 2, k)), v;
            __m256 b = _mm256_mul_ps(e, load_q8(w[1] + at + 2, k));
            v = _mm256_loadu_ps(x[0] + i + k);
            s0 = FMA(a, v, s0);
            t0 = FMA(b, v, t0);
            v = _mm256_loadu_ps(x[1] + i + k);
            s1 = FMA(a, v, s1);
            t1 = FMA(b, v, t1);
            v = _mm256_loadu_ps(x[2] + i + k);
            s2 = FMA(a, v, s2);
            t2 = FMA(b, v, t2);
            v = _mm256_loadu_ps(x[3] + i + k);
            s3 = FMA(a, v, s3);
            t3 = FMA(b, v, t3);
        }
    }
    sum[0] = sums4(s0, s1, s2, s3);
    sum[1] = sums4(t0, t1, t2, t3);
}

/* Where to fetch ahead of two rows: at least a page, and where a later pair begins. */
INLINE size_t fetch_ahead(size_t stride)
{
    size_t pairs = stride < 2048 ? 2048 / (stride + 1) + 1 : 1;

    return pairs * 2 * stride;
}

/* Two or three rows of activations are done as four, one row of weights as two: the missing
 * ones repeat the first and are not stored. */
#define DOTS(name, dot_1x1, dot_2x4)                                                           \
    static VMATH_TARGET void name(const struct simd_dots *d)                                   \
    {                                                                                          \
        size_t n = (size_t) d->n, ahead = fetch_ahead(d->w_stride);                            \
        const uint8_t *w[2] = {d->w, d->w};                                                    \
        const float *x[4];                                                                     \
        float got[4];                                                                          \
        __m128 sum[2];                                                                         \
        for (int r = 0; r < 4; r++)                                                            \
            x[r] = d->x + (r < d->rows ? (size_t) r * d->ldx : 0);                             \
        for (int o = 0; o < d->n_out; o += 1 + (d->rows > 1)) {                                \
            w[0] = (const uint8_t *) d->w + (size_t) o * d->w_stride;                          \
            if (d->rows == 1) {                                                                \
                d->y[o] = dot_1x1(x[0], w[0], n);                                              \
                continue;                                                                      \
            }                                                                                  \
            w[1] = o + 1 < d->n_out ? w[0] + d->w_stride : w[0];                               \
            dot_2x4(sum, x, w, n, ahead);                                                      \
            for (int k = 0; k < 2 && o + k < d->n_out; k++) {                                  \
                _mm_storeu_ps(got, sum[k]);                                                    \
                for (int r = 0; r < d->rows; r++)                                              \
                    d->y[(size_t) r * d->ldy + (size_t) (o + k)] = got[r];                     \
            }                                                                                  \
        }                                                                                      \
    }
DOTS(dots_f32, dot_1x1_f32, dot_2x4_f32)
DOTS(dots_f16, dot_1x1_f16, dot_2x4_f16)
DOTS(dots_bf16, dot_1x1_bf16, dot_2x4_bf16)
DOTS(dots_q8_0, dot_1x1_q8_0, dot_2x4_q8_0)

#define ADD_ROW(name, load8, load1, size)                                                      \
    static VMATH_TARGET void name(float *y, float x, const void *row, size_t n)                \
    {                                                                                          \
        const uint8_t *w = row;                                                                \
        __m256 v = _mm256_set1_ps(x);                                                          \
        size_t i = 0;                                                                          \
        for (; i + 8 <= n; i += 8)                                                             \
            _mm256_storeu_ps(y + i, FMA(v, load8(w, i), _mm256_loadu_ps(y + i)));              \
        for (; i < n; i++)                                                                     \
            y[i] += x * load1(w + size * i);                                                   \
    }
ADD_ROW(add_row_f32, load_f32, float_float, 4)
ADD_ROW(add_row_f16, load_f16, half_float, 2)
ADD_ROW(add_row_bf16, load_bf16, bfloat_float, 2)

static VMATH_TARGET void add_row_q8_0(float *y, float x, const void *row, size_t n)
{
    const uint8_t *w = row;
    __m256 v = _mm256_set1_ps(x);

    for (size_t i = 0; i < n; i += 32, w += 34) {
        __m256 d = _mm256_set1_ps(half_float(w));
        for (size_t k = i; k < i + 32; k += 8) {
            __m256 wide = _mm256_mul_ps(d, load_q8(w + 2, k - i));
            _mm256_storeu_ps(y + k, FMA(v, wide, _mm256_loadu_ps(y + k)));
        }
    }
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
        add_row_f32(y, x[j], w[j], n);
}

const struct simd simd_avx2 = {
    .name = "avx2",
    .runs_here = runs_here,
    .widen = {widen_f32, widen_f16, widen_bf16, widen_q8_0},
    .dots = {dots_f32, dots_f16, dots_bf16, dots_q8_0},
    .add_row = {add_row_f32, add_row_f16, add_row_bf16, add_row_q8_0},
    .axpy = axpy,
    VMATH_ROWS,
};

#else
typedef int simd_avx2_is_for_x86; /* a source file may not be empty */
#endif
