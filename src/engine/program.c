#include "engine/program.h"

#include "base/mem.h"
#include "engine/build.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void (*const family[ARCH_COUNT])(struct builder *) = {
    [ARCH_GPT2] = build_gpt2,
    [ARCH_LLAMA] = build_llama,
};

static void build_results(struct builder *b)
{
    struct program *p = b->program;
    p->n_steps = p->n_ops;
    b->after_blocks = false;
    for (int layer = 0; layer < p->hp.n_layer; layer++)
        build_result(b, program_value(p, layer, "attn.z"));
}

struct program *program_build(const struct model *m, struct err *err)
{
    return program_of_shape(model_hparams(m), err);
}

struct program *program_of_shape(const struct hparams *hp, struct err *err)
{
    if (!hparams_check(hp, err))
        return NULL;
    if (hp->arch < 0 || hp->arch >= ARCH_COUNT || !family[hp->arch]) {
        err_set(err, "no program for this family of models");
        return NULL;
    }
    struct program *p = xcalloc(1, sizeof *p);
    struct builder b = {.program = p, .layer = -1};
    p->hp = *hp;
    p->block_begin = xcalloc((size_t) hp->n_layer + 1, sizeof *p->block_begin);
    family[hp->arch](&b);
    build_results(&b);
    return p;
}

void program_free(struct program *p)
{
    if (!p)
        return;
    free(p->op);
    free(p->value);
    free(p->block_begin);
    free(p);
}

int program_find(const struct program *p, const char *name)
{
    for (int i = 0; i < p->n_values; i++)
        if (strcmp(p->value[i].name, name) == 0)
            return i;
    return -1;
}

int program_value(const struct program *p, int layer, const char *suffix)
{
    char name[sizeof p->value->name];
    snprintf(name, sizeof name, "blocks.%d.%s", layer, suffix);
    return program_find(p, name);
}

int program_resolve(const struct program *p, int value)
{
    return p->value[value].same_as >= 0 ? p->value[value].same_as : value;
}

int program_axis(const struct program *p, enum axis axis, int n_pos)
{
    switch (axis) {
    case AXIS_POS:
    case AXIS_KEY:
        return n_pos;
    case AXIS_HEAD:
        return p->hp.n_head;
    case AXIS_KV_HEAD:
        return p->hp.n_kv_head;
    case AXIS_D_HEAD:
        return p->hp.d_head;
    case AXIS_D_MODEL:
        return p->hp.d_model;
    case AXIS_D_MLP:
        return p->hp.d_mlp;
    case AXIS_VOCAB:
        return p->hp.n_vocab;
    case AXIS_ONE:
        break;
    }
    return 1;
}

size_t program_width(const struct program *p, int value)
{
    const struct value *v = &p->value[value];
    size_t width = 1;
    for (int i = 0; i < v->n_axis; i++)
        if (v->axis[i] != AXIS_POS && v->axis[i] != AXIS_KEY)
            width *= (size_t) program_axis(p, v->axis[i], 0);
    return width;
}

bool program_is_stage(const struct program *p, int value)
{
    const struct value *v = &p->value[value];
    return v->n_axis == 3 && v->axis[2] == AXIS_KEY;
}

const char *axis_name(enum axis axis)
{
    static const char *const name[] = {
        [AXIS_POS] = "pos",         [AXIS_KEY] = "key",       [AXIS_HEAD] = "head",
        [AXIS_KV_HEAD] = "kv_head", [AXIS_D_HEAD] = "d_head", [AXIS_D_MODEL] = "d_model",
        [AXIS_D_MLP] = "d_mlp",     [AXIS_VOCAB] = "vocab",   [AXIS_ONE] = "1",
    };
    return name[axis];
}

const char *value_short_name(const struct value *v)
{
    const char *dot = strncmp(v->name, "blocks.", 7) ? NULL : strchr(v->name + 7, '.');

    return dot ? dot + 1 : v->name;
}

void op_name(const struct program *p, int op, struct str *out)
{
    const struct op *o = &p->op[op];

    if (o->layer >= 0)
        str_addf(out, "L%d.", o->layer);
    for (const char *c = o->label; *c; c++)
        str_addc(out, *c == ' ' ? '_' : *c);
}

void op_call_print(const struct program *p, int op, struct str *out)
{
    const struct op *o = &p->op[op];

    str_addf(out, "%s(", op_info(o->code)->name);
    for (int i = 0; i < o->n_in; i++) {
        const struct value *in = &p->value[o->in[i]];
        str_adds(out, i ? ", " : "");
        if (in->layer >= 0 && in->layer != o->layer)
            str_addf(out, "L%d.", in->layer);
        str_adds(out, value_short_name(in));
    }
    str_addc(out, ')');
}

static bool same_label(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        bool gap_a = strchr(" _-", *a), gap_b = strchr(" _-", *b);
        if (gap_a != gap_b ||
            (!gap_a && tolower((unsigned char) *a) != tolower((unsigned char) *b)))
            return false;
    }
    return *a == *b;
}

bool op_is(const struct program *p, int op, const char *text)
{
    const struct op *o = &p->op[op];

    if (same_label(o->label, text))
        return true;
    for (int i = 0; i < o->n_out; i++)
        if (!strcmp(value_short_name(&p->value[o->out[i]]), text))
            return true;
    return false;
}

int program_attention(const struct program *p, int layer, int *after)
{
    int op = p->block_begin[layer];
    while (p->op[op].code != OP_SCORES)
        op++;
    int mix = op;
    while (p->op[mix].code != OP_MIX)
        mix++;
    if (after)
        *after = mix + 1;
    return op;
}
