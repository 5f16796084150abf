/*
 * Two sides of values compared in the order of the program: each a dump (engine/dumped.h) or a
 * run. For finding the op at which an implementation goes wrong: its first value that is not
 * within the tolerance, while what the op reads still is.
 *
 *     struct differ *d = differ_new(sides, program, &options, &err);
 *     const struct differ_row *row;
 *     while ((row = differ_next(d, &err))) ...             // one value a call
 *     differ_first(d)
 *
 * The tolerance. An element differs when
 *
 *     |a - b| > tol * scale
 *
 * scale, of the larger of both sides:
 *   - of most values: the root mean square of its position's numbers, for the rounding of a sum
 *     is as large as what is summed; of the residual stream at least that of the two summands,
 *     which may cancel each other;
 *   - of scores and of statistics: the root mean square of all the value's numbers; of a mean
 *     at least that of what it is the mean of;
 *   - of the pattern and of probabilities: the row's largest weight.
 * What float16 or bfloat16 rounds of a number (2^-11 or 2^-8 of it) is taken off |a - b| first,
 * where a side is stored so. An op that hands on what its inputs differ is not to blame: the
 * tolerance is at least DIFFER_GROWTH times the largest |a - b| of its inputs over their own
 * root mean square; of a softmax, which makes absolute differences relative ones, DIFFER_GROWTH
 * times the largest |a - b| of its scores.
 *
 * Left out: entries of scores that both sides mask (-inf, or a number below DIFFER_MASKED), and
 * all entries that the mask hides of the scores before it, for nothing reads them.
 */
#ifndef GPTSCOPE_ENGINE_DIFFER_H
#define GPTSCOPE_ENGINE_DIFFER_H

#include "engine/dumped.h"
#include "engine/run.h"
#include "engine/select.h"

#define DIFFER_TOL    1e-4
#define DIFFER_GROWTH 4.0
#define DIFFER_MASKED -5000.0f

/* Borrowed; one of the two is NULL. Dumps are opened with the program that names the rows. */
struct differ_side {
    struct dumped *dumped;
    const struct run *run;
};

struct differ_options {
    double tol;                   /* 0: DIFFER_TOL */
    const struct selection *only; /* NULL: all values */
};

enum differ_state {
    DIFFER_SAME,
    DIFFER_OTHER,  /* beyond the tolerance */
    DIFFER_MISFIT, /* it does not have the shape; `why` says so */
};

struct differ_row {
    int value; /* index into the program; -1: an array whose name stands for no value */
    const char *name;
    enum differ_state state;
    char why[160];
    int n_axis, shape[3]; /* what was compared */
    int first_pos;        /* its first position */
    size_t n;             /* elements compared, */
    size_t masked;        /* and those that both sides hide */
    double most;          /* largest |a - b|; infinite where one side is not finite */
    int most_at[3];
    double ratio; /* largest |a - b| / scale: to be held against the tolerance */
    double
        own; /* the same with the value's own scale, whatever its inputs': what it hands on */
    int at[3];
    float a, b;         /* the two numbers there */
    double allowed;     /* the tolerance that held */
    double rms, cosine; /* rms(a - b) / rms(b), of the elements that are finite in both */
    unsigned fit[2];    /* enum fit, of the sides that are dumps */
    int other_value; /* taken for this value (ln1.out for a "normalized" that has its gain); -1
                      */
    /* how it was read: for reading it again */
    int item[2];
    struct layout layout[2];
};

struct differ;

/* The number of positions is the smaller of both sides'. Fails where a side has none. */
struct differ *differ_new(const struct differ_side side[2], const struct program *p,
                          const struct differ_options *o, struct err *err);
void differ_free(struct differ *d); /* NULL is fine */
int differ_positions(const struct differ *d);
double differ_tol(const struct differ *d);
const struct program *differ_program(const struct differ *d);
/* Compares the next value that both sides have; borrowed until the differ is freed. NULL at the
 * end, and with err set when reading fails or is interrupted. */
const struct differ_row *differ_next(struct differ *d, struct err *err);
int differ_count(const struct differ *d); /* rows so far */
const struct differ_row *differ_at(const struct differ *d, int i);
/* The first row that differs, or -1. */
int differ_first(const struct differ *d);

/* Elements [head, query, key] or [pos, ...] of a row's region from both sides, in its shape's
 * order. The region counts from 0 within the row's shape. */
bool differ_read(const struct differ *d, const struct differ_row *row,
                 const struct region *region, float *a, float *b, struct err *err);

/* Whether nothing is compared with this array of a dump: the other side does not have it. */
bool differ_only(const struct differ *d, int side, int array);

/* --- why --- */

/* What stands between a row that differs and what is known to agree. */
struct differ_why {
    int op;     /* the op that makes the value; -1 */
    int *agree; /* values that agree and that the suspects read */
    int n_agree;
    int *suspect; /* ops in order, `op` the last: only they can be at fault */
    int n_suspects;
    char hint[400]; /* what the difference looks like; "" */
};
bool differ_explain(const struct differ *d, int row, struct differ_why *why, struct err *err);
void differ_why_release(struct differ_why *why);

#endif
