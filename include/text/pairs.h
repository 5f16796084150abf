/*
 * Which two neighbouring tokens merge: (left, right) -> rank and result. Low ranks go first.
 */
#ifndef GPTSCOPE_TEXT_PAIRS_H
#define GPTSCOPE_TEXT_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pair {
    int32_t left, right; /* left -1: a free slot */
    int32_t rank, result;
};

struct pairs {
    struct pair *slot; /* open addressing; mask + 1 slots */
    size_t n, mask;
    uint64_t seed;
};

void pairs_init(struct pairs *p, size_t expected);
void pairs_release(struct pairs *p);
/* False, and nothing changed, when the pair is there already. */
bool pairs_add(struct pairs *p, struct pair pair);
const struct pair *pairs_find(const struct pairs *p, int left, int right); /* or NULL */

#endif
