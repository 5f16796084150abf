#include "base/crc.h"

#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#if defined(__x86_64__)
#include <immintrin.h>

/*
 * Folding (Gopal et al. 2009, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
 * Instruction"): bytes are polynomials over GF(2), and 128 bits of them further on are replaced
 * by what is congruent modulo the polynomial P. A register's halves are multiplied by x^n mod
 * P, reflected, with n the distance that they are moved:
 *
 *     [lo|hi]  64 bytes on: lo * x^(512+32), hi * x^(512-32), added to the 16 bytes there
 */
#define TARGET __attribute__((target("pclmul,sse4.1")))
#define LEAST  256 /* below, zlib is as quick */

typedef struct {
    uint64_t lo, hi;
} factors;
static const factors by_64_bytes = {0x154442bd4, 0x1c6e41596};
static const factors by_16_bytes = {0x1751997d0, 0x0ccaa009e};
static const factors by_8_bytes = {0x163cd6124, 0};
static const factors reduce = {0x1db710641, 0x1f7011641}; /* P, and x^64 div P */

TARGET static __m128i pair(factors f)
{
    return _mm_set_epi64x((long long) f.hi, (long long) f.lo);
}

TARGET static __m128i load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *) (const void *) p);
}

TARGET static __m128i fold(__m128i x, __m128i by, __m128i onto)
{
    __m128i lo = _mm_clmulepi64_si128(x, by, 0x00), hi = _mm_clmulepi64_si128(x, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(lo, hi), onto);
}

/* 128 bits to the 32 of the checksum: down to 96, to 64, then the remainder (Barrett). */
TARGET static uint32_t remainder_of(__m128i x)
{
    const __m128i low = _mm_set_epi32(0, -1, 0, -1), p = pair(reduce);
    x = _mm_xor_si128(_mm_srli_si128(x, 8), _mm_clmulepi64_si128(x, pair(by_16_bytes), 0x10));
    x = _mm_xor_si128(_mm_srli_si128(x, 4),
                      _mm_clmulepi64_si128(_mm_and_si128(x, low), pair(by_8_bytes), 0x00));
    __m128i q = _mm_clmulepi64_si128(_mm_and_si128(x, low), p, 0x10);
    x = _mm_xor_si128(x, _mm_clmulepi64_si128(_mm_and_si128(q, low), p, 0x00));
    return (uint32_t) _mm_extract_epi32(x, 1);
}

/* Stored past the caches where `to` is aligned: nobody here reads it again. */
TARGET static __m128i load_and_store(const uint8_t *p, uint8_t *to)
{
    __m128i x = load(p);
    if (to)
        _mm_stream_si128((__m128i *) (void *) to, x);
    return x;
}

/* n: a multiple of 64, not 0; crc as it is inside, inverted. `to`: NULL, or where p[n] is
 * copied, a multiple of 16. */
TARGET static __attribute__((always_inline)) inline uint32_t
fold_all(uint32_t crc, uint8_t *to, const uint8_t *p, size_t n)
{
    __m128i by = pair(by_64_bytes), x[4];
    for (int i = 0; i < 4; i++)
        x[i] = load_and_store(p + 16 * i, to ? to + 16 * i : NULL);
    x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128((int) crc));
    for (size_t at = 64; at < n; at += 64)
        for (int i = 0; i < 4; i++)
            x[i] =
                fold(x[i], by, load_and_store(p + at + 16 * i, to ? to + at + 16 * i : NULL));
    by = pair(by_16_bytes);
    for (int i = 1; i < 4; i++)
        x[0] = fold(x[0], by, x[i]);
    return remainder_of(x[0]);
}

TARGET static uint32_t fold_only(uint32_t crc, const uint8_t *p, size_t n)
{
    return fold_all(crc, NULL, p, n);
}

TARGET static uint32_t fold_copy(uint32_t crc, uint8_t *to, const uint8_t *p, size_t n)
{
    crc = fold_all(crc, to, p, n);
    _mm_sfence(); /* before anybody is told that it is there */
    return crc;
}

static bool can_fold(size_t n)
{
    return n >= LEAST && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}

uint32_t crc_add(uint32_t crc, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    size_t whole = n / 64 * 64;
    if (!can_fold(n))
        return (uint32_t) crc32_z(crc, p, n);
    crc = ~fold_only(~crc, p, whole);
    return (uint32_t) crc32_z(crc, p + whole, n - whole);
}

uint32_t crc_copy(uint32_t crc, void *to, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    size_t whole = n / 64 * 64;
    if (!can_fold(n) || (uintptr_t) to % 16) {
        memcpy(to, bytes, n);
        return crc_add(crc, bytes, n);
    }
    crc = ~fold_copy(~crc, to, p, whole);
    memcpy((uint8_t *) to + whole, p + whole, n - whole);
    return (uint32_t) crc32_z(crc, p + whole, n - whole);
}

#else

uint32_t crc_add(uint32_t crc, const void *bytes, size_t n)
{
    return (uint32_t) crc32_z(crc, bytes, n);
}

uint32_t crc_copy(uint32_t crc, void *to, const void *bytes, size_t n)
{
    memcpy(to, bytes, n);
    return crc_add(crc, bytes, n);
}

#endif
