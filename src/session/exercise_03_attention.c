/* Cases of exercise 3: the stages of attention. All heads together: exercise_03_heads.c. */
#include "session/exercise_case.h"
#include "session/exercise_heads.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* Head h of a value [pos, head, d_head]. */
static bool take_head(const struct exercise_case *c, enum material_model model,
                      const char *name, int h, float *x, struct err *err)
{
    const struct hparams *hp = case_hparams(c, model);
    int n = case_tokens(c, model), d = hp->d_head;
    float *all = xmalloc((size_t) n * (size_t) hp->n_head * (size_t) d * sizeof *all);
    bool ok = case_value(c, model, name, all, err);

    for (int t = 0; ok && t < n; t++)
        for (int i = 0; i < d; i++)
            x[t * d + i] = all[(t * hp->n_head + h) * d + i];
    free(all);
    return ok;
}

/* --- scores --- */

enum {
    SCORES_NO_SCALE = 1,
    SCORES_BY_D,
    SCORES_TIMES,
    SCORES_TRANSPOSED,
    SCORES_BY_TOKENS,
    SCORES_Q_Q
};
static const struct mistake scores_mistakes[] = {
    {"no-scale", "the scale is missing: divide by sqrt(d_head)",
     "没有缩放：要除以 sqrt(d_head)"},
    {"scale-by-d", "the scores are divided by d_head; it is its square root: sqrt(d_head)",
     "分数除以了 d_head；应当除以它的平方根 sqrt(d_head)"},
    {"scale-times", "the scores are multiplied with sqrt(d_head) in place of divided",
     "分数乘了 sqrt(d_head)，应当是除"},
    {"transposed", "queries and keys have changed places: row i is query i, column j is key j",
     "查询和键颠倒了：第 i 行是查询 i，第 j 列是键 j"},
    {"scale-by-tokens", "the scale is taken of n_tokens; it is sqrt(d_head)",
     "缩放用了 n_tokens；应当用 sqrt(d_head)"},
    {"q-with-q", "each query is multiplied with the queries, not with the keys",
     "查询与查询相乘了，应当与键相乘"},
    {0},
};

static bool scores_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct {
        const char *en, *zh;
        int n, d;
    } shapes[] = {{"one token", "一个词元", 1, 4},
                  {"odd sizes", "不整齐的大小", 5, 7},
                  {"many tokens", "很多词元", 90, 16},
                  {"head 2 of layer 1 of tiny-gpt2", "tiny-gpt2 第 1 层第 2 个头", 0, 0}};
    if (i >= 4)
        return false;
    int n = i == 3 ? case_tokens(c, MATERIAL_GPT2) : shapes[i].n;
    int d = i == 3 ? case_hparams(c, MATERIAL_GPT2)->d_head : shapes[i].d;
    case_say(c, shapes[i].en, shapes[i].zh);
    c->call.function = "scores";
    case_number(c, n);
    case_number(c, d);
    case_array(c, ARRAY_OUT, "out", 2, "query", n, "key", n);
    float *q = case_array(c, ARRAY_IN, "q", 2, "token", n, "channel", d);
    float *k = case_array(c, ARRAY_IN, "k", 2, "token", n, "channel", d);
    if (i == 3)
        return take_head(c, MATERIAL_GPT2, "blocks.1.attn.q", 2, q, err) &&
               take_head(c, MATERIAL_GPT2, "blocks.1.attn.k", 2, k, err);
    case_random(c, q, (size_t) n * (size_t) d, 1);
    case_random(c, k, (size_t) n * (size_t) d, 1);
    return true;
}

static void scores_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int n = case_int(c, 0), d = case_int(c, 1);
    const float *q = case_in(c, 1), *k = case_in(c, variant == SCORES_Q_Q ? 1 : 2);
    double scale = 1 / sqrt(variant == SCORES_BY_TOKENS ? n : d);

    if (variant == SCORES_NO_SCALE)
        scale = 1;
    if (variant == SCORES_BY_D)
        scale = 1.0 / d;
    if (variant == SCORES_TIMES)
        scale = sqrt(d);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int a = 0; a < d; a++)
                sum += (double) q[i * d + a] * (double) k[j * d + a];
            out[0][variant == SCORES_TRANSPOSED ? j * n + i : i * n + j] = sum * scale;
        }
}

/* --- mask --- */

enum { MASK_DIAGONAL = 1, MASK_ONE_MORE, MASK_PAST, MASK_ZERO, MASK_PLUS, MASK_LAST_ROW };
static const struct mistake mask_mistakes[] = {
    {"mask-off-by-one",
     "the mask is off by one: token i hides itself (j >= i); it begins at i + 1",
     "掩码差了一格：词元 i 把自己也遮住了（j >= i）；应当从 i + 1 开始"},
    {"mask-one-too-late",
     "the mask is off by one: token i still sees token i + 1 (j > i + 1); it begins at i + 1",
     "掩码差了一格：词元 i 还能看到词元 i + 1（j > i + 1）；应当从 i + 1 开始"},
    {"mask-of-the-past",
     "the mask hides the past (j < i); what comes later is to be hidden (j > i)",
     "掩码遮住了前文（j < i）；要遮住的是后文（j > i）"},
    {"zero-for-inf",
     "the scores are set to 0; exp(0) is 1, so the softmax still gives them weight: -INFINITY",
     "分数被设成了 0；exp(0) 是 1，softmax 仍会给它们权重：应当用 -INFINITY"},
    {"plus-inf", "the sign is wrong: -INFINITY, not INFINITY",
     "符号错了：是 -INFINITY，不是 INFINITY"},
    {"columns-end-early", "the last column is never hidden: the loop over j ends one too early",
     "最后一列从未遮住：对 j 的循环少走了一步"},
    {0},
};

static bool mask_make(struct exercise_case *c, int i, struct err *err)
{
    static const int sizes[] = {1, 2, 7, 64};

    (void) err;
    if (i >= 5)
        return false;
    int n = i == 4 ? case_tokens(c, MATERIAL_GPT2) : sizes[i];
    if (i == 4)
        case_say(c, "the %d tokens of tiny-gpt2", "tiny-gpt2 的 %d 个词元", n);
    else
        case_say(c, n == 1 ? "one token" : "%d tokens", n == 1 ? "一个词元" : "%d 个词元", n);
    c->call.function = "mask";
    case_number(c, n);
    float *s = case_array(c, ARRAY_INOUT, "s", 2, "query", n, "key", n);
    case_random(c, s, (size_t) n * (size_t) n, 2);
    return true;
}

static bool hidden(int i, int j, int n, int variant)
{
    if (variant == MASK_DIAGONAL)
        return j >= i;
    if (variant == MASK_ONE_MORE)
        return j > i + 1;
    if (variant == MASK_PAST)
        return j < i;
    return j > i && (variant != MASK_LAST_ROW || j < n - 1);
}

static void mask_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int n = case_int(c, 0);
    double with = variant == MASK_ZERO ? 0 : variant == MASK_PLUS ? INFINITY : -INFINITY;

    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            if (hidden(i, j, n, variant))
                out[0][i * n + j] = with;
}

/* --- softmax --- */

enum {
    SOFTMAX_COLUMNS = 1,
    SOFTMAX_NO_MAX,
    SOFTMAX_ALL,
    SOFTMAX_NO_SUM,
    SOFTMAX_MAX_ZERO,
    SOFTMAX_SUM_GROWS,
    SOFTMAX_NO_EXP
};
static const struct mistake softmax_mistakes[] = {
    {"wrong-axis", "the softmax goes down the columns; every row (query) must sum to 1",
     "softmax 沿着列做了；应当是每一行（每个查询）之和为 1"},
    {"no-max",
     "the maximum is not taken away: exp overflows for large scores, and inf / inf is NaN",
     "没有减去最大值：分数大时 exp 溢出，inf / inf 就是 NaN"},
    {"over-everything", "all numbers together sum to 1; each row must do so by itself",
     "所有数加起来等于 1；应当是每一行各自等于 1"},
    {"no-sum", "the division by the row's sum is missing", "没有除以这一行的总和"},
    {"max-from-zero",
     "the maximum begins at 0: where all scores are far below 0, exp gives 0 and the sum is 0. "
     "Begin with the row's first number",
     "最大值从 0 开始：当分数都远小于 0 时，exp 全为 0，总和也是 0。请从这一行的第一个数开始"},
    {"sum-not-reset", "the sum is not set to 0 for every row: it goes on growing",
     "每一行没有把总和重新置 0：它一直累加下去"},
    {"no-exp", "exp is missing: the scores themselves are divided by their sum",
     "没有取 exp：直接用分数除以总和了"},
    {0},
};

static bool softmax_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct {
        const char *en, *zh;
        int rows, cols;
        double shift, scale;
    } shapes[] = {{"one row", "一行", 1, 5, 0, 2},
                  {"odd sizes", "不整齐的大小", 5, 7, 0, 2},
                  {"large scores", "很大的分数", 4, 6, 200, 10},
                  {"scores far below 0", "远小于 0 的分数", 4, 6, -300, 10},
                  {"a masked matrix", "带掩码的矩阵", 12, 12, 0, 2},
                  {"many columns", "很多列", 3, 3000, 0, 3}};
    (void) err;
    if (i >= 6)
        return false;
    int rows = shapes[i].rows, cols = shapes[i].cols;
    case_say(c, shapes[i].en, shapes[i].zh);
    c->call.function = "softmax";
    case_number(c, rows);
    case_number(c, cols);
    float *s = case_array(c, ARRAY_INOUT, "s", 2, "row", rows, "column", cols);
    case_random(c, s, (size_t) rows * (size_t) cols, shapes[i].scale);
    for (int k = 0; k < rows * cols; k++)
        s[k] = i == 4 && k % cols > k / cols ? -INFINITY : s[k] + (float) shapes[i].shift;
    return true;
}

/* In single precision, as a straightforward program has it: the overflow is part of it. */
static float term(float x, float max, int variant)
{
    if (variant == SOFTMAX_NO_EXP)
        return x;
    return variant == SOFTMAX_NO_MAX ? expf(x) : expf(x - max);
}

/* The numbers first, first + step, ... of s, n of them, become weights. */
static void softmax_run(double *s, int n, int step, int variant, float *sum)
{
    float max = variant == SOFTMAX_MAX_ZERO ? 0 : (float) s[0];

    for (int j = 0; j < n; j++)
        max = fmaxf(max, (float) s[j * step]);
    for (int j = 0; j < n; j++) {
        s[j * step] = (double) term((float) s[j * step], max, variant);
        *sum += (float) s[j * step];
    }
    for (int j = 0; j < n; j++)
        s[j * step] /= variant == SOFTMAX_NO_SUM ? 1 : (double) *sum;
}

/* exp(x - max) / sum, in double. */
static void softmax_right(double *s, int n)
{
    double max = -INFINITY, sum = 0;

    for (int j = 0; j < n; j++)
        max = fmax(max, s[j]);
    for (int j = 0; j < n; j++)
        sum += s[j] = exp(s[j] - max);
    for (int j = 0; j < n; j++)
        s[j] /= sum;
}

static void softmax_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int rows = case_int(c, 0), cols = case_int(c, 1);
    float sum = 0;

    if (variant == SOFTMAX_ALL) {
        softmax_right(out[0], rows * cols);
        return;
    }
    for (int i = 0; variant == SOFTMAX_COLUMNS && i < cols; i++, sum = 0)
        softmax_run(out[0] + i, rows, cols, variant, &sum);
    for (int i = 0; variant != SOFTMAX_COLUMNS && i < rows; i++) {
        if (variant == 0)
            softmax_right(out[0] + i * cols, cols);
        else
            softmax_run(out[0] + i * cols, cols, 1, variant, &sum);
        sum = variant == SOFTMAX_SUM_GROWS ? sum : 0;
    }
}

/* --- mix --- */

enum { MIX_TRANSPOSED = 1, MIX_OWN_VALUE, MIX_SUM_OF_QUERIES, MIX_MEAN, MIX_NO_WEIGHT };
static const struct mistake mix_mistakes[] = {
    {"pattern-transposed", "the pattern is read the other way round: pattern[i * n_tokens + j]",
     "权重读反了：应当是 pattern[i * n_tokens + j]"},
    {"own-value",
     "each token weighs its own value (v of i); the value is that of the key (v of j)",
     "乘的是自己的值（v 的第 i 行）；应当是键的值（v 的第 j 行）"},
    {"not-reset", "the sum is not set to 0 for every channel: it goes on growing",
     "每个通道没有把和重新置 0：它一直累加下去"},
    {"mean", "the sum is divided by n_tokens: the weights already sum to 1",
     "和又除以了 n_tokens：权重之和本来就是 1"},
    {"no-weight", "the values are added without their weights", "值直接相加，没有乘权重"},
    {0},
};

static bool mix_make(struct exercise_case *c, int i, struct err *err)
{
    static const int n_of[] = {1, 5, 80}, d_of[] = {4, 7, 16};

    if (i >= 4)
        return false;
    int n = i == 3 ? case_tokens(c, MATERIAL_GPT2) : n_of[i];
    int d = i == 3 ? case_hparams(c, MATERIAL_GPT2)->d_head : d_of[i];
    const struct hparams *hp = case_hparams(c, MATERIAL_GPT2);
    case_say(c,
             i == 3   ? "head 1 of layer 0 of tiny-gpt2"
             : n == 1 ? "one token"
                      : "%d tokens",
             i == 3   ? "tiny-gpt2 第 0 层第 1 个头"
             : n == 1 ? "一个词元"
                      : "%d 个词元",
             n);
    c->call.function = "mix";
    case_number(c, n);
    case_number(c, d);
    case_array(c, ARRAY_OUT, "out", 2, "token", n, "channel", d);
    float *p = case_array(c, ARRAY_IN, "pattern", 2, "query", n, "key", n);
    float *v = case_array(c, ARRAY_IN, "v", 2, "token", n, "channel", d);
    if (i == 3) {
        size_t one = (size_t) n * (size_t) n;
        float *all = xmalloc(one * (size_t) hp->n_head * sizeof *all);
        bool ok = case_value(c, MATERIAL_GPT2, "blocks.0.attn.pattern", all, err);
        for (size_t k = 0; ok && k < one; k++)
            p[k] = all[one + k];
        free(all);
        return ok && take_head(c, MATERIAL_GPT2, "blocks.0.attn.v", 1, v, err);
    }
    for (int q = 0; q < n; q++) { /* any weights that sum to 1, nobody hidden */
        float sum = 0;
        for (int k = 0; k < n; k++)
            sum += p[q * n + k] = (float) rng_uniform(&c->rng);
        for (int k = 0; k < n; k++)
            p[q * n + k] /= sum;
    }
    case_random(c, v, (size_t) n * (size_t) d, 1);
    return true;
}

static void mix_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int n = case_int(c, 0), d = case_int(c, 1);
    const float *p = case_in(c, 1), *v = case_in(c, 2);
    double sum = 0;

    for (int i = 0; i < n; i++)
        for (int a = 0; a < d; a++) {
            sum = variant == MIX_SUM_OF_QUERIES ? sum : 0;
            for (int j = 0; j < n; j++) {
                double w = (double) p[variant == MIX_TRANSPOSED ? j * n + i : i * n + j];
                w = variant == MIX_NO_WEIGHT ? 1 : w;
                sum += w * (double) v[(variant == MIX_OWN_VALUE ? i : j) * d + a];
            }
            out[0][i * d + a] = variant == MIX_MEAN ? sum / n : sum;
        }
}

static const struct checked todos[] = {
    {.todo = "scores", .make = scores_make, .solve = scores_solve, .mistakes = scores_mistakes},
    {.todo = "mask",
     .make = mask_make,
     .solve = mask_solve,
     .mistakes = mask_mistakes,
     .hides = true},
    {.todo = "softmax",
     .make = softmax_make,
     .solve = softmax_solve,
     .mistakes = softmax_mistakes},
    {.todo = "mix", .make = mix_make, .solve = mix_solve, .mistakes = mix_mistakes},
    {.todo = "split", .make = split_make, .solve = split_solve, .mistakes = split_mistakes},
    {.todo = "concat", .make = concat_make, .solve = concat_solve, .mistakes = concat_mistakes},
    {.todo = "attention", .make = heads_make, .solve = heads_solve, .mistakes = heads_mistakes},
};
extern const struct exercise_checks checks_attention;
const struct exercise_checks checks_attention = {"attention", todos,
                                                 sizeof todos / sizeof *todos};
