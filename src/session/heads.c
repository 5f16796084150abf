/* What heads do, from rows of their patterns. */
#include "session/heads.h"

#include "base/mem.h"
#include "tensor/simd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAG_WEIGHT  0.4F
#define TAG_QUERIES 3

const char *head_job_name(enum head_job job)
{
    static const char *const name[] = {"previous token", "induction", "duplicate token", "sink",
                                       "self"};
    return name[job];
}

char head_job_letter(enum head_job job)
{
    return "PIDS="[job];
}

/* --- one row --- */

static int strongest_key(const float *p, int n, float most)
{
    int j = 0;

    while (j < n - 1 && p[j] != most)
        j++;
    return j;
}

void head_row_look(struct head_row *r, const float *p, int query, int same)
{
    size_t n = (size_t) query + 1;

    r->max = simd_best()->max(p, n);
    r->strongest = strongest_key(p, query + 1, r->max);
    r->entropy = query > 0 ? (float) (simd_best()->entropy(p, n) / log((double) n)) : 0;
    for (int i = 0; i < JOB_COUNT; i++)
        r->job[i] = NAN;
    if (query < 1)
        return;
    r->job[JOB_PREVIOUS] = p[query - 1];
    r->job[JOB_SINK] = p[0];
    r->job[JOB_SELF] = p[query];
    if (same > 0) /* token 0 is the sink */
        r->job[JOB_DUPLICATE] = p[same];
    if (same >= 0 && same + 1 < query - 1) /* elsewhere than on the token before */
        r->job[JOB_INDUCTION] = p[same + 1];
}

void head_tally_add(struct head_tally *t, const struct head_row *r, int query)
{
    if (query < 1)
        return;
    for (int i = 0; i < JOB_COUNT; i++)
        if (!isnan(r->job[i])) {
            t->job[i] += (double) r->job[i];
            t->counted[i]++;
        }
    t->max += (double) r->max;
    t->entropy += (double) r->entropy;
    t->n++;
}

/* --- one head --- */

/* The job that takes most weight, of those that enough queries speak for. */
static int find_tag(const struct head_summary *h)
{
    int best = -1;

    for (int i = 0; i < JOB_COUNT; i++)
        if (h->job[i] >= TAG_WEIGHT && h->n[i] >= TAG_QUERIES &&
            (best < 0 || h->job[i] > h->job[best]))
            best = i;
    return best;
}

void head_summary_make(struct head_summary *h, const struct head_tally *t,
                       const struct head_row *last)
{
    double n = t->n > 0 ? t->n : 1;

    *h = (struct head_summary){.ready = true};
    for (int i = 0; i < JOB_COUNT; i++) {
        h->n[i] = t->counted[i];
        h->job[i] = t->counted[i] > 0 ? (float) (t->job[i] / t->counted[i]) : 0;
    }
    h->max = (float) (t->max / n);
    h->entropy = (float) (t->entropy / n);
    h->tag = find_tag(h);
    h->strongest = last->strongest;
    h->strongest_weight = last->max;
}

void heads_same(const int32_t *id, int n, int n_vocab, int *same)
{
    int *last = xmalloc((size_t) n_vocab * sizeof *last);

    memset(last, -1, (size_t) n_vocab * sizeof *last);
    for (int i = 0; i < n; i++) {
        same[i] = last[id[i]];
        last[id[i]] = i;
    }
    free(last);
}
