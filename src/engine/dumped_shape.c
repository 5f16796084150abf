/* The shape of a model, guessed from a dump of its values: for dumps of models that are not at
 * hand. Nothing is computed with it; it says which value a name stands for, and the order. */
#include "engine/dumped.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAYERS = 256, MOST_HEADS = 1 << 10 };

/* The largest number after one of these, and what it says about the number of layers. */
static const struct {
    const char *before;
    int add;
} counters[] = {
    {"blocks.", 1},        {"cache.", 1},      {"h.", 1},
    {"layers.", 1},        {"attentions.", 1}, {"past_key_values.", 1},
    {"hidden_states.", 0}, {"attentions_", 1}, {"hidden_states_", 0},
    {"hidden_states[", 0}, {"attentions[", 1}, {"-", 1},
};

static int layers_of(const char *name)
{
    int most = 0;
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        const char *at = strstr(name, counters[i].before);
        size_t n = strlen(counters[i].before);
        if (!at || !isdigit((unsigned char) at[n]) ||
            (at > name && at[-1] != '.' && isalnum((unsigned char) at[-1]) &&
             *counters[i].before != '-'))
            continue;
        long v = strtol(at + n, NULL, 10);
        int layers = v >= MOST_LAYERS ? 0 : (int) v + counters[i].add;
        most = layers > most ? layers : most;
    }
    if (*name == 'L' && isdigit((unsigned char) name[1])) {
        long v = strtol(name + 1, NULL, 10);
        most = v < MOST_LAYERS && v >= most ? (int) v + 1 : most;
    }
    return most;
}

static int count_layers(const struct arrays *a)
{
    int most = 0;
    for (int i = 0; a && i < arrays_count(a); i++) {
        const struct array *x = arrays_at(a, i);
        int n = layers_of(x->name);
        if (strcmp(x->name, "attentions") == 0 && x->n_dims > 0 && x->dim[0] < MOST_LAYERS)
            n = (int) x->dim[0];
        if (strcmp(x->name, "hidden_states") == 0 && x->n_dims > 0 && x->dim[0] <= MOST_LAYERS)
            n = (int) x->dim[0] - 1;
        most = n > most ? n : most;
    }
    return most < 1 ? 1 : most;
}

static void plain_shape(struct hparams *hp, enum arch arch, int n_layer)
{
    *hp = (struct hparams){.arch = arch,
                           .n_layer = n_layer,
                           .d_model = 2,
                           .n_head = 1,
                           .n_kv_head = 1,
                           .d_head = 2,
                           .d_mlp = 1,
                           .n_vocab = 1,
                           .n_ctx = 1,
                           .norm_eps = 1e-5f};
    if (arch == ARCH_LLAMA) {
        hp->norm = NORM_RMS;
        hp->act = ACT_SILU;
        hp->gated = true;
        hp->rope_theta = 10000;
        hp->rope_dim = 2;
    } else {
        hp->learned_pos = true;
    }
    snprintf(hp->name, sizeof hp->name, "a model of %d layer%s", n_layer,
             n_layer == 1 ? "" : "s");
}

/* --- single heads --- */

/* Where the head's number stands in "L2.H5.attn.q" or "blocks.2.attn.q.5", or NULL. */
static const char *head_number(const char *name)
{
    const char *at = *name == 'L' ? strstr(name, ".H") : strrchr(name, '.');
    at = at ? at + (*name == 'L' ? 2 : 1) : NULL;
    return at && isdigit((unsigned char) *at) ? at : NULL;
}

/* What the name stands for in a program of one head: a head of any number is that one, which
 * *head gets; -1: the value itself. */
static bool find_name(const struct program *p, const char *name, struct alias *a, int *head)
{
    const char *at = head_number(name);
    bool found = alias_find(p, name, a);
    *head = found ? a->head : -1;
    if (found || !at)
        return found;
    char *end;
    long v = strtol(at, &end, 10);
    struct str one = STR_INIT;
    str_add(&one, name, (size_t) (at - name));
    str_addf(&one, "0%s", end);
    found = v < MOST_HEADS && alias_find(p, one.text, a) && a->head >= 0;
    *head = (int) v;
    str_release(&one);
    return found;
}

/* How many names stand for something in a family. */
static int count_known(const struct program *p, const struct arrays *a)
{
    struct alias alias;
    int n = 0, head;
    for (int i = 0; a && i < arrays_count(a); i++)
        n += find_name(p, arrays_at(a, i)->name, &alias, &head);
    return n;
}

/* --- sizes --- */

static void note_size(struct hparams *hp, enum axis axis, int64_t size)
{
    int *field[] = {[AXIS_HEAD] = &hp->n_head,   [AXIS_KV_HEAD] = &hp->n_kv_head,
                    [AXIS_D_HEAD] = &hp->d_head, [AXIS_D_MODEL] = &hp->d_model,
                    [AXIS_D_MLP] = &hp->d_mlp,   [AXIS_VOCAB] = &hp->n_vocab};
    if (axis < sizeof field / sizeof *field && field[axis] && size > 0 && size < 1 << 24)
        *field[axis] = (int) size;
}

/* The array of one head: its axis is not there, and there are as many heads as its number says,
 * at least. */
static void note_head(struct hparams *hp, const struct program *p, const struct alias *a,
                      const struct axes *axes, int head)
{
    const struct value *v = &p->value[a->value];
    int lost = value_head_axis(p, a->value), at = 0;
    int *n = v->axis[lost] == AXIS_HEAD ? &hp->n_head : &hp->n_kv_head;
    *n = *n > head ? *n : head + 1;
    for (int i = 0; i < v->n_axis && axes->n == v->n_axis - 1; i++)
        if (i != lost)
            note_size(hp, v->axis[i], axes->dim[at++]);
}

/* A value with as many axes as its name has; the first of equal kinds counts. */
static void note_sizes(struct hparams *hp, const struct program *p, const struct array *x)
{
    struct alias a;
    struct axes axes;
    int head;
    if (x->refused || !find_name(p, x->name, &a, &head) || a.fused || a.stacked)
        return;
    const struct value *v = &p->value[a.value];
    axes_of(x, &axes);
    if (head >= 0) {
        note_head(hp, p, &a, &axes, head);
        return;
    }
    bool reversed = a.of == ALIAS_LLAMA_CPP && !x->fortran;
    if (axes.n == 1 && v->n_axis == 2)
        note_size(hp, v->axis[1], axes.dim[0]);
    if (axes.n == 2 && v->n_axis == 3 && v->axis[1] == AXIS_HEAD && hp->d_model == 2)
        note_size(hp, AXIS_D_MODEL, axes.dim[reversed ? 0 : 1]);
    if (axes.n != v->n_axis)
        return;
    for (int i = 0; i < axes.n; i++)
        note_size(hp, v->axis[i], axes.dim[reversed ? axes.n - 1 - i : i]);
}

/* Heads of which only some were there. */
static void settle_heads(struct hparams *hp)
{
    if (hp->arch == ARCH_GPT2) {
        hp->n_head = hp->n_kv_head > hp->n_head ? hp->n_kv_head : hp->n_head;
        if (hp->d_head > 2 && hp->d_model > 2 && hp->d_model % hp->d_head == 0 &&
            hp->d_model / hp->d_head <= MOST_HEADS)
            hp->n_head = hp->d_model / hp->d_head;
    } else if (hp->n_kv_head <= MOST_HEADS && hp->n_head % hp->n_kv_head) {
        hp->n_head += hp->n_kv_head - hp->n_head % hp->n_kv_head;
    }
}

/* What the sizes must obey; those that nothing told give way. */
static void settle(struct hparams *hp)
{
    if (hp->n_head > 1 << 14)
        hp->n_head = 1;
    if (hp->d_model > 1 << 20 || hp->d_model < 1)
        hp->d_model = 2;
    if (hp->d_mlp > 1 << 22)
        hp->d_mlp = 1;
    if (hp->d_head == 2 && hp->d_model % hp->n_head == 0)
        hp->d_head = hp->d_model / hp->n_head;
    settle_heads(hp);
    if (hp->arch == ARCH_GPT2) {
        if (hp->d_model == 2 && (long) hp->n_head * hp->d_head < 1 << 20)
            hp->d_model = hp->n_head * hp->d_head;
        if ((long) hp->n_head * hp->d_head != hp->d_model) {
            hp->n_head = hp->d_model % hp->n_head ? 1 : hp->n_head;
            hp->d_head = hp->d_model / hp->n_head;
        }
        hp->n_kv_head = hp->n_head;
    }
    if (hp->d_head > 1 << 14 || hp->d_head < 2)
        hp->d_head = 2;
    if (hp->arch == ARCH_GPT2 && hp->n_head * hp->d_head != hp->d_model) {
        hp->n_head = hp->n_kv_head = 1;
        hp->d_model = hp->d_head = 2;
    }
    if (hp->n_head % hp->n_kv_head || (long) hp->n_head * hp->d_head > 1 << 20)
        hp->n_kv_head = 1;
    if ((long) hp->n_head * hp->d_head > 1 << 20)
        hp->n_head = 1;
    hp->rope_dim = hp->arch == ARCH_LLAMA ? hp->d_head & ~1 : 0;
}

void dumped_shape(const struct arrays *a, const struct arrays *b, struct hparams *hp)
{
    const struct arrays *side[] = {a, b};
    struct program *best = NULL;
    struct err err = ERR_INIT;
    int n = count_layers(a), m = count_layers(b), most = -1;
    n = m > n ? m : n;
    for (int arch = 0; arch < ARCH_COUNT; arch++) {
        struct hparams shape;
        plain_shape(&shape, (enum arch) arch, n);
        struct program *p = program_of_shape(&shape, &err);
        int known = p ? count_known(p, a) + count_known(p, b) : -1;
        if (known > most) {
            program_free(best);
            best = p;
            most = known;
            *hp = shape;
        } else {
            program_free(p);
        }
    }
    for (int s = 1; s >= 0; s--)
        for (int i = side[s] ? arrays_count(side[s]) - 1 : -1; i >= 0; i--)
            note_sizes(hp, best, arrays_at(side[s], i));
    settle(hp);
    program_free(best);
}
