/* Shared by the tests of the tensor layer: made-up numbers and the largest difference. */
#ifndef TENSOR_CHECK_H
#define TENSOR_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

static inline float *random_floats(struct rng *rng, size_t n)
{
    float *x = xcalloc(n + 1, sizeof *x);

    for (size_t i = 0; i < n; i++)
        x[i] = (float) rng_normal(rng);
    return x;
}

/* The largest difference seen, relative to the size that each check gives. */
struct largest {
    const char *what;
    double diff;
};

static inline void check_near(struct largest *l, double got, double want, double size,
                              double tolerance)
{
    double diff = fabs(got - want) / size;

    if (isnan(got) || isnan(want))
        diff = isnan(got) && isnan(want) ? 0 : INFINITY;
    else if (got == want)
        diff = 0;
    if (diff > l->diff)
        l->diff = diff;
    if (!(diff <= tolerance))
        fail_msg("%s: got %.9g, want %.9g, relative to %.3g a difference of %.3g", l->what, got,
                 want, size, diff);
}

static inline void print_largest(const struct largest *l)
{
    print_message("    %-28s largest relative difference %.2g\n", l->what, l->diff);
}

#endif
