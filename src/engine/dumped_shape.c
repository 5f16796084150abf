/* The shape of a model, guessed from a dump of its values: for dumps of models that are not at
 * hand. Nothing is computed with it; it says which value a name stands for, and the order. */
#include "engine/dumped.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAYERS = 256 };

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

/* How many names stand for something in a family. */
static int count_known(const struct program *p, const struct arrays *a)
{
    struct alias alias;
    int n = 0;
    for (int i = 0; a && i < arrays_count(a); i++)
        n += alias_find(p, arrays_at(a, i)->name, &alias);
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

/* A value with as many axes as its name has; the first of equal kinds counts. */
static void note_sizes(struct hparams *hp, const struct program *p, const struct array *x)
{
    struct alias a;
    struct axes axes;
    if (x->refused || !alias_find(p, x->name, &a) || a.fused || a.stacked)
        return;
    const struct value *v = &p->value[a.value];
    axes_of(x, &axes);
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
