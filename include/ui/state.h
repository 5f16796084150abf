/*
 * The user's own files. What is remembered from session to session is in
 * $XDG_STATE_HOME/gptscope (~/.local/state/gptscope), readable by its owner only; what the user
 * writes is in $XDG_CONFIG_HOME/gptscope (~/.config/gptscope). Without a home folder there are
 * none; nobody is told.
 */
#ifndef GPTSCOPE_UI_STATE_H
#define GPTSCOPE_UI_STATE_H

#include "base/str.h"

#include <stdbool.h>

/* A file's path; yours. NULL when there is no home. */
char *state_path(const char *name);
char *config_path(const char *name);
/* False when there is no such file, or it cannot be read. */
bool state_read(const char *name, struct str *out);
void state_write(const char *name, const struct str *text); /* whole, or not at all */

#endif
