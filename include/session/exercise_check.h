/*
 * Checking a learner's file: every TODO on every case (session/exercise_case.h), and what went
 * wrong in words: the first wrong element with what was expected, and the likely reason.
 *
 *     struct exercise_report r;
 *     exercise_check(&r, e, "attention/attention.c", LANG_EN, &err);
 *     if (!r.passed) ... r.todo[1].reason.text
 *     exercise_report_release(&r);
 *
 * A number is right within 1e-4 (of its size, or of the root mean square of its array).
 */
#ifndef GPTSCOPE_SESSION_EXERCISE_CHECK_H
#define GPTSCOPE_SESSION_EXERCISE_CHECK_H

#include "session/exercise_case.h"

#define EXERCISE_SECONDS 2.0 /* that a call may take */

enum todo_state {
    TODO_PASSED,
    TODO_FAILED,
    TODO_OPEN, /* not begun: nothing was written */
    TODO_WAITS /* wrong, but so is a TODO that it needs */
};

struct todo_report {
    enum todo_state state;
    int n_cases, n_passed;
    bool broken;        /* a call did not come back */
    char name[48];      /* of what went wrong: a mistake of the tables, "crash", "nan" ... */
    struct str where;   /* the case: "10 tokens of tiny-gpt2" */
    struct str element; /* "s[query 0][key 1]: expected -inf, got 0.1234", or what happened */
    struct str reason;  /* the likely reason, or "" */
    struct str note;    /* something worth knowing when it has passed, or "" */
    int line;           /* of the learner's file, where it is known; or 0 */
};

struct exercise_report {
    const struct exercise *exercise;
    char *source; /* the learner's file, safe */
    bool compiled;
    bool sanitized;
    struct str log;     /* what the compiler said, where that matters; lines */
    struct str error;   /* its first error or warning */
    struct str reason;  /* an error in plain words, or "" */
    struct str printed; /* by the learner's functions */
    struct todo_report todo[EXERCISE_TODOS];
    int n_passed;
    bool passed; /* all */
};

/* False with err for what is not the learner's: no compiler, no file; or when interrupted. */
bool exercise_check(struct exercise_report *r, const struct exercise *e, const char *path,
                    enum lang lang, struct err *err);
/* The same of a file that is built already, with the session's models open. */
bool exercise_check_built(struct exercise_report *r, const struct exercise *e,
                          const struct exercise_build *b, struct worker *w,
                          const struct material *m, enum lang lang, struct err *err);
/* One line for a message: "attention: 3 of 7 TODOs pass; wrong: mask (...)". */
void exercise_sum(const struct exercise_report *r, enum lang lang, struct str *out);
void exercise_report_release(struct exercise_report *r);

/* --- exercise_reason.c: from results to words --- */

/* A case with what came out of it. */
struct tried {
    struct exercise_case c;
    struct call_result result;
    double *want[CALL_ARRAYS]; /* NULL for inputs */
    bool right;
    int array; /* the first that is wrong */
    size_t element;
};

/* Whether got is want, within the tolerance; rms is of want's array. */
bool reason_same(const struct checked *k, double got, double want, double rms);
double reason_rms(const double *x, size_t n); /* of what is finite */
/* Fills right, array and element. */
void reason_compare(const struct checked *k, struct tried *t);
/* Results of a variant, an array for each output; yours: reason_free. */
void reason_solve(const struct checked *k, const struct exercise_case *c, int variant,
                  double *out[CALL_ARRAYS]);
void reason_free(double *out[CALL_ARRAYS]);
/* The report of the first of n cases that is wrong. */
void reason_tell(struct todo_report *r, const struct checked *k, const struct tried *t, int n,
                 enum lang lang);
/* The report of a call that did not end well. */
void reason_outcome(struct todo_report *r, const struct tried *t, enum lang lang);
/* "q[token 3][channel 5]" */
void reason_place(const struct call_array *a, size_t element, struct str *out);
void reason_compiler(struct exercise_report *r, enum lang lang);

#endif
