/*
 * The largest difference per kind of value ("blocks.*.attn.q"), for tests that compare many.
 */
#ifndef GPTSCOPE_TESTS_WORST_H
#define GPTSCOPE_TESTS_WORST_H

#include <stdbool.h>
#include <stddef.h>

/* Absolute, or relative where the expected number is above 1. */
#define TOLERANCE 1e-4

struct worst_row {
    char name[48];
    double diff;
    size_t n;
    char where[128]; /* "blocks.2.attn.q[17]: 0.25 and not 0.5", of the largest difference */
};

struct worst {
    struct worst_row row[64];
    int n;
};

/* Infinities must be equal; a NaN on either side counts as an infinite difference. */
double worst_diff(double got, double want);
void worst_add(struct worst *w, const char *name, const float *got, const double *want,
               size_t n);
void worst_add_f32(struct worst *w, const char *name, const float *got, const float *want,
                   size_t n);
/* A value that could not be had. */
void worst_missing(struct worst *w, const char *name, const char *why);
/* Takes over what another table found. */
void worst_merge(struct worst *into, const struct worst *from);
double worst_of_all(const struct worst *w);
/* Prints a line per row above `tolerance`, or every row when `all`. Returns whether something
 * was compared and everything is within it. */
bool worst_report(const struct worst *w, const char *title, double tolerance, bool all);

#endif
