#include "engine/select.h"

#include "base/mem.h"
#include "base/near.h"
#include "base/str.h"
#include "engine/alias.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    const struct program *p;
    struct selection *s;
    const char *typed; /* the part, as typed: for messages */
    struct err *err;
};

struct span {
    int first, last;
};
static const struct span all_heads = {-1, -1};

/* --- what a program has --- */

/* "attn.pattern" of "blocks.3.attn.pattern"; NULL outside blocks. */
static const char *suffix_of(const struct value *v)
{
    return v->suffix > 0 ? v->name + v->suffix : NULL;
}

/* "pattern" of "attn.pattern": what a short form may say. */
static const char *short_of(const char *suffix)
{
    const char *dot = strchr(suffix, '.');
    return dot ? dot + 1 : suffix;
}

static int head_count(const struct program *p, const struct value *v)
{
    for (int i = 0; i < v->n_axis; i++) {
        if (v->axis[i] == AXIS_HEAD || v->axis[i] == AXIS_KV_HEAD)
            return program_axis(p, v->axis[i], 0);
    }
    return 0;
}

static bool is_glob(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

static bool matches(const char *pattern, const char *name)
{
    return is_glob(pattern) ? fnmatch(pattern, name, 0) == 0 : strcmp(pattern, name) == 0;
}

/* --- adding --- */

static void add_item(struct parser *x, int value, int head)
{
    VEC_ROOM(x->s->item, x->s->n, x->s->cap);
    x->s->item[x->s->n++] = (struct selected){value, head};
}

static bool add_value(struct parser *x, int value, struct span heads)
{
    const struct value *v = &x->p->value[value];
    int n = head_count(x->p, v);
    if (heads.first < 0) {
        add_item(x, value, -1);
        return true;
    }
    if (n == 0)
        return err_set(x->err, "'%s': %s has no heads", x->typed, v->name);
    if (heads.last >= n)
        return err_set(x->err, "'%s': no head %d in %s, which has heads 0 to %d", x->typed,
                       heads.last, v->name, n - 1);
    for (int h = heads.first; h <= heads.last; h++)
        add_item(x, value, h);
    return true;
}

/* --- names that name nothing --- */

struct nearest {
    const char *typed;
    struct str list;
    int distance, n;
};

/* Holds the typed name against `name`; "prefix" and "say" is what to tell the user. */
static void nearest_try(struct nearest *near, const char *name, const char *prefix,
                        const char *say)
{
    int d = near_distance(near->typed, name);
    if (3 * d > (int) strlen(name) + 1 || d > near->distance)
        return;
    if (d < near->distance) {
        str_clear(&near->list);
        near->n = 0;
    }
    near->distance = d;
    if (near->n++ < 3)
        str_addf(&near->list, "%s%s%s", near->n > 1 ? " or " : "", prefix, say);
}

static bool report_nearest(struct parser *x, struct nearest *near)
{
    const char *what = is_glob(x->typed) ? "no value matches" : "no value";
    if (near->n > 0)
        err_set(x->err, "%s '%s'; did you mean %s?", what, x->typed, near->list.text);
    else
        err_set(x->err, "%s '%s'; names are like blocks.0.attn.pattern, L0.H1.pattern, logits",
                what, x->typed);
    str_release(&near->list);
    return false;
}

static bool unknown_name(struct parser *x, const char *name)
{
    struct nearest near = {.typed = name, .list = STR_INIT, .distance = 1000};
    for (int i = 0; i < x->p->n_values; i++) {
        const char *suffix = suffix_of(&x->p->value[i]);
        nearest_try(&near, x->p->value[i].name, "", x->p->value[i].name);
        /* a block's value without its block */
        if (suffix && x->p->value[i].layer == 0) {
            nearest_try(&near, suffix, "blocks.*.", suffix);
            if (strcmp(name, short_of(suffix)) == 0 && short_of(suffix) != suffix)
                nearest_try(&near, short_of(suffix), "blocks.*.", suffix);
        }
    }
    return report_nearest(x, &near);
}

static bool unknown_suffix(struct parser *x, int layer, const char *name)
{
    struct nearest near = {.typed = name, .list = STR_INIT, .distance = 1000};
    char prefix[16];
    snprintf(prefix, sizeof prefix, "L%d.", layer);
    for (int i = 0; i < x->p->n_values; i++) {
        const char *suffix = suffix_of(&x->p->value[i]);
        if (!suffix || x->p->value[i].layer != layer)
            continue;
        nearest_try(&near, suffix, prefix, suffix);
        if (short_of(suffix) != suffix)
            nearest_try(&near, short_of(suffix), prefix, suffix);
    }
    return report_nearest(x, &near);
}

static bool no_layer(struct parser *x, int layer)
{
    return err_set(x->err, "'%s': no layer %d; the model has layers 0 to %d", x->typed, layer,
                   x->p->hp.n_layer - 1);
}

/* --- one block's values --- */

static bool add_short(struct parser *x, int layer, const char *name, struct span heads)
{
    struct str list = STR_INIT;
    int found = -1, n = 0;
    for (int i = 0; i < x->p->n_values; i++) {
        const char *suffix = suffix_of(&x->p->value[i]);
        if (!suffix || x->p->value[i].layer != layer || strcmp(short_of(suffix), name) != 0)
            continue;
        str_addf(&list, "%s%s", n++ ? " or " : "", suffix);
        found = i;
    }
    bool ok = n == 1 ? add_value(x, found, heads) : false;
    if (n == 0)
        unknown_suffix(x, layer, name);
    else if (n > 1)
        err_set(x->err, "'%s': say which one: %s", x->typed, list.text);
    str_release(&list);
    return ok;
}

static bool add_suffix(struct parser *x, int layer, const char *name, struct span heads)
{
    bool found = false;
    for (int i = 0; i < x->p->n_values; i++) {
        const struct value *v = &x->p->value[i];
        const char *suffix = suffix_of(v);
        if (!suffix || v->layer != layer || !matches(name, suffix))
            continue;
        if (is_glob(name) && heads.first >= 0 && head_count(x->p, v) <= heads.last)
            continue;
        if (!add_value(x, i, heads))
            return false;
        found = true;
    }
    return found || add_short(x, layer, name, heads);
}

/* --- the forms of names --- */

/* A form's answer: whether the text has that form, and if so whether it named something. */
enum answer { OTHER_FORM, FAILED, DONE };

static enum answer answer(bool ok)
{
    return ok ? DONE : FAILED;
}

/* "3", "0-3" or "*" of [0, n); the end of it, or NULL. */
static const char *parse_span(const char *at, int n, struct span *span)
{
    char *end;
    if (*at == '*') {
        *span = (struct span){0, n - 1};
        return at + 1;
    }
    if (!isdigit((unsigned char) *at))
        return NULL;
    long first = strtol(at, &end, 10), last = first;
    if (*end == '-' && isdigit((unsigned char) end[1]))
        last = strtol(end + 1, &end, 10);
    *span =
        (struct span){first > 99999 ? 99999 : (int) first, last > 99999 ? 99999 : (int) last};
    return first <= last ? end : NULL;
}

/* L5.H1.pattern, L0-3.attn.q */
static enum answer take_short_form(struct parser *x, const char *name)
{
    struct span layers, heads = all_heads;
    const char *at = name[0] == 'L' ? parse_span(name + 1, x->p->hp.n_layer, &layers) : NULL;
    if (!at || *at++ != '.')
        return OTHER_FORM;
    if (at[0] == 'H' && at[1] == '*' && at[2] == '.') {
        at += 3;
    } else if (at[0] == 'H' && isdigit((unsigned char) at[1])) {
        at = parse_span(at + 1, 0, &heads);
        if (!at || *at++ != '.')
            return answer(
                err_set(x->err, "'%s': a head is named as in L0.H1.pattern", x->typed));
    }
    if (layers.last >= x->p->hp.n_layer)
        return answer(no_layer(x, layers.last));
    for (int layer = layers.first; layer <= layers.last; layer++) {
        if (!add_suffix(x, layer, at, heads))
            return FAILED;
    }
    return DONE;
}

static bool add_llama_cpp(struct parser *x, const struct alias_row *row, struct span layers)
{
    if (layers.last >= x->p->hp.n_layer)
        return no_layer(x, layers.last);
    for (int layer = layers.first; layer <= layers.last; layer++) {
        int i = program_value(x->p, layer, row->value);
        if (i < 0 && row->otherwise)
            i = program_value(x->p, layer, row->otherwise);
        if (i < 0)
            return err_set(x->err, "'%s': this family of models has no such value", x->typed);
        add_item(x, i, -1);
    }
    return true;
}

/* result_norm, kq_soft_max-2, l_out-* */
static enum answer take_llama_cpp(struct parser *x, const char *name)
{
    for (const struct alias_row *row = alias_llama_cpp; row->name; row++) {
        size_t len = strlen(row->name);
        struct span layers;
        if (strncmp(name, row->name, len) != 0)
            continue;
        if (row->layered && name[len] == '-') {
            const char *end = parse_span(name + len + 1, x->p->hp.n_layer, &layers);
            if (end && *end == '\0')
                return answer(add_llama_cpp(x, row, layers));
        } else if (!row->layered && name[len] == '\0') {
            int i = program_find(x->p, row->value);
            if (i >= 0)
                return answer(add_value(x, i, all_heads));
        }
    }
    return OTHER_FORM;
}

/* hidden_states.3, transformer.h.3.mlp */
static enum answer take_alias(struct parser *x, const char *name)
{
    struct alias a;
    if (is_glob(name) || !alias_find(x->p, name, &a) || a.of != ALIAS_HF || a.fused)
        return OTHER_FORM;
    return answer(add_value(x, a.value, all_heads));
}

static bool take_name(struct parser *x, const char *name)
{
    int n = 0, layer;
    for (int i = 0; i < x->p->n_values; i++) {
        if (matches(name, x->p->value[i].name)) {
            add_item(x, i, -1);
            n++;
        }
    }
    if (n > 0)
        return true;
    if (sscanf(name, "blocks.%5d.", &layer) == 1 && layer >= x->p->hp.n_layer)
        return no_layer(x, layer);
    return unknown_name(x, name);
}

static bool parse_part(struct parser *x)
{
    struct str name = STR_INIT;
    alias_normalize(x->typed, &name);
    enum answer a = take_short_form(x, name.text);
    if (a == OTHER_FORM)
        a = take_llama_cpp(x, name.text);
    if (a == OTHER_FORM)
        a = take_alias(x, x->typed);
    if (a == OTHER_FORM)
        a = answer(take_name(x, name.text));
    str_release(&name);
    return a == DONE;
}

/* --- the list --- */

static int compare_selected(const void *a, const void *b)
{
    const struct selected *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->head > y->head) - (x->head < y->head);
}

/* All heads of a value (-1) sort first and make its single ones doubles. */
static void sort_and_unite(struct selection *s)
{
    int n = 0;
    if (s->n > 1)
        qsort(s->item, (size_t) s->n, sizeof *s->item, compare_selected);
    for (int i = 0; i < s->n; i++) {
        const struct selected *last = n > 0 ? &s->item[n - 1] : NULL;
        if (last && last->value == s->item[i].value &&
            (last->head < 0 || last->head == s->item[i].head))
            continue;
        s->item[n++] = s->item[i];
    }
    s->n = n;
}

bool selection_parse(struct selection *s, const struct program *p, const char *text,
                     struct err *err)
{
    static const char blank[] = " \t\n";
    bool ok = true;
    *s = (struct selection){0};
    while (ok && *text) {
        text += strspn(text, blank);
        size_t whole = strcspn(text, ","), len = whole;
        while (len > 0 && strchr(blank, text[len - 1]))
            len--;
        char *part = xstrndup(text, len);
        struct parser x = {p, s, part, err};
        if (len > 0)
            ok = parse_part(&x);
        free(part);
        text += whole + (text[whole] == ',');
    }
    if (ok && s->n == 0)
        ok = err_set(err, "no value is named; names are like blocks.*.attn.pattern,logits");
    if (!ok)
        selection_release(s);
    else
        sort_and_unite(s);
    return ok;
}

void selection_release(struct selection *s)
{
    free(s->item);
    *s = (struct selection){0};
}
