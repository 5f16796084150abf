/*
 * The verbs of the shell's command line: gptscope info, tokenize, generate, dump ... One row
 * per verb, one row per option; parsing, usage errors, `help VERB` and the manual come from
 * them.
 */
#ifndef GPTSCOPE_UI_TOOL_H
#define GPTSCOPE_UI_TOOL_H

#include "base/err.h"
#include "base/str.h"
#include "session/settings.h"

#include <stdbool.h>
#include <stdio.h>

/* What the options say; filled by tool_parse. Strings are borrowed from argv. */
struct tool_args {
    struct settings set;  /* --seed --threads --ctx --temp ... : rows of the settings table */
    const char *model;    /* -m; NULL: the default built-in */
    const char *prompt;   /* -p */
    const char *ids;      /* --ids 1,2,3 */
    const char *select;   /* --select */
    const char *output;   /* -o */
    const char *commands; /* -c */
    const char *shape;    /* --shape */
    const char *decode;   /* --decode 1,2,3 */
    const char *dtype;    /* --dtype */
    int n;                /* -n */
    bool json, no_mouse, yes;
    char **rest; /* arguments that are not options */
    int n_rest;
};

struct tool {
    const char *name;    /* "tokenize" */
    const char *usage;   /* "[-m MODEL] [--json] TEXT | -" */
    const char *options; /* names of its own options: "json decode"; the common ones always */
    const char *help;    /* first line: summary */
    const char *example; /* a shell command that runs in the tests */
    int (*run)(const struct tool_args *a, FILE *out, struct err *err); /* exit status */
};
extern const struct tool tool_table[]; /* ends with a NULL name */
const struct tool *tool_find(const char *name);

/* The whole program: parses, dispatches, prints errors as "gptscope: message" on stderr.
 * Returns the exit status: 0 done, 1 failed, 2 usage. */
int tool_main(int argc, char **argv);

#endif
