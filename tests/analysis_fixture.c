#include "analysis_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double largest; /* difference */

void near_by(double got, double want, double most, const char *what)
{
    double diff = fabs(got - want);

    if (!(diff <= most))
        fail_msg("%s: %.9g and not %.9g", what, got, want);
    largest = fmax(largest, diff);
}

void say(const char *model, const char *what, double most)
{
    printf("%s, %s: largest difference %.2g (at most %.0e)\n", model, what, largest, most);
    largest = 0;
}

int value_of(const struct session *s, int layer, const char *suffix)
{
    int value =
        layer < 0 ? program_find(s->program, suffix) : program_value(s->program, layer, suffix);

    assert_true(value >= 0);
    return value;
}

/* [n_head, n, n]; yours. */
float *pattern_of(const struct session *s, int layer, int *n)
{
    size_t all;

    *n = s->ids.n;
    return read_all(s->run, value_of(s, layer, "attn.pattern"), &all);
}

/* As many ids as the context has room for, some of them more than once. */
static struct session *open_full(int model)
{
    struct session *s = open_plain(models[model], "");
    int n = run_n_ctx(s->run);
    int32_t *ids = xcalloc((size_t) n, sizeof *ids);

    for (int i = 0; i < n; i++)
        ids[i] = 300 + i * 1237 % 100 * 7;
    OK(session_prompt_ids(s, ids, n, &err));
    OK(session_run(s, 0, NULL, &err));
    free(ids);
    return s;
}

/* One token, a few, and as many as there may be. */
struct session *open_case(int model, int i)
{
    return i == 0   ? open_computed(model, "T")
           : i == 1 ? open_computed(model, TEXT)
                    : open_full(model);
}

double plain_entropy(const float *p, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum -= p[i] > 0 ? (double) p[i] * log((double) p[i]) : 0;
    return sum;
}
