/*
 * One line on standard error about work that takes long: how much of it is done, how fast, how
 * long it still takes. It comes after a second, is written over in place and wiped in the end;
 * nothing is shown where standard error is no terminal, or a dumb one, or the clock is fixed.
 *
 *     struct progress p;
 *     progress_begin(&p, true);
 *     while (...)
 *         progress_set(&p, "pass.npz", &progress_bytes, done, total);
 *     progress_end(&p);
 *
 *     pass.npz: 45 %, 1.2 of 2.7 GB, 410 MB/s, 4 s left
 */
#ifndef GPTSCOPE_UI_PROGRESS_H
#define GPTSCOPE_UI_PROGRESS_H

#include "base/str.h"
#include "command/command.h"

#include <stdbool.h>
#include <stdint.h>

/* What is counted. */
struct progress_unit {
    const char *name; /* "tokens" */
    bool bytes;       /* in kB, MB, GB */
};
extern const struct progress_unit progress_bytes, progress_tokens, progress_prompts;

struct progress {
    bool on;
    int fd, columns;
    double (*clock)(void); /* seconds */
    double first;          /* when it began */
    double drawn;          /* last */
    int shown;             /* cells of the line that stands there */

    /* What was done before there was anything to measure: the rate leaves it out. */
    const struct progress_unit *unit;
    double began;
    uint64_t from;
};

/* `wanted` false: never shows anything. */
void progress_begin(struct progress *p, bool wanted);
/* The clock of the rate begins anew when the unit is another or `done` is smaller. */
void progress_set(struct progress *p, const char *what, const struct progress_unit *unit,
                  uint64_t done, uint64_t total);
/* `n` more are done without work; they do not count for the rate. */
void progress_skip(struct progress *p, uint64_t n);
/* Wipes the line: for other output, and in the end. It may come again. */
void progress_end(struct progress *p);

/* For command_env.progress, where commands are lines: the same on standard error. */
void progress_command(struct command_env *env, const char *what, uint64_t done, uint64_t total);

/* The line's text: `moved` of `done` were done in `seconds`; without total (0) only the rate.
 */
void progress_print(struct str *out, const char *what, const struct progress_unit *unit,
                    uint64_t done, uint64_t total, uint64_t moved, double seconds);

#endif
