/*
 * The front ends. Each returns an exit status.
 */
#ifndef GPTSCOPE_UI_UI_H
#define GPTSCOPE_UI_UI_H

#include "base/err.h"
#include "session/session.h"

#include <stdbool.h>

struct command_env;
struct tool_args; /* what the options said */

/* Seconds of a drawing for what views sum up: of the first after a change, and of those that
 * follow until all is there. */
#define UI_SUMMARY 0.0015
#define UI_REFINE  0.003

/* The curses program: runs until quit; the terminal is given back, whatever ends it. */
int ui_curses(struct session *s, const struct tool_args *args, struct err *err);
/* readline prompt, or plain lines when stdin is not a terminal. */
int ui_repl(struct session *s, const struct tool_args *args, struct err *err);

/* Width and colours of standard output, for commands that print pictures. */
void ui_output(struct command_env *env);

#endif
