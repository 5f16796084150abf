/*
 * The golden values: what an independent float64 implementation computed for the shipped
 * models. Files are in tests/data/golden; names and shapes are those of the program's values.
 */
#ifndef GPTSCOPE_TESTS_GOLDEN_H
#define GPTSCOPE_TESTS_GOLDEN_H

#include "npz.h"
#include "worst.h"

struct golden {
    char model[32], prompt[16]; /* "tiny-gpt2", "short" */
    struct npz values;
    int32_t ids[256], greedy[64]; /* the prompt, and what greedy decoding adds */
    int n_ids, n_greedy;
};

/* prompt: "short" (every value) or "long" (patterns, residual stream, logits). */
bool golden_open(struct golden *g, const char *model, const char *prompt);
void golden_release(struct golden *g);

/* Gives a whole value as an array of n numbers that the caller frees, or NULL. */
typedef float *golden_fetch(void *user, const char *name, size_t *n);
/* Compares every value of the file with what fetch gives. */
void golden_compare(const struct golden *g, golden_fetch *fetch, void *user, struct worst *w);

#endif
