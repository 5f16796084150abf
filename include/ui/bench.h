/*
 * What `gptscope bench` measures: rows, each from several rounds. What is compared is measured
 * in turn in one run (A B, B A, ...), because a machine's speed changes from second to second.
 */
#ifndef GPTSCOPE_UI_BENCH_H
#define GPTSCOPE_UI_BENCH_H

#include "base/err.h"
#include "engine/run.h"
#include "session/session.h"
#include "view/view.h"

#include <stdbool.h>

struct bench_row {
    char name[40];    /* "prefill" */
    const char *unit; /* "tok/s", "%", "MB", "ms", "GB/s" */
    double median, p99, min, max;
    int rounds;
    double limit, limit_p99; /* that median and p99 should not exceed; NAN: none */
};

struct bench {
    const struct model *model;
    struct program *program;
    struct compute *compute;
    struct run_options options;
    int32_t *ids; /* [n_prompt + n_decode] random tokens */
    int n_prompt, n_decode;

    struct run *keep, *lean; /* while the prefills are measured; keep stays */
    /* What --ui and --dump look at: the model with its prompt computed, and the screen it is
     * drawn on. */
    struct session *session;
    struct screen screen;
    struct canvas *canvas; /* NULL: nothing was drawn yet */
    int most_rounds;       /* of a figure of --ui or --dump */
    double resident;       /* MB, before the run was made; --dump */
    bool has_term;
    struct bench_row *row;
    int n_rows, cap_rows;
};

/* One measurement adds a row or more. */
struct measure {
    const char *name, *help;
    bool (*run)(struct bench *b, struct err *err);
};
extern const struct measure measure_table[]; /* in order; ends with a NULL name */
extern const struct measure ui_table[];      /* of --ui */
extern const struct measure dump_table[];    /* of --dump */
/* Remembers what is resident with the weights alone: before the session is made. */
bool dump_memory_begin(struct bench *b, struct err *err);
bool measure_start(struct bench *b, struct err *err); /* bench_start.c */

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
/* The last row's limits. */
void bench_limit(struct bench *b, double median, double p99);

#endif
