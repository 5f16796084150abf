/*
 * Functions on vectors of V floats, for the sources of the simd table: each includes this file
 * once, with VMATH_LANES the number of lanes and VMATH_TARGET the attribute of the processor.
 * Written in the vector notation that gcc and clang share; with few lanes and no target it is
 * plain C for any processor. Ends of arrays go through a padded vector, so that a value does
 * not depend on its place in the array.
 */
#ifndef GPTSCOPE_TENSOR_VMATH_H
#define GPTSCOPE_TENSOR_VMATH_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define V      VMATH_LANES
#define INLINE static inline VMATH_TARGET __attribute__((always_inline, unused))

typedef float vf __attribute__((vector_size(4 * V)));
typedef int32_t vi __attribute__((vector_size(4 * V)));
typedef uint32_t vu __attribute__((vector_size(4 * V)));

INLINE vf v_load(const float *p)
{
    vf v;

    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void v_store(float *p, vf v)
{
    memcpy(p, &v, sizeof v);
}

/* The n < V floats at p, the other lanes filled. */
INLINE vf v_load_some(const float *p, size_t n, float fill)
{
    float pad[V];

    for (size_t i = 0; i < V; i++)
        pad[i] = i < n ? p[i] : fill;
    return v_load(pad);
}

INLINE void v_store_some(float *p, vf v, size_t n)
{
    memcpy(p, &v, n * sizeof *p);
}

INLINE vf v_all(float x)
{
    return x - (vf){0};
}

/* a * b + c; the includer may give a better one, as for v_select. */
#ifndef VMATH_FMA
#define VMATH_FMA(a, b, c) ((a) * (b) + (c))
#endif
#ifndef VMATH_SELECT
#define VMATH_SELECT(mask, yes, no) ((vf) (((vi) (yes) & (mask)) | ((vi) (no) & ~(mask))))
#endif

INLINE vf v_fma(vf a, vf b, vf c)
{
    return VMATH_FMA(a, b, c);
}

INLINE vf v_select(vi mask, vf yes, vf no)
{
    return VMATH_SELECT(mask, yes, no);
}

INLINE double v_sum(vf v)
{
    double sum = 0;

    for (int i = 0; i < V; i++)
        sum += (double) v[i];
    return sum;
}

/*
 * e^x, to about 1e-7: x = n ln 2 + r with |r| <= ln 2 / 2; e^r by a polynomial (fitted in
 * Chebyshev points, 1e-8), 2^n by adding n to the exponent. Adding 1.5 * 2^23 rounds to an
 * integer and leaves it in the low bits.
 */
INLINE vf v_exp(vf x)
{
    const float magic = 0x1.8p23f;
    vf t = v_fma(x, v_all(0x1.715476p0f), v_all(magic));
    vf n = t - magic;
    vf r = v_fma(n, v_all(-0x1.62e4p-1f), x); /* ln 2 in two parts: this product is exact */
    vf p = v_all(0x1.6d117cp-10f);

    r = v_fma(n, v_all(-0x1.7f7d1cp-20f), r);
    p = v_fma(p, r, v_all(0x1.120be2p-7f));
    p = v_fma(p, r, v_all(0x1.555518p-5f));
    p = v_fma(p, r, v_all(0x1.5554dcp-3f));
    p = v_fma(p, r, v_all(0.5f));
    p = v_fma(p, r * r, r) + 1.0f;
    p = (vf) ((vu) p + ((vu) t << 23));
    p = v_select(x < -87.0f, v_all(0), p); /* what would be subnormal is 0 */
    p = v_select(x > 0x1.62e42ep6f, v_all(INFINITY), p);
    return v_select(x == x, p, x);
}

/*
 * log x for normal x > 0, to about 1e-7 of 1 + |log x|: x = m 2^n with sqrt(1/2) <= m <
 * sqrt(2); log m = 2 atanh(s), s = (m - 1) / (m + 1), by its series up to s^9.
 */
INLINE vf v_log(vf x)
{
    vi bits = (vi) x - 0x3f3504f3; /* sqrt(1/2) */
    vi n = bits >> 23;
    vf m = (vf) ((bits & 0x007fffff) + 0x3f3504f3);
    vf s = (m - 1.0f) / (m + 1.0f), z = s * s;
    vf p = v_all(2.0f / 9);

    p = v_fma(p, z, v_all(2.0f / 7));
    p = v_fma(p, z, v_all(2.0f / 5));
    p = v_fma(p, z, v_all(2.0f / 3));
    p = v_fma(p, z, v_all(2.0f));
    return v_fma(__builtin_convertvector(n, vf), v_all(0x1.62e43p-1f), p * s);
}

/* -x log x; 0 where x is too small to count */
INLINE vf v_entropy(vf x)
{
    return v_select(x > 0x1p-126f, -x * v_log(x), v_all(0));
}

/* x / (1 + e^-x) */
INLINE vf v_silu(vf x)
{
    return x / (1.0f + v_exp(-x));
}

/* 0.5 (1 + tanh u) = 1 / (1 + e^-2u): no cancellation for negative x. */
INLINE vf v_gelu_tanh(vf x)
{
    const float root = 0.7978845608028654f; /* sqrt(2 / pi) */
    vf u = root * (x + 0.044715f * x * x * x);

    return x / (1.0f + v_exp(-2.0f * u));
}

/*
 * x/2 erfc(-x / sqrt 2). erfc(z) e^(z^2) is smooth for z >= 0: t times a polynomial of
 * t = 1 / (1 + 0.33 z), fitted in Chebyshev points up to z = 10 (1e-8). erfc(-z) = 2 - erfc(z).
 */
INLINE vf v_gelu_erf(vf x)
{
    static const float c[] = {0.186135784f,   0.187186912f, 0.166602686f,  0.206917897f,
                              -0.0494686216f, 0.496593684f, -0.554205358f, 0.622630239f,
                              -0.321450591f,  0.0590573885f};
    vf a = v_select(x < 0, -x, x);
    vf z = a * 0.70710678118654752f;
    vf t = 1.0f / (1.0f + 0.33f * z);
    vf p = v_all(c[9]);

    for (int i = 8; i >= 0; i--)
        p = v_fma(p, t, v_all(c[i]));
    p = p * t * v_exp(a * a * -0.5f);
    return 0.5f * x * v_select(x < 0, p, 2.0f - p);
}

/* --- loops: whole vectors, then the rest as one padded vector --- */

#define VMATH_MAP(name, expr)                                                                  \
    static VMATH_TARGET void name(float *out, const float *in, size_t n)                       \
    {                                                                                          \
        size_t i = 0;                                                                          \
        for (; i + V <= n; i += V) {                                                           \
            vf x = v_load(in + i);                                                             \
            v_store(out + i, expr);                                                            \
        }                                                                                      \
        if (i < n) {                                                                           \
            vf x = v_load_some(in + i, n - i, 0);                                              \
            v_store_some(out + i, expr, n - i);                                                \
        }                                                                                      \
    }
VMATH_MAP(vmath_silu, v_silu(x))
VMATH_MAP(vmath_gelu_tanh, v_gelu_tanh(x))
VMATH_MAP(vmath_gelu_erf, v_gelu_erf(x))

#define VMATH_MAP2(name, op)                                                                   \
    static VMATH_TARGET void name(float *out, const float *a, const float *b, size_t n)        \
    {                                                                                          \
        size_t i = 0;                                                                          \
        for (; i + V <= n; i += V)                                                             \
            v_store(out + i, v_load(a + i) op v_load(b + i));                                  \
        for (; i < n; i++)                                                                     \
            out[i] = a[i] op b[i];                                                             \
    }
VMATH_MAP2(vmath_add, +)
VMATH_MAP2(vmath_mul, *)

static VMATH_TARGET void vmath_scale(float *x, size_t n, float factor)
{
    size_t i = 0;

    for (; i + V <= n; i += V)
        v_store(x + i, v_load(x + i) * factor);
    for (; i < n; i++)
        x[i] *= factor;
}

static VMATH_TARGET float vmath_max(const float *x, size_t n)
{
    vf most = v_all(-INFINITY), v;
    size_t i = 0;
    float m;

    for (; i + V <= n; i += V) {
        v = v_load(x + i);
        most = v_select(v > most, v, most);
    }
    v = v_load_some(x + i, n - i, -INFINITY);
    most = v_select(v > most, v, most);
    m = most[0];
    for (int k = 1; k < V; k++)
        m = most[k] > m ? most[k] : m;
    return m;
}

/* Sums run over blocks in f32 and over the blocks in double: the error of a lane stays small,
 * however long the array. */
#define VMATH_BLOCK ((size_t) 32 * V)

#define VMATH_SUM(name, params, expr, last, keep)                                              \
    static VMATH_TARGET double name params                                                     \
    {                                                                                          \
        double total = 0;                                                                      \
        size_t i = 0;                                                                          \
        while (i + V <= n) {                                                                   \
            size_t end = n - i < VMATH_BLOCK ? n : i + VMATH_BLOCK;                            \
            vf sum = {0};                                                                      \
            for (; i + V <= end; i += V) {                                                     \
                vf v = v_load(x + i);                                                          \
                v = (expr);                                                                    \
                keep(v_store(x + i, v));                                                       \
                sum += v;                                                                      \
            }                                                                                  \
            total += v_sum(sum);                                                               \
        }                                                                                      \
        if (i < n) {                                                                           \
            vf v = v_load_some(x + i, n - i, last);                                            \
            v = (expr);                                                                        \
            keep(v_store_some(x + i, v, n - i));                                               \
            total += v_sum(v);                                                                 \
        }                                                                                      \
        return total;                                                                          \
    }
#define VMATH_KEEP(statement) statement
#define VMATH_DROP(statement) (void) 0
VMATH_SUM(vmath_exp_sum, (float *x, size_t n, float shift), v_exp(v - shift), -INFINITY,
          VMATH_KEEP)
VMATH_SUM(vmath_exp_sum_only, (const float *x, size_t n, float shift), v_exp(v - shift),
          -INFINITY, VMATH_DROP)
VMATH_SUM(vmath_entropy, (const float *x, size_t n), v_entropy(v), 0, VMATH_DROP)
VMATH_SUM(vmath_sum, (const float *x, size_t n), v, 0, VMATH_DROP)
VMATH_SUM(vmath_sum_squares, (const float *x, size_t n, float mean), (v - mean) * (v - mean),
          mean, VMATH_DROP)

static VMATH_TARGET void vmath_normalize(float *out, float *normalized, const float *x,
                                         float mean, float scale, const float *gain,
                                         const float *bias, size_t n)
{
    size_t i = 0;

    for (; i + V <= n; i += V) {
        vf v = (v_load(x + i) - mean) / scale;
        if (normalized)
            v_store(normalized + i, v);
        if (out) {
            v = gain ? v * v_load(gain + i) : v;
            v_store(out + i, bias ? v + v_load(bias + i) : v);
        }
    }
    for (; i < n; i++) {
        float v = (x[i] - mean) / scale;
        if (normalized)
            normalized[i] = v;
        if (out)
            out[i] = (gain ? v * gain[i] : v) + (bias ? bias[i] : 0);
    }
}

/* The rows of a struct simd that this file fills. */
#define VMATH_ROWS                                                                             \
    .max = vmath_max, .exp_sum = vmath_exp_sum, .exp_sum_only = vmath_exp_sum_only,            \
    .entropy = vmath_entropy, .sum = vmath_sum, .sum_squares = vmath_sum_squares,              \
    .scale = vmath_scale, .add = vmath_add, .mul = vmath_mul, .normalize = vmath_normalize,    \
    .gelu_tanh = vmath_gelu_tanh, .gelu_erf = vmath_gelu_erf, .silu = vmath_silu

#endif
