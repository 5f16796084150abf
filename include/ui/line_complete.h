/*
 * Completion of command lines for the front ends: what src/command/complete.c offers, and
 * files.
 *
 *     line_completion(session, line, at, &c);
 *     // put line_common(&c) in place of line[c.from, at)
 *     completion_release(&c);
 */
#ifndef GPTSCOPE_UI_LINE_COMPLETE_H
#define GPTSCOPE_UI_LINE_COMPLETE_H

#include "command/command.h"

void line_completion(const struct session *s, const char *line, size_t at,
                     struct completion *c);
/* What all candidates begin with; yours. There must be one. */
char *line_common(const struct completion *c);
/* The only candidate is whole: a blank may follow it. */
bool line_whole(const struct completion *c);

/* Readline's Tab, for text that follows `before` (borrowed, it may change). */
void readline_completion(const struct session *s, const struct str *before);

#endif
