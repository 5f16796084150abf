/*
 * What `gptscope bench` measures: rows, each from several rounds. What is compared is measured
 * in turn in one run (A B, B A, ...), because a machine's speed changes from second to second.
 */
#ifndef GPTSCOPE_UI_BENCH_H
#define GPTSCOPE_UI_BENCH_H

#include "base/err.h"
#include "engine/run.h"

#include <stdbool.h>

struct bench_row {
    char name[40];    /* "prefill" */
    const char *unit; /* "tok/s", "%", "MB", "ms", "GB/s" */
    double median, min, max;
    int rounds;
};

struct bench {
    const struct model *model;
    struct program *program;
    struct compute *compute;
    struct run_options options;
    int32_t *ids; /* [n_prompt + n_decode] random tokens */
    int n_prompt, n_decode;

    struct run *keep, *lean; /* while the prefills are measured; keep stays */
    struct bench_row *row;
    int n_rows, cap_rows;
};

/* One measurement adds a row or more. */
struct measure {
    const char *name, *help;
    bool (*run)(struct bench *b, struct err *err);
};
extern const struct measure measure_table[]; /* in order; ends with a NULL name */

/* Rounds of one figure. */
struct samples {
    double *x;
    int n, cap;
};
void samples_add(struct samples *s, double x);
void samples_release(struct samples *s);
double samples_median(const struct samples *s); /* 0 when there are none */

/* A row from samples, which are released. */
void bench_add(struct bench *b, const char *name, const char *unit, struct samples *s);
void bench_add_one(struct bench *b, const char *name, const char *unit, double x);

#endif
