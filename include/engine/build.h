/*
 * Building a program: one call per operation, so that a family's builder reads like the paper.
 *
 *     int h = build_norm(b, "ln1", x, W_LN1_GAIN, W_LN1_BIAS);
 *     int q = build_linear(b, "attn.q", "q", h, W_Q, W_Q_BIAS, AXIS_HEAD);
 *
 * Each returns the index of the value made. Inside a block, names get the prefix "blocks.N.".
 */
#ifndef GPTSCOPE_ENGINE_BUILD_H
#define GPTSCOPE_ENGINE_BUILD_H

#include "engine/program.h"

struct builder {
    struct program *program;
    int layer; /* the block being built, or -1 */
    bool after_blocks;
    int cap_ops, cap_values;
};

void build_layer(struct builder *b, int layer); /* begins a block; -1: after the blocks */

int build_tokens(struct builder *b);
int build_embed(struct builder *b, const char *name, enum opcode code, int tokens,
                enum weight_role table);
int build_norm(struct builder *b, const char *name, int x, enum weight_role gain,
               enum weight_role bias);
/* `unit`: AXIS_HEAD and AXIS_KV_HEAD give [pos, unit, d_head], others [pos, unit]. */
int build_linear(struct builder *b, const char *name, const char *label, int x,
                 enum weight_role weight, enum weight_role bias, enum axis unit);
int build_rope(struct builder *b, const char *name, const char *label, int x);
/* scores -> scale -> mask -> softmax -> mix; returns attn.z */
int build_attention(struct builder *b, int q, int k, int v);
int build_act(struct builder *b, const char *name, enum opcode code, int x);
int build_pair(struct builder *b, const char *name, enum opcode code, int x, int y);
int build_probs(struct builder *b, int logits);
/* Each head's own output, z_h W_O[:, h]: derived only. */
void build_result(struct builder *b, int z);

int build_alias(struct builder *b, const char *name, int value);
void build_keep(struct builder *b, int value); /* stays for every position */
/* Goes into the KV cache, where it is also called cache.N.name. */
void build_cache(struct builder *b, int value, const char *name);

/* The families. */
void build_gpt2(struct builder *b);
void build_llama(struct builder *b);

#endif
