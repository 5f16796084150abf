#include "tensor/kernels.h"

#include "tensor/simd.h"

#include <math.h>
#include <string.h>

void layernorm(float *out, float *normalized, float *mean, float *scale, const float *x,
               const float *gain, const float *bias, int rows, int n, float eps)
{
    const struct simd *simd = simd_best();
    size_t len = (size_t) n;

    for (int r = 0; r < rows; r++) {
        size_t at = (size_t) r * len;
        float m = (float) (simd->sum(x + at, len) / n);
        float s = (float) sqrt(simd->sum_squares(x + at, len, m) / n + (double) eps);
        simd->normalize(out ? out + at : NULL, normalized ? normalized + at : NULL, x + at, m,
                        s, gain, bias, len);
        if (mean)
            mean[r] = m;
        if (scale)
            scale[r] = s;
    }
}

void rmsnorm(float *out, float *normalized, float *scale, const float *x, const float *gain,
             int rows, int n, float eps)
{
    const struct simd *simd = simd_best();
    size_t len = (size_t) n;

    for (int r = 0; r < rows; r++) {
        size_t at = (size_t) r * len;
        float s = (float) sqrt(simd->sum_squares(x + at, len, 0) / n + (double) eps);
        simd->normalize(out ? out + at : NULL, normalized ? normalized + at : NULL, x + at, 0,
                        s, gain, NULL, len);
        if (scale)
            scale[r] = s;
    }
}

/* What to subtract before exp: the maximum, unless everything is -inf (or NaN). */
static float softmax_shift(const float *x, size_t n)
{
    float most = simd_best()->max(x, n);

    return most == -INFINITY ? 0 : most;
}

float softmax_row(float *x, int n)
{
    float shift = softmax_shift(x, (size_t) n);
    double sum = simd_best()->exp_sum(x, (size_t) n, shift);

    if (sum != 0)
        simd_best()->scale(x, (size_t) n, (float) (1 / sum));
    return (float) (shift + log(sum));
}

float logsumexp(const float *x, int n)
{
    float shift = softmax_shift(x, (size_t) n);

    return (float) (shift + log(simd_best()->exp_sum_only(x, (size_t) n, shift)));
}

void gelu_tanh(float *out, const float *x, size_t n)
{
    simd_best()->gelu_tanh(out, x, n);
}

void gelu_erf(float *out, const float *x, size_t n)
{
    simd_best()->gelu_erf(out, x, n);
}

void silu(float *out, const float *x, size_t n)
{
    simd_best()->silu(out, x, n);
}

void add(float *out, const float *a, const float *b, size_t n)
{
    simd_best()->add(out, a, b, n);
}

void mul(float *out, const float *a, const float *b, size_t n)
{
    simd_best()->mul(out, a, b, n);
}

float dot(const float *a, const float *b, size_t n)
{
    float y;
    struct simd_dots d = {.y = &y, .x = a, .rows = 1, .w = b, .n_out = 1, .n = (int) n};

    simd_best()->dots[DTYPE_F32](&d);
    return y;
}

void rope_inv_freq(double *inv_freq, int n_rot, double theta)
{
    for (int i = 0; i < n_rot / 2; i++)
        inv_freq[i] = pow(theta, -2.0 * i / n_rot);
}

void rope(float *out, const float *x, int heads, int d_head, int n_rot, int pos,
          const double *inv_freq)
{
    int half = n_rot / 2;

    if (out != x)
        memcpy(out, x, (size_t) heads * (size_t) d_head * sizeof *out);
    for (int i = 0; i < half; i++) {
        double angle = pos * inv_freq[i];
        float c = (float) cos(angle), s = (float) sin(angle);
        for (int h = 0; h < heads; h++) {
            float *a = out + (size_t) h * (size_t) d_head + i, *b = a + half;
            float a0 = *a, b0 = *b;
            *a = a0 * c - b0 * s;
            *b = b0 * c + a0 * s;
        }
    }
}
