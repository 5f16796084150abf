/*
 * Values to files. One row per format; the file's suffix chooses.
 */
#ifndef GPTSCOPE_COMMAND_DUMP_H
#define GPTSCOPE_COMMAND_DUMP_H

#include "engine/select.h"
#include "session/session.h"

struct dump_format {
    const char *suffix, *summary; /* "npz" */
    bool one_value;               /* npy: a single value */
};
extern const struct dump_format dump_formats[]; /* ends with a NULL suffix */

/*
 * Writes the selected values of what is computed so far, each in blocks of positions, so that
 * memory is for one block, not for the value. Names and shapes as in man gptscope-values; plus
 * `tokens` (i32) and `token_str` in npz. One head of a value ("L5.H1.pattern") loses its head
 * axis. "-" writes to stdout in the format given by `suffix` (else from the path).
 */
bool dump_values(const struct session *s, const struct selection *sel, const char *path,
                 const char *suffix, struct err *err);

#endif
