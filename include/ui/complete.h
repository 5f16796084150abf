/*
 * What may stand at the end of a partly typed command line of the shell. One implementation for
 * all shells: their completions ask `gptscope complete -- WORDS...` and get a line for each
 * candidate, the whole word, a tab and what it is. A word that ends in '.', '=' or ',' goes on.
 * A line ":files" and a tab and a path says that names of files may stand there, too.
 *
 *     struct complete c = {.out = &out};
 *     complete_words(&c, words, n);          // the last one is being typed
 */
#ifndef GPTSCOPE_UI_COMPLETE_H
#define GPTSCOPE_UI_COMPLETE_H

#include "base/str.h"
#include "ui/tool.h"

#include <stdbool.h>
#include <stddef.h>

struct complete {
    struct str *out;
    const char *word; /* the one that is being typed */
    size_t kept;      /* bytes of it that stay: "--model=", names before a comma */

    const struct tool *tool; /* the verb; tool_table[0] while there is none */
    bool verb_seen;
    const char *model;     /* -m of the line, "~/" put in full; NULL: none */
    bool seen[64];         /* rows of option_table that are on the line */
    struct str model_text; /* holds it */
};

void complete_words(struct complete *c, char **words, int n);

/* Prints a candidate if it begins with what is typed. help: one clause, or NULL. */
void complete_offer(struct complete *c, const char *text, const char *help);
/* What is typed of the candidate. */
const char *complete_typed(const struct complete *c);

/* What fits a placeholder of a usage or of an option: "MODEL", "FILE", "GLOBS", "bash". */
void complete_placeholder(struct complete *c, const char *name, size_t n);

/* Names of values of the line's model, or of the built-in one; several, with commas. */
void complete_values(struct complete *c);
/* The command language, at the end of what is typed. */
void complete_commands(struct complete *c);

/* A word as it is typed at a shell, without its quotes and backslashes. */
void complete_unquote(const char *typed, struct str *out);

#endif
