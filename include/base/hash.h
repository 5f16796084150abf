/*
 * FNV-1a with 64 bits (Fowler, Noll, Vo; RFC 9923): to notice that bytes are others, not
 * against somebody who makes them alike on purpose.
 *
 *     uint64_t h = hash_bytes(HASH_BEGIN, a, n);
 *     h = hash_bytes(h, b, m);            // the same as of a and b joined
 */
#ifndef GPTSCOPE_BASE_HASH_H
#define GPTSCOPE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)

uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n);

#endif
