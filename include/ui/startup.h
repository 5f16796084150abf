/*
 * How a session begins: the layout as it was left, the user's start-up file, then the options
 * of the command line, which have the last word. And what is kept at its end.
 */
#ifndef GPTSCOPE_UI_STARTUP_H
#define GPTSCOPE_UI_STARTUP_H

#include "command/command.h"

struct tool_args;

/* Runs the start-up file, and with `layout` the remembered one before it. What goes wrong is
 * left out and prevents nothing; err has the first of it. */
void startup_run(struct command_env *env, const struct tool_args *args, bool layout,
                 struct err *err);
/* Remembers the layout, as commands. */
void startup_save(const struct command_env *env, const struct tool_args *args);

#endif
