/*
 * The forward pass as data: a straight list of ops over named values. Written once for a family
 * by its builder (src/engine/build_*.c), immutable, and looped over by everything else:
 * running, stepping, explaining, drawing the map, dumping.
 */
#ifndef GPTSCOPE_ENGINE_PROGRAM_H
#define GPTSCOPE_ENGINE_PROGRAM_H

#include "base/err.h"
#include "base/str.h"
#include "model/model.h"

#include <stdbool.h>
#include <stddef.h>

/* A row each in src/engine/ops.c: name, formula, help, shape rule, function. */
enum opcode {
    OP_EMBED,     /* out = table[token] */
    OP_POS_EMBED, /* out = table[position] */
    OP_ADD,
    OP_MUL,
    OP_LAYERNORM, /* outputs: out; on demand mean, scale, normalized */
    OP_RMSNORM,   /* outputs: out; on demand scale, normalized */
    OP_LINEAR,    /* out = in W^T + bias */
    OP_ROPE,
    OP_SCORES,  /* q . k */
    OP_SCALE,   /* * 1/sqrt(d_head) */
    OP_MASK,    /* -inf above the diagonal */
    OP_SOFTMAX, /* also on logits: probs */
    OP_MIX,     /* pattern @ V */
    OP_GELU,
    OP_SILU,
    OP_RESULT, /* derived only: each head's own output, z_h W_O[:, h] */
    OP_COUNT
};

struct op_info {
    const char *name;    /* "softmax" */
    const char *formula; /* "exp(x - max) / sum exp(x - max)" */
    const char *help;    /* one or two sentences for a learner */
};
const struct op_info *op_info(enum opcode code);

/* What an axis of a value counts. */
enum axis {
    AXIS_POS, /* token positions; the queries of a score */
    AXIS_KEY, /* key positions */
    AXIS_HEAD,
    AXIS_KV_HEAD,
    AXIS_D_HEAD,
    AXIS_D_MODEL,
    AXIS_D_MLP,
    AXIS_VOCAB,
    AXIS_ONE
};

enum life {
    LIFE_TOKENS, /* the ids themselves */
    LIFE_PASS,   /* in the pass's arena until its last reader has run; derived afterwards */
    LIFE_KEPT,   /* stays for every position: the residual stream at block inputs, q */
    LIFE_CACHE,  /* the KV cache */
    LIFE_DEMAND, /* made only when it is looked at */
};

struct value {
    char name[48]; /* "blocks.3.attn.pattern" */
    int suffix;    /* where "attn.pattern" begins in the name; 0 outside blocks */
    int layer;     /* -1 outside blocks */
    enum axis axis[3];
    int n_axis;
    enum life life;
    int op;       /* the op that makes it */
    int last_use; /* the last op that reads it; its own op when none does */
    int same_as;  /* value index of which this is another name (resid_pre = the previous
                     block's resid_post, cache.N.k = rot_k or k); -1 */
    int slot;     /* KEPT, CACHE: number of its buffer */
};

#define OP_MAX_IN  3
#define OP_MAX_OUT 4

struct op {
    enum opcode code;
    int layer; /* -1: before or after the blocks */
    int in[OP_MAX_IN], n_in;
    int out[OP_MAX_OUT], n_out;    /* out[0] is the main one */
    enum weight_role weight, bias; /* W_COUNT when it has none */
    bool last_row;  /* after the blocks: runs for the pass's last position only */
    char label[24]; /* for the map: "ln1", "q", "rope q", "softmax", "mlp up" */
};

struct program {
    struct hparams hp;
    struct op *op;
    int n_ops;
    int n_steps; /* ops [0, n_steps) are the pass; those from n_steps on only derive */
    struct value *value;
    int n_values;
    int *block_begin; /* [n_layer + 1]: first op of each block, then the first op after them */
    int n_kept, n_cache; /* numbers of buffers */
};

struct program *program_build(const struct model *m, struct err *err);
/* The same without weights: for dumps of a model that is not at hand. */
struct program *program_of_shape(const struct hparams *hp, struct err *err);
void program_free(struct program *p); /* NULL is fine */

int program_find(const struct program *p, const char *name); /* exact name, or -1 */
/* "blocks.N.suffix", or -1 */
int program_value(const struct program *p, int layer, const char *suffix);
/* The value itself behind other names. */
int program_resolve(const struct program *p, int value);
/* Length of an axis; AXIS_POS and AXIS_KEY give n_pos. */
int program_axis(const struct program *p, enum axis axis, int n_pos);
/* Floats of one position: the product of all axes but AXIS_POS and AXIS_KEY. */
size_t program_width(const struct program *p, int value);
/* [head, query, key]: scores and the pattern. */
bool program_is_stage(const struct program *p, int value);
const char *axis_name(enum axis axis); /* "pos", "head", "d_model" */
/* Its name without "blocks.N.": "attn.pattern", "logits". */
const char *value_short_name(const struct value *v);
/* "L2.softmax", "L2.mlp_up", "embed" */
void op_name(const struct program *p, int op, struct str *out);
/* "softmax(attn.scores)": what the op does with what. */
void op_call_print(const struct program *p, int op, struct str *out);
/* Does text name this op, by its label or by what it makes, without its layer? Blanks, '_' and
 * '-' are the same in labels. */
bool op_is(const struct program *p, int op, const char *text);
/* The first of the four ops of a block's attention (OP_SCORES), and the op after OP_MIX. */
int program_attention(const struct program *p, int layer, int *after);

#endif
