/* Completion of names inside the model: values, ops, heads. */
#include "command/complete.h"

#include "base/mem.h"
#include "command/place.h"
#include "engine/function.h"
#include "session/sheet.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The last of several words with commas between: what stands before it is kept. */
struct part {
    struct completing *x;
    const char *before; /* its length n_before */
    size_t n_before;
    const char *text; /* what is being completed */
};

static void offer_part(const struct part *p, const char *place, size_t n_place,
                       const char *name)
{
    struct str text = STR_INIT;

    str_add(&text, p->before, p->n_before);
    str_add(&text, place, n_place);
    str_adds(&text, name);
    offer(p->x, text.text);
    str_release(&text);
}

/* Over "3", "0-3" or "*"; NULL: there is none. */
static const char *skip_span(const char *text)
{
    if (*text == '*')
        return text + 1;
    if (!isdigit((unsigned char) *text))
        return NULL;
    text += strspn(text, "0123456789");
    if (*text == '-' && isdigit((unsigned char) text[1]))
        text += 1 + strspn(text + 1, "0123456789");
    return text;
}

/* How much of the text is a place with its dot: "L2." of "L2.attn"; 0: none. */
static size_t place_length(const char *text, char letter)
{
    const char *end = *text == letter ? skip_span(text + 1) : NULL;

    return end && *end == '.' ? (size_t) (end + 1 - text) : 0;
}

/* "L0." to "L3.", and after a dash the ends of ranges. */
static void offer_span(const struct part *p, size_t at, char letter, int n)
{
    const char *text = p->text + at, *dash = strchr(text, '-');
    int first = dash && *text == letter ? atoi(text + 1) : 0;
    char name[32];

    for (int i = 0; i < n; i++) {
        if (dash && i <= first)
            continue;
        if (dash)
            snprintf(name, sizeof name, "%c%d-%d.", letter, first, i);
        else
            snprintf(name, sizeof name, "%c%d.", letter, i);
        offer_part(p, p->text, at, name);
    }
}

/* Names of a block's values after "L2." or "L2.H3."; of those with heads only. */
static void offer_suffixes(const struct part *p, size_t at, bool heads)
{
    const struct program *prog = p->x->s->program;

    for (int i = 0; i < prog->n_values; i++) {
        const struct value *v = &prog->value[i];
        if (v->layer != 0 || v->suffix == 0 || (heads && value_head_axis(prog, i) < 0))
            continue;
        const char *suffix = v->name + v->suffix;
        offer_part(p, p->text, at, suffix);
        if (!strncmp(suffix, "attn.", 5))
            offer_part(p, p->text, at, suffix + 5);
    }
}

/* Names without their block first; whole ones once something was typed. */
static void offer_names(const struct part *p)
{
    const struct program *prog = p->x->s->program;

    for (int i = 0; i < prog->n_values; i++) {
        const char *name = prog->value[i].name;
        const char *dot = strncmp(name, "blocks.", 7) ? NULL : strchr(name + 7, '.');
        if (!dot || *p->text)
            offer_part(p, "", 0, name);
        if (dot)
            offer_part(p, "", 0, dot + 1);
        if (dot && !strncmp(dot + 1, "attn.", 5))
            offer_part(p, "", 0, dot + 6);
    }
}

/* "logits,L2.at": what comes before the last comma stays. */
static struct part last_part(struct completing *x, bool many)
{
    const char *comma = many ? strrchr(x->plain, ',') : NULL;
    size_t n = comma ? (size_t) (comma + 1 - x->plain) : 0;

    return (struct part){.x = x, .before = x->plain, .n_before = n, .text = x->plain + n};
}

void offer_values(struct completing *x, bool many)
{
    const struct hparams *hp = &x->s->program->hp;
    struct part p = last_part(x, many);
    size_t layer = place_length(p.text, 'L');
    size_t head = layer ? place_length(p.text + layer, 'H') : 0;

    if (head > 0) {
        offer_suffixes(&p, layer + head, true);
    } else if (layer > 0) {
        offer_span(&p, layer, 'H', hp->n_head);
        offer_suffixes(&p, layer, false);
    } else {
        if (*p.text == 'L')
            offer_span(&p, 0, 'L', hp->n_layer);
        offer_names(&p);
    }
}

void offer_places(struct completing *x, const char *parts)
{
    const struct hparams *hp = &x->s->program->hp;
    struct part p = {.x = x, .before = "", .text = x->plain};
    size_t layer = place_length(p.text, 'L');
    size_t head = place_length(p.text + layer, 'H');
    bool stages = !strcmp(x->w->item[0].text, "select");
    char name[32];
    const char *word;
    size_t n;

    if (head > 0 && stages)
        for (int i = 0; i < STAGE_COUNT; i++)
            offer_part(&p, p.text, layer + head, strchr(stage_suffix((enum stage) i), '.') + 1);
    if (head > 0 && !strcmp(x->w->item[0].text, "ablate"))
        offer_part(&p, p.text, layer + head, "edge");
    if (head > 0)
        return;
    for (int i = 0; i < hp->n_head; i++) {
        snprintf(name, sizeof name, "H%d", i);
        offer_part(&p, p.text, layer, name);
    }
    for (int i = 0; layer == 0 && i < hp->n_layer; i++) {
        snprintf(name, sizeof name, "L%d.", i);
        offer_part(&p, "", 0, name);
    }
    for (int i = 0; layer > 0 && parts && (n = choice_word(parts, i, &word)) > 0; i++)
        if (n < sizeof name && (!strncmp(word, "mlp", n) || !strncmp(word, "attn", n))) {
            snprintf(name, sizeof name, "%.*s", (int) n, word);
            offer_part(&p, p.text, layer, name);
        }
    if (!strcmp(x->w->item[0].text, "scale"))
        offer_values(x, false);
}

void offer_ops(struct completing *x, bool kinds)
{
    const struct program *p = x->s->program;

    for (int i = 0; i < p->n_steps; i++) {
        const struct op *op = &p->op[i];
        struct str name = STR_INIT;
        op_name(p, i, &name);
        if (op->layer < 0 || *x->plain)
            offer(x, name.text);
        if (op->layer >= 0)
            offer(x, strchr(name.text, '.') + 1);
        if (kinds)
            offer(x, op_info(op->code)->name);
        str_release(&name);
    }
}

void offer_functions(struct completing *x)
{
    const struct program *p = x->s->program;
    const char *name = x->w->n > 1 ? x->w->item[1].text : "";
    int layer = -1, head = -1, op = 0;
    const char *rest = name;
    struct err unheard = ERR_INIT;

    if (*name == 'L' && !place_parse(x->s, name, &layer, &head, &rest, &unheard))
        rest = name;
    while (op < p->n_steps && !function_reaches(p, op, layer, rest))
        op++;
    if (op == p->n_steps)
        op = op_parse(x->s, name, &unheard);
    for (const struct function *f = function_table; f->name; f++)
        if (op < 0 || function_fits(f, p, op))
            offer(x, f->name);
}
