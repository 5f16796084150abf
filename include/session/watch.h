/*
 * The whole model with a learner's functions in it: each TODO that is begun takes the place of
 * the op that it is (session_put), so that a wrong mask is seen as a wrong picture. When the
 * file is saved anew, it is compiled and checked again. A function that crashes or does not end
 * is taken back, and the op is its own again.
 *
 *     watch_begin(s, e, "attention/attention.c", &err);
 *     ... session_run, views ...
 *     if (watch_look(s, &say)) ...          // something has changed: compute again
 *     watch_end(s);
 *
 * Ablations as all others: `clear` takes them back, too, and the watch is over with the last.
 */
#ifndef GPTSCOPE_SESSION_WATCH_H
#define GPTSCOPE_SESSION_WATCH_H

#include "engine/function.h"
#include "session/exercise_check.h"

#include <time.h>

enum { WATCH_OPS = 8 };

struct watch;

/* What stands in an op's place. */
struct watch_op {
    struct function function; /* first: found by run_function */
    struct watch *watch;
    const struct watch_row *row;
    char name[64]; /* "exercise attention, TODO mask" */
    int id;        /* of the run's patch; -1: not in place */
};

struct watch {
    const struct exercise *exercise;
    char *path;
    struct timespec saved; /* of the file, when it was read */
    long long size;
    struct exercise_build build;
    struct worker worker;
    struct material material;
    struct exercise_report report;
    struct watch_op op[WATCH_OPS];
    int n_ops;
    bool on, broken;    /* broken: a function failed in the pass; it is to be taken back */
    struct str why;     /* what it did */
    struct watch *next; /* those before it: runs that were copied may still hold their ops */
};

/* An op that a TODO can stand for. */
struct watch_row {
    const char *exercise, *todo;
    const char *op; /* as session_put takes it */
    enum opcode code;
    enum { WATCH_ALL, WATCH_LAST } layers; /* LAST: of the last layer only */
    bool ahead;                            /* the function may show what comes later */
    /* Fills the call from what the op reads, and the op's outputs from what came out. */
    bool (*ask)(const struct op_call *call, struct exercise_case *c, struct err *err);
    void (*take)(const struct op_call *call, const struct exercise_case *c, const float *got);
};
extern const struct watch_row watch_rows[]; /* ends with a NULL exercise; in watch_op.c */

/* Compiles, checks and puts the functions in place. Fails without a compiler or a file, where
 * the exercise has no op in this model, and where the file does not compile. */
bool watch_begin(struct session *s, const struct exercise *e, const char *path,
                 struct err *err);
/* The one that is on; NULL when there is none. */
const struct watch *watch_of(const struct session *s);
/* Looks whether the file was saved, whether a function failed, whether everything was cleared.
 * True when the functions in place have changed; what is to be said is in `say` (nothing: "").
 */
bool watch_look(struct session *s, struct str *say);
void watch_end(struct session *s);
/* Which functions are in place: "scores, mask"; "" for none. */
void watch_print(const struct watch *w, struct str *out);
void watches_free(struct watch *w); /* NULL is fine */

#endif
