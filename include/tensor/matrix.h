/*
 * A weight matrix as it lies in a model file, and its product with activations.
 *
 * y[t, o] = sum_i x[t, i] * W[o, i] + bias[o]: "out-major" files (GGUF, nn.Linear) store a row
 * of n_in per output; "in-major" ones (Conv1D of GPT-2's safetensors) a row of n_out per input.
 * A matrix may be a slice of a fused one: `ld` is the distance between stored rows, in
 * elements. Data is borrowed from the mapped file: never copied, never widened as a whole.
 */
#ifndef GPTSCOPE_TENSOR_MATRIX_H
#define GPTSCOPE_TENSOR_MATRIX_H

#include "tensor/compute.h"
#include "tensor/dtype.h"

#include <stdbool.h>
#include <stddef.h>

struct matrix {
    const void *data;
    enum dtype dtype;
    int n_out, n_in;
    size_t ld;     /* elements between stored rows; n_in (out-major) or n_out when not sliced */
    bool in_major; /* stored [n_in, ld] and not [n_out, ld] */
};

/* One output's weights, widened: dst[n_in]. Any layout. */
void matrix_row(const struct matrix *w, int out, float *dst);
/* One input's weights, widened: dst[n_out], what the input adds to each output. Any layout. */
void matrix_column(const struct matrix *w, int in, float *dst);
/* The part of w that gives outputs [first, first + n): a view. Block formats: out-major only.
 */
struct matrix matrix_slice(const struct matrix *w, int first, int n);

/* The part of w that reads inputs [first, first + n), for a product with just these: a view.
 * False where stored blocks would be cut. */
bool matrix_inputs(struct matrix *part, const struct matrix *w, int first, int n);
/* Scratch floats a thread (compute_reserve) that matmul needs for w, for any number of rows. */
size_t matmul_scratch(const struct matrix *w);
/*
 * y[rows, n_out] (row stride ldy) = x[rows, n_in] (row stride ldx) W^T + bias[n_out] (or NULL).
 * Few rows (decoding): weights are read once, widened in registers. Many rows: panels are
 * widened into scratch and multiplied with compute_gemm. Uses all threads. y and x are apart.
 */
void matmul(struct compute *c, float *y, size_t ldy, const float *x, size_t ldx, int rows,
            const struct matrix *w, const float *bias);

#endif
