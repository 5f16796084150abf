/*
 * How long a pass takes here and now: measured on a run of its own with the session's tokens
 * and patches, which keeps nothing but its cache. For lessons and curiosity; the verb bench
 * measures thoroughly.
 */
#ifndef GPTSCOPE_SESSION_TIMING_H
#define GPTSCOPE_SESSION_TIMING_H

#include "session/session.h"

enum { TIMING_PASSES = 7 };

/* Seconds of a pass of n_new tokens (>= 1) after n_past cached ones, the first of the
 * session's: the least of TIMING_PASSES passes, or of as many as half a second has room for.
 * Fails when there are not so many tokens, for lack of memory, and when interrupted. */
bool timing_of(const struct session *s, int n_past, int n_new, double *seconds,
               struct err *err);

#endif
