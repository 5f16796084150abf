/* Completion: what may stand where the cursor is. */
#include "command/parse.h"

#include "base/mem.h"
#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct candidates {
    char **item;
    int n, cap;
    const char *prefix;
    size_t n_prefix;
};

static void offer(struct candidates *c, const char *word, size_t n)
{
    if (n < c->n_prefix || memcmp(word, c->prefix, c->n_prefix))
        return;
    for (int i = 0; i < c->n; i++)
        if (strlen(c->item[i]) == n && !memcmp(c->item[i], word, n))
            return;
    VEC_ROOM(c->item, c->n, c->cap);
    c->item[c->n++] = xstrndup(word, n);
}

static void offer_name(struct candidates *c, const char *word)
{
    offer(c, word, strlen(word));
}

static void offer_words(struct candidates *c, const char *words)
{
    const char *word;
    size_t n;

    for (int i = 0; words && (n = choice_word(words, i, &word)) > 0; i++)
        offer(c, word, n);
}

static void offer_commands(struct candidates *c)
{
    for (const struct command *row = command_table; row->name; row++)
        offer_name(c, row->name);
}

static void offer_settings(struct candidates *c)
{
    for (const struct setting *row = setting_table; row->name; row++)
        offer_name(c, row->name);
}

static void offer_views(struct candidates *c)
{
    for (const struct view *v = view_table; v->name; v++)
        offer_name(c, v->name);
}

/* Names without their block first; whole ones once something was typed. */
static void offer_values(struct candidates *c, const struct program *p)
{
    for (int i = 0; i < p->n_values; i++) {
        const char *name = p->value[i].name;
        const char *dot = strncmp(name, "blocks.", 7) ? NULL : strchr(name + 7, '.');
        if (!dot || c->n_prefix > 0)
            offer_name(c, name);
        if (dot)
            offer_name(c, dot + 1);
        if (dot && !strncmp(dot + 1, "attn.", 5))
            offer_name(c, dot + 6);
    }
}

static void offer_ops(struct candidates *c, const struct program *p)
{
    char name[64];

    for (int i = 0; i < p->n_steps; i++) {
        const struct op *op = &p->op[i];
        if (op->layer >= 0 && c->n_prefix > 0)
            snprintf(name, sizeof name, "L%d.%s", op->layer, op->label);
        else
            snprintf(name, sizeof name, "%s", op->label);
        for (char *blank = name; (blank = strchr(blank, ' '));)
            *blank = '_';
        offer_name(c, name);
    }
}

static void offer_setting_values(struct candidates *c, const char *name)
{
    const struct setting *row = setting_find(name);

    for (int i = 0; row && row->words && row->words[i]; i++)
        offer_name(c, row->words[i]);
}

/* What fits the argument. False where a file name is wanted. */
static bool offer_argument(struct candidates *c, const struct session *s,
                           const struct arg_spec *spec, const struct words *w)
{
    offer_words(c, spec->words);
    switch (spec->type) {
    case ARG_FILE:
        return false;
    case ARG_VALUE:
        if (!strcmp(w->item[0].text, "show"))
            offer_views(c);
        offer_values(c, s->program);
        break;
    case ARG_OP:
        offer_ops(c, s->program);
        break;
    case ARG_SETTING:
        offer_settings(c);
        break;
    case ARG_VIEW:
        offer_views(c);
        break;
    case ARG_COMMAND:
        offer_commands(c);
        offer_words(c, command_topics);
        break;
    case ARG_WORD:
        if (w->n > 1 && !strcmp(w->item[0].text, "set"))
            offer_setting_values(c, w->item[1].text);
        if (w->n > 0 && (!strcmp(w->item[0].text, "break") || !strcmp(w->item[0].text, "op")))
            offer_ops(c, s->program);
        break;
    default:
        break;
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Where the command that line[at] belongs to begins, and the word that ends there. */
static bool last_command(struct words *w, const char *line, size_t at, size_t *word_at)
{
    struct err err = ERR_INIT;
    char *head = xstrndup(line, at);
    size_t from = 0, next = 0;
    bool ok = true;

    memset(w, 0, sizeof *w);
    do {
        words_release(w);
        from = next;
        ok = words_next(w, head, &next, &err);
    } while (ok && next < at);
    if (ok && next > from && next == at && at > 0 && strchr(";\n", head[at - 1])) {
        words_release(w); /* right after a ';' */
    }
    *word_at = at;
    if (ok && w->n > 0 && w->item[w->n - 1].end == at)
        *word_at = w->item[w->n - 1].at;
    free(head);
    return ok;
}

char **command_complete(const struct session *s, const char *line, size_t at)
{
    struct candidates c = {0};
    struct err err = ERR_INIT;
    struct words w;
    size_t word_at;
    bool names = last_command(&w, line, at, &word_at);
    int index = w.n - (word_at < at); /* of the word that is being typed */

    c.prefix = line + word_at;
    c.n_prefix = at - word_at;
    if (names && index <= 0) {
        offer_commands(&c);
    } else if (names) {
        const struct command *row = command_find(w.item[0].text, &err);
        if (row && index <= COMMAND_ARGS && row->arg[index - 1].name)
            names = offer_argument(&c, s, &row->arg[index - 1], &w);
    }
    words_release(&w);
    if (!names && c.n == 0) {
        free(c.item);
        return NULL;
    }
    if (c.n > 0)
        qsort(c.item, (size_t) c.n, sizeof *c.item, by_name);
    VEC_ROOM(c.item, c.n, c.cap);
    c.item[c.n] = NULL;
    return c.item;
}
