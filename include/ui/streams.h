/*
 * Standard input, output and error, as a program in a pipe uses them.
 *
 * When nobody reads its output any more, the program ends at once by SIGPIPE, whatever the
 * program that started it does about that signal. Anything else that goes wrong with the output
 * (a full disk, a closed descriptor) is one message and status 1.
 *
 *     streams_begin();
 *     if (!streams_put(text, n))
 *         ...                          // goes on, or stops early
 *     if (!streams_end(&err)) ...      // "cannot write to standard output: ..."
 */
#ifndef GPTSCOPE_UI_STREAMS_H
#define GPTSCOPE_UI_STREAMS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct command_env;

/* Before any file is opened: a standard stream that is closed fails when it is used, and its
 * number is not given to a file. */
void streams_begin(void);
/* Writes to standard output; false when it cannot be written, now or before. */
bool streams_put(const void *bytes, size_t n);
/* Writes what waits in the buffer; false with the reason when anything could not be written. */
bool streams_end(struct err *err);
/* What a command has printed goes out at once. When it cannot be written, what runs is
 * interrupted. For command_env's flush. */
void streams_flush(struct command_env *env);

#endif
