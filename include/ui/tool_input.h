/*
 * What several verbs read and open in the same way.
 */
#ifndef GPTSCOPE_UI_TOOL_INPUT_H
#define GPTSCOPE_UI_TOOL_INPUT_H

#include "base/str.h"
#include "session/session.h"
#include "ui/tool.h"

#include <stdbool.h>
#include <stdio.h>

#define TOOL_N 64 /* tokens to generate when -n does not say */

/* The model as given by -m, by the first argument when as_word, or the default. */
const char *tool_model(const struct tool_args *a, bool as_word);

/* All of standard input, any bytes. */
bool tool_stdin(struct str *out, struct err *err);
/* The text given by -p or as the argument; "-" reads standard input. False with a usage error
 * when there is none or more than one. */
bool tool_text(const struct tool_args *a, struct str *out, struct err *err);
bool tool_has_text(const struct tool_args *a);
/* "1,2,3", blanks between allowed. */
bool tool_ids(const char *text, const char *option, struct ids *ids, struct err *err);

/* A session with the prompt of the options (text or ids) set and not yet computed. Exit
 * status. */
struct tool_session {
    struct compute *compute;
    struct session *session;
};
int tool_open(struct tool_session *t, const struct tool_args *a, struct err *err);
void tool_close(struct tool_session *t);

/* From here on Ctrl-C sets the interrupt flag; a second one ends the program. */
void tool_catch_interrupt(void);

/* "tokens": [...] and the like. */
void tool_json_ids(struct str *out, const int32_t *ids, int n);
void tool_json_text(struct str *out, const char *text);
void tool_json_bytes(struct str *out, const char *bytes, size_t n);
void tool_put(FILE *out, struct str *text); /* writes and releases */
/* Text of a model: to a terminal made safe but for line ends and tabs, else byte for byte. */
void tool_put_text(FILE *out, const char *text, size_t n, bool terminal);

/* The verbs. */
typedef int tool_function(const struct tool_args *a, FILE *out, struct err *err);
tool_function tool_screen, tool_repl, tool_run, tool_info, tool_tokenize, tool_generate,
    tool_dump, tool_diff, tool_models, tool_check, tool_bench, tool_lesson, tool_exercise,
    tool_checklist, tool_completion, tool_complete, tool_help, tool_version;

#endif
