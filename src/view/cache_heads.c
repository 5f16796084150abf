/* What every head does with the tokens there are: the weight on telling places, and a small
 * picture. A layer is read again only when its rows have changed. */
#include "view/cache_parts.h"

#include "base/mem.h"
#include "tensor/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Weights looked at in one go: about a tenth of a second's work on one core. Beyond it only
 * the last queries are counted. */
#define WEIGHTS_MAX  4000000
#define BATCH_FLOATS 262144
/* A head is tagged with a job that has this much of its weight, as the mean of so many queries:
 * one repeated token proves no induction. */
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

void heads_cache_release(struct heads_cache *h)
{
    free(h->sum.head);
    free(h->sum.pixel);
    free(h->ready);
    memset(h, 0, sizeof *h);
}

/* Sums over queries while a layer is read. */
struct tally {
    float job[JOB_COUNT], max, entropy;
    int n, counted[JOB_COUNT];
};

static int same_earlier(const int32_t *ids, int query)
{
    for (int j = query - 1; j >= 0; j--)
        if (ids[j] == ids[query])
            return j;
    return -1;
}

static void count_job(struct tally *t, enum head_job job, float weight)
{
    t->job[job] += weight;
    t->counted[job]++;
}

/* One query's weights, p[query + 1]. Query 0 has no choice and is not counted. */
static void count_row(struct tally *t, const float *p, int query, const int32_t *ids)
{
    if (query < 1)
        return;
    int same = same_earlier(ids, query);
    count_job(t, JOB_PREVIOUS, p[query - 1]);
    count_job(t, JOB_SINK, p[0]);
    count_job(t, JOB_SELF, p[query]);
    if (same > 0) /* token 0 is the sink */
        count_job(t, JOB_DUPLICATE, p[same]);
    if (same >= 0 && same + 1 < query - 1) /* elsewhere than on the token before */
        count_job(t, JOB_INDUCTION, p[same + 1]);
    float most = 0;
    for (int j = 0; j <= query; j++)
        most = p[j] > most ? p[j] : most;
    t->max += most;
    t->entropy += (float) (entropy(p, (size_t) query + 1) / log(query + 1.0));
    t->n++;
}

/* The job that takes most weight, of those that enough queries speak for. */
static int find_tag(const struct head_summary *h, const struct tally *t)
{
    int best = -1;
    for (int i = 0; i < JOB_COUNT; i++)
        if (h->job[i] >= TAG_WEIGHT && t->counted[i] >= TAG_QUERIES &&
            (best < 0 || h->job[i] > h->job[best]))
            best = i;
    return best;
}

static void conclude(struct head_summary *h, const struct tally *t)
{
    float n = t->n > 0 ? (float) t->n : 1;
    *h = (struct head_summary){.ready = true};
    for (int i = 0; i < JOB_COUNT; i++)
        h->job[i] = t->counted[i] > 0 ? t->job[i] / (float) t->counted[i] : 0;
    h->max = t->max / n;
    h->entropy = t->entropy / n;
    h->tag = find_tag(h, t);
}

/* Pixels [*begin, *end) that token i of n lies in: one of them, or several when the picture has
 * more pixels than there are tokens. */
static void thumb_span(int thumb, int n, int i, int *begin, int *end)
{
    *begin = (int) ((long) i * thumb / n);
    *end = (int) ((long) (i + 1) * thumb / n);
    if (*end == *begin)
        ++*end;
}

/* The picture begins at query `first`, so that it shows what is counted. */
static void pool_thumb(float *pixel, int thumb, int n, int first, int query, const float *p)
{
    int top, bottom, left, right;
    thumb_span(thumb, n - first, query - first, &top, &bottom);
    for (int j = first; j <= query; j++) {
        thumb_span(thumb, n - first, j - first, &left, &right);
        for (int y = top; y < bottom; y++)
            for (int x = left; x < right; x++) {
                float *dot = &pixel[y * thumb + x];
                if (isnan(*dot) || p[j] > *dot)
                    *dot = p[j];
            }
    }
}

static bool read_layer(struct heads_cache *h, const struct session *s, int layer, int value,
                       int ready, struct err *err)
{
    struct heads_summary *sum = &h->sum;
    int n_head = sum->n_head, first = ready - sum->n_query > 0 ? ready - sum->n_query : 0;
    size_t row_floats = (size_t) n_head * (size_t) ready;
    int batch = row_floats < BATCH_FLOATS ? (int) (BATCH_FLOATS / row_floats) : 1;
    if (batch > ready - first)
        batch = ready - first;
    int side = sum->thumb;
    float *p = xmalloc(row_floats * (size_t) batch * sizeof *p);
    struct tally *tally = xcalloc((size_t) n_head, sizeof *tally);
    float *pixel = sum->pixel + (size_t) (layer * n_head) * (size_t) (side * side);
    for (int i = 0; i < n_head * side * side; i++)
        pixel[i] = NAN;
    bool ok = true;
    for (int q = first; ok && q < ready; q += batch) {
        int count = ready - q < batch ? ready - q : batch;
        struct region part = {{0, q, 0}, {n_head, count, ready}};
        ok = run_read(s->run, value, &part, p, err);
        for (int i = 0; ok && i < n_head * count; i++) {
            const float *row = p + (size_t) i * (size_t) ready;
            int head = i / count, query = q + i % count;
            count_row(&tally[head], row, query, s->ids.id);
            if (side > 0)
                pool_thumb(pixel + head * side * side, side, ready, first, query, row);
        }
    }
    for (int i = 0; ok && i < n_head; i++)
        conclude(&sum->head[layer * n_head + i], &tally[i]);
    free(tally);
    free(p);
    return ok;
}

/* What the patterns depend on besides the layer's rows. */
static uint64_t heads_key(const struct session *s, int thumb)
{
    uint64_t key = 1469598103934665603ULL ^ (uint64_t) (uintptr_t) s->run;
    int n = run_n_past(s->run) + run_n_new(s->run);
    for (int i = 0; i < n; i++)
        key = (key ^ (uint64_t) s->ids.id[i]) * 1099511628211ULL;
    key = (key ^ (uint64_t) thumb) * 1099511628211ULL;
    if (run_n_patches(s->run) > 0)
        key ^= run_version(s->run) * 0x9e3779b97f4a7c15ULL;
    return key;
}

static void begin(struct heads_cache *h, const struct session *s, int thumb, uint64_t key)
{
    heads_cache_release(h);
    const struct hparams *hp = &s->program->hp;
    size_t heads = (size_t) hp->n_layer * (size_t) hp->n_head;
    long long per_query = (long long) heads * (s->ids.n > 0 ? s->ids.n : 1);
    h->sum.n_layer = hp->n_layer;
    h->sum.n_head = hp->n_head;
    h->sum.thumb = thumb;
    h->sum.n_query = (int) (WEIGHTS_MAX / per_query);
    if (h->sum.n_query < 8)
        h->sum.n_query = 8;
    h->sum.head = xcalloc(heads, sizeof *h->sum.head);
    h->sum.pixel = xcalloc(heads * (size_t) (thumb * thumb) + 1, sizeof *h->sum.pixel);
    h->ready = xcalloc((size_t) hp->n_layer, sizeof *h->ready);
    h->key = key;
}

const struct heads_summary *cache_heads(struct view_cache *c, const struct session *s,
                                        int thumb, struct err *err)
{
    struct heads_cache *h = &c->heads;
    thumb = thumb < 0 ? 0 : thumb > THUMB_MAX ? THUMB_MAX : thumb;
    uint64_t key = heads_key(s, thumb);
    if (!h->ready || h->key != key)
        begin(h, s, thumb, key);
    for (int layer = 0; layer < h->sum.n_layer; layer++) {
        int value = session_stage_value(s, layer, STAGE_PATTERN);
        int ready = value < 0 ? 0 : run_ready(s->run, value);
        if (ready > s->ids.n)
            ready = s->ids.n;
        if (ready == h->ready[layer])
            continue;
        h->ready[layer] = ready;
        for (int i = 0; i < h->sum.n_head; i++)
            h->sum.head[layer * h->sum.n_head + i].ready = false;
        if (ready > 0 && !read_layer(h, s, layer, value, ready, err))
            return NULL;
    }
    return &h->sum;
}

bool heads_clearest(const struct heads_summary *sum, int *layer, int *head)
{
    float most = 0;
    for (int i = 0; i < sum->n_layer * sum->n_head; i++) {
        const struct head_summary *h = &sum->head[i];
        if (!h->ready || h->tag < 0 || h->tag == JOB_SINK || h->tag == JOB_SELF)
            continue;
        /* a repeat found again is more to look at than the token before */
        float worth = h->job[h->tag] + (h->tag == JOB_PREVIOUS ? 0 : 1);
        if (worth > most) {
            most = worth;
            *layer = i / sum->n_head;
            *head = i % sum->n_head;
        }
    }
    return most > 0;
}
