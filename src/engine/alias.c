#include "engine/alias.h"

#include "engine/select.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
const struct alias_row alias_llama_cpp[] = {
    {"inp_tokens",      false, "tokens",          NULL},
    {"inp_embd",        false, "embed",           NULL},
    {"pos_embd",        false, "pos_embed",       NULL},
    {"attn_norm",       true,  "ln1.out",         NULL},
    {"Qcur",            true,  "attn.rot_q",      "attn.q"},
    {"Kcur",            true,  "attn.rot_k",      "attn.k"},
    {"Vcur",            true,  "attn.v",          NULL},
    {"kq",              true,  "attn.scores_raw", NULL},
    {"kq_soft_max",     true,  "attn.pattern",    NULL},
    {"kq_soft_max_ext", true,  "attn.pattern",    NULL},
    {"kqv",             true,  "attn.z",          NULL},
    {"kqv_out",         true,  "attn.z",          NULL},
    {"attn_out",        true,  "attn_out",        NULL},
    {"ffn_inp",         true,  "resid_mid",       NULL},
    {"ffn_norm",        true,  "ln2.out",         NULL},
    {"ffn_up",          true,  "mlp.pre_linear",  "mlp.pre"},
    {"ffn_gate",        true,  "mlp.pre",         NULL},
    {"ffn_silu",        true,  "mlp.act",         NULL},
    {"ffn_gelu",        true,  "mlp.post",        NULL},
    {"ffn_gate_par",    true,  "mlp.post",        NULL},
    {"ffn_swiglu",      true,  "mlp.post",        NULL},
    {"ffn_out",         true,  "mlp_out",         NULL},
    {"l_out",           true,  "resid_post",      NULL},
    {"result_norm",     false, "ln_final.out",    NULL},
    {"result_output",   false, "logits",          NULL},
    {NULL,              false, NULL,              NULL},
};

/* TransformerLens' names that differ by more than "hook_". */
static const struct {
    const char *name, *value;
} tlens[] = {
    {"attn.attn_scores", "attn.scores"},
    {"unembed.in", "ln_final.out"},
    {"unembed.out", "logits"},
};

/* What Hugging Face's modules give out, by the module's name without "transformer." or
 * "model."; N is the layer. The modules of its GPT-2, then those of its Llama, then what the
 * model itself returns. */
static const struct {
    const char *name, *value;
    bool fused;
} hf[] = {
    {"wte",                        "embed",           false},
    {"wpe",                        "pos_embed",       false},
    {"drop",                       "blocks.0.resid_pre", false},
    {"h.N",                        "resid_post",      false},
    {"h.N.ln_1",                   "ln1.out",         false},
    {"h.N.attn.c_attn",            "attn.q",          true},
    {"h.N.attn.attn_dropout",      "attn.pattern",    false},
    {"h.N.attn.c_proj",            "attn_out",        false},
    {"h.N.attn.resid_dropout",     "attn_out",        false},
    {"h.N.attn",                   "attn_out",        false},
    {"h.N.ln_2",                   "ln2.out",         false},
    {"h.N.mlp.c_fc",               "mlp.pre",         false},
    {"h.N.mlp.act",                "mlp.post",        false},
    {"h.N.mlp.c_proj",             "mlp_out",         false},
    {"h.N.mlp.dropout",            "mlp_out",         false},
    {"h.N.mlp",                    "mlp_out",         false},
    {"ln_f",                       "ln_final.out",    false},
    {"embed_tokens",               "embed",           false},
    {"layers.N",                   "resid_post",      false},
    {"layers.N.input_layernorm",   "ln1.out",         false},
    {"layers.N.self_attn.q_proj",  "attn.q",          false},
    {"layers.N.self_attn.k_proj",  "attn.k",          false},
    {"layers.N.self_attn.v_proj",  "attn.v",          false},
    {"layers.N.self_attn.qkv_proj", "attn.q",         true},
    {"layers.N.self_attn.q_norm",  "attn.q_norm",     false},
    {"layers.N.self_attn.k_norm",  "attn.k_norm",     false},
    {"layers.N.self_attn.o_proj",  "attn_out",        false},
    {"layers.N.self_attn",         "attn_out",        false},
    {"layers.N.post_attention_layernorm", "ln2.out",  false},
    {"layers.N.mlp.gate_proj",     "mlp.pre",         false},
    {"layers.N.mlp.up_proj",       "mlp.pre_linear",  false},
    {"layers.N.mlp.act_fn",        "mlp.act",         false},
    {"layers.N.mlp.down_proj",     "mlp_out",         false},
    {"layers.N.mlp",               "mlp_out",         false},
    {"norm",                       "ln_final.out",    false},
    {"lm_head",                    "logits",          false},
    {"last_hidden_state",          "ln_final.out",    false},
    {"input_ids",                  "tokens",          false},
    {"attentions.N",               "attn.pattern",    false},
    {"past_key_values.N.key",      "attn.rot_k|attn.k", false},
    {"past_key_values.N.value",    "attn.v",          false},
    {"blocks.N.attn.qkv",          "attn.q",          true},
};
// clang-format on

const char *alias_owner(enum alias_of of)
{
    static const char *const names[] = {[ALIAS_OWN] = "gptscope",
                                        [ALIAS_TLENS] = "TransformerLens",
                                        [ALIAS_HF] = "Hugging Face",
                                        [ALIAS_LLAMA_CPP] = "llama.cpp"};
    return names[of];
}

/* --- TransformerLens --- */

void alias_normalize(const char *text, struct str *out)
{
    bool start = true;
    for (const char *at = text; *at; start = *at++ == '.') {
        if (start && strncmp(at, "hook_", 5) == 0)
            at += 5;
        if (!*at)
            break;
        str_addc(out, *at);
    }
    for (size_t i = 0; i < sizeof tlens / sizeof *tlens; i++) {
        size_t len = strlen(tlens[i].name), from = out->len - len;
        if (out->len < len || strcmp(out->text + from, tlens[i].name) != 0 ||
            (from > 0 && out->text[from - 1] != '.'))
            continue;
        str_cut(out, from, len);
        str_adds(out, tlens[i].value);
    }
}

/* "blocks.0.ln1.hook_normalized" of a LayerNorm may stand for ln1.out. */
static int out_of_norm(const struct program *p, int value)
{
    const struct op *op = p->value[value].op < 0 ? NULL : &p->op[p->value[value].op];
    return op && op->code == OP_LAYERNORM && op->out[1] == value ? op->out[0] : -1;
}

static bool find_own(const struct program *p, const char *name, struct alias *a)
{
    struct str plain = STR_INIT;
    alias_normalize(name, &plain);
    a->value = program_find(p, plain.text);
    if (strcmp(plain.text, name) != 0)
        a->of = ALIAS_TLENS;
    if (a->of == ALIAS_TLENS && a->value >= 0)
        a->or_value = out_of_norm(p, a->value);
    str_release(&plain);
    return a->value >= 0;
}

/* --- Hugging Face --- */

/* Digits; *n stays inside int. */
static const char *take_layer(const char *at, int *n)
{
    char *end;
    if (!isdigit((unsigned char) *at))
        return NULL;
    unsigned long v = strtoul(at, &end, 10);
    *n = v > INT_MAX ? INT_MAX : (int) v;
    return end;
}

/* The pattern against the name; N is a number, which *n gets. */
static bool matches(const char *pattern, const char *name, int *n)
{
    for (; *pattern; pattern++) {
        if (*pattern == 'N') {
            name = take_layer(name, n);
            if (!name)
                return false;
        } else if (*pattern != *name++) {
            return false;
        }
    }
    return *name == '\0';
}

/* "suffix" of a layer, or a whole name; "a|b": b where there is no a. */
static int named_value(const struct program *p, int layer, const char *value)
{
    char first[64];
    const char *bar = strchr(value, '|');
    snprintf(first, sizeof first, "%.*s", bar ? (int) (bar - value) : 63, value);
    int i = layer < 0 ? program_find(p, first) : program_value(p, layer, first);
    return i < 0 && bar ? named_value(p, layer, bar + 1) : i;
}

/* "hidden_states[3]" and "hidden_states_3" as "hidden_states.3"; no module's prefix, no ".0" or
 * ".output" of a hook's tuple at the end. */
static void plain_hf(const char *name, struct str *out)
{
    static const char *const prefix[] = {"base_model.", "model.", "transformer."};
    static const char *const ending[] = {".output.0", ".output", ".out"};
    for (size_t i = 0; i < sizeof prefix / sizeof *prefix; i++)
        if (strncmp(name, prefix[i], strlen(prefix[i])) == 0)
            name += strlen(prefix[i]);
    size_t stem = strncmp(name, "hidden_states", 13) == 0 ? 13
                  : strncmp(name, "attentions", 10) == 0  ? 10
                                                          : 0;
    if (stem && (name[stem] == '[' || name[stem] == '_')) {
        str_add(out, name, stem);
        str_addc(out, '.');
        str_add(out, name + stem + 1, strcspn(name + stem + 1, "]"));
        return;
    }
    str_adds(out, name);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
        size_t n = strlen(ending[i]);
        if (out->len > n && strcmp(out->text + out->len - n, ending[i]) == 0) {
            str_cut(out, out->len - n, n);
            break;
        }
    }
}

/* The streams that the model returns: the embedding, what each block gives but the last, and
 * the last one after the final norm. */
static int hidden_state(const struct program *p, int i)
{
    int n = p->hp.n_layer;
    if (i == 0)
        return program_value(p, 0, "resid_pre");
    if (i == n)
        return program_find(p, "ln_final.out");
    return i < n ? program_value(p, i - 1, "resid_post") : -1;
}

static bool find_hf(const struct program *p, const char *name, struct alias *a)
{
    struct str plain = STR_INIT;
    int n = -1;
    a->of = ALIAS_HF;
    plain_hf(name, &plain);
    str_adds(&plain, "");
    if (matches("hidden_states.N", plain.text, &n))
        a->value = hidden_state(p, n);
    for (size_t i = 0; a->value < 0 && i < sizeof hf / sizeof *hf; i++) {
        n = -1;
        if (!matches(hf[i].name, plain.text, &n))
            continue;
        a->value = named_value(p, n, hf[i].value);
        a->fused = hf[i].fused;
    }
    a->stacked =
        strcmp(plain.text, "hidden_states") == 0 || strcmp(plain.text, "attentions") == 0;
    if (a->stacked)
        a->value = *plain.text == 'h' ? hidden_state(p, 0) : named_value(p, 0, "attn.pattern");
    str_release(&plain);
    return a->value >= 0;
}

int alias_stacked(const struct program *p, const struct alias *a, int i, int n)
{
    bool pattern = program_is_stage(p, a->value);
    if (n != p->hp.n_layer + !pattern)
        return -1;
    return pattern ? named_value(p, i, "attn.pattern") : hidden_state(p, i);
}

/* --- llama.cpp --- */

/* "l_out-3"; what follows a blank ("Qcur-0 (reshaped)") says how the tensor was made. */
static bool find_llama_cpp(const struct program *p, const char *name, struct alias *a)
{
    a->of = ALIAS_LLAMA_CPP;
    for (const struct alias_row *row = alias_llama_cpp; row->name; row++) {
        size_t len = strlen(row->name);
        int layer = -1;
        if (strncmp(name, row->name, len) != 0)
            continue;
        const char *end = name + len;
        if (row->layered)
            end = *end == '-' ? take_layer(end + 1, &layer) : NULL;
        if (!end || (*end && *end != ' '))
            continue;
        a->value = named_value(p, layer, row->value);
        if (a->value < 0 && row->otherwise)
            a->value = named_value(p, layer, row->otherwise);
        return a->value >= 0;
    }
    return false;
}

bool alias_find(const struct program *p, const char *name, struct alias *a)
{
    static const struct alias none = {ALIAS_OWN, -1, -1, false, false};
    *a = none;
    if (find_own(p, name, a))
        return true;
    *a = none;
    if (find_llama_cpp(p, name, a))
        return true;
    *a = none;
    return find_hf(p, name, a);
}

/* "attn.rot_k|attn.k": the two parts, each in its block where the name has a layer. */
static void fill_values(struct other_name *o, const char *value, bool layered)
{
    const char *bar = strchr(value, '|');
    const char *block = layered && strncmp(value, "blocks.", 7) != 0 ? "blocks.N." : "";
    int n = bar ? (int) (bar - value) : (int) strlen(value);

    snprintf(o->value, sizeof o->value, "%s%.*s", block, n, value);
    if (bar)
        snprintf(o->otherwise, sizeof o->otherwise, "%s%s", block, bar + 1);
}

bool other_name(int i, struct other_name *o)
{
    int n_tlens = sizeof tlens / sizeof *tlens, n_hf = sizeof hf / sizeof *hf;

    memset(o, 0, sizeof *o);
    if (i >= 0 && i < n_tlens) {
        bool layered = strncmp(tlens[i].name, "attn.", 5) == 0;
        o->program = alias_owner(ALIAS_TLENS);
        snprintf(o->name, sizeof o->name, "%s%s", layered ? "blocks.N." : "", tlens[i].name);
        fill_values(o, tlens[i].value, layered);
        return true;
    }
    for (int k = n_tlens; i >= n_tlens && k - n_tlens < n_hf; k++) {
        const char *name = hf[k - n_tlens].name;
        bool dump_only = hf[k - n_tlens].fused; /* three values in one array */
        if (dump_only && i >= k)
            i++;
        if (i != k)
            continue;
        o->program = alias_owner(ALIAS_HF);
        snprintf(o->name, sizeof o->name, "%s", name);
        fill_values(o, hf[k - n_tlens].value, strstr(name, "N") != NULL);
        return true;
    }
    i -= n_tlens + n_hf;
    for (const struct alias_row *row = alias_llama_cpp; i >= 0 && row->name; row++, i--) {
        if (i > 0)
            continue;
        o->program = alias_owner(ALIAS_LLAMA_CPP);
        snprintf(o->name, sizeof o->name, "%s%s", row->name, row->layered ? "-N" : "");
        fill_values(o, row->value, row->layered);
        if (row->otherwise)
            snprintf(o->otherwise, sizeof o->otherwise, "blocks.N.%s", row->otherwise);
        return true;
    }
    return false;
}
