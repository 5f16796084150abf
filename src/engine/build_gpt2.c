/*
 * GPT-2 (Radford et al. 2019): learned positions, pre-norm blocks, GELU.
 */
#include "engine/build.h"

static int build_block(struct builder *b, int x)
{
    int h = build_norm(b, "ln1", x, W_LN1_GAIN, W_LN1_BIAS);
    int q = build_linear(b, "attn.q", "q", h, W_Q, W_Q_BIAS, AXIS_HEAD);
    int k = build_linear(b, "attn.k", "k", h, W_K, W_K_BIAS, AXIS_KV_HEAD);
    int v = build_linear(b, "attn.v", "v", h, W_V, W_V_BIAS, AXIS_KV_HEAD);
    build_keep(b, q);
    build_cache(b, k, "k");
    build_cache(b, v, "v");
    int z = build_attention(b, q, k, v);
    int o = build_linear(b, "attn_out", "out proj", z, W_O, W_O_BIAS, AXIS_D_MODEL);
    int mid = build_pair(b, "resid_mid", OP_ADD, x, o);
    h = build_norm(b, "ln2", mid, W_LN2_GAIN, W_LN2_BIAS);
    int pre = build_linear(b, "mlp.pre", "mlp up", h, W_MLP_UP, W_MLP_UP_BIAS, AXIS_D_MLP);
    int post = build_act(b, "mlp.post", OP_GELU, pre);
    int down =
        build_linear(b, "mlp_out", "mlp down", post, W_MLP_DOWN, W_MLP_DOWN_BIAS, AXIS_D_MODEL);
    return build_pair(b, "resid_post", OP_ADD, mid, down);
}

void build_gpt2(struct builder *b)
{
    int tokens = build_tokens(b);
    int e = build_embed(b, "embed", OP_EMBED, tokens, W_TOK_EMBD);
    int p = build_embed(b, "pos_embed", OP_POS_EMBED, tokens, W_POS_EMBD);
    int x = build_pair(b, "blocks.0.resid_pre", OP_ADD, e, p);
    build_keep(b, x);
    for (int layer = 0; layer < b->program->hp.n_layer; layer++) {
        build_layer(b, layer);
        if (layer > 0)
            build_alias(b, "resid_pre", x);
        x = build_block(b, x);
        build_keep(b, x);
    }
    build_layer(b, -1);
    int h = build_norm(b, "ln_final", x, W_LN_FINAL_GAIN, W_LN_FINAL_BIAS);
    int logits = build_linear(b, "logits", "lm head", h, W_LM_HEAD, W_COUNT, AXIS_VOCAB);
    build_probs(b, logits);
}
