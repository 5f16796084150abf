/* The verb, the options and their values, from the tables of the command line. */
#include "ui/complete.h"

#include "command/command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- candidates --- */

const char *complete_typed(const struct complete *c)
{
    return c->word + c->kept;
}

/* A name of a file may hold anything; what is not one line of text is left out. */
static bool printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char) *text < ' ' || *text == 0x7f)
            return false;
    return true;
}

/* The line begins like one that is there. */
static bool is_offered(const struct complete *c, const struct str *line)
{
    const char *at = c->out->text;

    while ((at = strstr(at, line->text)) && at > c->out->text && at[-1] != '\n')
        at += line->len;
    return at != NULL;
}

void complete_offer(struct complete *c, const char *text, const char *help)
{
    const char *typed = complete_typed(c);
    struct str line = STR_INIT;

    if (strncmp(text, typed, strlen(typed)) != 0 || !printable(text) ||
        (c->kept == 0 && *text == ':'))
        return;
    str_add(&line, c->word, c->kept);
    str_addf(&line, "%s\t", text);
    bool again = is_offered(c, &line);
    str_add(c->out, line.text, again ? 0 : line.len);
    str_release(&line);
    if (again)
        return;
    if (help)
        str_add(c->out, help, strcspn(help, ";\n"));
    str_addc(c->out, '\n');
}

static void offer_verbs(struct complete *c)
{
    for (const struct tool *t = tool_table + 1; t->name; t++)
        if (!tool_hidden(t))
            complete_offer(c, t->name, t->help);
}

/* --- options --- */

static const struct option_row *find_option(const char *name, size_t n)
{
    for (const struct option_row *o = option_table; o->name; o++)
        if ((n == 1 && o->letter == *name) ||
            (strlen(o->name) == n && !memcmp(o->name, name, n)))
            return o;
    return NULL;
}

static void offer_option(struct complete *c, const char *before, const char *name,
                         const char *help)
{
    struct str text = STR_INIT;

    str_addf(&text, "--%s%s", before, name);
    complete_offer(c, text.text, help);
    str_release(&text);
}

static void offer_options(struct complete *c)
{
    for (const struct option_row *o = option_table; o->name; o++)
        if (tool_takes(c->tool, o->name) && !c->seen[o - option_table])
            offer_option(c, "", o->name, o->help);
    for (const struct setting *row = setting_table; row->name; row++) {
        offer_option(c, "", row->name, row->help);
        if (row->type == SETTING_BOOL)
            offer_option(c, "no-", row->name, "turn this off");
    }
}

static void offer_setting_values(struct complete *c, const struct setting *row)
{
    for (int i = 0; row->words && row->words[i]; i++)
        complete_offer(c, row->words[i], row->help);
}

/* --- the words before --- */

struct line {
    const struct option_row *option; /* whose value is the next word; or */
    const struct setting *setting;
    bool only_words; /* after "--" */
};

static void note_value(struct complete *c, const struct option_row *o, const char *value)
{
    const char *home = getenv("HOME");

    if (strcmp(o->name, "model") != 0)
        return;
    str_clear(&c->model_text);
    if (strncmp(value, "~/", 2) == 0 && home)
        str_addf(&c->model_text, "%s%s", home, value + 1);
    else
        str_adds(&c->model_text, value);
    c->model = c->model_text.text;
}

static void note_option(struct complete *c, struct line *at, const struct option_row *o,
                        const char *value)
{
    if (o - option_table < (ptrdiff_t) (sizeof c->seen / sizeof *c->seen))
        c->seen[o - option_table] = true;
    if (!o->arg)
        return;
    if (value)
        note_value(c, o, value);
    else
        at->option = o;
}

static void note_long(struct complete *c, struct line *at, const char *name)
{
    const char *eq = strchr(name, '=');
    size_t n = eq ? (size_t) (eq - name) : strlen(name);
    const struct option_row *o = n > 1 ? find_option(name, n) : NULL;

    if (o) {
        note_option(c, at, o, eq ? eq + 1 : NULL);
        return;
    }
    const struct setting *row = setting_find(name);
    if (row && row->type != SETTING_BOOL)
        at->setting = row;
}

static void note_letters(struct complete *c, struct line *at, const char *letters)
{
    for (const char *p = letters; *p; p++) {
        const struct option_row *o = find_option(p, 1);
        if (!o)
            return;
        note_option(c, at, o, o->arg && p[1] ? p + 1 : NULL);
        if (o->arg)
            return;
    }
}

/* A word before the one that is typed. */
static void note_word(struct complete *c, struct line *at, const char *word)
{
    if (at->option || at->setting) {
        if (at->option)
            note_value(c, at->option, word);
        at->option = NULL;
        at->setting = NULL;
    } else if (at->only_words || word[0] != '-' || !word[1]) {
        const struct tool *t = c->verb_seen || at->only_words ? NULL : tool_find(word);
        if (t && *t->name)
            c->tool = t;
        c->verb_seen = true;
    } else if (strcmp(word, "--") == 0) {
        at->only_words = true;
    } else if (word[1] == '-') {
        note_long(c, at, word + 2);
    } else {
        note_letters(c, at, word + 1);
    }
}

/* --- the word itself --- */

static void offer_value_of(struct complete *c, const struct option_row *o,
                           const struct setting *row)
{
    if (row)
        offer_setting_values(c, row);
    else if (o->arg)
        complete_placeholder(c, o->arg, strlen(o->arg));
}

/* "--model=ti", "-mti": the value that is part of the word. False when it is none. */
static bool offer_attached(struct complete *c)
{
    const char *word = c->word, *eq = strchr(word, '=');
    const struct option_row *o = NULL;
    const struct setting *row = NULL;

    if (word[0] != '-' || !word[1])
        return false;
    if (word[1] == '-' && eq) {
        struct str name = STR_INIT;
        str_add(&name, word + 2, (size_t) (eq - word - 2));
        row = setting_find(name.text);
        o = name.len > 1 ? find_option(name.text, name.len) : NULL;
        str_release(&name);
        c->kept = (size_t) (eq + 1 - word);
    } else if (word[1] != '-' && word[2]) {
        o = find_option(word + 1, 1);
        c->kept = 2;
    } else {
        return false;
    }
    if (row || o)
        offer_value_of(c, o, row);
    return true;
}

/* The words of a verb's usage that are neither options nor their values. */
static void offer_arguments(struct complete *c)
{
    static const char apart[] = " []|";
    bool option = false;

    for (const char *p = c->tool->usage; *(p += strspn(p, apart));) {
        size_t n = strcspn(p, apart);
        bool is_option = *p == '-';
        if (!is_option && !option)
            complete_placeholder(c, p, n);
        option = is_option && n > 1 && isupper((unsigned char) p[n + strspn(p + n, " ")]);
        p += n;
    }
}

void complete_words(struct complete *c, char **words, int n)
{
    struct line at = {0};

    c->tool = tool_table;
    c->model_text = (struct str) STR_INIT;
    c->word = n > 0 ? words[n - 1] : "";
    for (int i = 0; i + 1 < n; i++)
        note_word(c, &at, words[i]);
    size_t before = c->out->len;
    if (at.option || at.setting) {
        offer_value_of(c, at.option, at.setting);
    } else if (at.only_words || c->word[0] != '-') {
        if (!c->verb_seen && !at.only_words)
            offer_verbs(c);
        else
            offer_arguments(c);
        if (c->out->len == before && !*c->word && !at.only_words)
            offer_options(c);
    } else if (!offer_attached(c)) {
        offer_options(c);
    }
    str_release(&c->model_text);
}

void complete_unquote(const char *typed, struct str *out)
{
    char quote = 0;

    for (const char *p = typed; *p; p++) {
        if (quote ? *p == quote : *p == '"' || *p == '\'') {
            quote = quote ? 0 : *p;
        } else if (*p == '\\' && quote != '\'' && p[1] && (!quote || strchr("\"\\$`", p[1]))) {
            str_addc(out, *++p);
        } else {
            str_addc(out, *p);
        }
    }
}
