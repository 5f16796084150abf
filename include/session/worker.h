/*
 * A learner's functions, called in a process of their own: whatever they do, this one goes on.
 *
 *     struct worker w;
 *     worker_start(&w, &build, &err);
 *     worker_call(&w, &call, 2, &result, &err);
 *     if (result.outcome == CALL_OK) ... result.got[0]
 *
 * Arrays are heap blocks of their exact size on the other side. Outputs hold WORKER_UNTOUCHED
 * before the call, so that what was not written shows.
 */
#ifndef GPTSCOPE_SESSION_WORKER_H
#define GPTSCOPE_SESSION_WORKER_H

#include "session/child.h"
#include "session/exercise_build.h"

#include <stdint.h>

enum { CALL_ARRAYS = 24, CALL_NUMBERS = 8, CALL_AXES = 3 };
#define WORKER_UNTOUCHED 12345.5f

enum array_role {
    ARRAY_IN,
    ARRAY_OUT,
    ARRAY_INOUT,
    ARRAY_IDS
}; /* IDS: int on the other side */
struct call_array {
    const char *name;
    enum array_role role;
    int n_axes, size[CALL_AXES];
    const char *axis[CALL_AXES]; /* "query" */
    float *x;                    /* what goes in; NULL for OUT */
};

struct call {
    const char *function; /* of the exercise's harness */
    double number[CALL_NUMBERS];
    struct call_array array[CALL_ARRAYS];
    int n_numbers, n_arrays;
};
size_t call_floats(const struct call_array *a);

enum call_outcome {
    CALL_OK,
    CALL_CRASHED,       /* signal, or what the sanitizer says */
    CALL_ENDLESS,       /* killed after the time */
    CALL_EXITED,        /* status */
    CALL_WROTE_OUTSIDE, /* array, place: -1 before it, 1 behind it */
    CALL_WROTE_INPUT,   /* array, place: the first element that was changed */
    CALL_GARBLED        /* answers that make no sense: memory was overwritten */
};

struct call_result {
    enum call_outcome outcome;
    int signal, status, array, place;
    char kind[48];           /* the sanitizer's: "heap-buffer-overflow"; "" */
    char says[128];          /* undefined behaviour in words: "division by zero"; safe text */
    bool writes;             /* the sanitizer: a write, not a read */
    size_t block;            /* bytes of the block beside which it was; 0: unknown */
    int line;                /* of the learner's file; 0: unknown */
    int64_t rows;            /* rows that given_linear computed */
    double seconds;          /* that the function took */
    float *got[CALL_ARRAYS]; /* OUT and INOUT; NULL for others */
};

struct worker {
    const struct exercise_build *build; /* borrowed */
    struct child child;
    struct str printed; /* what the functions printed, safe, cut off where it is too much */
};

bool worker_start(struct worker *w, const struct exercise_build *b, struct err *err);
/* After all but CALL_OK, CALL_WROTE_* the process is gone; the next call starts another. False
 * with err when that fails, or when interrupted. */
bool worker_call(struct worker *w, const struct call *call, double seconds,
                 struct call_result *result, struct err *err);
void call_result_release(struct call_result *r);
void worker_release(struct worker *w);

#endif
