/* Words to typed arguments, by a command's row. */
#include "command/parse.h"
#include "command/place.h"

#include "base/mem.h"
#include "view/view.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a word of this type must be, for messages. */
static void describe(const struct arg_spec *spec, struct str *out)
{
    if (spec->type == ARG_CHOICE)
        choice_print(spec->words, out);
    else if (spec->type == ARG_INT || spec->type == ARG_ABLATION)
        str_adds(out, "a whole number");
    else
        str_adds(out, "a number");
}

/* "'x' is not op, layer or token"; with `skipped`, "'x' is neither ... nor ...". */
static bool misfit(const char *word, const struct arg_spec *skipped,
                   const struct arg_spec *spec, struct err *err)
{
    struct str text = STR_INIT, near = STR_INIT, words = STR_INIT;

    str_adds(&text, skipped ? "neither " : "not ");
    if (skipped) {
        describe(skipped, &text);
        str_adds(&text, " nor ");
    }
    describe(spec, &text);
    if (skipped && skipped->type == ARG_CHOICE)
        str_addf(&words, "%s ", skipped->words);
    if (spec->type == ARG_CHOICE)
        str_adds(&words, spec->words);
    if (words.len > 0 && choice_near(words.text, word, &near))
        str_addf(&text, "; did you mean '%s'?", near.text);
    err_set(err, "'%s' is %s", word, text.text);
    str_release(&words);
    str_release(&near);
    str_release(&text);
    return false;
}

static bool take_int(struct arg *a, struct err *err)
{
    char *end;

    (void) err;
    errno = 0;
    a->i = strtoll(a->text, &end, 10);
    a->x = (double) a->i;
    return end != a->text && *end == '\0' && errno == 0;
}

static bool take_real(struct arg *a, struct err *err)
{
    char *end;

    (void) err;
    a->x = strtod(a->text, &end);
    return end != a->text && *end == '\0' && isfinite(a->x);
}

/* The word in full, in its argument and for the journal. */
static void put_full(struct arg *a, char *full)
{
    if (!strcmp(a->text, full)) {
        free(full);
        return;
    }
    free(a->word->full);
    a->word->full = full;
    a->text = full;
}

/* One of `words`; short forms only where nothing else could be meant. False without a message
 * when it is none. */
static bool take_choice(struct arg *a, const char *words, bool brief, struct err *err)
{
    const char *word;
    struct err many = ERR_INIT;
    int i = choice_find(words, a->text, &many);
    size_t n = i >= 0 ? choice_word(words, i, &word) : 0;

    if (i >= 0 && (brief || strlen(a->text) == n)) {
        a->i = i;
        put_full(a, xstrndup(word, n));
        return true;
    }
    if (i == CHOICE_MANY && brief)
        *err = many;
    return false;
}

/* A name of a table; `what` it is a name of. */
static bool take_name(struct arg *a, const char *what, const struct str *names, struct err *err)
{
    struct str near = STR_INIT, list = STR_INIT;
    const char *word;
    size_t n;

    if (take_choice(a, names->text, true, err))
        return true;
    if (*err->text)
        return false;
    for (int i = 0; (n = choice_word(names->text, i, &word)) > 0; i++)
        str_addf(&list, "%s%.*s", i ? ", " : "", (int) n, word);
    if (choice_near(names->text, a->text, &near))
        err_set(err, "there is no %s '%s' (did you mean '%s'?); the %ss are %s", what, a->text,
                near.text, what, list.text);
    else
        err_set(err, "there is no %s '%s'; the %ss are %s", what, a->text, what, list.text);
    str_release(&near);
    str_release(&list);
    return false;
}

static bool take_setting(struct arg *a, struct err *err)
{
    struct str names = STR_INIT;

    for (const struct setting *row = setting_table; row->name; row++)
        str_addf(&names, "%s ", row->name);
    bool ok = take_name(a, "setting", &names, err);
    str_release(&names);
    return ok;
}

static bool take_view(struct arg *a, struct err *err)
{
    struct str names = STR_INIT;

    for (int i = 0; view_table[i].name; i++) {
        if (*a->text && !strcmp(view_table[i].digit, a->text)) {
            a->i = i;
            str_release(&names);
            return true;
        }
        str_addf(&names, "%s ", view_table[i].name);
    }
    bool ok = take_name(a, "view", &names, err);
    str_release(&names);
    return ok;
}

static bool take_op(struct arg *a, const struct session *s, struct err *err)
{
    struct str full = STR_INIT;

    if (op_expand(s, a->text, &full, err))
        put_full(a, str_steal(&full));
    str_release(&full);
    if (*err->text)
        return false;
    a->i = op_parse(s, a->text, err);
    return a->i >= 0;
}

static bool take_token(struct arg *a, const struct session *s, struct err *err)
{
    int id;

    if (!token_parse(s, a->text, a->quoted, &id, err))
        return false;
    a->i = id;
    return true;
}

/* False without a message for the types that misfit() describes. */
static bool convert(struct arg *a, const struct session *s, const struct arg_spec *spec,
                    bool brief, struct err *err)
{
    switch (spec->type) {
    case ARG_INT:
    case ARG_ABLATION:
        return take_int(a, err);
    case ARG_REAL:
        return take_real(a, err);
    case ARG_CHOICE:
        return take_choice(a, spec->words, brief, err);
    case ARG_OP:
        return take_op(a, s, err);
    case ARG_SETTING:
        return take_setting(a, err);
    case ARG_VIEW:
        return take_view(a, err);
    case ARG_TOKEN:
        return (spec->words && !a->quoted && take_choice(a, spec->words, false, err)) ||
               take_token(a, s, err);
    default: /* the command takes it apart */
        return true;
    }
}

static bool describable(const struct arg_spec *spec)
{
    return spec->type == ARG_CHOICE || spec->type == ARG_INT || spec->type == ARG_REAL ||
           spec->type == ARG_ABLATION;
}

/* Whether the beginning of a word may stand for it: not where the argument may be left out and
 * a later one takes any word. */
static bool takes_brief(const struct command *c, int i)
{
    for (int next = i + 1; c->arg[i].optional && next < COMMAND_ARGS && c->arg[next].name;
         next++)
        if (!describable(&c->arg[next]) && c->arg[next].type != ARG_VIEW)
            return false;
    return true;
}

/* The rest of the command as it stands in the line, or one quoted string. */
static bool take_text(struct arg *a, struct words *w, int i, const char *line, struct err *err)
{
    struct word *first = &w->item[i];

    if (first->quoted && i + 1 < w->n)
        return err_set(err, "nothing may follow the closing quote");
    if (!first->quoted) {
        struct str text = STR_INIT;
        join_lines(line + first->at, w->end - first->at, &text);
        free(first->text);
        first->text = str_steal(&text);
    }
    *a = (struct arg){
        .given = true, .text = first->text, .quoted = first->quoted, .word = first};
    return true;
}

static bool usage_error(const struct command *c, struct err *err)
{
    struct str usage = STR_INIT;

    command_usage(c, &usage);
    err_set(err, "%s: %s; usage: %s", c->name, err->text, usage.text);
    str_release(&usage);
    return false;
}

static bool take_all(struct arg arg[COMMAND_ARGS], const struct session *s,
                     const struct command *c, struct words *w, const char *line,
                     struct err *err)
{
    const struct arg_spec *skipped = NULL;
    int at = 1;

    for (int i = 0; i < COMMAND_ARGS && c->arg[i].name; i++) {
        const struct arg_spec *spec = &c->arg[i];
        bool last = i + 1 == COMMAND_ARGS || !c->arg[i + 1].name;
        if (at == w->n) {
            if (!spec->optional)
                return err_set(err, "%s is missing", spec->name);
            continue;
        }
        if (spec->type == ARG_TEXT) {
            if (!take_text(&arg[i], w, at, line, err))
                return false;
            at = w->n;
            continue;
        }
        struct word *word = &w->item[at];
        arg[i] = (struct arg){
            .given = true, .text = word->text, .quoted = word->quoted, .word = word};
        if (convert(&arg[i], s, spec, takes_brief(c, i), err)) {
            skipped = NULL;
            at++;
            continue;
        }
        arg[i] = (struct arg){.given = false};
        if (!describable(spec) || *err->text)
            return false;
        if (!spec->optional || last)
            return misfit(word->text, skipped, spec, err);
        skipped = skipped ? skipped : spec;
    }
    if (at < w->n)
        return err_set(err, "'%s' is too much", w->item[at].text);
    return true;
}

bool args_take(struct arg arg[COMMAND_ARGS], const struct session *s, const struct command *c,
               struct words *w, const char *line, struct err *err)
{
    *err = (struct err) ERR_INIT; /* a message says below that there is one */
    memset(arg, 0, COMMAND_ARGS * sizeof *arg);
    return take_all(arg, s, c, w, line, err) || usage_error(c, err);
}
