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
enum { QUERIES = 64, KEYS = 512 };

struct attention {
    struct compute *compute;
    float *z, *lse;
    const float *q, *k, *v;
    const struct attention_dims *d;
    int blocks; /* of queries */
};

/* Softmax so far of one query. */
struct softmax {
    float most;
    double sum;
};

size_t attention_scratch(const struct attention_dims *d, int n_ctx)
{
    (void) d;
    (void) n_ctx;
    return (size_t) QUERIES * KEYS;
}

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

/* --- one query: memory decides, so the query heads of a kv head share its reading --- */

/* z[h] += sum of weight[h][j] * v[kb + j] for `heads` query heads. */
static void mix_one(const struct attention_dims *d, float *z, const float *weight,
                    const float *v, int heads, int n)
{
    const struct simd *simd = simd_best();
    size_t ldv = (size_t) d->n_kv_head * (size_t) d->d_head;
    const float *row[SIMD_ROWS];

    for (int j = 0; j < n; j += SIMD_ROWS) {
        int k = min_int(SIMD_ROWS, n - j);
        for (int i = 0; i < k; i++)
            row[i] = v + (size_t) (j + i) * ldv;
        for (int h = 0; h < heads; h++)
            simd->axpy(z + (size_t) h * (size_t) d->d_head, weight + (size_t) h * KEYS + j, row,
                       k, (size_t) d->d_head);
    }
}

/* Query heads [head, head + heads) that read one kv head; heads <= SIMD_ROWS. */
static void one_query_heads(const struct attention *a, int head, int heads, float *score)
{
    const struct attention_dims *d = a->d;
    size_t d_head = (size_t) d->d_head, ldk = (size_t) d->n_kv_head * d_head;
    size_t k_at = (size_t) (head / (d->n_head / d->n_kv_head)) * d_head;
    int pos = d->pos0, lo = first_key(d, pos);
    float *z = a->z + (size_t) head * d_head;
    struct softmax s[SIMD_ROWS];

    for (int h = 0; h < heads; h++)
        s[h] = (struct softmax){-INFINITY, 0};
    memset(z, 0, (size_t) heads * d_head * sizeof *z);
    for (int kb = lo; kb <= pos; kb += KEYS) {
        int n = min_int(KEYS, pos + 1 - kb);
        size_t key = k_at + (size_t) kb * ldk;
        struct simd_dots dots = {.y = score,
                                 .ldy = KEYS,
                                 .x = a->q + (size_t) head * d_head,
                                 .ldx = d_head,
                                 .rows = heads,
                                 .w = a->k + key,
                                 .w_stride = ldk * sizeof(float),
                                 .n_out = n,
                                 .n = d->d_head};
        simd_best()->dots[DTYPE_F32](&dots);
        for (int h = 0; h < heads; h++) {
            simd_best()->scale(score + (size_t) h * KEYS, (size_t) n, d->scale);
            softmax_block(&s[h], score + (size_t) h * KEYS, kb, n, lo, pos,
                          z + (size_t) h * d_head, d->d_head);
        }
        mix_one(d, z, score, a->v + key, heads, n);
    }
    for (int h = 0; h < heads; h++)
        a->lse[head + h] = softmax_end(&s[h], z + (size_t) h * d_head, d->d_head);
}

static void one_query_task(void *arg, int kv_head, float *scratch)
{
    const struct attention *a = arg;
    int group = a->d->n_head / a->d->n_kv_head;

    for (int h = 0; h < group; h += SIMD_ROWS)
        one_query_heads(a, kv_head * group + h, min_int(SIMD_ROWS, group - h), scratch);
}

void attention(struct compute *c, float *z, float *lse, const float *q, const float *k,
               const float *v, const struct attention_dims *d)
{
    struct attention a = {c, z, lse, q, k, v, d, d->n_query / QUERIES};

    if (d->n_query == 1) {
        compute_each(c, d->n_kv_head, one_query_task, &a);
        return;
    }
    a.blocks += d->n_query % QUERIES != 0;
    compute_each(c, a.blocks * d->n_head, block_task, &a);
}
