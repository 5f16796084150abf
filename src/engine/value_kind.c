#include "engine/value_kind.h"

#include "base/mem.h"
#include "model/synth.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
/* By the name inside the block; the first that fits. */
static const struct {
    const char *name, *meaning;
} meanings[] = {
    {"tokens",             "the ids of the tokens"},
    {"embed",              "the token's row of the embedding table"},
    {"pos_embed",          "the position's row of the table of positions"},
    {"resid_pre",          "the residual stream as the block reads it; block 0 reads the embeddings"},
    {"resid_mid",          "the residual stream after attention has added to it"},
    {"resid_post",         "the residual stream after the block"},
    {"ln*.mean",           "the mean of the position's numbers, which the norm takes off"},
    {"ln*.scale",          "what the norm divides by: sqrt(var + eps), or sqrt(mean(x^2) + eps) "
                           "where the norm takes no mean off"},
    {"ln*.normalized",     "(x - mean) / scale, or x / scale: before gain and bias"},
    {"ln*.out",            "what the norm gives: normalized times gain, plus bias where there is "
                           "one"},
    {"attn.q",             "the queries, with bias where there is one"},
    {"attn.k",             "the keys, with bias where there is one"},
    {"attn.v",             "what each position offers to those that look at it"},
    {"attn.q_norm",        "the queries after their norm"},
    {"attn.k_norm",        "the keys after their norm"},
    {"attn.rot_q",         "the queries, turned by their position"},
    {"attn.rot_k",         "the keys, turned by their position"},
    {"attn.scores_raw",    "stage raw: how well each query fits each key"},
    {"attn.scores_scaled", "stage scaled: the raw scores, divided by the root of the head's size"},
    {"attn.scores",        "stage masked: the scaled scores, -inf where the key comes after the "
                           "query"},
    {"attn.pattern",       "stage softmax: the attention weights; each row sums to 1"},
    {"attn.z",             "stage z: the mean of the values, weighted by the pattern"},
    {"attn.result",        "what each head alone adds to the residual stream, without the bias; not part of the "
                           "pass, made when it is asked for"},
    {"attn_out",           "what attention adds to the residual stream: all heads and the bias"},
    {"mlp.pre",            "before the activation; where the MLP is gated, the gate"},
    {"mlp.pre_linear",     "what the gate is multiplied with"},
    {"mlp.act",            "the gate after its activation"},
    {"mlp.post",           "the neurons: after the activation, or gate times up"},
    {"mlp_out",            "what the MLP adds to the residual stream"},
    {"logits",             "the scores of all tokens of the vocabulary, for the next one"},
    {"probs",              "the probabilities of all tokens, at temperature 1"},
    {"cache.*.k",          "the keys in the KV cache"},
    {"cache.*.v",          "the values in the KV cache"},
};
// clang-format on

const char *value_meaning(const struct value *v)
{
    const char *name = value_short_name(v);

    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (fnmatch(meanings[i].name, name, 0) == 0)
            return meanings[i].meaning;
    return NULL;
}

void value_axes_print(const enum axis *axis, int n, struct str *out)
{
    str_addc(out, '[');
    for (int i = 0; i < n; i++)
        str_addf(out, "%s%s", i ? ", " : "", axis_name(axis[i]));
    str_addc(out, ']');
}

/* --- reading the programs --- */

enum { LAYERS = 2, SHOWN = LAYERS - 1 }; /* the first block may differ from the others */

/* "blocks.1.attn.q" as "blocks.N.attn.q"; false for a name of another layer. */
static bool general_name(const char *name, char out[48])
{
    const char *dot = strchr(name, '.');
    char *end;

    if (!dot || !isdigit((unsigned char) dot[1])) {
        snprintf(out, 48, "%s", name);
        return true;
    }
    long layer = strtol(dot + 1, &end, 10);
    snprintf(out, 48, "%.*sN%s", (int) (dot + 1 - name), name, end);
    return layer == SHOWN;
}

/* What a block calls what it reads: resid_pre, not the other block's resid_post. */
static const char *name_inside(const struct program *p, const struct op *op, int value)
{
    for (int i = 0; i < p->n_values; i++)
        if (p->value[i].same_as == value && p->value[i].layer == op->layer &&
            p->value[i].suffix > 0 && p->value[value].layer != op->layer)
            return value_short_name(&p->value[i]);
    return value_short_name(&p->value[value]);
}

static void fill_made(const struct program *p, const struct value *v, struct value_made *made)
{
    struct str how = STR_INIT;
    const struct op *op = v->op >= 0 ? &p->op[v->op] : NULL;

    made->there = true;
    made->code = op ? op->code : OP_COUNT;
    made->alias = v->same_as >= 0;
    made->main = op && v == &p->value[op->out[0]];
    if (made->alias) {
        const struct value *same = &p->value[v->same_as];
        str_addf(&how, "%s%s",
                 same->layer < 0           ? ""
                 : same->layer == v->layer ? "blocks.N."
                                           : "blocks.N-1.",
                 value_short_name(same));
    } else if (op) {
        str_addf(&how, "%s(", op_info(op->code)->name);
        for (int i = 0; i < op->n_in; i++)
            str_addf(&how, "%s%s", i ? ", " : "", name_inside(p, op, op->in[i]));
        str_addc(&how, ')');
    }
    snprintf(made->how, sizeof made->how, "%s", how.text);
    str_release(&how);
}

struct kinds {
    struct value_kind *item;
    int n, cap;
};

/* The row of that name, made after row `after` when there is none. */
static int place(struct kinds *k, const char *name, int after)
{
    for (int i = 0; i < k->n; i++)
        if (strcmp(k->item[i].name, name) == 0)
            return i;
    VEC_ROOM(k->item, k->n, k->cap);
    memmove(k->item + after + 2, k->item + after + 1,
            (size_t) (k->n - after - 1) * sizeof *k->item);
    k->n++;
    memset(&k->item[after + 1], 0, sizeof *k->item);
    snprintf(k->item[after + 1].name, sizeof k->item->name, "%s", name);
    return after + 1;
}

static void add_family(struct kinds *k, const struct program *p)
{
    char name[48];
    int at = -1;

    for (int i = 0; i < p->n_values; i++) {
        const struct value *v = &p->value[i];
        if (!general_name(v->name, name))
            continue;
        at = place(k, name, at);
        struct value_kind *row = &k->item[at];
        memcpy(row->axis, v->axis, sizeof row->axis);
        row->n_axis = v->n_axis;
        row->meaning = value_meaning(v);
        fill_made(p, v, &row->in[p->hp.arch]);
    }
}

static const struct hparams *sample_of(enum arch arch)
{
    for (const struct shape *s = shapes; s->name; s++)
        if (s->hp.arch == arch)
            return &s->hp;
    return NULL;
}

int value_kinds(struct value_kind **list)
{
    struct kinds k = {0};

    for (int arch = 0; arch < ARCH_COUNT; arch++) {
        const struct hparams *sample = sample_of((enum arch) arch);
        struct err err = ERR_INIT;
        if (!sample)
            continue;
        struct hparams hp = *sample;
        hp.n_layer = LAYERS;
        struct program *p = program_of_shape(&hp, &err);
        if (p)
            add_family(&k, p);
        program_free(p);
    }
    *list = k.item;
    return k.n;
}
