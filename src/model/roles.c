#include "model/roles.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

// clang-format off
#define GPT2(...)  [ARCH_GPT2] = {.pattern = __VA_ARGS__}
#define LLAMA(...) [ARCH_LLAMA] = {.pattern = __VA_ARGS__}
#define SAME(name) {GPT2(name), LLAMA(name)}

/* HF names stand here without "transformer." or "model.", which files may leave out. */
const struct role roles[W_COUNT] = {
    [W_TOK_EMBD] = {"tok_embd", false, true, DIM_VOCAB, DIM_MODEL,
        {SAME("token_embd.weight"), {GPT2("wte.weight"), LLAMA("embed_tokens.weight")}}},
    [W_POS_EMBD] = {"pos_embd", false, true, DIM_CTX, DIM_MODEL,
        {{GPT2("position_embd.weight")}, {GPT2("wpe.weight")}}},
    [W_LN1_GAIN] = {"ln1_gain", true, false, DIM_MODEL, DIM_ONE,
        {SAME("blk.N.attn_norm.weight"),
         {GPT2("h.N.ln_1.weight"), LLAMA("layers.N.input_layernorm.weight")}}},
    [W_LN1_BIAS] = {"ln1_bias", true, false, DIM_MODEL, DIM_ONE,
        {{GPT2("blk.N.attn_norm.bias")}, {GPT2("h.N.ln_1.bias")}}},
    [W_Q] = {"q", false, false, DIM_Q, DIM_MODEL,
        {{GPT2("blk.N.attn_qkv.weight", PART_Q), LLAMA("blk.N.attn_q.weight")},
         {GPT2("h.N.attn.c_attn.weight", PART_Q, true), LLAMA("layers.N.self_attn.q_proj.weight")}}},
    [W_K] = {"k", false, false, DIM_KV, DIM_MODEL,
        {{GPT2("blk.N.attn_qkv.weight", PART_K), LLAMA("blk.N.attn_k.weight")},
         {GPT2("h.N.attn.c_attn.weight", PART_K, true), LLAMA("layers.N.self_attn.k_proj.weight")}}},
    [W_V] = {"v", false, false, DIM_KV, DIM_MODEL,
        {{GPT2("blk.N.attn_qkv.weight", PART_V), LLAMA("blk.N.attn_v.weight")},
         {GPT2("h.N.attn.c_attn.weight", PART_V, true), LLAMA("layers.N.self_attn.v_proj.weight")}}},
    [W_Q_BIAS] = {"q_bias", true, false, DIM_Q, DIM_ONE,
        {{GPT2("blk.N.attn_qkv.bias", PART_Q)}, {GPT2("h.N.attn.c_attn.bias", PART_Q)}}},
    [W_K_BIAS] = {"k_bias", true, false, DIM_KV, DIM_ONE,
        {{GPT2("blk.N.attn_qkv.bias", PART_K)}, {GPT2("h.N.attn.c_attn.bias", PART_K)}}},
    [W_V_BIAS] = {"v_bias", true, false, DIM_KV, DIM_ONE,
        {{GPT2("blk.N.attn_qkv.bias", PART_V)}, {GPT2("h.N.attn.c_attn.bias", PART_V)}}},
    [W_O] = {"o", false, false, DIM_MODEL, DIM_Q,
        {SAME("blk.N.attn_output.weight"),
         {GPT2("h.N.attn.c_proj.weight", PART_ALL, true), LLAMA("layers.N.self_attn.o_proj.weight")}}},
    [W_O_BIAS] = {"o_bias", true, false, DIM_MODEL, DIM_ONE,
        {{GPT2("blk.N.attn_output.bias")}, {GPT2("h.N.attn.c_proj.bias")}}},
    [W_LN2_GAIN] = {"ln2_gain", true, false, DIM_MODEL, DIM_ONE,
        {SAME("blk.N.ffn_norm.weight"),
         {GPT2("h.N.ln_2.weight"), LLAMA("layers.N.post_attention_layernorm.weight")}}},
    [W_LN2_BIAS] = {"ln2_bias", true, false, DIM_MODEL, DIM_ONE,
        {{GPT2("blk.N.ffn_norm.bias")}, {GPT2("h.N.ln_2.bias")}}},
    [W_MLP_GATE] = {"mlp_gate", false, false, DIM_MLP, DIM_MODEL,
        {{LLAMA("blk.N.ffn_gate.weight")}, {LLAMA("layers.N.mlp.gate_proj.weight")}}},
    [W_MLP_UP] = {"mlp_up", false, false, DIM_MLP, DIM_MODEL,
        {SAME("blk.N.ffn_up.weight"),
         {GPT2("h.N.mlp.c_fc.weight", PART_ALL, true), LLAMA("layers.N.mlp.up_proj.weight")}}},
    [W_MLP_UP_BIAS] = {"mlp_up_bias", true, false, DIM_MLP, DIM_ONE,
        {{GPT2("blk.N.ffn_up.bias")}, {GPT2("h.N.mlp.c_fc.bias")}}},
    [W_MLP_DOWN] = {"mlp_down", false, false, DIM_MODEL, DIM_MLP,
        {SAME("blk.N.ffn_down.weight"),
         {GPT2("h.N.mlp.c_proj.weight", PART_ALL, true), LLAMA("layers.N.mlp.down_proj.weight")}}},
    [W_MLP_DOWN_BIAS] = {"mlp_down_bias", true, false, DIM_MODEL, DIM_ONE,
        {{GPT2("blk.N.ffn_down.bias")}, {GPT2("h.N.mlp.c_proj.bias")}}},
    [W_LN_FINAL_GAIN] = {"ln_final_gain", true, true, DIM_MODEL, DIM_ONE,
        {SAME("output_norm.weight"), {GPT2("ln_f.weight"), LLAMA("norm.weight")}}},
    [W_LN_FINAL_BIAS] = {"ln_final_bias", true, true, DIM_MODEL, DIM_ONE,
        {{GPT2("output_norm.bias")}, {GPT2("ln_f.bias")}}},
    [W_LM_HEAD] = {"lm_head", false, true, DIM_VOCAB, DIM_MODEL,
        {SAME("output.weight"), SAME("lm_head.weight")}},
};
// clang-format on

const char *weight_role_name(enum weight_role role)
{
    return roles[role].name;
}

int role_dim(const struct hparams *hp, enum dim dim)
{
    switch (dim) {
    case DIM_ONE:
        return 1;
    case DIM_VOCAB:
        return hp->n_vocab;
    case DIM_CTX:
        return hp->n_ctx;
    case DIM_MODEL:
        return hp->d_model;
    case DIM_Q:
        return hp->n_head * hp->d_head;
    case DIM_KV:
        return hp->n_kv_head * hp->d_head;
    case DIM_MLP:
        return hp->d_mlp;
    }
    return 0;
}

const char *dim_name(enum dim dim)
{
    static const char *const names[] = {
        [DIM_ONE] = "1",         [DIM_VOCAB] = "n_vocab",   [DIM_CTX] = "n_ctx",
        [DIM_MODEL] = "d_model", [DIM_Q] = "n_head*d_head", [DIM_KV] = "n_kv_head*d_head",
        [DIM_MLP] = "d_mlp",
    };

    return names[dim];
}

bool role_in(enum weight_role role, enum arch arch)
{
    return roles[role].at[NAMES_GGUF][arch].pattern != NULL;
}

char *role_tensor_name(const char *pattern, int layer, char buf[ROLE_NAME_SIZE])
{
    const char *n = strchr(pattern, 'N');

    if (n)
        snprintf(buf, ROLE_NAME_SIZE, "%.*s%d%s", (int) (n - pattern), pattern, layer, n + 1);
    else
        snprintf(buf, ROLE_NAME_SIZE, "%s", pattern);
    return buf;
}

bool role_name_matches(const char *pattern, const char *name)
{
    for (; *pattern; pattern++) {
        if (*pattern == 'N') {
            if (!isdigit((unsigned char) *name))
                return false;
            while (isdigit((unsigned char) *name))
                name++;
        } else if (*pattern != *name++) {
            return false;
        }
    }
    return *name == 0;
}
