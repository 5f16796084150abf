/*
 * Byte-pair merging of one piece of text: the pair of lowest rank, leftmost on ties, is merged
 * until none is left. O(n log n).
 */
#ifndef GPTSCOPE_TEXT_BPE_H
#define GPTSCOPE_TEXT_BPE_H

#include "text/pairs.h"

#include <stdint.h>

struct symbol {
    int32_t id;
    int32_t prev, next; /* indices; -1 at the ends */
    uint32_t at;        /* where its bytes begin; free for the caller's use */
};

struct candidate {
    int32_t rank, at; /* at: index of the left symbol */
    int32_t left, right, result;
};

/* Symbols 0..n are put in by the caller (bpe_push) and lie in a list afterwards, from 0 on. */
struct bpe {
    struct symbol *symbol;
    int n, cap;
    struct candidate *heap;
    int n_heap, cap_heap;
};

#define BPE_INIT                                                                               \
    {                                                                                          \
        0, 0, 0, 0, 0, 0                                                                       \
    }

/* Called after each merge: `left` has become c->result, `right` is out of the list. */
typedef void bpe_watch(void *arg, const struct bpe *b, const struct candidate *c, int right);

void bpe_clear(struct bpe *b); /* keeps the memory */
void bpe_push(struct bpe *b, int id, uint32_t at);
void bpe_merge(struct bpe *b, const struct pairs *pairs, bpe_watch *watch, void *arg);
void bpe_release(struct bpe *b);

#endif
