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
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct tool;

/* What the options say; filled by tool_parse. Strings are borrowed from argv. */
struct tool_args {
    const struct tool *tool; /* the verb */
    struct settings set;  /* --seed --threads --ctx --temp ... : rows of the settings table */
    const char *model;    /* -m; NULL: the default built-in */
    const char *prompt;   /* -p */
    const char *ids;      /* --ids 1,2,3 */
    const char *select;   /* --select */
    const char *output;   /* -o */
    const char *format;   /* --format */
    const char *commands; /* -c */
    const char *shape;    /* --shape */
    const char *decode;   /* --decode 1,2,3 */
    const char *dtype;    /* --dtype */
    const char *record;   /* --record */
    const char *begin;    /* a line of commands that the screen or the prompt begins with */
    bool only_begin;      /* the prompt ends after it */
    const char *tol;      /* --tol */
    const char *value;    /* --value */
    const char *picture;  /* --picture */
    int n;                /* -n; -1: not given */
    int prompt_tokens;    /* --prompt-tokens; -1: not given */
    bool json, ui, no_bos, man, help, version;
    bool all, quiet; /* --all, --quiet */
    bool quoted;     /* --quoted */
    bool dump;       /* bench --dump */
    bool clean;      /* --clean */
    uint64_t given;  /* rows of the settings table that options have set */
    char **rest;     /* arguments that are not options, the verb taken out; in argv's memory */
    int n_rest;

    /* Of dump. */
    const char *layers, *heads, *positions, *prompts, *shard;
    bool no_sidecar;
};

struct tool {
    const char *name;    /* "tokenize"; "" for the curses program */
    const char *usage;   /* "[-m MODEL] [--json] TEXT | -" */
    const char *options; /* names of its own options: "model json decode" */
    const char *help;    /* first line: summary */
    const char *example; /* a shell command that runs in the tests, or NULL */
    /* Exit status; with 2 (usage) the message is followed by where the usage stands. */
    int (*run)(const struct tool_args *a, FILE *out, struct err *err);
};
extern const struct tool tool_table[]; /* ends with a NULL name; [0] is the curses program */
const struct tool *tool_find(const char *name);
bool tool_hidden(const struct tool *t); /* is for programs: not in the overview of verbs */

/* An option of the verbs; those of the settings table are common to all verbs. */
enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_INT };
struct option_row {
    const char *name; /* "model" */
    char letter;      /* 'm'; 0: only long */
    const char *arg;  /* "MODEL"; NULL for a flag */
    enum option_type type;
    size_t offset; /* into struct tool_args */
    int lo, hi;    /* OPTION_INT */
    const char *help;
};
extern const struct option_row option_table[];             /* ends with a NULL name */
bool tool_takes(const struct tool *t, const char *option); /* a row of option_table */

/* Reads argv: the verb (tool_table[0] when there is none), options in any place, "--" ends
 * them. Reorders argv. False: a usage error; a->tool then is the verb as far as it is known. */
bool tool_parse(struct tool_args *a, int argc, char **argv, struct err *err);

/* Help and the manual, from the tables. */
void tool_help_all(struct str *out);
void tool_help_one(const struct tool *t, struct str *out);
void tool_summary(const struct tool *t, struct str *out); /* the first line of its help */
const char *tool_details(const struct tool *t);           /* the rest */
/* A page of the manual as mdoc: "" is gptscope(1), others are in ui/man.h. */
bool tool_man(const char *page, struct str *out, struct err *err);

/* The whole program: parses, dispatches, prints errors as "gptscope: message" on stderr.
 * Returns the exit status: 0 done, 1 failed, 2 usage. */
int tool_main(int argc, char **argv);

#endif
