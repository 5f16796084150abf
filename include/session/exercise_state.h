/*
 * How far the learner is with the exercises: which TODOs have passed, which hints were read.
 */
#ifndef GPTSCOPE_SESSION_EXERCISE_STATE_H
#define GPTSCOPE_SESSION_EXERCISE_STATE_H

#include "session/exercise_check.h"

struct exercise_state {
    bool passed[EXERCISE_MOST][EXERCISE_TODOS]; /* when it was checked last */
    bool done[EXERCISE_MOST];                   /* all of them at once, at some time */
    int hints[EXERCISE_MOST][EXERCISE_TODOS];   /* read so far */
    bool changed;                               /* to be saved */
    bool failed;                                /* the last check did not pass */
};

/* The session's, made when it is first asked for. */
struct exercise_state *exercise_state_of(struct session *s);
void exercise_state_free(struct exercise_state *st); /* NULL is fine */

/* Was the exercise of this name passed, ever? For whoever lists what has been learned. */
bool exercise_is_done(const struct session *s, const char *name);
void exercise_state_note(struct exercise_state *st, const struct exercise_report *r);
/* The first TODO that has not passed; the last one when all have. */
int exercise_state_next(const struct exercise_state *st, const struct exercise *e);

/* What is kept between sessions, as lines: "done mlp", "passed mlp gelu", "hints mlp gelu 2".
 */
void exercise_state_save(const struct exercise_state *st, struct str *out);
void exercise_state_load(struct exercise_state *st, const char *text);

#endif
