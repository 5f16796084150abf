/* What the two sides of a comparison are: models of two shapes, parts of values, and what only
 * one of them has. */
#include "command/differ_report.h"

#include "base/mem.h"
#include "base/safe.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 3 };

/* --- models --- */

static const struct hparams *shape_of(const struct differ_report *r, int side)
{
    const struct dumped *d = r->dumped[side];
    if (!d)
        return r->program[side] ? &r->program[side]->hp : NULL;
    return d->part.shape_known ? &d->part.hp : NULL;
}

bool differ_models(const struct differ_report *r, struct str *out)
{
    const struct hparams *a = shape_of(r, 0), *b = shape_of(r, 1);
    if (!a || !b)
        return false;
    const struct {
        const char *name;
        int a, b;
    } size[] = {
        {"n_layer", a->n_layer, b->n_layer},       {"d_model", a->d_model, b->d_model},
        {"n_head", a->n_head, b->n_head},          {"d_head", a->d_head, b->d_head},
        {"n_kv_head", a->n_kv_head, b->n_kv_head}, {"d_mlp", a->d_mlp, b->d_mlp},
        {"n_vocab", a->n_vocab, b->n_vocab},
    };
    bool arch = a->arch != b->arch, other = arch;
    if (arch)
        str_addf(out, "the architectures differ: A is %s, B is %s", arch_name(a->arch),
                 arch_name(b->arch));
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        if (size[i].a == size[i].b)
            continue;
        str_addf(out, "%s%s %d and %d",
                 other ? "; " : "the models' shapes differ: ", size[i].name, size[i].a,
                 size[i].b);
        other = true;
    }
    return other;
}

/* --- parts --- */

static void heads_say(const struct dumped_part *p, struct str *out)
{
    str_adds(out, p->n_heads > 1 ? " heads" : " head");
    for (int i = 0; i < p->n_heads; i++)
        str_addf(out, "%s %d", i == 0 ? "" : i + 1 == p->n_heads ? " and" : ",", p->head[i]);
}

void differ_part_say(const struct differ_report *r, int side, struct str *out)
{
    const struct dumped_part *p = r->dumped[side] ? &r->dumped[side]->part : NULL;
    if (!p || (!p->head && !p->count))
        return;
    str_addf(out, "%c holds", 'A' + side);
    if (p->head)
        heads_say(p, out);
    str_adds(out, p->head && p->count ? "," : "");
    if (p->count == 1)
        str_addf(out, " position %d", p->first);
    else if (p->count)
        str_addf(out, " positions %d-%d", p->first, p->first + p->count - 1);
    str_adds(out, ", as its sidecar says\n");
}

/* --- what only one has --- */

static int only_arrays(const struct differ_report *r, int side, const char **names)
{
    const struct arrays *a = r->dumped[side]->arrays;
    int n = 0;
    for (int i = 0; i < arrays_count(a); i++)
        if (differ_only(r->differ, side, i))
            names[n++] = arrays_at(a, i)->name;
    return n;
}

static int only_values(const struct differ_report *r, int side, const char **names)
{
    const struct program *p = r->program[side];
    int n = 0;
    for (int i = 0; i < p->n_values; i++)
        if (p->value[i].same_as < 0 && program_find(r->program[1 - side], p->value[i].name) < 0)
            names[n++] = p->value[i].name;
    return n;
}

int differ_only_names(const struct differ_report *r, int side, const char ***names)
{
    const struct dumped *d = r->dumped[side];
    bool live = r->program[0] && r->program[1];
    int most = d ? arrays_count(d->arrays) : live ? r->program[side]->n_values : 0;
    *names = xcalloc((size_t) most + 1, sizeof **names);
    return d ? only_arrays(r, side, *names) : live ? only_values(r, side, *names) : 0;
}

/* Without the tokens: "L2.H5.attn.pattern, logits and 3 more". *known: all are names of values.
 */
static int list_only(const struct differ_report *r, int side, struct str *out, bool *known)
{
    const struct program *p = differ_program(r->differ);
    const char **names;
    int all = differ_only_names(r, side, &names), n = 0;
    for (int i = 0; i < all; i++) {
        struct alias a;
        bool value = alias_find(p, names[i], &a);
        if (value && p->value[a.value].life == LIFE_TOKENS)
            continue;
        *known = *known && value;
        if (n++ >= SHOWN)
            continue;
        str_adds(out, n > 1 ? ", " : "");
        safe_add(out, names[i], strlen(names[i]) < 60 ? strlen(names[i]) : 60, SAFE_SPACE_KEEP);
    }
    if (n > SHOWN)
        str_addf(out, " and %d more", n - SHOWN);
    free(names);
    return n;
}

static void misfits_say(const struct differ_report *r, struct str *out)
{
    const struct differ_row *first = NULL;
    int n = 0;
    for (int i = 0; i < differ_count(r->differ); i++) {
        const struct differ_row *row = differ_at(r->differ, i);
        if (row->state != DIFFER_MISFIT)
            continue;
        first = first ? first : row;
        n++;
    }
    str_addf(out, "%s: %s", first->name, first->why);
    if (n > 1)
        str_addf(out, " (and %d more value%s)", n - 1, n > 2 ? "s" : "");
}

static bool any_misfit(const struct differ_report *r)
{
    for (int i = 0; i < differ_count(r->differ); i++)
        if (differ_at(r->differ, i)->state == DIFFER_MISFIT)
            return true;
    return false;
}

bool differ_nothing(const struct differ_report *r, struct err *err)
{
    struct str text = STR_INIT, name[2] = {STR_INIT, STR_INIT};
    bool known = true;
    int n[2] = {0, 0};
    for (int i = 0; i < 2; i++)
        n[i] = list_only(r, i, &name[i], &known);
    if (any_misfit(r))
        misfits_say(r, &text);
    else if (differ_selects(r->differ))
        str_adds(&text, "A and B have nothing in common of what is selected");
    else if (n[0] && n[1])
        str_addf(&text, "A has %s, B has %s, and neither what the other has", name[0].text,
                 name[1].text);
    else if (n[0] || n[1])
        str_addf(&text, "%c has %s, %c has not", n[0] ? 'A' : 'B', name[n[0] ? 0 : 1].text,
                 n[0] ? 'B' : 'A');
    else
        str_adds(&text, "there are only tokens");
    if (!known && !differ_models(r, &name[0]))
        str_adds(&text, "; 'gptscope help values' lists the names that are known");
    err_set(err, "nothing is compared: %s", text.text);
    str_release(&text);
    str_release(&name[0]);
    str_release(&name[1]);
    return false;
}
