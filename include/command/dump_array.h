/*
 * What the writers of src/command/dump_*.c write: named arrays that are read block by block.
 *
 *     dump_array_open(a, &err);
 *     while (dump_array_next(a, &bytes, &n, &err) && n)
 *         outfile_write(f, bytes, n);
 *     dump_array_close(a);
 */
#ifndef GPTSCOPE_COMMAND_DUMP_ARRAY_H
#define GPTSCOPE_COMMAND_DUMP_ARRAY_H

#include "base/file.h"
#include "engine/sweep.h"
#include "session/session.h"

#include <stdbool.h>
#include <stdint.h>

enum dump_type { DUMP_F32, DUMP_I32, DUMP_TEXT };

struct dump_array {
    char name[64];
    enum dump_type type;
    int width; /* DUMP_TEXT: code points an element, padded with 0 */
    int n_axis;
    int shape[3];
    enum axis axis[3];

    const void *data; /* an array in memory, borrowed; NULL: a value of the run */

    const struct run *run;
    int value;
    struct region region; /* of the value, all of what is written */
    const bool *keep;     /* of the region's heads those that are written; NULL: all */
    int keep_axis;        /* the value's head axis, with keep */
    int n_value_axis;     /* axes of the value, with the head's */
    struct sweep *sweep;  /* what reads it, borrowed; NULL: run_read, each value on its own */
    size_t done;          /* elements of the region gone through */
    size_t until;         /* how many are to be gone through for now; 0: all */
    float *block;         /* while open, without a sweep or with keep */

    /* Told how many bytes each dump_array_next gives; or NULL. */
    void (*given)(void *user, size_t bytes);
    void *user;
};

struct dump_job {
    /* Model, prompt and settings; NULL: arrays of no session. */
    const struct session *session;
    struct dump_array *array;
    int n, cap;
    const struct dump_array *tokens, *token_str; /* of the above, or NULL */
    char **text;         /* [positions] the tokens' texts, UTF-8; for json */
    bool stream;         /* the file cannot be written over at an earlier place */
    struct sweep *sweep; /* of all arrays, between dump_job_begin and dump_job_end */
};

/* Has all arrays read by one sweep, so that what several of them need is computed once. */
bool dump_job_begin(struct dump_job *job, struct err *err);
void dump_job_end(struct dump_job *job);

size_t dump_array_count(const struct dump_array *a); /* elements */
size_t dump_array_bytes(const struct dump_array *a);

bool dump_array_more(const struct dump_array *a); /* something of it was not gone through yet */

bool dump_array_open(struct dump_array *a, struct err *err);
/* The next elements in C order, borrowed until the next call; *bytes is 0 at the end. */
bool dump_array_next(struct dump_array *a, const void **data, size_t *bytes, struct err *err);
void dump_array_close(struct dump_array *a);

/*
 * All arrays, each in C order, but a piece of one, then a piece of another: so that each op is
 * executed once, for as many positions as memory for a chunk of them allows. For files whose
 * places are known beforehand. The sink gets the array's number in the job and the bytes.
 */
typedef bool dump_sink(void *user, int array, const void *data, size_t bytes, struct err *err);
bool dump_each(const struct dump_job *job, dump_sink *sink, void *user, struct err *err);

/* The header of an npy file, version 1.0, a multiple of 64 bytes long. */
void dump_npy_header(const struct dump_array *a, struct str *out);

bool dump_npy(const struct dump_job *job, struct outfile *f, struct err *err);
bool dump_npz(const struct dump_job *job, struct outfile *f, struct err *err);
bool dump_json(const struct dump_job *job, struct outfile *f, struct err *err);
bool dump_safetensors(const struct dump_job *job, struct outfile *f, struct err *err);
bool dump_csv(const struct dump_job *job, struct outfile *f, struct err *err);
bool dump_tsv(const struct dump_job *job, struct outfile *f, struct err *err);
bool dump_png(const struct dump_job *job, struct outfile *f, struct err *err);
bool dump_svg(const struct dump_job *job, struct outfile *f, struct err *err);
bool dump_html(const struct dump_job *job, struct outfile *f, struct err *err);

/* A field of a table, quoted (comma ',') or escaped (comma '\t') where it must be. */
void dump_table_field(const char *text, size_t n, char comma, struct str *out);

#endif
