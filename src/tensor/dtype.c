#include "tensor/dtype.h"

#include "tensor/simd.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define Q8_BLOCK 32
#define Q8_BYTES 34

static uint32_t float_bits(float f)
{
    uint32_t u;

    memcpy(&u, &f, sizeof u);
    return u;
}

static float bits_float(uint32_t u)
{
    float f;

    memcpy(&f, &u, sizeof f);
    return f;
}

float dtype_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t) (h & 0x8000) << 16;
    uint32_t exponent = h >> 10 & 31, mantissa = h & 0x3ff;

    if (exponent == 0) /* zero or subnormal: a multiple of 2^-24 */
        return bits_float(sign | float_bits((float) mantissa * 0x1p-24f));
    if (exponent == 31) /* infinity; a NaN keeps its payload and becomes quiet */
        return bits_float(sign | 0x7f800000 | mantissa << 13 | (mantissa ? 0x400000 : 0));
    return bits_float(sign | (exponent + 127 - 15) << 23 | mantissa << 13);
}

uint16_t dtype_f32_to_f16(float f)
{
    uint32_t u = float_bits(f), sign = u >> 16 & 0x8000, a = u & 0x7fffffff;

    if (a > 0x7f800000)
        return (uint16_t) (sign | 0x7e00 | (a >> 13 & 0x3ff));
    if (a >= 0x47800000) /* 65536 and above */
        return (uint16_t) (sign | 0x7c00);
    if (a < 0x38800000) {
        /* Below the smallest normal number: the sum has an ulp of 2^-24, as subnormals have. */
        return (uint16_t) (sign | (float_bits(bits_float(a) + 0.5f) - float_bits(0.5f)));
    }
    a += 0xfff + (a >> 13 & 1); /* to nearest, ties to even; may carry into the exponent */
    return (uint16_t) (sign | (a - ((127u - 15) << 23)) >> 13);
}

static uint16_t f32_to_bf16(float f)
{
    uint32_t u = float_bits(f);

    if ((u & 0x7fffffff) > 0x7f800000)
        return (uint16_t) (u >> 16 | 0x40);
    return (uint16_t) ((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

static void widen_f32(float *dst, const void *src, size_t n)
{
    memcpy(dst, src, n * sizeof *dst);
}

static void widen_f16(float *dst, const void *src, size_t n)
{
    simd_best()->widen[DTYPE_F16](dst, src, n);
}

static void widen_bf16(float *dst, const void *src, size_t n)
{
    simd_best()->widen[DTYPE_BF16](dst, src, n);
}

static void widen_q8_0(float *dst, const void *src, size_t n)
{
    simd_best()->widen[DTYPE_Q8_0](dst, src, n);
}

static void narrow_f32(void *dst, const float *src, size_t n)
{
    memcpy(dst, src, n * sizeof *src);
}

static void narrow_f16(void *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t h = dtype_f32_to_f16(src[i]);
        memcpy((uint8_t *) dst + 2 * i, &h, 2);
    }
}

static void narrow_bf16(void *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t h = f32_to_bf16(src[i]);
        memcpy((uint8_t *) dst + 2 * i, &h, 2);
    }
}

static int8_t to_int8(float x)
{
    return x >= 127 ? 127 : x <= -127 ? -127 : x == x ? (int8_t) lrintf(x) : 0;
}

static void narrow_q8_0(void *dst, const float *src, size_t n)
{
    uint8_t *block = dst;

    for (size_t b = 0; b < n / Q8_BLOCK; b++, block += Q8_BYTES, src += Q8_BLOCK) {
        float most = 0;
        for (int i = 0; i < Q8_BLOCK; i++)
            most = fmaxf(most, fabsf(src[i]));
        float d = most / 127, inverse = d > 0 ? 1 / d : 0;
        uint16_t h = dtype_f32_to_f16(d);
        memcpy(block, &h, 2);
        for (int i = 0; i < Q8_BLOCK; i++)
            block[2 + i] = (uint8_t) to_int8(src[i] * inverse);
    }
}

static const struct dtype_info table[DTYPE_COUNT] = {
    [DTYPE_F32] = {"F32", 1, 4, widen_f32, narrow_f32},
    [DTYPE_F16] = {"F16", 1, 2, widen_f16, narrow_f16},
    [DTYPE_BF16] = {"BF16", 1, 2, widen_bf16, narrow_bf16},
    [DTYPE_Q8_0] = {"Q8_0", Q8_BLOCK, Q8_BYTES, widen_q8_0, narrow_q8_0},
};

const struct dtype_info *dtype_info(enum dtype dtype)
{
    return &table[dtype];
}

size_t dtype_bytes(enum dtype dtype, size_t n)
{
    return n / (size_t) table[dtype].block * (size_t) table[dtype].bytes;
}
