/*
 * What the verb dump does for one prompt, and for many.
 */
#ifndef GPTSCOPE_UI_TOOL_DUMP_H
#define GPTSCOPE_UI_TOOL_DUMP_H

#include "command/dump.h"
#include "ui/progress.h"
#include "ui/tool_input.h"

/* Options of the dump as the arguments say them, for the file at path. */
struct dump_options dump_options_of(const struct tool_args *a, const char *path);
/* The command that makes the file at path, and no other, from the session's prompt; as_ids: it
 * was given as ids. */
void dump_command(const struct tool_args *a, const struct session *s, bool as_ids,
                  const char *path, struct str *out);
/* Computes all that is pending; watch is told how many tokens are done. */
typedef void dump_watch(void *user, int done, int total);
bool dump_compute(struct session *s, dump_watch *watch, void *user, struct err *err);
/* One line of JSON; takes o over. */
void dump_put_json(FILE *out, json_t *o);

/* --prompts: exit status. */
int dump_batch(const struct tool_args *a, FILE *out, struct err *err);

#endif
