/* Cases of exercise 9: probabilities, top-k, top-p, the draw. */
#include "session/exercise_case.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* The logits after the last token of tiny-gpt2, or n random ones. */
static int n_of(const struct exercise_case *c, int n)
{
    return n ? n : case_hparams(c, MATERIAL_GPT2)->n_vocab;
}

static bool take_logits(struct exercise_case *c, int n, float *x)
{
    if (n)
        case_random(c, x, (size_t) n, 2);
    return n || session_logits(c->m->session[MATERIAL_GPT2], x);
}

static void softmax(double *x, int n, double temperature)
{
    double max = -INFINITY, sum = 0;

    for (int i = 0; i < n; i++)
        max = fmax(max, x[i]);
    for (int i = 0; i < n; i++)
        sum += x[i] = exp((x[i] - max) / temperature);
    for (int i = 0; i < n; i++)
        x[i] /= sum;
}

/* --- probabilities --- */

enum { PROB_TIMES = 1, PROB_NO_TEMP, PROB_NO_MAX, PROB_NO_SUM, PROB_AFTER, PROB_MAX_AFTER };
static const struct mistake prob_mistakes[] = {
    {"times-temperature",
     "the logits are multiplied with the temperature; they are divided by it",
     "logits 乘了温度；应当除以温度"},
    {"no-temperature", "the temperature is not used", "没有用到温度"},
    {"no-max", "the maximum is not taken away: exp overflows for large logits",
     "没有减去最大值：logits 很大时 exp 溢出"},
    {"no-sum", "the division by the sum is missing", "没有除以总和"},
    {"temperature-of-p",
     "the temperature divides the probabilities; it belongs to the logits, before exp",
     "用温度除了概率；应当在 exp 之前除 logits"},
    {0},
};

static bool prob_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct {
        const char *en, *zh;
        int n;
        double temperature, shift;
    } shapes[] = {{"temperature 1", "温度 1", 7, 1, 0},
                  {"temperature 0.5", "温度 0.5", 9, 0.5, 0},
                  {"temperature 2", "温度 2", 1, 2, 0},
                  {"large logits", "很大的 logits", 6, 0.7, 300},
                  {"tiny-gpt2 at temperature 0.8", "tiny-gpt2，温度 0.8", 0, 0.8, 0}};
    (void) err;
    if (i >= 5)
        return false;
    int n = n_of(c, shapes[i].n);
    case_say(c, shapes[i].en, shapes[i].zh);
    c->call.function = "probabilities";
    case_number(c, n);
    case_number(c, shapes[i].temperature);
    case_array(c, ARRAY_OUT, "p", 1, "token", n);
    float *x = case_array(c, ARRAY_IN, "logits", 1, "token", n);
    bool ok = take_logits(c, shapes[i].n, x);
    for (int k = 0; k < n; k++)
        x[k] += (float) shapes[i].shift;
    return ok;
}

/* exp in single precision, so that it overflows as the learner's does. */
static void prob_naive(const struct exercise_case *c, int variant, double *out)
{
    float sum = 0, max = variant == PROB_NO_MAX ? 0 : -INFINITY;
    int n = case_int(c, 0);
    float temperature = (float) c->call.number[1];

    for (int i = 0; i < n && variant != PROB_NO_MAX; i++)
        max = fmaxf(max, case_in(c, 1)[i]);
    for (int i = 0; i < n; i++) {
        out[i] = (double) expf((case_in(c, 1)[i] - max) / temperature);
        sum += (float) out[i];
    }
    for (int i = 0; i < n && variant != PROB_NO_SUM; i++)
        out[i] /= (double) sum;
}

static void prob_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int n = case_int(c, 0);
    double temperature = c->call.number[1];

    if (variant == PROB_NO_MAX || variant == PROB_NO_SUM) {
        prob_naive(c, variant, out[0]);
        return;
    }
    plain_widen(out[0], case_in(c, 1), (size_t) n);
    softmax(out[0], n,
            variant == PROB_TIMES                              ? 1 / temperature
            : variant == PROB_NO_TEMP || variant == PROB_AFTER ? 1
                                                               : temperature);
    for (int i = 0; i < n && variant == PROB_AFTER; i++)
        out[0][i] /= temperature;
}

/* --- top-k and top-p --- */

/* p into out, sorted: order[0] is the index of the largest. */
struct ranked {
    double *p;
    int *order, n;
};

static void rank(struct ranked *r, const float *p, int n)
{
    *r = (struct ranked){xmalloc((size_t) n * sizeof(double)),
                         xmalloc((size_t) n * sizeof(int)), n};
    plain_widen(r->p, p, (size_t) n);
    for (int i = 0; i < n; i++) { /* insertion: stable */
        int at = i;
        for (; at > 0 && p[r->order[at - 1]] < p[i]; at--)
            r->order[at] = r->order[at - 1];
        r->order[at] = i;
    }
}

static void ranked_release(struct ranked *r)
{
    free(r->p);
    free(r->order);
}

/* The first `kept` of the order, divided by `sum`; the others 0. */
static void keep(const struct ranked *r, int kept, bool divide, double *out)
{
    double sum = 0;

    for (int i = 0; i < r->n; i++)
        out[i] = 0;
    for (int i = 0; i < kept && i < r->n; i++)
        sum += out[r->order[i]] = r->p[r->order[i]];
    for (int i = 0; i < r->n && divide; i++)
        out[i] /= sum;
}

static bool cut_make(struct exercise_case *c, int i, const char *function,
                     const double *numbers, const char *en, const char *zh)
{
    static const int sizes[] = {6, 1, 12, 5, 0};
    int n = n_of(c, sizes[i]);
    double *p = xmalloc((size_t) n * sizeof *p);

    case_say(c, en, zh);
    c->call.function = function;
    case_number(c, n);
    case_number(c, numbers[i]);
    float *x = case_array(c, ARRAY_INOUT, "p", 1, "token", n);
    bool ok = take_logits(c, sizes[i], x);
    for (int k = 0; i == 3 && k < n; k++) /* equal ones */
        x[k] = k == 2 ? 1 : 0;
    plain_widen(p, x, (size_t) n);
    softmax(p, n, 1);
    for (int k = 0; k < n; k++)
        x[k] = (float) p[k];
    free(p);
    return ok;
}

enum { K_ONE_MORE = 1, K_NO_DIVIDE, K_TIES, K_SMALLEST, K_ONE_LESS, K_FIRST };
static const struct mistake k_mistakes[] = {
    {"one-too-many", "one too many is kept: k + 1", "多保留了一个：k + 1 个"},
    {"not-renormalised", "what is kept is not divided by its sum: it no longer sums to 1",
     "保留下来的没有除以它们的和：总和不再是 1"},
    {"ties",
     "where several are equal to the k-th, all of them are kept; only the lower indices until "
     "there are k",
     "有几个与第 k 个相等时全都保留了；应当只保留下标小的，凑够 k 个为止"},
    {"smallest", "the smallest are kept; it is the k largest",
     "保留了最小的；应当保留最大的 k 个"},
    {"one-too-few", "one too few is kept: k - 1", "少保留了一个：k - 1 个"},
    {"first-k", "the first k are kept, whatever their probability",
     "保留的是前 k 个，没有看概率"},
    {0},
};

static bool k_make(struct exercise_case *c, int i, struct err *err)
{
    static const double ks[] = {2, 1, 20, 2, 40};
    static const char *const en[] = {"k = 2 of 6", "k = 1 of 1", "k larger than n",
                                     "equal probabilities", "tiny-gpt2, k = 40"};
    static const char *const zh[] = {"6 个里 k = 2", "1 个里 k = 1", "k 大于 n", "相等的概率",
                                     "tiny-gpt2，k = 40"};
    (void) err;
    return i < 5 && cut_make(c, i, "top-k", ks, en[i], zh[i]);
}

static void k_solve(const struct exercise_case *c, int variant, double *const out[])
{
    struct ranked r;
    int n = case_int(c, 0), k = case_int(c, 1);

    rank(&r, case_in(c, 0), n);
    if (variant == K_ONE_MORE)
        k++;
    if (variant == K_ONE_LESS)
        k--;
    k = k < n ? k : n;
    while (variant == K_TIES && k < n && r.p[r.order[k]] == r.p[r.order[k - 1]])
        k++;
    for (int i = 0; i < n; i++) {
        if (variant == K_FIRST)
            r.order[i] = i;
        if (variant == K_SMALLEST && i < n / 2) {
            int other = r.order[i];
            r.order[i] = r.order[n - 1 - i];
            r.order[n - 1 - i] = other;
        }
    }
    keep(&r, k, variant != K_NO_DIVIDE, out[0]);
    ranked_release(&r);
}

enum { P_WITHOUT_LAST = 1, P_NO_DIVIDE, P_THRESHOLD, P_ONE_MORE, P_UNSORTED };
static const struct mistake p_mistakes[] = {
    {"last-left-out",
     "the one that reaches the limit is left out: what is kept must sum to at least `least`",
     "漏掉了使和达到界限的那一个：保留的和至少要有 least"},
    {"not-renormalised", "what is kept is not divided by its sum: it no longer sums to 1",
     "保留下来的没有除以它们的和：总和不再是 1"},
    {"threshold", "each number is held against the limit by itself; it is their running sum",
     "拿每个数单独与界限比了；应当用从大到小的累加和"},
    {"one-too-many", "one too many is kept: it stops as soon as the sum reaches the limit",
     "多保留了一个：和一达到界限就停"},
    {"unsorted", "the numbers are taken in the order of their indices; the largest come first",
     "按下标的顺序取了；应当从大到小取"},
    {0},
};

static bool p_make(struct exercise_case *c, int i, struct err *err)
{
    static const double ps[] = {0.7, 0.9, 0.95, 0.6, 0.9};
    static const char *const en[] = {"0.7 of 6 numbers", "0.9 of one number",
                                     "0.95 of 12 numbers", "equal probabilities",
                                     "tiny-gpt2, 0.9"};
    static const char *const zh[] = {"6 个数，0.7", "1 个数，0.9", "12 个数，0.95",
                                     "相等的概率", "tiny-gpt2，0.9"};
    (void) err;
    return i < 5 && cut_make(c, i, "top-p", ps, en[i], zh[i]);
}

static void p_solve(const struct exercise_case *c, int variant, double *const out[])
{
    struct ranked r;
    int n = case_int(c, 0), kept = 0;
    double least = c->call.number[1], sum = 0;

    rank(&r, case_in(c, 0), n);
    for (int i = 0; variant == P_UNSORTED && i < n; i++)
        r.order[i] = i;
    while (kept < n && (variant == P_THRESHOLD ? r.p[r.order[kept]] >= least : sum < least))
        sum += r.p[r.order[kept++]];
    kept += variant == P_ONE_MORE ? 1 : variant == P_WITHOUT_LAST ? -1 : 0;
    if (kept < 1)
        kept = variant == P_THRESHOLD ? 0 : 1;
    keep(&r, kept, variant != P_NO_DIVIDE && kept > 0, out[0]);
    ranked_release(&r);
}

/* --- draw --- */

enum { DRAW_LARGEST = 1, DRAW_ONE_LATE, DRAW_SINGLE, DRAW_ONE_EARLY, DRAW_ZERO, DRAW_LAST };
static const struct mistake draw_mistakes[] = {
    {"largest", "the largest is chosen whatever u says", "不管 u 是多少都选了最大的"},
    {"one-too-late", "the index is one too high: the sum is compared before p[i] is added",
     "下标大了一个：在加上 p[i] 之前就比较了"},
    {"single", "each number is held against u by itself; it is their running sum",
     "拿每个数单独与 u 比了；应当用累加和"},
    {"one-too-early", "the index is one too low", "下标小了一个"},
    {"zero-chosen", "a number that is 0 is chosen where u is 0: u < sum, not u <= sum",
     "u 为 0 时选中了概率为 0 的：是 u < sum，不是 u <= sum"},
    {"last", "the last number that is not 0 is always chosen: stop where the sum passes u",
     "总是选中最后一个不为 0 的：累加和超过 u 时就应停下"},
    {0},
};

static bool draw_make(struct exercise_case *c, int i, struct err *err)
{
    static const float few[] = {0, 0.25f, 0.5f, 0, 0.25f};
    enum { DRAWS = 16 };

    (void) err;
    if (i >= 3)
        return false;
    int n = i == 0 ? 5 : n_of(c, i == 1 ? 1 : 0);
    case_say(c,
             i == 0   ? "5 numbers"
             : i == 1 ? "one number"
                      : "the tokens of tiny-gpt2",
             i == 0   ? "5 个数"
             : i == 1 ? "一个数"
                      : "tiny-gpt2 的词元");
    c->call.function = "draw";
    case_number(c, n);
    case_number(c, DRAWS);
    case_array(c, ARRAY_OUT, "draw", 1, "u", DRAWS);
    float *p = case_array(c, ARRAY_IN, "p", 1, "token", n);
    float *u = case_array(c, ARRAY_IN, "u", 1, "u", DRAWS);
    for (int k = 0; k < DRAWS; k++)
        u[k] = (float) ((k + 0.5 * (k > 0)) / (DRAWS + 1));
    for (int k = 0; k < n; k++)
        p[k] = i == 0 ? few[k] : 1;
    if (i < 2)
        return true;
    double *q = xmalloc((size_t) n * sizeof *q);
    bool ok = take_logits(c, 0, p);
    plain_widen(q, p, (size_t) n);
    softmax(q, n, 1);
    for (int k = 0; k < n; k++)
        p[k] = (float) q[k];
    free(q);
    return ok;
}

static bool falls_in(float u, float p, float before, int variant)
{
    if (variant == DRAW_SINGLE)
        return u < p;
    if (variant == DRAW_ONE_LATE)
        return u < before;
    return variant == DRAW_ZERO ? u <= before + p : u < before + p;
}

static int drawn(const float *p, int n, float u, int variant)
{
    float sum = 0;
    int last = 0, best = 0;

    for (int i = 0; i < n; i++) {
        best = p[i] > p[best] ? i : best;
        last = p[i] > 0 ? i : last;
    }
    if (variant == DRAW_LARGEST || variant == DRAW_LAST)
        return variant == DRAW_LAST ? last : best;
    for (int i = 0; i < n; i++) {
        if (falls_in(u, p[i], sum, variant))
            return variant == DRAW_ONE_EARLY ? i - 1 : i;
        sum += p[i];
    }
    return last;
}

static void draw_solve(const struct exercise_case *c, int variant, double *const out[])
{
    for (int i = 0; i < case_int(c, 1); i++) {
        int at = drawn(case_in(c, 1), case_int(c, 0), case_in(c, 2)[i], variant);
        out[0][i] = at < 0 ? (double) WORKER_UNTOUCHED : at;
    }
}

static const struct checked todos[] = {
    {.todo = "probabilities",
     .make = prob_make,
     .solve = prob_solve,
     .mistakes = prob_mistakes},
    {.todo = "top-k", .make = k_make, .solve = k_solve, .mistakes = k_mistakes},
    {.todo = "top-p", .make = p_make, .solve = p_solve, .mistakes = p_mistakes},
    {.todo = "draw", .make = draw_make, .solve = draw_solve, .mistakes = draw_mistakes},
};
extern const struct exercise_checks checks_sampling;
const struct exercise_checks checks_sampling = {"sampling", todos,
                                                sizeof todos / sizeof *todos};
