/* Names that options and arguments take: models, formats, shapes, topics, commands, values. */
#include "ui/complete.h"

#include "base/mem.h"
#include "command/command.h"
#include "command/dump.h"
#include "command/parse.h"
#include "model/builtin.h"
#include "model/synth.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void offer_files(struct complete *c)
{
    str_addf(c->out, ":files\t%s\n", complete_typed(c));
}

static void offer_models(struct complete *c)
{
    struct found_model *found = NULL;

    for (const struct builtin *b = builtins; b->name; b++)
        complete_offer(c, b->name, b->summary);
    if (strchr(complete_typed(c), '/')) { /* then the shell's own files are enough */
        offer_files(c);
        return;
    }
    int n = found_models(&found);
    for (int i = 0; i < n; i++) {
        char size[48];
        snprintf(size, sizeof size, "%s, %.1f MB", found[i].what,
                 (double) found[i].bytes / 1e6);
        complete_offer(c, found[i].path, size);
    }
    found_models_free(found, n);
    offer_files(c);
}

static void offer_formats(struct complete *c)
{
    for (const struct dump_format *f = dump_formats; f->suffix; f++)
        complete_offer(c, f->suffix, f->summary);
}

static void offer_shapes(struct complete *c)
{
    for (const struct shape *s = shapes; s->name; s++)
        complete_offer(c, s->name, s->summary);
}

static void offer_dtypes(struct complete *c)
{
    for (int i = 0; i < DTYPE_COUNT; i++) {
        struct str name = STR_INIT;
        for (const char *p = dtype_info((enum dtype) i)->name; *p; p++)
            str_addc(&name, (char) tolower((unsigned char) *p));
        complete_offer(c, name.text, "number format");
        str_release(&name);
    }
}

static void offer_verbs(struct complete *c)
{
    for (const struct tool *t = tool_table + 1; t->name; t++)
        complete_offer(c, t->name, t->help);
}

static void offer_command_names(struct complete *c)
{
    for (const struct command *row = command_table; row->name; row++)
        if (!tool_find(row->name)) /* which has that name, too */
            complete_offer(c, row->name, row->help);
}

static void offer_topics(struct complete *c)
{
    const char *word;
    size_t n;

    for (int i = 0; (n = choice_word(command_topics, i, &word)) > 0; i++) {
        char *name = xstrndup(word, n);
        complete_offer(c, name, "topic of help");
        free(name);
    }
}

// clang-format off
/* What the words in capitals stand for, in the order of the tables that use them. */
static const struct {
    const char *name;
    void (*offer)(struct complete *c);
} placeholders[] = {
    {"MODEL", offer_models},
    {"FILE", offer_files},
    {"A", offer_models}, /* two of which each is a model or a file */
    {"B", offer_models},
    {"GLOBS", complete_values},
    {"VALUES", complete_values},
    {"FORMAT", offer_formats},
    {"SHAPE", offer_shapes},
    {"TYPE", offer_dtypes},
    {"COMMANDS", complete_commands},
    {"VERB", offer_verbs},
    {"COMMAND", offer_command_names},
    {"TOPIC", offer_topics},
    {NULL, NULL},
};
// clang-format on

void complete_placeholder(struct complete *c, const char *name, size_t n)
{
    char *word = xstrndup(name, n);

    if (islower((unsigned char) *word)) {
        complete_offer(c, word, NULL);
    } else {
        for (size_t i = 0; placeholders[i].name; i++)
            if (strcmp(placeholders[i].name, word) == 0)
                placeholders[i].offer(c);
    }
    free(word);
}

/* --- the command language --- */

void complete_commands(struct complete *c)
{
    struct settings set;
    struct err err = ERR_INIT;
    const char *line = complete_typed(c);
    size_t at = strlen(line), begin = at;

    settings_init(&set);
    struct compute *compute = compute_new(1);
    struct session *s = c->model ? session_new(c->model, compute, &set, &err) : NULL;
    if (!s)
        s = session_new(builtins[0].name, compute, &set, &err);
    char **word = s ? command_complete(s, line, at) : NULL;
    while (begin > 0 && !strchr(" \t;\n", line[begin - 1]))
        begin--;
    c->kept += begin;
    for (int i = 0; word && word[i]; i++) {
        complete_offer(c, word[i], NULL);
        free(word[i]);
    }
    if (!word)
        offer_files(c);
    free(word);
    session_free(s);
    compute_free(compute);
}
