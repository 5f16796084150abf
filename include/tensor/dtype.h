/*
 * Number formats of stored weights. One row per format: name, block size, widening.
 * Layouts as in ggml: Q8_0 is a block of 32: f16 scale d, then int8 q[32]; value = d * q.
 */
#ifndef GPTSCOPE_TENSOR_DTYPE_H
#define GPTSCOPE_TENSOR_DTYPE_H

#include <stddef.h>
#include <stdint.h>

enum dtype { DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_Q8_0, DTYPE_COUNT };

struct dtype_info {
    const char *name; /* "F16" */
    int block;        /* elements a block: a stored row is a whole number of blocks */
    int bytes;        /* bytes a block */
    /* dst[n] = src as f32; n is a multiple of block; exact for every format. */
    void (*widen)(float *dst, const void *src, size_t n);
    /* dst = src[n] rounded to nearest even (Q8_0: d = max|x|/127); for made-up models, tests.
     */
    void (*narrow)(void *dst, const float *src, size_t n);
};

const struct dtype_info *dtype_info(enum dtype dtype);
/* Bytes of n elements; n must be a multiple of the block. */
size_t dtype_bytes(enum dtype dtype, size_t n);
float dtype_f16_to_f32(uint16_t h);
uint16_t dtype_f32_to_f16(float f);

#endif
