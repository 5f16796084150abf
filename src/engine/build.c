#include "engine/build.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static int add_value(struct builder *b, const char *name, enum life life, int n_axis,
                     const enum axis *axis)
{
    struct program *p = b->program;
    VEC_ROOM(p->value, p->n_values, b->cap_values);
    struct value *v = &p->value[p->n_values];
    memset(v, 0, sizeof *v);
    int prefix = 0;
    if (b->layer >= 0 && strncmp(name, "cache.", 6) != 0)
        prefix = snprintf(v->name, sizeof v->name, "blocks.%d.", b->layer);
    snprintf(v->name + prefix, sizeof v->name - (size_t) prefix, "%s", name);
    v->suffix = prefix;
    v->layer = b->layer;
    v->life = life;
    v->n_axis = n_axis;
    memcpy(v->axis, axis, (size_t) n_axis * sizeof *axis);
    v->op = v->last_use = p->n_ops;
    v->same_as = v->slot = -1;
    return p->n_values++;
}

/* An output, [pos, unit] or [pos, unit, d_head], of the op that is about to be added. */
static int add_rows(struct builder *b, const char *name, enum axis unit)
{
    if (unit == AXIS_HEAD || unit == AXIS_KV_HEAD)
        return add_value(b, name, LIFE_PASS, 3, (enum axis[]){AXIS_POS, unit, AXIS_D_HEAD});
    return add_value(b, name, LIFE_PASS, 2, (enum axis[]){AXIS_POS, unit});
}

static int add_scores(struct builder *b, const char *name)
{
    return add_value(b, name, LIFE_PASS, 3, (enum axis[]){AXIS_HEAD, AXIS_POS, AXIS_KEY});
}

static void reads(struct builder *b, struct op *op, int value)
{
    struct program *p = b->program;
    value = program_resolve(p, value);
    op->in[op->n_in++] = value;
    p->value[value].last_use = (int) (op - p->op);
}

/* An op of up to two inputs (y may be -1) with its main output. */
static struct op *add_op(struct builder *b, enum opcode code, const char *label, int x, int y,
                         int out)
{
    struct program *p = b->program;
    VEC_ROOM(p->op, p->n_ops, b->cap_ops);
    struct op *op = &p->op[p->n_ops++];
    memset(op, 0, sizeof *op);
    op->code = code;
    op->layer = b->layer;
    op->weight = op->bias = W_COUNT;
    op->last_row = b->after_blocks;
    snprintf(op->label, sizeof op->label, "%s", label);
    op->out[op->n_out++] = out;
    reads(b, op, x);
    if (y >= 0)
        reads(b, op, y);
    return op;
}

void build_layer(struct builder *b, int layer)
{
    struct program *p = b->program;
    b->layer = layer;
    b->after_blocks = layer < 0;
    p->block_begin[layer < 0 ? p->hp.n_layer : layer] = p->n_ops;
}

int build_tokens(struct builder *b)
{
    int v = add_value(b, "tokens", LIFE_TOKENS, 1, (enum axis[]){AXIS_POS});
    b->program->value[v].op = -1;
    return v;
}

int build_embed(struct builder *b, const char *name, enum opcode code, int tokens,
                enum weight_role table)
{
    int out = add_rows(b, name, AXIS_D_MODEL);
    const char *label = code == OP_EMBED ? "embed" : "pos embed";
    add_op(b, code, label, tokens, -1, out)->weight = table;
    return out;
}

int build_norm(struct builder *b, const char *name, int x, enum weight_role gain,
               enum weight_role bias)
{
    static const struct {
        const char *suffix;
        enum life life;
        enum axis unit;
    } part[] = {{"out", LIFE_PASS, AXIS_D_MODEL},
                {"normalized", LIFE_DEMAND, AXIS_D_MODEL},
                {"scale", LIFE_DEMAND, AXIS_ONE},
                {"mean", LIFE_DEMAND, AXIS_ONE}};
    bool layernorm = b->program->hp.norm == NORM_LAYER;
    int value[OP_MAX_OUT], n = layernorm ? 4 : 3;
    for (int i = 0; i < n; i++) {
        char full[32];
        snprintf(full, sizeof full, "%s.%s", name, part[i].suffix);
        value[i] = add_value(b, full, part[i].life, 2, (enum axis[]){AXIS_POS, part[i].unit});
    }
    struct op *op = add_op(b, layernorm ? OP_LAYERNORM : OP_RMSNORM, name, x, -1, value[0]);
    memcpy(op->out, value, (size_t) n * sizeof *value);
    op->n_out = n;
    op->weight = gain;
    op->bias = bias;
    return value[0];
}

int build_linear(struct builder *b, const char *name, const char *label, int x,
                 enum weight_role weight, enum weight_role bias, enum axis unit)
{
    int out = add_rows(b, name, unit);
    struct op *op = add_op(b, OP_LINEAR, label, x, -1, out);
    op->weight = weight;
    op->bias = bias;
    return out;
}

int build_rope(struct builder *b, const char *name, const char *label, int x)
{
    int out = add_rows(b, name, b->program->value[x].axis[1]);
    add_op(b, OP_ROPE, label, x, -1, out);
    return out;
}

int build_act(struct builder *b, const char *name, enum opcode code, int x)
{
    int out = add_rows(b, name, AXIS_D_MLP);
    add_op(b, code, op_info(code)->name, x, -1, out);
    return out;
}

int build_pair(struct builder *b, const char *name, enum opcode code, int x, int y)
{
    int out = add_rows(b, name, b->program->value[program_resolve(b->program, x)].axis[1]);
    add_op(b, code, op_info(code)->name, x, y, out);
    return out;
}

int build_probs(struct builder *b, int logits)
{
    int out = add_rows(b, "probs", AXIS_VOCAB);
    add_op(b, OP_SOFTMAX, "softmax", logits, -1, out);
    return out;
}

int build_attention(struct builder *b, int q, int k, int v)
{
    int raw = add_scores(b, "attn.scores_raw");
    add_op(b, OP_SCORES, "scores", q, k, raw);
    int scaled = add_scores(b, "attn.scores_scaled");
    add_op(b, OP_SCALE, "scale", raw, -1, scaled);
    int masked = add_scores(b, "attn.scores");
    add_op(b, OP_MASK, "mask", scaled, -1, masked);
    int pattern = add_scores(b, "attn.pattern");
    add_op(b, OP_SOFTMAX, "softmax", masked, -1, pattern);
    int z = add_rows(b, "attn.z", AXIS_HEAD);
    add_op(b, OP_MIX, "mix", pattern, v, z);
    return z;
}

void build_result(struct builder *b, int z)
{
    struct program *p = b->program;
    int last_use = p->value[z].last_use;
    b->layer = p->value[z].layer;
    int out = add_value(b, "attn.result", LIFE_DEMAND, 3,
                        (enum axis[]){AXIS_POS, AXIS_HEAD, AXIS_D_MODEL});
    add_op(b, OP_RESULT, "result", z, -1, out)->weight = W_O;
    p->value[z].last_use = last_use; /* not a reader in the pass */
}

int build_alias(struct builder *b, const char *name, int value)
{
    int to = program_resolve(b->program, value);
    struct value v = b->program->value[to];
    int alias = add_value(b, name, v.life, v.n_axis, v.axis);
    b->program->value[alias].same_as = to;
    b->program->value[alias].op = v.op;
    b->program->value[alias].slot = v.slot;
    return alias;
}

void build_keep(struct builder *b, int value)
{
    struct value *v = &b->program->value[value];
    v->life = LIFE_KEPT;
    v->slot = b->program->n_kept++;
}

void build_cache(struct builder *b, int value, const char *name)
{
    char full[32];
    struct value *v = &b->program->value[value];
    v->life = LIFE_CACHE;
    v->slot = b->program->n_cache++;
    snprintf(full, sizeof full, "cache.%d.%s", b->layer, name);
    build_alias(b, full, value);
}
