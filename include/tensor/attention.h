/*
 * Causal attention of a chunk of queries on all keys so far, without the [head, query, key]
 * matrix: scores -> scale -> mask -> softmax -> mix in blocks, and the log-sum-exp of each row,
 * from which any weight is found again: pattern[h,i,j] = exp(q_i . k_j * scale - lse[i,h]).
 */
#ifndef GPTSCOPE_TENSOR_ATTENTION_H
#define GPTSCOPE_TENSOR_ATTENTION_H

#include "tensor/compute.h"

/* Query i of the chunk has position pos0 + i and sees keys max(0, pos - window + 1)..pos. */
struct attention_dims {
    int n_head, n_kv_head, d_head; /* query head h reads kv head h / (n_head / n_kv_head) */
    int n_query, pos0;             /* keys: pos0 + n_query of them */
    int window;                    /* 0: none */
    float scale;                   /* 1 / sqrt(d_head) */
};

size_t attention_scratch(const struct attention_dims *d, int n_ctx); /* floats a thread */
/* z, q: [n_query, n_head, d_head]; k, v: [pos, n_kv_head, d_head]; lse: [n_query, n_head]. */
void attention(struct compute *c, float *z, float *lse, const float *q, const float *k,
               const float *v, const struct attention_dims *d);

#endif
