#include "ui/tool.h"

#include "base/near.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct tool_args, field)
#define MAX_COUNT 100000000

// clang-format off
const struct option_row option_table[] = {
    {"model", 'm', "MODEL", OPTION_TEXT, AT(model), 0, 0,
     "a GGUF file, a .safetensors file, a folder with config.json and weights, or the name of "
     "a built-in model; without it the first built-in"},
    {"prompt", 'p', "TEXT", OPTION_TEXT, AT(prompt), 0, 0,
     "the prompt; - reads it from standard input"},
    {"ids", 0, "IDS", OPTION_TEXT, AT(ids), 0, 0,
     "the prompt as token ids, 1,2,3, in place of a text"},
    {"count", 'n', "N", OPTION_INT, AT(n), 0, MAX_COUNT, "how many tokens to generate"},
    {"select", 0, "GLOBS", OPTION_TEXT, AT(select), 0, 0,
     "names of values, joined by commas: 'blocks.*.attn.pattern,logits', L0-3.attn.q, "
     "L5.H1.pattern"},
    {"output", 'o', "FILE", OPTION_TEXT, AT(output), 0, 0,
     "where to write; the suffix chooses the format; - is standard output"},
    {"format", 0, "FORMAT", OPTION_TEXT, AT(format), 0, 0,
     "the format, in place of the file's suffix"},
    {"layers", 0, "LIST", OPTION_TEXT, AT(layers), 0, 0,
     "of the values of blocks and of the cache only those of these layers, 0-3,5; values outside "
     "the blocks stay"},
    {"heads", 0, "LIST", OPTION_TEXT, AT(heads), 0, 0,
     "only these heads, 1,2, and of keys and values the heads that serve them, in rising order"},
    {"positions", 0, "RANGE", OPTION_TEXT, AT(positions), 0, 0,
     "only these rows of the position axis: 4, 4-9, 4- (to the end), last, last5; all keys stay, "
     "and the tokens stay those of the whole prompt"},
    {"prompts", 0, "FILE", OPTION_TEXT, AT(prompts), 0, 0,
     "many prompts: a text with one a line (empty lines are none), or JSON lines, "
     "{\"prompt\": \"...\", \"id\": \"...\"} or {\"ids\": [...]}, when its name ends in .jsonl; "
     "- is a text from standard input"},
    {"shard", 0, "I/N", OPTION_TEXT, AT(shard), 0, 0,
     "of the prompts every N-th, from the I-th on: N processes with I from 1 to N do them all"},
    {"no-sidecar", 0, NULL, OPTION_FLAG, AT(no_sidecar), 0, 0,
     "do not write FILE.json, the description of the file"},
    {"tol", 0, "TOL", OPTION_TEXT, AT(tol), 0, 0,
     "how much of a value's scale A and B may be apart: 1e-4"},
    {"value", 0, "NAME", OPTION_TEXT, AT(value), 0, 0,
     "the name of the value that an .npy file holds"},
    {"all", 0, NULL, OPTION_FLAG, AT(all), 0, 0,
     "a line for every value, and all names that only one side has"},
    {"quiet", 'q', NULL, OPTION_FLAG, AT(quiet), 0, 0, "only the verdict"},
    {"picture", 0, "FILE", OPTION_TEXT, AT(picture), 0, 0,
     "a heat map of A - B of the first value that differs (with --select, of those): .png, .svg, "
     ".html, .txt or .ansi; - prints it"},
    {"decode", 0, "IDS", OPTION_TEXT, AT(decode), 0, 0, "turn token ids, 1,2,3, into text"},
    {"command", 'c', "COMMANDS", OPTION_TEXT, AT(commands), 0, 0,
     "commands to run, joined by ;"},
    {"shape", 0, "SHAPE", OPTION_TEXT, AT(shape), 0, 0,
     "random weights of this shape in place of a model: gpt2, gpt2:n_layer=2"},
    {"dtype", 0, "TYPE", OPTION_TEXT, AT(dtype), 0, 0,
     "number format of the random weights: f32, f16, bf16, q8_0"},
    {"prompt-tokens", 0, "N", OPTION_INT, AT(prompt_tokens), 1, MAX_COUNT,
     "how many tokens the measured prompt has"},
    {"no-bos", 0, NULL, OPTION_FLAG, AT(no_bos), 0, 0,
     "do not put the beginning-of-text token first where the model's file asks for it"},
    {"ui", 0, NULL, OPTION_FLAG, AT(ui), 0, 0,
     "measure the screen: redraws of every view, typing, the first frame"},
    {"dump", 0, NULL, OPTION_FLAG, AT(dump), 0, 0,
     "measure a dump of every value against the speed of the disk"},
    {"json", 0, NULL, OPTION_FLAG, AT(json), 0, 0, "print the result as JSON"},
    {"record", 0, "FILE", OPTION_TEXT, AT(record), 0, 0,
     "record the session in a file of commands, from its beginning on"},
    {"clean", 0, NULL, OPTION_FLAG, AT(clean), 0, 0,
     "begin without the start-up file and without what was remembered, and remember nothing"},
    {"man", 0, NULL, OPTION_FLAG, AT(man), 0, 0,
     "print a page of the manual as mdoc, for man -l"},
    {"quoted", 0, NULL, OPTION_FLAG, AT(quoted), 0, 0,
     "the words are as they are typed at a shell, with quotes and backslashes"},
    {"help", 'h', NULL, OPTION_FLAG, AT(help), 0, 0, "print help"},
    {"version", 'V', NULL, OPTION_FLAG, AT(version), 0, 0, "print the version"},
    {0},
};
// clang-format on

/* Reading of argv: words that are not options are moved to its front. */
struct reader {
    struct tool_args *args;
    int argc, at;
    char **argv;
    int n_rest;
    char typed[72];                    /* the option being read, for messages */
    bool only_words, verb_seen;        /* after "--"; the first word was looked at */
    const struct option_row *seen[64]; /* own options met, to be held against the verb */
    int n_seen;
};

static const struct option_row *find_long(const char *name, size_t len)
{
    for (const struct option_row *o = option_table; o->name; o++)
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
            return o;
    return NULL;
}

static const struct option_row *find_letter(char letter)
{
    for (const struct option_row *o = option_table; o->name; o++)
        if (o->letter && o->letter == letter)
            return o;
    return NULL;
}

/* A word of a list with blanks between. */
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
            return true;
    return false;
}

bool tool_takes(const struct tool *t, const char *option)
{
    return strcmp(option, "help") == 0 || strcmp(option, "version") == 0 ||
           has_word(t->options, option);
}

static bool store(struct reader *r, const struct option_row *o, char *value, struct err *err)
{
    void *at = (char *) r->args + o->offset;
    if (o->type == OPTION_FLAG) {
        *(bool *) at = true;
        return true;
    }
    if (o->type == OPTION_TEXT) {
        *(char **) at = value;
        return true;
    }
    char *end;
    errno = 0;
    long v = strtol(value, &end, 10);
    if (end == value || *end || errno || v < o->lo || v > o->hi)
        return err_set(err, "option '%s' needs a whole number from %d to %d, not '%s'",
                       r->typed, o->lo, o->hi, value);
    *(int *) at = (int) v;
    return true;
}

static bool own_option(struct reader *r, const struct option_row *o, char *value,
                       struct err *err)
{
    if (o->type == OPTION_FLAG && value)
        return err_set(err, "option '%s' takes no value", r->typed);
    if (o->type != OPTION_FLAG && !value) {
        if (r->at + 1 >= r->argc)
            return err_set(err, "option '%s' needs a value, %s", r->typed, o->arg);
        value = r->argv[++r->at];
    }
    if (r->n_seen < (int) (sizeof r->seen / sizeof *r->seen))
        r->seen[r->n_seen++] = o;
    return store(r, o, value, err);
}

/* An option that is a row of the settings table: a switch is a flag, "--no-NAME" its off. */
static bool setting_option(struct reader *r, const char *name, const char *value,
                           struct err *err)
{
    const struct setting *row = setting_find(name);
    r->args->given |= UINT64_C(1) << (row - setting_table);
    if (row->type == SETTING_BOOL)
        return settings_set(&r->args->set, row->name, value ? value : "on", err);
    if (!value) {
        if (r->at + 1 >= r->argc)
            return err_set(err, "option '--%s' needs a value", row->name);
        value = r->argv[++r->at];
    }
    return settings_set(&r->args->set, row->name, value, err);
}

static bool unknown_option(const struct tool *t, const char *name, struct err *err)
{
    struct near near;
    near_init(&near, name);
    for (const struct option_row *o = option_table; o->name; o++)
        if (tool_takes(t, o->name))
            near_try(&near, o->name);
    for (const struct setting *row = setting_table; row->name; row++)
        near_try(&near, row->name);
    if (near_best(&near))
        return err_set(err, "unknown option '--%s'; did you mean '--%s'", name,
                       near_best(&near));
    return err_set(err, "unknown option '--%s'", name);
}

static bool long_option(struct reader *r, char *text, struct err *err)
{
    char name[64];
    char *eq = strchr(text, '=');
    size_t len = eq ? (size_t) (eq - text) : strlen(text);
    if (len >= sizeof name)
        return err_set(err, "unknown option '--%s'", text);
    memcpy(name, text, len);
    name[len] = '\0';
    char *value = eq ? eq + 1 : NULL;
    snprintf(r->typed, sizeof r->typed, "--%s", name);
    const struct option_row *o = find_long(name, len);
    if (o)
        return own_option(r, o, value, err);
    if (setting_find(name))
        return setting_option(r, name, value, err);
    const struct setting *off = strncmp(name, "no-", 3) ? NULL : setting_find(name + 3);
    if (off && off->type == SETTING_BOOL && !value)
        return setting_option(r, name + 3, "off", err);
    return unknown_option(r->args->tool, name, err);
}

/* "-m X", "-mX"; flags may stand together: "-hV". */
static bool short_options(struct reader *r, char *text, struct err *err)
{
    for (char *p = text; *p; p++) {
        const struct option_row *o = find_letter(*p);
        if (!o)
            return err_set(err, "unknown option '-%s'", p);
        snprintf(r->typed, sizeof r->typed, "-%c", *p);
        if (o->type != OPTION_FLAG)
            return own_option(r, o, p[1] ? p + 1 : NULL, err);
        if (!own_option(r, o, NULL, err))
            return false;
    }
    return true;
}

/* The first word, unless it follows "--", may be a verb. */
static bool word(struct reader *r, char *text, struct err *err)
{
    if (!r->verb_seen && !r->only_words) {
        r->verb_seen = true;
        const struct tool *t = tool_find(text);
        if (t && *t->name) {
            r->args->tool = t;
            return true;
        }
        struct near near;
        near_init(&near, text);
        for (t = tool_table + 1; t->name; t++)
            near_try(&near, t->name);
        if (strlen(text) > 3 && near_best(&near))
            return err_set(err, "unknown verb '%s'; did you mean '%s' (as a prompt: -- %s)",
                           text, near_best(&near), text);
    }
    r->verb_seen = true;
    r->argv[r->n_rest++] = text;
    return true;
}

static bool take_all(struct reader *r, struct err *err)
{
    for (; r->at < r->argc; r->at++) {
        char *text = r->argv[r->at];
        bool ok;
        if (r->only_words || text[0] != '-' || !text[1])
            ok = word(r, text, err);
        else if (strcmp(text, "--") == 0)
            ok = r->only_words = true;
        else if (text[1] == '-')
            ok = long_option(r, text + 2, err);
        else
            ok = short_options(r, text + 1, err);
        if (!ok)
            return false;
    }
    return true;
}

/* Whether the verb takes the option. One with a setting's name (heads) is the setting for the
 * verbs that do not. */
static bool belongs(struct tool_args *a, const struct option_row *o, struct err *err)
{
    const struct setting *row = setting_find(o->name);
    if (tool_takes(a->tool, o->name))
        return true;
    if (!row || o->type != OPTION_TEXT)
        return err_set(err, "option '--%s' does not belong to '%s'", o->name,
                       *a->tool->name ? a->tool->name : "gptscope");
    const char **text = (const char **) ((char *) a + o->offset);
    bool ok = !*text || settings_set(&a->set, row->name, *text, err);
    *text = NULL; /* also when it was given twice */
    a->given |= UINT64_C(1) << (row - setting_table);
    return ok;
}

/* Chinese where the locale is. */
static enum lang locale_lang(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *locale = getenv(names[i]);
        if (locale && *locale)
            return strncmp(locale, "zh", 2) == 0 ? LANG_ZH : LANG_EN;
    }
    return LANG_EN;
}

bool tool_parse(struct tool_args *a, int argc, char **argv, struct err *err)
{
    *a = (struct tool_args){.tool = tool_table, .n = -1, .prompt_tokens = -1};
    settings_init(&a->set);
    a->set.lang = locale_lang();
    struct reader r = {.args = a, .argc = argc, .argv = argv, .at = 1, .n_rest = 1};
    if (!take_all(&r, err))
        return false;
    a->rest = argv + 1;
    a->n_rest = r.n_rest - 1;
    for (int i = 0; i < r.n_seen; i++)
        if (!belongs(a, r.seen[i], err))
            return false;
    return true;
}
