/* Cases of exercise 8: RMSNorm, SiLU, the gated MLP. */
#include "session/exercise_case.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* --- norm --- */

enum {
    NORM_MEAN = 1,
    NORM_SUM,
    NORM_NO_ROOT,
    NORM_NO_EPS,
    NORM_EPS_OUTSIDE,
    NORM_NO_GAIN,
    NORM_ALL
};
static const struct mistake norm_mistakes[] = {
    {"mean-taken-away", "the mean is taken away, as LayerNorm does; RMSNorm does not",
     "减去了均值，那是 LayerNorm；RMSNorm 不减"},
    {"sum-for-mean", "the sum of the squares is used; it is their mean: divide by n",
     "用了平方和；应当用平均值：除以 n"},
    {"no-root", "the root is missing: it is divided by the mean of the squares",
     "没有开方：直接除以了平方的平均值"},
    {"no-eps", "eps is missing: a row of zeros divides by 0", "少了 eps：全零的行会除以 0"},
    {"eps-outside", "eps is added after the root; it belongs under it",
     "eps 加在了开方之后；应当在根号里面"},
    {"no-gain", "the gain is not applied", "没有乘 gain"},
    {"over-everything", "the mean is taken of all rows together; each row has its own",
     "平均值是对所有行一起求的；应当每行各求各的"},
    {0},
};

static bool norm_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct {
        const char *en, *zh;
        int rows, n;
        double scale, shift;
    } shapes[] = {
        {"one row", "一行", 1, 6, 1, 1},
        {"odd sizes", "不整齐的大小", 5, 7, 2, -1},
        {"tiny numbers", "很小的数", 3, 8, 1e-3, 0},
        {"rows of zeros", "全零的行", 2, 5, 0, 0},
        {"the stream in layer 1 of tiny-llama", "tiny-llama 第 1 层的残差流", 0, 0, 0, 0}};
    if (i >= 5)
        return false;
    int rows = i == 4 ? case_tokens(c, MATERIAL_LLAMA) : shapes[i].rows;
    int n = i == 4 ? case_hparams(c, MATERIAL_LLAMA)->d_model : shapes[i].n;
    case_say(c, shapes[i].en, shapes[i].zh);
    c->call.function = "norm";
    case_number(c, rows);
    case_number(c, n);
    case_number(c, 1e-5);
    case_array(c, ARRAY_OUT, "out", 2, "row", rows, "channel", n);
    float *x = case_array(c, ARRAY_IN, "x", 2, "row", rows, "channel", n);
    float *gain = case_array(c, ARRAY_IN, "gain", 1, "channel", n);
    if (i == 4) {
        case_weight(c, MATERIAL_LLAMA, W_LN1_GAIN, 1, gain, (size_t) n);
        return case_value(c, MATERIAL_LLAMA, "blocks.1.resid_pre", x, err);
    }
    case_random(c, x, (size_t) rows * (size_t) n, shapes[i].scale);
    case_random(c, gain, (size_t) n, 1);
    for (int k = 0; k < rows * n; k++)
        x[k] += (float) (shapes[i].shift * (k / n + 1));
    return true;
}

/* n numbers in place. */
static void normalise(double *x, int n, double eps, int variant)
{
    double mean = 0, squares = 0, scale;

    for (int i = 0; i < n && variant == NORM_MEAN; i++)
        mean += x[i] / n;
    for (int i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean) / (variant == NORM_SUM ? 1 : n);
    scale = sqrt(squares + (variant == NORM_NO_EPS ? 0 : eps));
    if (variant == NORM_EPS_OUTSIDE)
        scale = sqrt(squares) + eps;
    if (variant == NORM_NO_ROOT)
        scale = squares + eps;
    for (int i = 0; i < n; i++)
        x[i] = (x[i] - mean) / scale;
}

static void norm_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int rows = case_int(c, 0), n = case_int(c, 1);
    double eps = c->call.number[2];

    plain_widen(out[0], case_in(c, 1), (size_t) rows * (size_t) n);
    if (variant == NORM_ALL)
        normalise(out[0], rows * n, eps, 0);
    for (int t = 0; t < rows && variant != NORM_ALL; t++)
        normalise(out[0] + t * n, n, eps, variant);
    for (int k = 0; k < rows * n && variant != NORM_NO_GAIN; k++)
        out[0][k] *= (double) case_in(c, 2)[k % n];
}

/* --- silu --- */

enum { SILU_NO_X = 1, SILU_SIGN, SILU_RELU, SILU_GELU, SILU_OVERFLOW };
static const struct mistake silu_mistakes[] = {
    {"no-x", "this is the sigmoid, 1 / (1 + exp(-x)); it is still to be multiplied with x",
     "这是 sigmoid，即 1 / (1 + exp(-x))；还要再乘 x"},
    {"sign", "the sign in exp: x / (1 + exp(-x))", "exp 里的符号：x / (1 + exp(-x))"},
    {"relu", "this is ReLU, max(x, 0)", "这是 ReLU，即 max(x, 0)"},
    {"gelu", "this is GELU; Llama has SiLU", "这是 GELU；Llama 用 SiLU"},
    {"overflow",
     "exp(x) / (1 + exp(x)) is the same in theory, but overflows for large x: use exp(-x)",
     "exp(x) / (1 + exp(x)) 理论上一样，但 x 很大时会溢出：请用 exp(-x)"},
    {0},
};

static bool silu_make(struct exercise_case *c, int i, struct err *err)
{
    static const int sizes[] = {1, 97, 401};

    if (i >= 4)
        return false;
    int n = i == 3 ? case_tokens(c, MATERIAL_LLAMA) * case_hparams(c, MATERIAL_LLAMA)->d_mlp
                   : sizes[i];
    case_say(c,
             i == 3   ? "layer 0 of tiny-llama"
             : i == 2 ? "%d numbers from -200 to 200"
             : i == 0 ? "one number"
                      : "%d numbers",
             i == 3   ? "tiny-llama 的第 0 层"
             : i == 2 ? "从 -200 到 200 的 %d 个数"
             : i == 0 ? "一个数"
                      : "%d 个数",
             n);
    c->call.function = "silu";
    case_number(c, n);
    case_array(c, ARRAY_OUT, "out", 1, "number", n);
    float *x = case_array(c, ARRAY_IN, "x", 1, "number", n);
    case_random(c, x, (size_t) n, 2);
    for (int k = 0; i == 2 && k < n; k++)
        x[k] = (float) (k - 200);
    return i < 3 || case_value(c, MATERIAL_LLAMA, "blocks.0.mlp.pre", x, err);
}

static double silu_of(double x, int variant)
{
    switch (variant) {
    case SILU_NO_X:
        return 1 / (1 + exp(-x));
    case SILU_SIGN:
        return x / (1 + exp(x));
    case SILU_RELU:
        return x > 0 ? x : 0;
    case SILU_GELU:
        return plain_gelu(x);
    case SILU_OVERFLOW: /* in single precision */
        return (double) ((float) x * expf((float) x) / (1 + expf((float) x)));
    default:
        return x / (1 + exp(-x));
    }
}

static void silu_solve(const struct exercise_case *c, int variant, double *const out[])
{
    for (int i = 0; i < case_int(c, 0); i++)
        out[0][i] = silu_of((double) case_in(c, 1)[i], variant);
}

/* --- swiglu --- */

enum { MLP_SWAPPED = 1, MLP_NO_ACT, MLP_BOTH, MLP_SUM, MLP_NO_GATE, MLP_RESIDUAL };
static const struct mistake mlp_mistakes[] = {
    {"gate-and-up-swapped", "SiLU is applied to the up projection; it belongs to the gate",
     "SiLU 作用在了 up 上；应当作用在 gate 上"},
    {"no-activation", "there is no SiLU on the gate", "gate 上没有做 SiLU"},
    {"activation-of-both", "SiLU is applied to both; it is for the gate alone",
     "两边都做了 SiLU；只应当对 gate 做"},
    {"sum", "gate and up are added; they are multiplied", "gate 和 up 相加了；应当相乘"},
    {"no-gate", "the gate is left out: SiLU of the up projection alone",
     "漏掉了 gate：只用了 up 的 SiLU"},
    {"residual", "x is added to the result: the residual belongs to the block",
     "结果里加上了 x：残差属于块"},
    {0},
};

static bool mlp_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct {
        const char *en, *zh;
        int n, d, wide;
    } shapes[] = {{"one token", "一个词元", 1, 6, 16},
                  {"odd sizes", "不整齐的大小", 5, 7, 13},
                  {"many tokens", "很多词元", 60, 8, 20},
                  {"layer 2 of tiny-llama", "tiny-llama 的第 2 层", 0, 0, 0}};
    static const enum weight_role roles[] = {W_MLP_GATE, W_MLP_UP, W_MLP_DOWN};
    static const char *const names[] = {"gate", "up", "down"};
    const struct hparams *hp = case_hparams(c, MATERIAL_LLAMA);

    if (i >= 4)
        return false;
    int n = i == 3 ? case_tokens(c, MATERIAL_LLAMA) : shapes[i].n;
    int d = i == 3 ? hp->d_model : shapes[i].d, wide = i == 3 ? hp->d_mlp : shapes[i].wide;
    size_t size = (size_t) d * (size_t) wide;
    case_say(c, shapes[i].en, shapes[i].zh);
    c->call.function = "swiglu";
    case_number(c, n);
    case_number(c, d);
    case_number(c, wide);
    case_array(c, ARRAY_OUT, "out", 2, "token", n, "channel", d);
    float *x = case_array(c, ARRAY_IN, "x", 2, "token", n, "channel", d);
    case_random(c, x, (size_t) n * (size_t) d, 1);
    for (int k = 0; k < 3; k++) {
        float *w = case_array(c, ARRAY_IN, names[k], 2, "output", k < 2 ? wide : d, "input",
                              k < 2 ? d : wide);
        case_random(c, w, size, 0.5);
        if (i == 3)
            case_weight(c, MATERIAL_LLAMA, roles[k], 2, w, size);
    }
    return i < 3 || case_value(c, MATERIAL_LLAMA, "blocks.2.ln2.out", x, err);
}

static double gated(double gate, double up, int variant)
{
    switch (variant) {
    case MLP_SWAPPED:
        return gate * silu_of(up, 0);
    case MLP_NO_ACT:
        return gate * up;
    case MLP_BOTH:
        return silu_of(gate, 0) * silu_of(up, 0);
    case MLP_SUM:
        return silu_of(gate, 0) + up;
    case MLP_NO_GATE:
        return silu_of(up, 0);
    default:
        return silu_of(gate, 0) * up;
    }
}

static void mlp_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int n = case_int(c, 0), d = case_int(c, 1), wide = case_int(c, 2);
    size_t narrow = (size_t) n * (size_t) d, all = (size_t) n * (size_t) wide;
    double *x = xmalloc((narrow + 2 * all) * sizeof *x), *gate = x + narrow, *up = gate + all;

    plain_widen(x, case_in(c, 1), narrow);
    plain_linear(gate, x, case_in(c, 2), NULL, n, d, wide);
    plain_linear(up, x, case_in(c, 3), NULL, n, d, wide);
    for (size_t i = 0; i < all; i++)
        gate[i] = gated(gate[i], up[i], variant);
    plain_linear(out[0], gate, case_in(c, 4), NULL, n, wide, d);
    for (size_t i = 0; i < narrow && variant == MLP_RESIDUAL; i++)
        out[0][i] += x[i];
    free(x);
}

static const struct checked todos[] = {
    {.todo = "norm", .make = norm_make, .solve = norm_solve, .mistakes = norm_mistakes},
    {.todo = "silu", .make = silu_make, .solve = silu_solve, .mistakes = silu_mistakes},
    {.todo = "swiglu", .make = mlp_make, .solve = mlp_solve, .mistakes = mlp_mistakes},
};
extern const struct exercise_checks checks_swiglu;
const struct exercise_checks checks_swiglu = {"swiglu", todos, sizeof todos / sizeof *todos};
