/* Completion: what may stand where the cursor is. */
#include "command/complete.h"

#include "base/mem.h"
#include "model/builtin.h"
#include "session/exercise.h"
#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void offer_literal(struct completing *x, const char *text)
{
    struct completion *c = x->c;

    if (strncmp(text, x->typed, x->n_typed))
        return;
    for (int i = 0; i < c->n; i++)
        if (!strcmp(c->word[i], text))
            return;
    VEC_ROOM(c->word, c->n, c->cap);
    c->word[c->n++] = xstrdup(text);
}

void offer(struct completing *x, const char *word)
{
    struct str text = STR_INIT;

    if (x->quoted || strpbrk(word, " \t;\"#"))
        quote_print(word, strlen(word), &text);
    else
        str_adds(&text, word);
    offer_literal(x, text.text);
    str_release(&text);
}

void offer_words(struct completing *x, const char *words)
{
    const char *word;
    size_t n;

    for (int i = 0; words && (n = choice_word(words, i, &word)) > 0; i++) {
        char *copy = xstrndup(word, n);
        offer(x, copy);
        free(copy);
    }
}

static void offer_commands(struct completing *x)
{
    for (const struct command *row = command_table; row->name; row++)
        offer(x, row->name);
}

static void offer_settings(struct completing *x)
{
    for (const struct setting *row = setting_table; row->name; row++)
        offer(x, row->name);
}

static void offer_views(struct completing *x)
{
    for (const struct view *v = view_table; v->name; v++)
        offer(x, v->name);
}

static void offer_setting_values(struct completing *x)
{
    struct str names = STR_INIT;
    struct err unheard = ERR_INIT;

    for (const struct setting *row = setting_table; row->name; row++)
        str_addf(&names, "%s ", row->name);
    int i = x->w->n > 1 ? choice_find(names.text, x->w->item[1].text, &unheard) : -1;
    str_release(&names);
    for (int k = 0; i >= 0 && setting_table[i].words && setting_table[i].words[k]; k++)
        offer(x, setting_table[i].words[k]);
}

static void offer_models(struct completing *x)
{
    struct found_model *found;
    int n = found_models(&found);

    for (const struct builtin *b = builtins; b->name; b++)
        offer(x, b->name);
    for (int i = 0; i < n; i++)
        offer(x, found[i].path);
    found_models_free(found, n);
}

/* The numbers [first, end). */
static void offer_numbers(struct completing *x, int first, int end)
{
    char number[16];

    for (int i = first; i < end; i++) {
        snprintf(number, sizeof number, "%d", i);
        offer(x, number);
    }
}

static void offer_branches(struct completing *x)
{
    for (int i = 0; i < x->s->branches.n; i++)
        offer_numbers(x, x->s->branches.item[i].id, x->s->branches.item[i].id + 1);
}

static void offer_breaks(struct completing *x)
{
    for (int i = 0; i < x->s->breaks.n; i++)
        offer_numbers(x, x->s->breaks.item[i].id, x->s->breaks.item[i].id + 1);
}

static void offer_exercises(struct completing *x)
{
    struct err unheard = ERR_INIT;
    const struct exercises *all = exercises_all(&unheard);

    for (int i = 0; all && i < all->n; i++)
        offer(x, all->item[i].name);
}

/* What has a number. */
static void offer_counted(struct completing *x, enum arg_type type)
{
    if (type == ARG_LAYER)
        offer_numbers(x, 0, x->s->program->hp.n_layer);
    else if (type == ARG_HEAD)
        offer_numbers(x, 0, x->s->program->hp.n_head);
    else if (type == ARG_ABLATION)
        offer_numbers(x, 1, x->s->n_ablations + 1);
    else if (type == ARG_BRANCH)
        offer_branches(x);
    else if (type == ARG_BREAK)
        offer_breaks(x);
}

/* What fits the argument. */
static void offer_argument(struct completing *x, const struct command *row,
                           const struct arg_spec *spec)
{
    offer_words(x, spec->words);
    switch (spec->type) {
    case ARG_FILE:
        x->c->files = true;
        break;
    case ARG_MODEL:
        offer_models(x);
        x->c->files = true;
        break;
    case ARG_VALUE:
        if (!strcmp(row->name, "show"))
            offer_views(x);
        offer_values(x, !strcmp(row->name, "show") || !strcmp(row->name, "dump") ||
                            !strcmp(row->name, "patch"));
        break;
    case ARG_OP:
    case ARG_OPS:
        offer_ops(x, !strcmp(row->name, "replace"));
        break;
    case ARG_SETTING:
        offer_settings(x);
        break;
    case ARG_SETTING_VALUE:
        offer_setting_values(x);
        break;
    case ARG_VIEW:
        offer_views(x);
        break;
    case ARG_COMMAND:
        offer_commands(x);
        offer_words(x, command_topics);
        break;
    case ARG_TOKEN:
        offer_tokens(x);
        break;
    case ARG_PLACE:
        offer_places(x, spec->words);
        break;
    case ARG_FUNCTION:
        offer_functions(x);
        break;
    case ARG_EXERCISE:
        offer_exercises(x);
        break;
    default:
        offer_counted(x, spec->type);
        break;
    }
}

/* What follows "break token", "expect top" and the like is a token. */
static bool token_follows(const struct words *w, int index)
{
    static const char *const pairs[][2] = {
        {"break", "token"}, {"expect", "top"}, {"expect", "p"}, {"expect", "rank"}};

    for (size_t i = 0; index == 2 && i < sizeof pairs / sizeof *pairs; i++)
        if (!strcmp(w->item[0].text, pairs[i][0]) && !strcmp(w->item[1].text, pairs[i][1]))
            return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The words of the command that line[at] belongs to, without the one being typed, which begins
 * at *from. False where no word can stand: in a comment. */
static bool words_before(struct words *w, const char *line, size_t at, size_t *from)
{
    struct err unheard = ERR_INIT;
    char *head = xstrndup(line, at);
    size_t next = 0, begin = 0;
    bool ok = true;

    memset(w, 0, sizeof *w);
    *from = at;
    do {
        words_release(w);
        begin = next;
        ok = words_next(w, head, &next, &unheard);
    } while (ok && next < at);
    if (!ok && w->open) { /* inside quotes: what comes before them is whole */
        *from = w->quote;
        head[w->quote] = '\0';
        ok = words_next(w, head, &begin, &unheard);
    } else if (ok && w->n > 0 && w->item[w->n - 1].end == at) {
        *from = w->item[w->n - 1].at;
        w->n--;
        free(w->item[w->n].text);
    } else if (ok && at > 0 && strchr(";\n", head[at - 1])) {
        words_release(w); /* right after a command's end */
    } else if (ok && w->n > 0 && strchr(head + w->end, '#')) {
        ok = false;
    }
    free(head);
    return ok;
}

/* What a word that is not at its end says: the lexer reads it with the quote closed. */
static char *plain_text(const char *typed, size_t n)
{
    struct str text = STR_INIT;
    struct err unheard = ERR_INIT;
    struct words w;
    size_t at = 0;

    str_add(&text, typed, n);
    if (n > 0 && *typed == '"')
        str_addc(&text, '"');
    str_addc(&text, '\0');
    bool ok = words_next(&w, text.text, &at, &unheard) && w.n > 0;
    char *plain = ok ? xstrdup(w.item[0].text) : xstrndup(typed, n);
    words_release(&w);
    str_release(&text);
    return plain;
}

static void offer_for(struct completing *x)
{
    struct err unheard = ERR_INIT;
    int index = x->w->n;

    if (index == 0) {
        offer_commands(x);
        return;
    }
    const struct command *row = command_find(x->w->item[0].text, &unheard);
    if (row && token_follows(x->w, index))
        offer_tokens(x);
    else if (row && index <= COMMAND_ARGS && row->arg[index - 1].name)
        offer_argument(x, row, &row->arg[index - 1]);
}

void command_completion(const struct session *s, const char *line, size_t at,
                        struct completion *c)
{
    struct words w;
    struct completing x = {.s = s, .w = &w, .c = c};

    memset(c, 0, sizeof *c);
    if (words_before(&w, line, at, &c->from)) {
        x.typed = line + c->from;
        x.n_typed = at - c->from;
        x.quoted = x.n_typed > 0 && *x.typed == '"';
        c->plain = plain_text(x.typed, x.n_typed);
        x.plain = c->plain;
        c->quoted = x.quoted;
        offer_for(&x);
    }
    words_release(&w);
    if (c->n > 0)
        qsort(c->word, (size_t) c->n, sizeof *c->word, by_name);
}

void completion_release(struct completion *c)
{
    for (int i = 0; i < c->n; i++)
        free(c->word[i]);
    free(c->word);
    free(c->plain);
    memset(c, 0, sizeof *c);
}

char **command_complete(const struct session *s, const char *line, size_t at)
{
    struct completion c;

    command_completion(s, line, at, &c);
    char **word = c.word;
    if (c.files && c.n == 0)
        word = NULL;
    else
        VEC_ROOM(c.word, c.n, c.cap);
    if (!c.files || c.n > 0) {
        word = c.word;
        word[c.n] = NULL;
        c.word = NULL;
        c.n = 0;
    }
    completion_release(&c);
    return word;
}
