/*
 * Llama (Touvron et al. 2023): RoPE, RMSNorm, SwiGLU, grouped-query attention.
 */
#include "engine/build.h"

static int build_block(struct builder *b, int x)
{
    int h = build_norm(b, "ln1", x, W_LN1_GAIN, W_COUNT);
    int q = build_linear(b, "attn.q", "q", h, W_Q, W_Q_BIAS, AXIS_HEAD);
    int k = build_linear(b, "attn.k", "k", h, W_K, W_K_BIAS, AXIS_KV_HEAD);
    int v = build_linear(b, "attn.v", "v", h, W_V, W_V_BIAS, AXIS_KV_HEAD);
    q = build_rope(b, "attn.rot_q", "rope q", q);
    k = build_rope(b, "attn.rot_k", "rope k", k);
    build_keep(b, q);
    build_cache(b, k, "k");
    build_cache(b, v, "v");
    int z = build_attention(b, q, k, v);
    int o = build_linear(b, "attn_out", "out proj", z, W_O, W_O_BIAS, AXIS_D_MODEL);
    int mid = build_pair(b, "resid_mid", OP_ADD, x, o);
    h = build_norm(b, "ln2", mid, W_LN2_GAIN, W_COUNT);
    int gate = build_linear(b, "mlp.pre", "mlp gate", h, W_MLP_GATE, W_COUNT, AXIS_D_MLP);
    int up = build_linear(b, "mlp.pre_linear", "mlp up", h, W_MLP_UP, W_COUNT, AXIS_D_MLP);
    int act = build_act(b, "mlp.act", OP_SILU, gate);
    int post = build_pair(b, "mlp.post", OP_MUL, act, up);
    int down = build_linear(b, "mlp_out", "mlp down", post, W_MLP_DOWN, W_COUNT, AXIS_D_MODEL);
    return build_pair(b, "resid_post", OP_ADD, mid, down);
}

void build_llama(struct builder *b)
{
    int x = build_embed(b, "embed", OP_EMBED, build_tokens(b), W_TOK_EMBD);
    build_keep(b, x);
    for (int layer = 0; layer < b->program->hp.n_layer; layer++) {
        build_layer(b, layer);
        build_alias(b, "resid_pre", x);
        x = build_block(b, x);
        build_keep(b, x);
    }
    build_layer(b, -1);
    int h = build_norm(b, "ln_final", x, W_LN_FINAL_GAIN, W_COUNT);
    int logits = build_linear(b, "logits", "lm head", h, W_LM_HEAD, W_COUNT, AXIS_VOCAB);
    build_probs(b, logits);
}
