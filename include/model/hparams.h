/*
 * The hyper-parameters of a model, by the field's names, and their validation.
 */
#ifndef GPTSCOPE_MODEL_HPARAMS_H
#define GPTSCOPE_MODEL_HPARAMS_H

#include "base/err.h"

#include <stdbool.h>

enum arch { ARCH_GPT2, ARCH_LLAMA, ARCH_COUNT };
enum norm_kind { NORM_LAYER, NORM_RMS };
enum act_kind { ACT_GELU_TANH, ACT_GELU_ERF, ACT_SILU };

struct hparams {
    enum arch arch;
    char name[64]; /* from the file, or its base name; safe for a terminal */
    int n_layer, d_model, n_head, n_kv_head, d_head, d_mlp, n_vocab, n_ctx;
    enum norm_kind norm;
    float norm_eps;
    enum act_kind act;
    bool gated;          /* SwiGLU: act(gate) * up */
    bool learned_pos;    /* a table of n_ctx position rows; otherwise RoPE */
    float rope_theta;    /* RoPE only */
    int rope_dim;        /* channels of a head that RoPE turns, even; 0 without RoPE */
    bool qk_interleaved; /* the file's q/k rows are permuted for interleaved RoPE pairs:
                            row 2i+b of a head is channel i + b*rope_dim/2 (GGUF llama) */
    bool tied;           /* the LM head is the token embedding */
};

const char *arch_name(enum arch arch); /* "gpt2", "llama" */

/* Every relation the engine relies on: positive sizes with bounds that keep products inside
 * size_t and int, n_head a multiple of n_kv_head, even rope_dim <= d_head, finite positive eps
 * and theta ... The message names the field and its value. */
bool hparams_check(const struct hparams *hp, struct err *err);

#endif
