#include "tensor/stats.h"

#include <math.h>
#include <string.h>

void stats_of(struct stats *s, const float *x, size_t n)
{
    double sum = 0, squares = 0, deviation = 0;
    size_t finite;

    memset(s, 0, sizeof *s);
    s->n = n;
    s->min = INFINITY;
    s->max = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        double v = (double) x[i];
        if (!isfinite(x[i])) {
            *(isnan(x[i]) ? &s->n_nan : &s->n_inf) += 1;
            continue;
        }
        s->min = x[i] < s->min ? x[i] : s->min;
        s->max = x[i] > s->max ? x[i] : s->max;
        s->n_zero += x[i] == 0;
        sum += v;
        squares += v * v;
    }
    finite = n - s->n_nan - s->n_inf;
    if (!finite) {
        s->min = s->max = 0;
        return;
    }
    s->mean = sum / (double) finite;
    for (size_t i = 0; i < n; i++) {
        double d = (double) x[i] - s->mean;
        if (isfinite(x[i]))
            deviation += d * d;
    }
    s->std = sqrt(deviation / (double) finite);
    s->norm = sqrt(squares);
}

static double finite_count(const struct stats *s)
{
    return (double) (s->n - s->n_nan - s->n_inf);
}

void stats_add(struct stats *all, const struct stats *part)
{
    double n = finite_count(all), m = finite_count(part);
    double d = part->mean - all->mean;

    if (m > 0) {
        double square =
            n * all->std * all->std + m * part->std * part->std + d * d * n * m / (n + m);
        all->min = n > 0 && all->min < part->min ? all->min : part->min;
        all->max = n > 0 && all->max > part->max ? all->max : part->max;
        all->mean += d * m / (n + m);
        all->std = sqrt(square / (n + m));
        all->norm = sqrt(all->norm * all->norm + part->norm * part->norm);
    }
    all->n += part->n;
    all->n_nan += part->n_nan;
    all->n_inf += part->n_inf;
    all->n_zero += part->n_zero;
}

double entropy(const float *p, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        if (p[i] != 0) /* p log p goes to 0 with p */
            sum -= (double) p[i] * log((double) p[i]);
    return sum;
}
