/*
 * The command language: one row per command; the curses program's keys and `:` line, the REPL,
 * scripts and -c all execute these. Rows carry types, help and example: dispatch, usage errors,
 * completion, help and the manual are printed from them.
 *
 *     struct command_env env = {.session = s, .out = &out};
 *     command_run(&env, "prompt Tom gave the red ball", &err);
 */
#ifndef GPTSCOPE_COMMAND_COMMAND_H
#define GPTSCOPE_COMMAND_COMMAND_H

#include "base/err.h"
#include "base/str.h"
#include "session/session.h"

struct screen;

struct command_env {
    struct session *session;
    struct str *out;       /* results, lines of safe text */
    struct screen *screen; /* NULL outside the curses program */
    int screen_w, screen_h;
    int width;  /* columns for pictures in `out` */
    bool color; /* pictures may have ANSI colours */
    bool json;
};

enum arg_type {
    ARG_INT,
    ARG_REAL,
    ARG_WORD,
    ARG_TEXT, /* the rest of the line, or a quoted string with \n \t \" \\ */
    ARG_FILE,
    ARG_VALUE, /* value names (engine/select.h) */
    ARG_OP,    /* an op: number, "L2.softmax", or a label */
    ARG_SETTING,
    ARG_VIEW,
    ARG_COMMAND,
    ARG_TOKEN,
    ARG_CHOICE /* one of arg.words */
};

struct arg_spec {
    const char *name; /* "FILE" */
    enum arg_type type;
    bool optional;
    const char *words; /* ARG_CHOICE: "op layer token" */
};

struct arg {
    bool given;
    long long i;
    double x;
    const char *text; /* as typed, unquoted; never NULL when given */
};

#define COMMAND_ARGS 4
struct command {
    const char *name, *group; /* group: "stepping", for help and the manual */
    struct arg_spec arg[COMMAND_ARGS];
    const char *help;    /* one line, then details after a newline */
    const char *example; /* runs in the tests, in a session with a prompt */
    bool (*run)(struct command_env *env, const struct arg *arg, struct err *err);
};
extern const struct command command_table[]; /* ends with a NULL name */

/* Exact name, or the only one that begins so; otherwise NULL with "did you mean" in err. */
const struct command *command_find(const char *name, struct err *err);
/* One line: "name arg arg"; commands may be joined by ';' outside quotes; '#' begins a comment.
 * Stops at the first error. An empty line does nothing. */
bool command_run(struct command_env *env, const char *line, struct err *err);
/* Candidates for the word that ends at line[at]; yours, NULL-terminated. */
char **command_complete(const struct session *s, const char *line, size_t at);
void command_usage(const struct command *c, struct str *out); /* "step [op|layer|token] [N]" */
void command_help(const struct command *c, struct str *out);  /* NULL: the whole list */
void command_man(struct str *out);                            /* the table as mdoc */

/* A script: stops at the first error with "file:line: message". */
bool command_file(struct command_env *env, const char *path, struct err *err);

#endif
