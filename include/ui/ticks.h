/*
 * How far the learner is, kept from session to session in the state folder (ui/state.h).
 */
#ifndef GPTSCOPE_UI_TICKS_H
#define GPTSCOPE_UI_TICKS_H

#include "session/session.h"
#include "ui/tool.h"

/* Neither does anything with --clean. */
void ticks_load(struct session *s, const struct tool_args *args);
/* Writes what has changed since it was last written. */
void ticks_save(const struct session *s, const struct tool_args *args);

#endif
