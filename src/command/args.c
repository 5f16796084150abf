/* Words to typed arguments, by a command's row. */
#include "command/parse.h"
#include "command/place.h"

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
    else if (spec->type == ARG_INT)
        str_adds(out, "a whole number");
    else
        str_adds(out, "a number");
}

/* "'x' is not op, layer or token"; with `skipped`, "'x' is neither ... nor ...". */
static bool misfit(const char *word, const struct arg_spec *skipped,
                   const struct arg_spec *spec, struct err *err)
{
    struct str text = STR_INIT;

    str_adds(&text, skipped ? "neither " : "not ");
    if (skipped) {
        describe(skipped, &text);
        str_adds(&text, " nor ");
    }
    describe(spec, &text);
    err_set(err, "'%s' is %s", word, text.text);
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

static bool take_choice(struct arg *a, const char *words)
{
    const char *word;
    size_t n;

    for (int i = 0; (n = choice_word(words, i, &word)) > 0; i++) {
        if (strlen(a->text) == n && !memcmp(a->text, word, n)) {
            a->i = i;
            return true;
        }
    }
    return false;
}

static bool take_setting(struct arg *a, struct err *err)
{
    struct settings set;

    for (int i = 0; setting_table[i].name; i++) {
        if (!strcmp(setting_table[i].name, a->text)) {
            a->i = i;
            return true;
        }
    }
    settings_init(&set);
    return settings_set(&set, a->text, "", err); /* for its message */
}

static bool take_view(struct arg *a, struct err *err)
{
    struct str names = STR_INIT;

    for (int i = 0; view_table[i].name; i++) {
        if (!strcmp(view_table[i].name, a->text) ||
            (*a->text && !strcmp(view_table[i].digit, a->text))) {
            a->i = i;
            str_release(&names);
            return true;
        }
        str_addf(&names, "%s%s", i ? ", " : "", view_table[i].name);
    }
    err_set(err, "there is no view '%s'; the views are %s", a->text, names.text);
    str_release(&names);
    return false;
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
                    struct err *err)
{
    switch (spec->type) {
    case ARG_INT:
        return take_int(a, err);
    case ARG_REAL:
        return take_real(a, err);
    case ARG_CHOICE:
        return take_choice(a, spec->words);
    case ARG_OP:
        a->i = op_parse(s, a->text, err);
        return a->i >= 0;
    case ARG_SETTING:
        return take_setting(a, err);
    case ARG_VIEW:
        return take_view(a, err);
    case ARG_TOKEN:
        return (spec->words && !a->quoted && take_choice(a, spec->words)) ||
               take_token(a, s, err);
    case ARG_WORD:
    case ARG_TEXT:
    case ARG_FILE:
    case ARG_VALUE:
    case ARG_COMMAND:
        return true;
    }
    return true;
}

static bool describable(const struct arg_spec *spec)
{
    return spec->type == ARG_CHOICE || spec->type == ARG_INT || spec->type == ARG_REAL;
}

/* The rest of the command as it stands in the line, or one quoted string. */
static bool take_text(struct arg *a, struct words *w, int i, const char *line, struct err *err)
{
    struct word *first = &w->item[i];

    if (first->quoted && i + 1 < w->n)
        return err_set(err, "nothing may follow the closing quote");
    if (!first->quoted) {
        struct str text = STR_INIT;
        str_add(&text, line + first->at, w->end - first->at);
        free(first->text);
        first->text = str_steal(&text);
    }
    *a = (struct arg){.given = true, .text = first->text, .quoted = first->quoted};
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
        arg[i] = (struct arg){.given = true, .text = word->text, .quoted = word->quoted};
        if (convert(&arg[i], s, spec, err)) {
            skipped = NULL;
            at++;
            continue;
        }
        arg[i] = (struct arg){.given = false};
        if (!describable(spec))
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
    memset(arg, 0, COMMAND_ARGS * sizeof *arg);
    return take_all(arg, s, c, w, line, err) || usage_error(c, err);
}
