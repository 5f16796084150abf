/*
 * A model: hyper-parameters and weights, borrowed from a mapped file (or made from a seed).
 * Weights are found by role and layer, whatever the format calls them.
 */
#ifndef GPTSCOPE_MODEL_MODEL_H
#define GPTSCOPE_MODEL_MODEL_H

#include "base/err.h"
#include "model/hparams.h"
#include "tensor/matrix.h"

#include <stdint.h>

/* One row per role in src/model/roles.c: matrix or vector, shape, names per format. */
enum weight_role {
    W_TOK_EMBD, /* [n_vocab, d_model] */
    W_POS_EMBD, /* [n_ctx, d_model] */
    W_LN1_GAIN,
    W_LN1_BIAS, /* vectors [d_model]; biases are absent in RMSNorm families */
    W_Q,        /* [n_head * d_head, d_model]; GPT-2's fused c_attn is seen as three slices */
    W_K,
    W_V,
    W_Q_BIAS,
    W_K_BIAS,
    W_V_BIAS,
    W_O, /* [d_model, n_head * d_head] */
    W_O_BIAS,
    W_LN2_GAIN,
    W_LN2_BIAS,
    W_MLP_GATE, /* [d_mlp, d_model], gated families */
    W_MLP_UP,   /* [d_mlp, d_model] */
    W_MLP_UP_BIAS,
    W_MLP_DOWN, /* [d_model, d_mlp] */
    W_MLP_DOWN_BIAS,
    W_LN_FINAL_GAIN,
    W_LN_FINAL_BIAS,
    W_LM_HEAD, /* [n_vocab, d_model]; the token embedding when tied */
    W_COUNT
};

enum model_source { MODEL_GGUF, MODEL_HF, MODEL_SYNTH };

struct model; /* opaque; immutable once open; lifetime "model" */

/*
 * spec: a built-in name (model/builtin.h), a GGUF file, a .safetensors file, or a folder with
 * config.json and weights. Checks every tensor's presence, shape, type and bounds. The message
 * names the file, the field or tensor, and where it helps the offset and the remedy.
 */
struct model *model_open(const char *spec, struct err *err);
void model_free(struct model *m); /* NULL is fine */

const struct hparams *model_hparams(const struct model *m);
const char *model_path(const struct model *m); /* as opened; the built-in's name */
enum model_source model_source(const struct model *m);
/* The folder that holds config.json and tokenizer.json; NULL unless MODEL_HF. */
const char *model_folder(const struct model *m);

/* NULL when the family has no such weight. layer is -1 for the global ones. Borrowed. */
const struct matrix *model_matrix(const struct model *m, enum weight_role role, int layer);
const float *model_vector(const struct model *m, enum weight_role role, int layer);

/* For parameter counts and memory: every stored tensor of the model, once (a tied head is not
 * counted twice). */
struct weight_info {
    enum weight_role role;
    int layer;
    int rows, cols; /* cols = 1 for vectors */
    enum dtype dtype;
    uint64_t bytes;
};
int model_n_weights(const struct model *m);
struct weight_info model_weight_info(const struct model *m, int i);
const char *weight_role_name(enum weight_role role); /* "tok_embd", "q" */

/* The opened container, for the tokenizer and `info`: NULL for the other sources. */
struct gguf;
const struct gguf *model_gguf(const struct model *m);

#endif
