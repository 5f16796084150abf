/* Statistics of a tensor's values: for panels, dumps and comparisons. NaN and infinities are
 * counted and left out of the rest. Sums are in double. */
#ifndef GPTSCOPE_TENSOR_STATS_H
#define GPTSCOPE_TENSOR_STATS_H

#include <stddef.h>

struct stats {
    size_t n, n_nan, n_inf, n_zero; /* n counts all values */
    float min, max;                 /* of the finite ones; 0 when there are none */
    double mean, std, norm;         /* std: population; norm: L2 */
};

void stats_of(struct stats *s, const float *x, size_t n);
/* all becomes the statistics of its values and those of part together; begins with {0}. */
void stats_add(struct stats *all, const struct stats *part);
/* Entropy in nats of probabilities p[n]. */
double entropy(const float *p, size_t n);

#endif
