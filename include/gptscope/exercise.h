/*
 * The functions that the exercises of gptscope ask for, and what they are given to work with.
 * `gptscope exercise start NAME` puts this file beside the one to be written.
 *
 * All arrays are plain floats in C order; the shape stands in the comment. x[n_tokens][d_model]
 * means that channel c of token t is x[t * d_model + c]. What is called out is written (every
 * element, its old content is meaningless); what is const is only read; the rest is changed in
 * place. Arrays never overlap and end exactly where their shape says.
 *
 * A weight matrix has a row for each output, as the files of most models have it:
 * w[n_out][n_in].
 */
#ifndef GPTSCOPE_EXERCISE_H
#define GPTSCOPE_EXERCISE_H

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- weights --- */

struct mlp_weights {
    int d_model, d_mlp;
    const float *fc, *fc_bias;     /* [d_mlp][d_model], [d_mlp] */
    const float *proj, *proj_bias; /* [d_model][d_mlp], [d_model] */
};

/* The projections of attention; d_head = d_model / n_head. */
struct attention_weights {
    int d_model, n_head;
    const float *q, *q_bias; /* [d_model][d_model], [d_model]; the others alike */
    const float *k, *k_bias;
    const float *v, *v_bias;
    const float *o, *o_bias; /* the output projection */
};

struct block_weights {
    int d_model;
    float eps;                        /* of both norms */
    const float *ln1_gain, *ln1_bias; /* [d_model] */
    struct attention_weights attention;
    const float *ln2_gain, *ln2_bias; /* [d_model] */
    struct mlp_weights mlp;
};

struct head_weights {
    int d_model, n_vocab;
    float eps;
    const float *gain, *bias; /* of the final norm: [d_model] */
    const float *w;           /* [n_vocab][d_model] */
};

/* The MLP of Llama; no biases. */
struct swiglu_weights {
    int d_model, d_mlp;
    const float *gate, *up; /* [d_mlp][d_model] */
    const float *down;      /* [d_model][d_mlp] */
};

/* Keys and values of the positions computed so far; width = n_head * d_head. */
struct kv_cache {
    int n_head, d_head;
    int n_ctx;    /* positions that there is room for */
    int n_past;   /* positions that are filled */
    float *k, *v; /* [n_ctx][width] */
};

/* --- 1 mlp --- */

/* out[n_rows][n_out] = x[n_rows][n_in] w^T + bias; w[n_out][n_in], bias[n_out] */
void linear(float *out, const float *x, const float *w, const float *bias, int n_rows, int n_in,
            int n_out);
/* out[n], x[n] */
void gelu(float *out, const float *x, int n);
/* out[n_tokens][d_model], x[n_tokens][d_model] */
void mlp(float *out, const float *x, int n_tokens, const struct mlp_weights *w);

/* --- 2 block --- */

/* out[n_rows][n], x[n_rows][n], gain[n], bias[n] */
void layer_norm(float *out, const float *x, const float *gain, const float *bias, int n_rows,
                int n, float eps);
/* out[n_tokens][d_model] = x + attention(norm(x)) */
void add_attention(float *out, const float *x, int n_tokens, const struct block_weights *w);
/* out[n_tokens][d_model] = x + mlp(norm(x)) */
void add_mlp(float *out, const float *x, int n_tokens, const struct block_weights *w);

/* --- 3 attention --- */

/* One head: out[n_tokens][n_tokens], q[n_tokens][d_head], k[n_tokens][d_head] */
void scores(float *out, const float *q, const float *k, int n_tokens, int d_head);
/* s[n_tokens][n_tokens]: a row for each query, a column for each key */
void mask(float *s, int n_tokens);
/* s[n_rows][n_cols]: every row becomes weights that sum to 1 */
void softmax(float *s, int n_rows, int n_cols);
/* out[n_tokens][d_head], pattern[n_tokens][n_tokens], v[n_tokens][d_head] */
void mix(float *out, const float *pattern, const float *v, int n_tokens, int d_head);
/* out[n_head][n_tokens][d_head], x[n_tokens][n_head * d_head] */
void split_heads(float *out, const float *x, int n_tokens, int n_head, int d_head);
/* out[n_tokens][n_head * d_head], x[n_head][n_tokens][d_head] */
void concat_heads(float *out, const float *x, int n_tokens, int n_head, int d_head);
/* All heads: out, q, k, v [n_tokens][n_head * d_head] */
void attention(float *out, const float *q, const float *k, const float *v, int n_tokens,
               int n_head, int d_head);

/* --- 4 model --- */

/* out[n_tokens][d_model], ids[n_tokens], tokens[n_vocab][d_model], positions[n_ctx][d_model] */
void embed(float *out, const int *ids, int n_tokens, const float *tokens,
           const float *positions, int d_model);
/* out[n_tokens][d_model], x[n_tokens][d_model], block[n_layer] */
void blocks(float *out, const float *x, int n_tokens, const struct block_weights *block,
            int n_layer);
/* logits[n_vocab] after the last token; x[n_tokens][d_model] */
void lm_head(float *logits, const float *x, int n_tokens, const struct head_weights *w);

/* --- 5 rope --- */

/* cosine[d_head / 2], sine[d_head / 2] of the angles of position pos */
void rope_angles(float *cosine, float *sine, int pos, int d_head, float theta);
/* One head of one token, x[d_head], in place */
void rope_rotate(float *x, const float *cosine, const float *sine, int d_head);
/* x[n_tokens][n_head][d_head], in place; the first token stands at position `first` */
void rope(float *x, int n_tokens, int n_head, int d_head, int first, float theta);

/* --- 6 cache --- */

/* k, v [n_new][width]: the positions after those in the cache */
void kv_append(struct kv_cache *cache, const float *k, const float *v, int n_new);
/* out[n_new][width], q[n_new][width]: the last n_new positions of the cache, which already
 * holds their keys and values */
void kv_attention(float *out, const float *q, const struct kv_cache *cache, int n_new);
/* out[n_new][d_model], x[n_new][d_model]: attention with its projections, for new tokens only
 */
void kv_step(float *out, const float *x, int n_new, const struct attention_weights *w,
             struct kv_cache *cache);

/* --- 7 gqa --- */

/* Which of the n_kv_head keys and values the query head uses */
int kv_head_of(int head, int n_head, int n_kv_head);
/* out, q [n_tokens][n_head * d_head]; k, v [n_tokens][n_kv_head * d_head] */
void gqa(float *out, const float *q, const float *k, const float *v, int n_tokens, int n_head,
         int n_kv_head, int d_head);

/* --- 8 swiglu --- */

/* out[n_rows][n], x[n_rows][n], gain[n] */
void rms_norm(float *out, const float *x, const float *gain, int n_rows, int n, float eps);
/* out[n], x[n] */
void silu(float *out, const float *x, int n);
/* out[n_tokens][d_model], x[n_tokens][d_model] */
void swiglu(float *out, const float *x, int n_tokens, const struct swiglu_weights *w);

/* --- 9 sampling --- */

/* p[n], logits[n] */
void probabilities(float *p, const float *logits, int n, float temperature);
/* p[n], in place: sums to 1 before and after */
void top_k(float *p, int n, int k);
void top_p(float *p, int n, float least);
/* The token that u in [0, 1) falls on when the probabilities are laid end to end */
int draw(const float *p, int n, float u);

/* --- given: these are there already, and right --- */

/* As linear above; bias may be NULL. */
void given_linear(float *out, const float *x, const float *w, const float *bias, int n_rows,
                  int n_in, int n_out);
void given_layer_norm(float *out, const float *x, const float *gain, const float *bias,
                      int n_rows, int n, float eps);
/* Causal, all heads, with all four projections: out, x [n_tokens][d_model] */
void given_attention(float *out, const float *x, int n_tokens,
                     const struct attention_weights *w);
void given_mlp(float *out, const float *x, int n_tokens, const struct mlp_weights *w);
void given_block(float *out, const float *x, int n_tokens, const struct block_weights *w);
/* One head of causal attention (scores, mask, softmax, mix). Row t of q, k, v and out begins
 * stride_q, stride_kv (k and v) and stride_out floats after row t - 1. */
void given_head(float *out, const float *q, const float *k, const float *v, int n_tokens,
                int d_head, int stride_out, int stride_q, int stride_kv);

#endif
