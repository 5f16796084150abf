/*
 * What tests of the views' cache share: a session, what the cache is to be held against.
 */
#ifndef VIEW_FIXTURE_H
#define VIEW_FIXTURE_H

#include "view/cache.h"

extern const char *const models[2];
extern const char text[62];

struct fixture {
    struct compute *compute;
    struct session *s;
    struct view_cache *cache;
    struct err err;
};

void begin(struct fixture *f, const char *model, const char *prompt);
void end(struct fixture *f);
void run(struct fixture *f); /* all that is pending */
/* One element of a stage's value. */
float read_one(struct fixture *f, int layer, enum stage stage, int a, int b, int c);
void same(float a, float b); /* to 1e-5; NAN is the same as NAN */

#endif
