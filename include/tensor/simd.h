/*
 * The inner loops, in one version per kind of processor. A row of the table holds one version
 * of all of them; the best one that this processor can run is found by CPUID.
 * Nothing here needs alignment, and any n is fine unless it says otherwise.
 */
#ifndef GPTSCOPE_TENSOR_SIMD_H
#define GPTSCOPE_TENSOR_SIMD_H

#include "tensor/dtype.h"

#include <stdbool.h>
#include <stddef.h>

#define SIMD_ROWS 4 /* rows of activations that one reading of the weights serves */

/* Rows of weights, and the rows of activations they are multiplied with. */
struct simd_dots {
    float *y; /* y[r * ldy + o] = sum_i x[r * ldx + i] * w[o][i] */
    size_t ldy;
    const float *x;
    size_t ldx;
    int rows;        /* 1..SIMD_ROWS */
    const void *w;   /* n_out stored rows of n elements */
    size_t w_stride; /* bytes between them */
    int n_out, n;    /* n: a multiple of the format's block */
};

struct simd {
    const char *name; /* "avx2" */
    bool (*runs_here)(void);

    void (*widen[DTYPE_COUNT])(float *dst, const void *src, size_t n);
    void (*dots[DTYPE_COUNT])(const struct simd_dots *d);
    /* y[n] += x * w[n], w a stored row; n: a multiple of the format's block */
    void (*add_row[DTYPE_COUNT])(float *y, float x, const void *w, size_t n);
    /* y[n] += sum over j < k of x[j] * w[j][0..n); 1 <= k <= SIMD_ROWS */
    void (*axpy)(float *y, const float *x, const float *const *w, int k, size_t n);

    float (*max)(const float *x, size_t n); /* n >= 1; NaN may or may not win */
    /* x = exp(x - shift) in place; returns the sum. exp to 1e-7; exp(-inf) is exactly 0 */
    double (*exp_sum)(float *x, size_t n, float shift);
    double (*exp_sum_only)(const float *x, size_t n, float shift); /* x stays */
    /* sum of -x log x, to 1e-6 of 1; 0 log 0 = 0, x >= 0 */
    double (*entropy)(const float *x, size_t n);
    double (*sum)(const float *x, size_t n);
    double (*sum_squares)(const float *x, size_t n, float mean); /* of x - mean */

    void (*scale)(float *x, size_t n, float factor);
    void (*add)(float *out, const float *a, const float *b, size_t n);
    void (*mul)(float *out, const float *a, const float *b, size_t n);
    /* normalized = (x - mean) / scale; out = normalized * gain + bias; any but x may be NULL */
    void (*normalize)(float *out, float *normalized, const float *x, float mean, float scale,
                      const float *gain, const float *bias, size_t n);
    void (*gelu_tanh)(float *out, const float *x, size_t n);
    void (*gelu_erf)(float *out, const float *x, size_t n);
    void (*silu)(float *out, const float *x, size_t n);
};

/* The best version for this processor. */
const struct simd *simd_best(void);
/* Version i of the table, best first, or NULL after the last; for tests. Look at runs_here
 * before running it. */
const struct simd *simd_at(int i);

extern const struct simd simd_plain;
#ifdef __x86_64__
extern const struct simd simd_avx2;
#endif

#endif
