/*
 * What commands find, as data: `run --json` and --json of the REPL print one JSON object a line
 * for each command that was executed.
 *
 *     {"command": "logits 3", "result": {"position": 9, "tokens": [{"id": 598, ...}]}}
 *     {"command": "echo hello", "text": "hello\n"}          what only prints text
 *     {"command": "view heads"}                             what prints nothing
 *     {"command": "stpe", "error": "there is no command 'stpe'; did you mean 'step'?"}
 *
 * A script's error has its file and line, too: {..., "file": "a.gpt", "line": 3}. It is the
 * last line; nothing runs after it.
 *
 * A command that prints data asks result_wanted and then gives the data in place of text:
 *
 *     if (result_wanted(env))
 *         return result_put(env, data_candidate(s, trace, rank));    // command/data.h
 *
 * Keys are lower case with underscores. Numbers that JSON has no word for (infinities, NaN) are
 * null; others have nine digits, which give a float back as it was.
 */
#ifndef GPTSCOPE_COMMAND_RESULT_H
#define GPTSCOPE_COMMAND_RESULT_H

#include "base/json.h"
#include "command/command.h"

bool result_wanted(const struct command_env *env);
/* The command's result, taken over; always true, so that `return result_put(...)` reads well.
 */
bool result_put(struct command_env *env, json_t *data);

json_t *result_number(double x);
json_t *result_text(const char *bytes, size_t n); /* bytes that are not UTF-8 as \xNN */
/* {"id": 1256, "text": " ball"} */
json_t *result_token(const struct session *s, int id);
/* n floats as a list. */
json_t *result_floats(const float *x, size_t n);

/* --- for command.c: around each command --- */

/* The command's own output, kept apart until it has ended. */
struct result_frame {
    struct str out, *outer;
    void (*flush)(struct command_env *env);
};
void result_begin(struct command_env *env, struct result_frame *f);
/* Adds the line to env->out. err: why it failed, or NULL. */
void result_end(struct command_env *env, struct result_frame *f, const char *line,
                const struct err *err);
/* The line of what failed before a command could run, unless the one that failed has given its
 * own. */
void result_fail(struct command_env *env, const char *line, const struct err *err);

#endif
