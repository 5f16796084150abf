/* Cases of exercise 2: the pre-norm block. */
#include "session/exercise_case.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* --- norm --- */

enum {
    NORM_NO_MEAN = 1,
    NORM_NO_EPS,
    NORM_EPS_OUTSIDE,
    NORM_UNBIASED,
    NORM_VARIANCE,
    NORM_NO_GAIN,
    NORM_NO_BIAS,
    NORM_ALL
};
static const struct mistake norm_mistakes[] = {
    {"no-mean", "the mean is not taken away: this is RMSNorm", "没有减去均值：这是 RMSNorm"},
    {"no-eps", "eps is missing: where all numbers are alike, this divides by 0",
     "少了 eps：当所有数都一样时会除以 0"},
    {"eps-outside", "eps is added after the root; it belongs under it: sqrt(var + eps)",
     "eps 加在了开方之后；应当在根号里面：sqrt(var + eps)"},
    {"n-minus-1", "the variance is divided by n - 1; LayerNorm divides by n",
     "方差除以了 n - 1；LayerNorm 除以 n"},
    {"no-root", "the root is missing: it is divided by the variance",
     "没有开方：直接除以了方差"},
    {"no-gain", "the gain is not applied", "没有乘 gain"},
    {"no-bias", "the bias is not added", "没有加 bias"},
    {"over-everything",
     "mean and variance are taken of all rows together; each row has its own",
     "均值和方差是对所有行一起求的；应当每行各求各的"},
    {0},
};

static bool norm_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct {
        const char *en, *zh;
        int rows, n;
        double scale, shift;
    } shapes[] = {
        {"one row", "一行", 1, 6, 1, 2},
        {"odd sizes", "不整齐的大小", 5, 7, 2, -1},
        {"tiny numbers", "很小的数", 3, 8, 1e-3, 0},
        {"rows of equal numbers", "全部相同的行", 2, 5, 0, 3},
        {"the stream in layer 1 of tiny-gpt2", "tiny-gpt2 第 1 层的残差流", 0, 0, 0, 0}};
    if (i >= 5)
        return false;
    const struct hparams *hp = case_hparams(c, MATERIAL_GPT2);
    int rows = i == 4 ? case_tokens(c, MATERIAL_GPT2) : shapes[i].rows;
    int n = i == 4 ? hp->d_model : shapes[i].n;
    case_say(c, shapes[i].en, shapes[i].zh);
    c->call.function = "norm";
    case_number(c, rows);
    case_number(c, n);
    case_number(c, 1e-5);
    case_array(c, ARRAY_OUT, "out", 2, "row", rows, "channel", n);
    float *x = case_array(c, ARRAY_IN, "x", 2, "row", rows, "channel", n);
    float *gain = case_array(c, ARRAY_IN, "gain", 1, "channel", n);
    float *bias = case_array(c, ARRAY_IN, "bias", 1, "channel", n);
    if (i == 4) {
        case_weight(c, MATERIAL_GPT2, W_LN1_GAIN, 1, gain, (size_t) n);
        case_weight(c, MATERIAL_GPT2, W_LN1_BIAS, 1, bias, (size_t) n);
        return case_value(c, MATERIAL_GPT2, "blocks.1.resid_pre", x, err);
    }
    case_random(c, x, (size_t) rows * (size_t) n, shapes[i].scale);
    case_random(c, gain, (size_t) n, 1);
    case_random(c, bias, (size_t) n, 1);
    for (int k = 0; k < rows * n; k++)
        x[k] += (float) (shapes[i].shift * (k / n + 1));
    return true;
}

/* One row, or with `all` every number together; n numbers. */
static void normalise(double *x, int n, double eps, int variant)
{
    double mean = 0, var = 0, scale;

    for (int i = 0; i < n && variant != NORM_NO_MEAN; i++)
        mean += x[i] / n;
    for (int i = 0; i < n; i++)
        var += (x[i] - mean) * (x[i] - mean) / (variant == NORM_UNBIASED ? n - 1 : n);
    scale = sqrt(var + (variant == NORM_NO_EPS ? 0 : eps));
    if (variant == NORM_EPS_OUTSIDE)
        scale = sqrt(var) + eps;
    if (variant == NORM_VARIANCE)
        scale = var + eps;
    for (int i = 0; i < n; i++)
        x[i] = (x[i] - mean) / scale;
}

static void norm_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int rows = case_int(c, 0), n = case_int(c, 1);
    double eps = c->call.number[2];
    const float *gain = case_in(c, 2), *bias = case_in(c, 3);

    plain_widen(out[0], case_in(c, 1), (size_t) rows * (size_t) n);
    if (variant == NORM_ALL)
        normalise(out[0], rows * n, eps, 0);
    for (int t = 0; t < rows && variant != NORM_ALL; t++)
        normalise(out[0] + t * n, n, eps, variant);
    for (int k = 0; k < rows * n; k++) {
        out[0][k] *= variant == NORM_NO_GAIN ? 1 : (double) gain[k % n];
        out[0][k] += variant == NORM_NO_BIAS ? 0 : (double) bias[k % n];
    }
}

/* --- the two halves --- */

enum { HALF_NO_RESIDUAL = 1, HALF_NORM_RESIDUAL, HALF_POST, HALF_NO_NORM, HALF_OTHER_NORM };
static const struct mistake attention_mistakes[] = {
    {"no-residual", "the residual is missing: x is to be added to what attention gives",
     "少了残差：要把 x 加到注意力的结果上"},
    {"residual-of-norm",
     "the residual is taken after the norm; what is added is x as it was before the norm",
     "残差取在了归一化之后；要加的是归一化之前的 x"},
    {"post-norm",
     "the norm comes after the sum (post-norm); in a pre-norm block it comes first",
     "归一化放在了相加之后（后置归一化）；前置归一化的块里它在最前面"},
    {"no-norm", "attention reads x itself; it is to read norm(x)",
     "注意力直接读了 x；它应当读 norm(x)"},
    {"other-norm", "the weights of ln2 are used; this half has ln1",
     "用了 ln2 的权重；这一半用 ln1"},
    {0},
};
static const struct mistake mlp_mistakes[] = {
    {"no-residual", "the residual is missing: x is to be added to what the MLP gives",
     "少了残差：要把 x 加到 MLP 的结果上"},
    {"residual-of-norm",
     "the residual is taken after the norm; what is added is x as it was before the norm",
     "残差取在了归一化之后；要加的是归一化之前的 x"},
    {"post-norm",
     "the norm comes after the sum (post-norm); in a pre-norm block it comes first",
     "归一化放在了相加之后（后置归一化）；前置归一化的块里它在最前面"},
    {"no-norm", "the MLP reads x itself; it is to read norm(x)",
     "MLP 直接读了 x；它应当读 norm(x)"},
    {"other-norm", "the weights of ln1 are used; this half has ln2",
     "用了 ln1 的权重；这一半用 ln2"},
    {0},
};

enum { FIRST = 2 }; /* array of the weights */

static bool half_make(struct exercise_case *c, int i, bool attention, struct err *err)
{
    static const struct {
        const char *en, *zh;
        int n, d, heads, wide;
    } shapes[] = {{"one token", "一个词元", 1, 8, 2, 12},
                  {"odd sizes", "不整齐的大小", 5, 9, 3, 7},
                  {"many tokens", "很多词元", 50, 8, 4, 16},
                  {"layer 2 of tiny-gpt2", "tiny-gpt2 的第 2 层", 0, 0, 0, 0}};
    const struct hparams *hp = case_hparams(c, MATERIAL_GPT2);
    bool real = i == 3;

    if (i >= 4)
        return false;
    int n = real ? case_tokens(c, MATERIAL_GPT2) : shapes[i].n;
    int d = real ? hp->d_model : shapes[i].d, heads = real ? hp->n_head : shapes[i].heads;
    int wide = real ? hp->d_mlp : shapes[i].wide;
    case_say(c, shapes[i].en, shapes[i].zh);
    c->call.function = attention ? "attention" : "mlp";
    case_number(c, n);
    case_number(c, d);
    case_number(c, heads);
    case_number(c, wide);
    case_number(c, 1e-5);
    case_array(c, ARRAY_OUT, "out", 2, "token", n, "channel", d);
    float *x = case_array(c, ARRAY_IN, "x", 2, "token", n, "channel", d);
    case_block(c, real ? 2 : -1, d, heads, wide);
    case_random(c, x, (size_t) n * (size_t) d, 1);
    return !real || case_value(c, MATERIAL_GPT2,
                               attention ? "blocks.2.resid_pre" : "blocks.2.resid_mid", x, err);
}

static bool attention_make(struct exercise_case *c, int i, struct err *err)
{
    return half_make(c, i, true, err);
}

static bool mlp_make(struct exercise_case *c, int i, struct err *err)
{
    return half_make(c, i, false, err);
}

static void half_solve(const struct exercise_case *c, int variant, double *out, bool attention)
{
    int n = case_int(c, 0), d = case_int(c, 1);
    const struct call_array *w = &c->call.array[FIRST];
    const struct call_array *ln = attention != (variant == HALF_OTHER_NORM) ? w : w + 10;
    size_t all = (size_t) n * (size_t) d;
    double *x = xmalloc(2 * all * sizeof *x), *norm = x + all;

    plain_widen(x, case_in(c, 1), all);
    plain_layer_norm(norm, x, ln[0].x, ln[1].x, n, d, c->call.number[4]);
    const double *reads = variant == HALF_NO_NORM || variant == HALF_POST ? x : norm;
    if (attention)
        plain_self_attention(out, reads, n, w + 2, d, case_int(c, 2));
    else
        plain_mlp(out, reads, n, w + 12, d, case_int(c, 3));
    for (size_t i = 0; i < all; i++)
        out[i] += variant == HALF_NO_RESIDUAL     ? 0
                  : variant == HALF_NORM_RESIDUAL ? norm[i]
                                                  : x[i];
    if (variant == HALF_POST) {
        for (size_t i = 0; i < all; i++)
            x[i] = out[i];
        plain_layer_norm(out, x, ln[0].x, ln[1].x, n, d, c->call.number[4]);
    }
    free(x);
}

static void attention_solve(const struct exercise_case *c, int variant, double *const out[])
{
    half_solve(c, variant, out[0], true);
}

static void mlp_solve(const struct exercise_case *c, int variant, double *const out[])
{
    half_solve(c, variant, out[0], false);
}

static const struct checked todos[] = {
    {.todo = "norm", .make = norm_make, .solve = norm_solve, .mistakes = norm_mistakes},
    {.todo = "attention",
     .make = attention_make,
     .solve = attention_solve,
     .mistakes = attention_mistakes},
    {.todo = "mlp", .make = mlp_make, .solve = mlp_solve, .mistakes = mlp_mistakes},
};
extern const struct exercise_checks checks_block;
const struct exercise_checks checks_block = {"block", todos, sizeof todos / sizeof *todos};
