#include "engine/sample.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *sample_stage_name(enum sample_stage s)
{
    static const char *const name[SAMPLE_STAGES] = {"raw", "temperature", "top-k", "top-p",
                                                    "min-p"};
    return s >= 0 && s < SAMPLE_STAGES ? name[s] : "?";
}

int sample_stages_on(const struct sampler *s, enum sample_stage on[SAMPLE_STAGES])
{
    int n = 0;

    on[n++] = SAMPLE_RAW;
    if (s->temp != 1)
        on[n++] = SAMPLE_TEMP;
    if (s->top_k > 0)
        on[n++] = SAMPLE_TOP_K;
    if (s->top_p < 1)
        on[n++] = SAMPLE_TOP_P;
    if (s->min_p > 0)
        on[n++] = SAMPLE_MIN_P;
    return n;
}

/*
 * Ids by falling logit, sorted only as far as somebody looks: a heap whose largest element
 * moves behind it at each pop.
 *
 *     id: [ heap ............ | third, second, first ]
 *           n - n_sorted ids    n_sorted ids
 */
struct order {
    const float *logit;
    int *id;
    int n, n_sorted;
};

/* NaN counts as the smallest number. */
static float key(float logit)
{
    return isnan(logit) ? -INFINITY : logit;
}

static bool comes_before(const struct order *o, int a, int b)
{
    float x = key(o->logit[a]), y = key(o->logit[b]);
    return x > y || (x == y && a < b);
}

static void sift_down(struct order *o, int at, int n)
{
    int moving = o->id[at];
    for (int child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && comes_before(o, o->id[child + 1], o->id[child]))
            child++;
        if (!comes_before(o, o->id[child], moving))
            break;
        o->id[at] = o->id[child];
    }
    o->id[at] = moving;
}

static void order_init(struct order *o, const float *logit, int n)
{
    *o = (struct order){logit, xcalloc((size_t) n, sizeof *o->id), n, 0};
    for (int i = 0; i < n; i++)
        o->id[i] = i;
    for (int i = n / 2 - 1; i >= 0; i--)
        sift_down(o, i, n);
}

/* Bits that rise with the number; both zeros are one. */
static uint32_t rising_bits(float x)
{
    uint32_t bits;
    x += 0.0F;
    memcpy(&bits, &x, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

/* One pass of a radix sort: by RADIX bits from `shift` on, equal ones stay in their order. */
enum { RADIX = 11, BUCKETS = 1 << RADIX };
static void radix_pass(uint64_t *to, const uint64_t *from, int n, int shift)
{
    int at[BUCKETS] = {0}, sum = 0;
    for (int i = 0; i < n; i++)
        at[from[i] >> shift & (BUCKETS - 1)]++;
    for (int i = 0; i < BUCKETS; i++) {
        int count = at[i];
        at[i] = sum;
        sum += count;
    }
    for (int i = 0; i < n; i++)
        to[at[from[i] >> shift & (BUCKETS - 1)]++] = from[i];
}

/* For those who look at all of them. */
static void order_init_sorted(struct order *o, const float *logit, int n)
{
    *o = (struct order){logit, xcalloc((size_t) n, sizeof *o->id), n, n};
    uint64_t *a = xmalloc((size_t) n * sizeof *a), *b = xmalloc((size_t) n * sizeof *b), *t;
    for (int i = 0; i < n; i++) /* the lower of equal ones comes last */
        a[i] = (uint64_t) rising_bits(key(logit[n - 1 - i])) << 32 | (uint32_t) (n - 1 - i);
    for (int shift = 32; shift < 64; shift += RADIX) {
        radix_pass(b, a, n, shift);
        t = a;
        a = b;
        b = t;
    }
    for (int i = 0; i < n; i++)
        o->id[i] = (int) (a[i] & 0xffffffffu);
    free(a);
    free(b);
}

static void order_release(struct order *o)
{
    free(o->id);
}

/* The id of rank `rank`, 0 being the largest logit. */
static int order_at(struct order *o, int rank)
{
    while (o->n_sorted <= rank) {
        int last = o->n - 1 - o->n_sorted, first = o->id[0];
        o->id[0] = o->id[last];
        o->id[last] = first;
        o->n_sorted++;
        sift_down(o, 0, last);
    }
    return o->id[o->n - 1 - rank];
}

static bool is_greedy(const struct sampler *s)
{
    return !(s->temp > 0);
}

/* exp((logit - max) / temp): 1 for the largest, whatever it is, 0 for -inf and NaN below it. */
static double weight(float logit, float max, double temp)
{
    float x = key(logit);
    if (x == max)
        return 1;
    return isinf(x) ? 0 : exp(((double) x - max) / temp);
}

static double total_weight(const float *logits, int n, float max, double temp)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += weight(logits[i], max, temp);
    return sum;
}

/* How many of the largest each stage leaves, and the sum of their weights at s->temp. */
struct cuts {
    int kept[SAMPLE_STAGES];
    double sum[SAMPLE_STAGES];
};

static double weight_at(struct order *o, int rank, double temp)
{
    float max = key(o->logit[order_at(o, 0)]);
    return weight(o->logit[order_at(o, rank)], max, temp);
}

static void cut_top_k(struct cuts *c, struct order *o, const struct sampler *s)
{
    c->kept[SAMPLE_TOP_K] = s->top_k;
    c->sum[SAMPLE_TOP_K] = 0;
    for (int i = 0; i < s->top_k; i++)
        c->sum[SAMPLE_TOP_K] += weight_at(o, i, s->temp);
}

static void cut_top_p(struct cuts *c, struct order *o, const struct sampler *s)
{
    double need = s->top_p * c->sum[SAMPLE_TOP_K], sum = weight_at(o, 0, s->temp);
    int kept = 1;
    while (kept < c->kept[SAMPLE_TOP_K] && sum < need)
        sum += weight_at(o, kept++, s->temp);
    c->kept[SAMPLE_TOP_P] = kept;
    c->sum[SAMPLE_TOP_P] = sum;
}

static void cut_min_p(struct cuts *c, struct order *o, const struct sampler *s)
{
    double w, sum = weight_at(o, 0, s->temp);
    int kept = 1;
    for (; kept < c->kept[SAMPLE_TOP_P]; kept++) {
        if ((w = weight_at(o, kept, s->temp)) < s->min_p)
            break;
        sum += w;
    }
    c->kept[SAMPLE_MIN_P] = kept;
    c->sum[SAMPLE_MIN_P] = sum;
}

static void copy_cut(struct cuts *c, enum sample_stage to)
{
    c->kept[to] = c->kept[to - 1];
    c->sum[to] = c->sum[to - 1];
}

/* Not for greedy sampling. A stage that is off costs nothing; the weights of all n are summed
 * only when no top-k makes that needless. */
static void find_cuts(struct cuts *c, struct order *o, const struct sampler *s, bool need_total)
{
    bool top_k = s->top_k > 0 && s->top_k < o->n;
    memset(c, 0, sizeof *c);
    c->kept[SAMPLE_TEMP] = o->n;
    if (need_total || !top_k)
        c->sum[SAMPLE_TEMP] =
            total_weight(o->logit, o->n, key(o->logit[order_at(o, 0)]), s->temp);
    if (top_k)
        cut_top_k(c, o, s);
    else
        copy_cut(c, SAMPLE_TOP_K);
    if (s->top_p < 1)
        cut_top_p(c, o, s);
    else
        copy_cut(c, SAMPLE_TOP_P);
    if (s->min_p > 0)
        cut_min_p(c, o, s);
    else
        copy_cut(c, SAMPLE_MIN_P);
}

/* Probabilities of all stages in one go. With w = e^d and S their sum, p = w / S and the
 * entropy is log S - sum of w d / S. */
static void fill_stages(struct sample_trace *t, const struct cuts *c, double temp)
{
    float max = key(t->candidate[0].logit);
    double sum_wd[SAMPLE_STAGES] = {0};
    for (int i = 0; i < t->n; i++) {
        struct candidate *one = &t->candidate[i];
        double d = (double) key(one->logit) - (double) max;
        double raw = weight(one->logit, max, 1);
        double w = i >= c->kept[SAMPLE_TEMP] ? 0
                   : temp == 1               ? raw
                                             : weight(one->logit, max, temp);
        for (int stage = SAMPLE_RAW; stage < SAMPLE_STAGES && i < c->kept[stage]; stage++) {
            double now = stage == SAMPLE_RAW ? raw : w;
            if (!(now / c->sum[stage] > 0))
                continue;
            one->prob[stage] = now / c->sum[stage];
            t->kept[stage]++;
            sum_wd[stage] += now < 1 ? now * d : 0;
        }
    }
    for (int stage = SAMPLE_RAW; stage < SAMPLE_STAGES; stage++) {
        double scaled = sum_wd[stage] / (stage == SAMPLE_RAW ? 1 : temp);
        double entropy = log(c->sum[stage]) - scaled / c->sum[stage];
        t->entropy[stage] = t->kept[stage] > 1 ? fmax(entropy, 0) : 0;
    }
}

void sample_trace_of(struct sample_trace *t, const float *logits, int n,
                     const struct sampler *s)
{
    *t = (struct sample_trace){0};
    if (n <= 0)
        return;
    t->n = n;
    t->candidate = xcalloc((size_t) n, sizeof *t->candidate);

    struct order o;
    order_init_sorted(&o, logits, n);
    for (int i = 0; i < n; i++) {
        t->candidate[i].id = order_at(&o, i);
        t->candidate[i].logit = logits[t->candidate[i].id];
    }
    struct cuts c = {0};
    if (!is_greedy(s))
        find_cuts(&c, &o, s, true);
    for (int stage = SAMPLE_TEMP; is_greedy(s) && stage < SAMPLE_STAGES; stage++) {
        c.kept[stage] = 1;
        c.sum[stage] = 1;
    }
    c.kept[SAMPLE_RAW] = n;
    c.sum[SAMPLE_RAW] = total_weight(logits, n, key(t->candidate[0].logit), 1);
    fill_stages(t, &c, is_greedy(s) ? 1 : s->temp);
    order_release(&o);
}

void sample_trace_release(struct sample_trace *t)
{
    free(t->candidate);
    *t = (struct sample_trace){0};
}

int sample_choose(const struct sample_trace *t, const struct sampler *s, struct rng *rng,
                  double *draw)
{
    double u = is_greedy(s) ? 0 : rng_uniform(rng), sum = 0;
    int chosen = 0, last = t->kept[SAMPLE_MIN_P] - 1;
    if (draw)
        *draw = u;
    if (t->n == 0)
        return -1;
    while (chosen < last && (sum += t->candidate[chosen].prob[SAMPLE_MIN_P]) <= u)
        chosen++;
    return t->candidate[chosen].id;
}

static int greedy_token(const float *logits, int n)
{
    int best = 0;
    float most = key(logits[0]);
    for (int i = 1; i < n; i++) {
        if (logits[i] > most) /* never so for NaN */
            most = logits[best = i];
    }
    return best;
}

int sample_token(const float *logits, int n, const struct sampler *s, struct rng *rng,
                 struct sample_draw *draw)
{
    if (draw)
        memset(draw, 0, sizeof *draw);
    if (n <= 0)
        return -1;
    if (is_greedy(s))
        return greedy_token(logits, n);

    struct order o;
    struct cuts c;
    order_init(&o, logits, n);
    find_cuts(&c, &o, s, false);
    double u = rng_uniform(rng), total = c.sum[SAMPLE_MIN_P], sum = 0, low = 0, w;
    int chosen = 0;
    for (int i = 0; i < c.kept[SAMPLE_MIN_P]; i++) {
        if ((w = weight_at(&o, i, s->temp)) <= 0)
            break; /* only zeros follow: rounding left the target above the sum */
        chosen = i;
        low = sum;
        if ((sum += w) > u * total)
            break;
    }
    if (draw)
        *draw = (struct sample_draw){true, u, low / total, (sum - low) / total};
    int id = order_at(&o, chosen);
    order_release(&o);
    return id;
}
