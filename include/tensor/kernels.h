/*
 * Kernels: plain C on floats, rows in order, no allocation, no errors. Every `rows` kernel
 * works on [rows, n] with stride n unless it says otherwise; outputs that are NULL are skipped.
 */
#ifndef GPTSCOPE_TENSOR_KERNELS_H
#define GPTSCOPE_TENSOR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* LayerNorm (Ba et al. 2016): mean = sum x / n; scale = sqrt(sum (x-mean)^2 / n + eps);
 * normalized = (x - mean) / scale; out = normalized * gain + bias. mean, scale: [rows]. */
void layernorm(float *out, float *normalized, float *mean, float *scale, const float *x,
               const float *gain, const float *bias, int rows, int n, float eps);
/* RMSNorm (Zhang, Sennrich 2019): scale = sqrt(sum x^2 / n + eps); normalized = x / scale. */
void rmsnorm(float *out, float *normalized, float *scale, const float *x, const float *gain,
             int rows, int n, float eps);

/* Softmax of x[n] in place, the maximum subtracted; -inf gives exactly 0. Returns the
 * log-sum-exp of the input. n >= 1 with at least one finite value. */
float softmax_row(float *x, int n);
float logsumexp(const float *x, int n);

/* GELU, tanh form ("gelu_new"): 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
void gelu_tanh(float *out, const float *x, size_t n);
/* GELU, exact: 0.5 x (1 + erf(x / sqrt 2)) */
void gelu_erf(float *out, const float *x, size_t n);
void silu(float *out, const float *x, size_t n);                /* x / (1 + exp(-x)) */
void add(float *out, const float *a, const float *b, size_t n); /* out may be a or b */
void mul(float *out, const float *a, const float *b, size_t n);
float dot(const float *a, const float *b, size_t n);

/* RoPE (Su et al. 2021), rotate-half: for i < n_rot/2, with angle = pos * theta^(-2i/n_rot):
 * (x[i], x[i + n_rot/2]) -> (x[i] cos - x[i+n_rot/2] sin, x[i+n_rot/2] cos + x[i] sin).
 * x, out: [heads, d_head] of one position; channels from n_rot on are copied. In place is fine.
 * inv_freq[n_rot/2] = theta^(-2i/n_rot), in double, made by rope_inv_freq. */
void rope_inv_freq(double *inv_freq, int n_rot, double theta);
void rope(float *out, const float *x, int heads, int d_head, int n_rot, int pos,
          const double *inv_freq);

#endif
