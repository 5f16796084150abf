/*
 * What tests of the exercises share: learners' files made from the solutions, and the checker's
 * reports on them, in a folder of the test's own.
 */
#ifndef EXERCISE_FIXTURE_H
#define EXERCISE_FIXTURE_H

#include "session/exercise_check.h"

/* In a fresh working folder, with the models open. */
int exercise_setup(void **state);
int exercise_teardown(void **state);
extern struct material material;

const struct exercise *the_exercise(const char *name);
/* The solution with `from` replaced by `to` wherever it stands (at least once); NULL: as it
 * is. Yours. */
char *solution_with(const struct exercise *e, enum lang lang, const char *from, const char *to);
/* The checker's report on a file with this text. */
void check_text(struct exercise_report *r, const struct exercise *e, const char *text,
                enum lang lang);
/* The index of a TODO. */
int todo_of(const struct exercise *e, const char *name);
void write_text(const char *path, const char *text);

#endif
