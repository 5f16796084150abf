/*
 * The command language: one row per command; the curses program's keys and `:` line, the REPL,
 * scripts and -c all execute these. Rows carry types, help and example: dispatch, usage errors,
 * completion, help and the manual are printed from them.
 *
 *     struct command_env env;
 *     command_env_init(&env, session, &screen, &out);
 *     command_run(&env, "prompt Tom gave the red ball", &err);
 */
#ifndef GPTSCOPE_COMMAND_COMMAND_H
#define GPTSCOPE_COMMAND_COMMAND_H

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "command/journal.h"
#include "session/session.h"

struct screen;
struct word;

struct command_env {
    struct session *session;
    struct str *out;       /* results, lines of safe text */
    struct screen *screen; /* what the curses program shows; off-screen elsewhere */
    int screen_w, screen_h;
    bool live;  /* the screen is on a terminal: its picture shows what a command did */
    int width;  /* columns for pictures in `out` */
    int fold;   /* columns that lines of help and lists are broken at; 0: they are not */
    bool color; /* pictures may have ANSI colours */
    bool ascii; /* pictures may only have ASCII characters, whatever the setting says */
    /* Called after each command and when part of a long one's output is there (a generated
     * token); may print and clear `out`. NULL: all is collected. */
    void (*flush)(struct command_env *env);
    /* Told now and then how far long work on `what` (a file) is, in bytes, and with what NULL
     * that it is over: may show it, and may stop it with interrupt_set. NULL: nobody looks. */
    void (*progress)(struct command_env *env, const char *what, uint64_t done, uint64_t total);
    int depth;      /* of `source` in `source` */
    bool json;      /* `out` gets a JSON object a line for each command (command/result.h) */
    json_t *result; /* while a command runs: what it found */
    bool failed;    /* json: the line that says why a command failed is out */
    const char *script; /* the file that commands come from, or NULL; */
    int line;           /* its line */
    struct journal journal;
};

enum { SCREEN_W = 120, SCREEN_H = 40 }; /* cells of a screen that is on no terminal */
/* All three are borrowed; nothing is live. The screen gets the key table for its help. */
void command_env_init(struct command_env *env, struct session *s, struct screen *st,
                      struct str *out);
void command_env_release(struct command_env *env); /* ends a recording, too */

enum arg_type {
    ARG_INT,
    ARG_REAL,
    ARG_WORD,
    ARG_TEXT, /* the rest of the line, or a quoted string with \n \t \" \\ */
    ARG_FILE,
    ARG_VALUE,   /* value names (command/place.h) */
    ARG_OP,      /* an op: number, "L2.softmax", or a label; i: its index */
    ARG_SETTING, /* i: its row */
    ARG_VIEW,    /* a view's name or digit; i: its row */
    ARG_COMMAND, /* a command's name or another topic of help */
    ARG_TOKEN,   /* an id, or text that is one token; i: the id */
    ARG_CHOICE,  /* one of arg.words; i: which */
    /* Words that commands take apart themselves; the type says what may stand there: */
    ARG_PLACE,    /* "L2.H3", and what arg.words may follow it */
    ARG_LAYER,    /* a layer's number */
    ARG_HEAD,     /* a head's number */
    ARG_STAGE,    /* a stage of the attention */
    ARG_OPS,      /* an op as in ARG_OP, or a label for all layers; not looked up */
    ARG_FUNCTION, /* of engine/function.h, for the op named before it */
    ARG_SETTING_VALUE,
    ARG_MODEL,    /* a built-in's name, a model that is found, or a file */
    ARG_BRANCH,   /* a branch's number */
    ARG_BREAK,    /* a breakpoint's number */
    ARG_EXERCISE, /* an exercise's name or number */
    ARG_ABLATION  /* an ablation's number; i */
};

struct arg_spec {
    const char *name; /* "FILE" */
    enum arg_type type;
    bool optional;
    const char *words; /* ARG_CHOICE: "op layer token"; others: further words for completion */
};

struct arg {
    bool given;
    long long i;
    double x;
    const char *text; /* as typed, unquoted, a choice in full; never NULL when given */
    bool quoted;
    struct word *word; /* command/parse.h, for arg_expand; NULL: there is none */
};

#define COMMAND_ARGS 6
struct command {
    const char *name, *group; /* group: "stepping", for help and the manual */
    struct arg_spec arg[COMMAND_ARGS];
    const char *help;    /* one line, then details after a newline */
    const char *example; /* runs in the tests, in a session with a prompt */
    bool (*run)(struct command_env *env, const struct arg *arg, struct err *err);
};
extern const struct command command_table[]; /* ends with a NULL name */

/* What a group of commands is for. */
struct command_group {
    const char *name, *intro; /* intro: one sentence */
};
extern const struct command_group command_groups[]; /* ends with a NULL name */
const char *command_group_intro(const char *group); /* NULL: nobody has written it */

/* Exact name, or the only one that begins so; otherwise NULL with "did you mean" in err. */
const struct command *command_find(const char *name, struct err *err);
/* "name arg arg"; commands may be joined by ';' or a newline outside quotes; '#' at the start
 * of a word begins a comment; a backslash at the end of a line joins it with the next. Stops at
 * the first error. An empty line does nothing. */
bool command_run(struct command_env *env, const char *line, struct err *err);
/* What may stand in place of the word that ends at line[at]. */
struct completion {
    size_t from; /* where the word begins; it ends at `at` */
    char **word; /* sorted; each is the whole word, quotes included */
    int n, cap;
    bool files;  /* names of files may stand there, too, ... */
    char *plain; /* ... that begin so: what was typed, without quotes */
    bool quoted; /* the word begins with a quote */
};
void command_completion(const struct session *s, const char *line, size_t at,
                        struct completion *c);
void completion_release(struct completion *c);
/* Its words alone; yours, NULL-terminated. NULL where only a file name may stand. */
char **command_complete(const struct session *s, const char *line, size_t at);
void command_usage(const struct command *c, struct str *out); /* "step [op|layer|token] [N]" */
/* Its help, or that of a topic: "keys", "mouse", "values" ..., in lines of so many columns; 0:
 * as they are. NULL: the list of all commands. */
void command_help(const struct command *c, int columns, struct str *out);
bool command_topic(const char *topic, int columns, struct str *out, struct err *err);
/* Rows of the topics mouse, files, language ..., for the manual, too; they end with a NULL
 * name. NULL for a topic that is no list. */
struct help_row {
    const char *name, *help;
};
const struct help_row *help_rows(const char *topic);
extern const char command_topics[]; /* their names, apart by blanks */
void command_man(struct str *out);  /* the table as mdoc */

/* The same for a text with several commands where nothing else says which one failed: "command
 * 3: message", unless it is the only one. */
bool command_string(struct command_env *env, const char *text, struct err *err);
/* A script: stops at the first error with "name:line: message", the line that the command
 * begins in, or at quit. */
bool command_script(struct command_env *env, const char *name, const char *text, size_t n,
                    struct err *err);
/* A part of a script that begins in a line of it. */
bool command_part(struct command_env *env, const char *name, int line, const char *text,
                  size_t n, struct err *err);
bool command_file(struct command_env *env, const char *path, struct err *err);

#endif
