/*
 * What tests of analyses share: sessions of several lengths, all of a pattern at once, and
 * numbers compared with what plain C gives.
 */
#ifndef ANALYSIS_FIXTURE_H
#define ANALYSIS_FIXTURE_H

#include "session_fixture.h"

/* Fails when they are further apart than `most`; remembers the largest difference. */
void near_by(double got, double want, double most, const char *what);
/* Prints the largest difference since it was last printed. */
void say(const char *model, const char *what, double most);

/* layer -1: outside the blocks */
int value_of(const struct session *s, int layer, const char *suffix);
float *pattern_of(const struct session *s, int layer, int *n); /* [n_head, n, n]; yours */
double plain_entropy(const float *p, int n);
/* i is 0, 1 or 2: one token, a few, as many as there may be; all computed. */
struct session *open_case(int model, int i);

#endif
