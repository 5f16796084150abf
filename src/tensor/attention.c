#include "tensor/attention.h"

#include "tensor/simd.h"

#include <math.h>
#include <string.h>

/*
 * A task does one head and a block of queries. It goes over the keys that the block sees in
 * blocks, too, so that the scores of queries x keys stay in a cache:
 *
 *              keys   lo         kb      kb + n        hi
 *     queries  first  [xxxxxxxxxx|xxxxxxxxx|xxx.......]
 *              ...    [..xxxxxxxx|xxxxxxxxx|xxxxxx....]    x: seen, .: masked
 *              last   [....xxxxxx|xxxxxxxxx|xxxxxxxxxx]
 *
 * Per query the greatest score so far and the sum of exp(score - greatest) are kept; when a
 * block brings a greater score, what has been added up is scaled down to it.
 */
enum { QUERIES = 64, KEYS = 512, PART_KEYS = 64 };

struct attention {
    struct compute *compute;
    float *z, *lse;
    const float *q, *k, *v;
    const struct attention_dims *d;
    int blocks; /* of queries; of one query's keys: parts */
};

/* Softmax so far of one query. */
struct softmax {
    float most;
    double sum;
};

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* The first key that the query at pos sees. */
static int first_key(const struct attention_dims *d, int pos)
{
    return d->window > 0 ? max_int(0, pos - d->window + 1) : 0;
}

/* Turns scores of keys [kb, kb + n) into exp(score - most), 0 where masked, and scales down
 * z[d_head] when the maximum has grown. */
static void softmax_block(struct softmax *s, float *score, int kb, int n, int first, int pos,
                          float *z, int d_head)
{
    const struct simd *simd = simd_best();
    int begin = min_int(max_int(first - kb, 0), n), end = min_int(max_int(pos + 1 - kb, 0), n);
    float most, factor;

    if (begin >= end) {
        memset(score, 0, (size_t) n * sizeof *score);
        return;
    }
    memset(score, 0, (size_t) begin * sizeof *score);
    memset(score + end, 0, (size_t) (n - end) * sizeof *score);
    most = simd->max(score + begin, (size_t) (end - begin));
    if (most > s->most) {
        factor = expf(s->most - most);
        s->sum *= (double) factor;
        if (s->most != -INFINITY)
            simd->scale(z, (size_t) d_head, factor);
        s->most = most;
    }
    s->sum += simd->exp_sum(score + begin, (size_t) (end - begin), s->most);
}

static float softmax_end(const struct softmax *s, float *z, int d_head)
{
    simd_best()->scale(z, (size_t) d_head, (float) (1 / s->sum));
    return (float) ((double) s->most + log(s->sum));
}

static void block_task(void *arg, int task, float *score)
{
    const struct attention *a = arg;
    const struct attention_dims *d = a->d;
    size_t ldq = (size_t) d->n_head * (size_t) d->d_head;
    size_t ldk = (size_t) d->n_kv_head * (size_t) d->d_head;
    int head = task % d->n_head, q0 = (a->blocks - 1 - task / d->n_head) * QUERIES;
    int n_query = min_int(QUERIES, d->n_query - q0), pos0 = d->pos0 + q0;
    int lo = first_key(d, pos0), hi = pos0 + n_query;
    size_t q_at = (size_t) q0 * ldq + (size_t) head * (size_t) d->d_head;
    size_t k_at = (size_t) (head / (d->n_head / d->n_kv_head)) * (size_t) d->d_head;
    float *z = a->z + q_at;
    struct softmax s[QUERIES];

    for (int i = 0; i < n_query; i++)
        s[i] = (struct softmax){-INFINITY, 0};
    for (int kb = lo; kb < hi; kb += KEYS) {
        int n = min_int(KEYS, hi - kb);
        size_t key = k_at + (size_t) kb * ldk;
        compute_gemm(a->compute, true, n_query, n, d->d_head, d->scale, a->q + q_at, ldq,
                     a->k + key, ldk, 0, score, KEYS);
        for (int i = 0; i < n_query; i++)
            softmax_block(&s[i], score + (size_t) i * KEYS, kb, n, first_key(d, pos0 + i),
                          pos0 + i, z + (size_t) i * ldq, d->d_head);
        compute_gemm(a->compute, false, n_query, d->d_head, n, 1, score, KEYS, a->v + key, ldk,
                     kb == lo ? 0 : 1, z, ldq);
    }
    for (int i = 0; i < n_query; i++)
        a->lse[(size_t) (q0 + i) * (size_t) d->n_head + (size_t) head] =
            softmax_end(&s[i], z + (size_t) i * ldq, d->d_head);
}

/* --- one query ---
 * Memory decides: k and v are read once, from end to end, for all heads. Each thread does a
 * part of the keys, and the parts are put together at the end. What a part has, in its scratch:
 */
struct part {
    struct softmax *softmax; /* [n_head] */
    float *z;                /* [n_head, d_head] */
    float *score;            /* [n_head, PART_KEYS] */
};

static struct part part_of(const struct attention *a, int i)
{
    size_t n_head = (size_t) a->d->n_head;
    struct part p = {.softmax = (void *) compute_scratch(a->compute, i)};

    p.z = (float *) (p.softmax + n_head);
    p.score = p.z + n_head * (size_t) a->d->d_head;
    return p;
}

static size_t part_floats(const struct attention_dims *d)
{
    return (size_t) d->n_head *
           (sizeof(struct softmax) / sizeof(float) + (size_t) d->d_head + PART_KEYS);
}

/* Scores of n keys from k on, all heads. The query heads of a kv head share its reading; with
 * several of them two keys at a time are done as quickly as one. */
static void part_scores(const struct attention *a, float *score, const float *k, int n)
{
    const struct attention_dims *d = a->d;
    size_t d_head = (size_t) d->d_head, ldk = (size_t) d->n_kv_head * d_head;
    int group = d->n_head / d->n_kv_head, step = group > 1 ? 2 : 1;
    void (*dots)(const struct simd_dots *) = simd_best()->dots[DTYPE_F32];

    for (int j = 0; j < n; j += step)
        for (int h = 0; h < d->n_head;) {
            int kv = h / group, heads = min_int(SIMD_ROWS, (kv + 1) * group - h);
            struct simd_dots s = {.y = score + (size_t) h * PART_KEYS + j,
                                  .ldy = PART_KEYS,
                                  .x = a->q + (size_t) h * d_head,
                                  .ldx = d_head,
                                  .rows = heads,
                                  .w = k + (size_t) j * ldk + (size_t) kv * d_head,
                                  .w_stride = ldk * sizeof(float),
                                  .n_out = min_int(step, n - j),
                                  .n = d->d_head};
            dots(&s);
            h += heads;
        }
}

static void part_mix(const struct attention *a, const struct part *p, const float *v, int n)
{
    const struct attention_dims *d = a->d;
    size_t d_head = (size_t) d->d_head, ldv = (size_t) d->n_kv_head * d_head;
    int group = d->n_head / d->n_kv_head;
    void (*add_row)(float *, float, const void *, size_t) = simd_best()->add_row[DTYPE_F32];

    for (int j = 0; j < n; j++)
        for (int h = 0; h < d->n_head; h++)
            add_row(p->z + (size_t) h * d_head, p->score[h * PART_KEYS + j],
                    v + (size_t) j * ldv + (size_t) (h / group) * d_head, d_head);
}

static void part_task(void *arg, int task, float *unused)
{
    const struct attention *a = arg;
    const struct attention_dims *d = a->d;
    struct part p = part_of(a, task);
    int lo = first_key(d, d->pos0), n_keys = d->pos0 + 1 - lo;
    int begin = lo + (int) ((int64_t) n_keys * task / a->blocks);
    int end = lo + (int) ((int64_t) n_keys * (task + 1) / a->blocks);
    size_t ldk = (size_t) d->n_kv_head * (size_t) d->d_head;

    (void) unused;
    for (int h = 0; h < d->n_head; h++)
        p.softmax[h] = (struct softmax){-INFINITY, 0};
    memset(p.z, 0, (size_t) d->n_head * (size_t) d->d_head * sizeof *p.z);
    for (int kb = begin; kb < end; kb += PART_KEYS) {
        int n = min_int(PART_KEYS, end - kb);
        part_scores(a, p.score, a->k + (size_t) kb * ldk, n);
        for (int h = 0; h < d->n_head; h++) {
            float *score = p.score + (size_t) h * PART_KEYS;
            simd_best()->scale(score, (size_t) n, d->scale);
            softmax_block(&p.softmax[h], score, kb, n, lo, d->pos0,
                          p.z + (size_t) h * (size_t) d->d_head, d->d_head);
        }
        part_mix(a, &p, a->v + (size_t) kb * ldk, n);
    }
}

/* One head's softmax over all keys from those of the parts. */
static void join_parts(const struct attention *a, int head)
{
    size_t d_head = (size_t) a->d->d_head, at = (size_t) head * d_head;
    struct softmax all = {-INFINITY, 0};

    for (int i = 0; i < a->blocks; i++) {
        float most = part_of(a, i).softmax[head].most;
        all.most = most > all.most ? most : all.most;
    }
    memset(a->z + at, 0, d_head * sizeof *a->z);
    for (int i = 0; i < a->blocks; i++) {
        struct part p = part_of(a, i);
        float factor = expf(p.softmax[head].most - all.most);
        all.sum += p.softmax[head].sum * (double) factor;
        simd_best()->add_row[DTYPE_F32](a->z + at, factor, p.z + at, d_head);
    }
    a->lse[head] = softmax_end(&all, a->z + at, a->d->d_head);
}

static void one_query(struct attention *a)
{
    const struct attention_dims *d = a->d;
    int n_keys = d->pos0 + 1 - first_key(d, d->pos0);

    a->blocks = min_int(compute_threads(a->compute), (n_keys + PART_KEYS - 1) / PART_KEYS);
    compute_each(a->compute, a->blocks, part_task, a);
    for (int h = 0; h < d->n_head; h++)
        join_parts(a, h);
}

size_t attention_scratch(const struct attention_dims *d, int n_ctx)
{
    size_t blocked = (size_t) QUERIES * KEYS, part = part_floats(d);

    (void) n_ctx; /* what lies in scratch is a block, however long the context */
    return blocked > part ? blocked : part;
}

void attention(struct compute *c, float *z, float *lse, const float *q, const float *k,
               const float *v, const struct attention_dims *d)
{
    struct attention a = {c, z, lse, q, k, v, d, d->n_query / QUERIES};

    if (d->n_query == 1) {
        one_query(&a);
        return;
    }
    a.blocks += d->n_query % QUERIES != 0;
    compute_each(c, a.blocks * d->n_head, block_task, &a);
}
