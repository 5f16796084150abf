/*
 * A learner's file made into a program: compiled by the system's C compiler, together with the
 * harness (assets/exercises/harness.c), in a private folder under $TMPDIR; the learner's own
 * folder is only read. With the address and undefined-behaviour sanitizers where the compiler
 * has them. The compiler is $CC, or the first of cc, gcc and clang on $PATH.
 */
#ifndef GPTSCOPE_SESSION_EXERCISE_BUILD_H
#define GPTSCOPE_SESSION_EXERCISE_BUILD_H

#include "session/exercise.h"

struct exercise_build {
    char *dir;     /* the private folder */
    char *program; /* in it; NULL when the compiler refused the file */
    char *source;  /* the learner's file, as it is called in messages */
    char *whole;   /* its absolute path: what the compiler and the sanitizers call it */
    bool sanitized;
    struct str log;   /* what the compiler said, safe; lines */
    struct str error; /* its first error or, without one, its first warning; "" */
};

/* False when there is no compiler, or the file cannot be read. That the compiler refuses it is
 * no failure: program is NULL then. */
bool exercise_build(struct exercise_build *b, const struct exercise *e, const char *path,
                    struct err *err);
void exercise_build_release(struct exercise_build *b); /* removes the folder */

#endif
