/*
 * What was done in this session, as command lines: what reproduces its beginning, then each
 * command that has succeeded, wherever it came from (a line, a key, a click, a script). So a
 * recording may begin at any time and still reproduces the session. The command `record` writes
 * it to a file and goes on there, line by line.
 *
 *     struct journal j;
 *     journal_init(&j);
 *     journal_begin(&j, session, "tiny-llama");
 *     journal_note(&j, "head +1");
 *     journal_record(&j, "session.gpt", &err);
 *     journal_release(&j);
 */
#ifndef GPTSCOPE_COMMAND_JOURNAL_H
#define GPTSCOPE_COMMAND_JOURNAL_H

#include "session/session.h"

#include <stdio.h>

struct journal {
    struct str text;
    size_t last; /* where its last line begins */
    FILE *file;  /* being recorded to, or NULL */
    char *path;
    bool skip; /* set by a command that is not to be noted, or has noted itself */
};

void journal_init(struct journal *j);
void journal_release(struct journal *j); /* ends the recording */
/* The model, the settings that are not the defaults, the prompt. */
void journal_begin(struct journal *j, const struct session *s, const char *model_spec);
void journal_note(struct journal *j, const char *line);
/* The prompt as it is now. One right after another takes its place. */
void journal_prompt(struct journal *j, const struct session *s);
/* Everything so far goes to the file, and all that follows. */
bool journal_record(struct journal *j, const char *path, struct err *err);
bool journal_stop(struct journal *j, struct err *err); /* true also when nothing was recorded */

#endif
