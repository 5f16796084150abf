/*
 * Names of values, as --select takes them, a part at a time:
 *
 *     (nothing)   embed, logits ... and globs over the layers, blocks.*.attn.pattern ...
 *     blocks.2.   each value of that block
 *     L           L0. L1. ... L*.
 *     L0-3.       attn.q, attn.pattern ..., and heads, L0-3.H0. ...
 *     L2.H1.      what has heads
 *     kq          the names that other programs have
 */
#include "ui/complete.h"

#include "engine/select.h"
#include "engine/value_kind.h"
#include "model/builtin.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct program *program_for(const char *spec)
{
    struct err err = ERR_INIT;
    struct model *m = model_open(spec, &err);
    struct program *p = m ? program_build(m, &err) : NULL;

    model_free(m);
    return p;
}

static bool is_of(const struct value *v, const char *prefix)
{
    return strncmp(v->name, prefix, strlen(prefix)) == 0;
}

static int heads_of(const struct program *p, const struct value *v)
{
    for (int i = 0; i < v->n_axis; i++)
        if (v->axis[i] == AXIS_HEAD || v->axis[i] == AXIS_KV_HEAD)
            return program_axis(p, v->axis[i], 0);
    return 0;
}

/* `before` and the name, with its shape and its meaning. */
static void offer_value(struct complete *c, const struct value *v, const char *before,
                        const char *name)
{
    struct str text = STR_INIT, help = STR_INIT;
    const char *meaning = value_meaning(v);

    str_addf(&text, "%s%s", before, name);
    value_axes_print(v->axis, v->n_axis, &help);
    if (meaning)
        str_addf(&help, " %s", meaning);
    complete_offer(c, text.text, help.text);
    str_release(&text);
    str_release(&help);
}

/* Values of one block: their names inside it. Only those with more heads than `head`. */
static void offer_block(struct complete *c, const struct program *p, const char *before,
                        int head)
{
    for (int i = 0; i < p->n_values; i++) {
        const struct value *v = &p->value[i];
        if (v->layer == p->hp.n_layer - 1 && v->suffix > 0 &&
            (head < 0 || heads_of(p, v) > head))
            offer_value(c, v, before, v->name + v->suffix);
    }
}

static void offer_stem(struct complete *c, const char *before, int number, const char *help)
{
    struct str text = STR_INIT;

    if (number < 0)
        str_addf(&text, "%s*.", before);
    else
        str_addf(&text, "%s%d.", before, number);
    complete_offer(c, text.text, help);
    str_release(&text);
}

/* L..., after which the dot is looked for. */
static void offer_short(struct complete *c, const struct program *p, const char *typed)
{
    const char *dot = strchr(typed, '.'), *second = dot ? strchr(dot + 1, '.') : NULL;
    struct str before = STR_INIT;

    if (!dot) {
        offer_stem(c, "L", -1, "all layers");
        for (int i = 0; i < p->hp.n_layer; i++)
            offer_stem(c, "L", i, "a layer");
        return;
    }
    if (dot[1] == 'H' && second) {
        str_add(&before, typed, (size_t) (second + 1 - typed));
        long head = dot[2] == '*' ? 0 : strtol(dot + 2, NULL, 10);
        offer_block(c, p, before.text,
                    head < 0 || head > p->hp.n_head ? p->hp.n_head : (int) head);
    } else {
        str_add(&before, typed, (size_t) (dot + 1 - typed));
        offer_block(c, p, before.text, -1);
        str_addc(&before, 'H');
        for (int i = 0; i < p->hp.n_head; i++)
            offer_stem(c, before.text, i, "a head");
    }
    str_release(&before);
}

/* Whole names: those outside the blocks, one glob for all blocks, and, once a block is typed,
 * those of each block. */
static void offer_long(struct complete *c, const struct program *p, const char *typed)
{
    bool whole = strncmp(typed, "blocks.", 7) == 0;

    for (int i = 0; i < p->n_values; i++)
        if (!is_of(&p->value[i], "blocks.") && !is_of(&p->value[i], "cache."))
            offer_value(c, &p->value[i], "", p->value[i].name);
    offer_block(c, p, "blocks.*.", -1);
    for (int i = 0; i < p->n_values; i++)
        if (is_of(&p->value[i], "cache.") || (whole && is_of(&p->value[i], "blocks.")))
            offer_value(c, &p->value[i], "", p->value[i].name);
}

/* What other programs call them, for all layers. */
static void offer_others(struct complete *c)
{
    struct other_name o;

    for (int i = 0; other_name(i, &o); i++) {
        struct str name = STR_INIT, help = STR_INIT;
        for (const char *p = o.name; *p; p++)
            str_addc(&name, *p == 'N' && (p > o.name && strchr("-.", p[-1])) ? '*' : *p);
        str_addf(&help, "%s: %s", o.program, o.value);
        complete_offer(c, name.text, help.text);
        str_release(&name);
        str_release(&help);
    }
}

void complete_values(struct complete *c)
{
    const char *comma = strrchr(complete_typed(c), ',');
    struct program *p = c->model ? program_for(c->model) : NULL;

    if (!p)
        p = program_for(builtins[0].name);
    if (!p)
        return;
    if (comma)
        c->kept = (size_t) (comma + 1 - c->word);
    const char *typed = complete_typed(c);
    if (typed[0] == 'L' && (!typed[1] || isdigit((unsigned char) typed[1]) || typed[1] == '*'))
        offer_short(c, p, typed);
    else
        offer_long(c, p, typed);
    if (*typed)
        offer_others(c);
    program_free(p);
}
