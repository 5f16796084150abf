/*
 * The second half of exercise 3's cases: shared by src/session/exercise_03_*.c. Nobody else
 * includes this.
 */
#ifndef GPTSCOPE_SESSION_EXERCISE_HEADS_H
#define GPTSCOPE_SESSION_EXERCISE_HEADS_H

#include "session/exercise_case.h"

bool split_make(struct exercise_case *c, int i, struct err *err);
bool concat_make(struct exercise_case *c, int i, struct err *err);
bool heads_make(struct exercise_case *c, int i, struct err *err);
void split_solve(const struct exercise_case *c, int variant, double *const out[]);
void concat_solve(const struct exercise_case *c, int variant, double *const out[]);
void heads_solve(const struct exercise_case *c, int variant, double *const out[]);
extern const struct mistake split_mistakes[], concat_mistakes[], heads_mistakes[];

#endif
