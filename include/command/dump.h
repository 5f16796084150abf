/*
 * Values to files. One row per format; the file's suffix chooses.
 */
#ifndef GPTSCOPE_COMMAND_DUMP_H
#define GPTSCOPE_COMMAND_DUMP_H

#include "engine/select.h"
#include "session/session.h"

struct dump_job;
struct outfile;

struct dump_format {
    const char *suffix, *summary; /* "npz" */
    bool one_value;               /* npy: a single value */
    bool (*write)(const struct dump_job *job, struct outfile *f, struct err *err);
};
extern const struct dump_format dump_formats[]; /* ends with a NULL suffix */

/* The format that the suffix of path, or `suffix` when it is not NULL, names. NULL with an
 * error that lists what there is. */
const struct dump_format *dump_format_find(const char *path, const char *suffix,
                                           struct err *err);

/*
 * Writes the selected values of what is computed so far, each in blocks of positions, so that
 * memory is for one block, not for the value. Names and shapes as in man gptscope-values; plus
 * `tokens` (i32) and `token_str` in npz and json. One head of a value ("L5.H1.pattern") loses
 * its head axis and is called "L5.H1.attn.pattern". "-" writes to stdout in the format given by
 * `suffix`. The old file stays when anything fails; an interrupt is a failure.
 */
bool dump_values(const struct session *s, const struct selection *sel, const char *path,
                 const char *suffix, struct err *err);

/* Appends a token's text as UTF-8 for files: exact, but a NUL or a byte that is not part of a
 * whole character is written as \xNN. */
void dump_token_text(const struct tokenizer *t, int id, struct str *out);

#endif
