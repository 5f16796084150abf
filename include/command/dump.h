/*
 * Values to files. One row per format; the file's suffix chooses.
 */
#ifndef GPTSCOPE_COMMAND_DUMP_H
#define GPTSCOPE_COMMAND_DUMP_H

#include "base/json.h"
#include "command/dump_slice.h"
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

/* What is asked of a dump. Strings are borrowed. */
struct dump_options {
    const char *path;   /* "-": standard output, in the format that suffix names */
    const char *suffix; /* the format, in place of the path's suffix; NULL */
    struct dump_slice slice;
    bool sidecar;        /* describe the file in PATH.json (command/sidecar.h) */
    uint64_t model;      /* model_fingerprint, where it is known; 0 */
    const char *command; /* for the sidecar: what makes this file; NULL */
    /* Told after each block how many of the values' bytes are read; NULL: nobody asks. */
    void (*progress)(void *user, uint64_t done, uint64_t total);
    void *user;
};

struct dump_result {
    /* {"file", "format", "bytes", "sidecar", "values": [{"name", "shape", "axes", "dtype"}]};
     * bytes of the values' numbers for a stream. Yours; NULL after a failure. */
    json_t *file;
    int values;      /* how many values of the selection were written */
    bool no_writing; /* it failed in writing: another file there would fail, too */
};

/*
 * Writes the selected values of what is computed so far, each in blocks of positions, so that
 * memory is for one block, not for the value. Names and shapes as in man gptscope-values; plus
 * `tokens` (i32) and `token_str` in npz and json, which are those of all positions. One head of
 * a value ("L5.H1.pattern") loses its head axis and is called "L5.H1.attn.pattern". The old
 * file stays when anything fails; an interrupt is a failure. A stream (standard output, a pipe,
 * a device) has no sidecar.
 */
bool dump_values(const struct session *s, const struct selection *sel,
                 const struct dump_options *o, struct dump_result *result, struct err *err);

/* What would make dump_values fail that is known before the session's tokens are computed:
 * layers, heads and positions that there are not, a sidecar that would go over something else.
 */
bool dump_check(const struct session *s, const struct selection *sel,
                const struct dump_options *o, struct err *err);

/* Whether the file is there already, whole, made of the session's tokens (computed or not) by
 * this model with this selection: its sidecar says so. */
bool dump_done(const struct session *s, const struct selection *sel,
               const struct dump_options *o);

/* Appends a token's text as UTF-8 for files: exact, but a NUL or a byte that is not part of a
 * whole character is written as \xNN. */
void dump_token_text(const struct tokenizer *t, int id, struct str *out);

#endif
