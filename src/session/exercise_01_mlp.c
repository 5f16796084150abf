/* Cases of exercise 1: the MLP. */
#include "session/exercise_case.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

struct shape {
    const char *en, *zh;
    int rows, in, out;
};

/* --- linear --- */

enum {
    LINEAR_NO_BIAS = 1,
    LINEAR_TRANSPOSED,
    LINEAR_BIAS_OF_ROW,
    LINEAR_BIAS_TIMES,
    LINEAR_SKIPS
};
static const struct mistake linear_mistakes[] = {
    {"no-bias", "the bias is not added", "没有加上偏置"},
    {"weights-transposed",
     "the weights are read as w[n_in][n_out]; they have a row for each output: w[o * n_in + i]",
     "权重被当成了 w[n_in][n_out]；实际上每个输出占一行：w[o * n_in + i]"},
    {"bias-of-row", "the bias is taken by the row of x (bias[t]), not by the output (bias[o])",
     "偏置按 x 的行取了（bias[t]），应当按输出取（bias[o]）"},
    {"bias-in-the-sum", "the bias is added once for every input: it belongs outside the sum",
     "偏置在求和里被加了 n_in 次：它应当在求和之外只加一次"},
    {"first-input-skipped", "the sum leaves out input 0", "求和漏掉了第 0 个输入"},
    {0},
};

static bool linear_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct shape shapes[] = {
        {"one row", "一行", 1, 4, 3},
        {"odd sizes", "不整齐的大小", 5, 7, 3},
        {"as many outputs as inputs", "输入输出一样多", 4, 6, 6},
        {"many rows", "很多行", 70, 19, 12},
        {"layer 1 of tiny-gpt2", "tiny-gpt2 的第 1 层", 0, 0, 0}};
    if (i >= 5)
        return false;
    struct shape s = shapes[i];
    bool real = i == 4;
    if (real) {
        s.rows = case_tokens(c, MATERIAL_GPT2);
        s.in = case_hparams(c, MATERIAL_GPT2)->d_model;
        s.out = case_hparams(c, MATERIAL_GPT2)->d_mlp;
    }
    case_say(c, s.en, s.zh);
    c->call.function = "linear";
    case_number(c, s.rows);
    case_number(c, s.in);
    case_number(c, s.out);
    case_array(c, ARRAY_OUT, "out", 2, "row", s.rows, "output", s.out);
    float *x = case_array(c, ARRAY_IN, "x", 2, "row", s.rows, "input", s.in);
    float *w = case_array(c, ARRAY_IN, "w", 2, "output", s.out, "input", s.in);
    float *b = case_array(c, ARRAY_IN, "bias", 1, "output", s.out);
    if (real) {
        case_weight(c, MATERIAL_GPT2, W_MLP_UP, 1, w, (size_t) s.in * (size_t) s.out);
        case_weight(c, MATERIAL_GPT2, W_MLP_UP_BIAS, 1, b, (size_t) s.out);
        return case_value(c, MATERIAL_GPT2, "blocks.1.ln2.out", x, err);
    }
    case_random(c, x, (size_t) s.rows * (size_t) s.in, 1);
    case_random(c, w, (size_t) s.out * (size_t) s.in, 1);
    case_random(c, b, (size_t) s.out, 2);
    return true;
}

static void linear_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int rows = case_int(c, 0), n_in = case_int(c, 1), n_out = case_int(c, 2);
    const float *x = case_in(c, 1), *w = case_in(c, 2), *b = case_in(c, 3);

    for (int t = 0; t < rows; t++)
        for (int o = 0; o < n_out; o++) {
            double sum = (double) b[variant == LINEAR_BIAS_OF_ROW ? t % n_out : o];
            if (variant == LINEAR_NO_BIAS)
                sum = 0;
            if (variant == LINEAR_BIAS_TIMES)
                sum *= n_in;
            for (int i = variant == LINEAR_SKIPS; i < n_in; i++)
                sum += (double) x[t * n_in + i] *
                       (double) w[variant == LINEAR_TRANSPOSED ? i * n_out + o : o * n_in + i];
            out[0][t * n_out + o] = sum;
        }
}

/* --- gelu --- */

enum {
    GELU_ERF = 1,
    GELU_NO_HALF,
    GELU_RELU,
    GELU_SILU,
    GELU_NO_ROOT,
    GELU_NO_CUBE,
    GELU_NO_X,
    GELU_ROOT_OF_CUBE
};
static const struct mistake gelu_mistakes[] = {
    {"gelu-erf",
     "this is the exact GELU with erf; GPT-2 has the form with tanh, which differs in the "
     "fourth "
     "digit",
     "这是用 erf 的精确 GELU；GPT-2 用的是 tanh 形式，第四位数字起就不同"},
    {"no-half", "the factor 0.5 is missing", "少了系数 0.5"},
    {"relu", "this is ReLU, max(x, 0)", "这是 ReLU，即 max(x, 0)"},
    {"silu", "this is SiLU, x / (1 + exp(-x)), the activation of Llama",
     "这是 SiLU，即 x / (1 + exp(-x))，Llama 的激活函数"},
    {"no-root", "the factor sqrt(2 / pi) before the bracket is missing",
     "括号前少了系数 sqrt(2 / pi)"},
    {"square-for-cube", "the last term has x^2 where x^3 belongs",
     "最后一项应为 x^3，这里用了 x^2"},
    {"no-x", "the factor x is missing: 0.5 x (1 + tanh(...))",
     "少了因子 x：0.5 x (1 + tanh(...))"},
    {"root-only-of-x",
     "sqrt(2 / pi) is multiplied with x only; it stands before the whole bracket",
     "sqrt(2 / pi) 只乘了 x；它应当乘整个括号"},
    {0},
};

static bool gelu_make(struct exercise_case *c, int i, struct err *err)
{
    static const int sizes[] = {1, 97, 4096, 0};

    (void) err;
    if (i >= 4)
        return false;
    int n = sizes[i];
    if (i == 3)
        n = case_tokens(c, MATERIAL_GPT2) * case_hparams(c, MATERIAL_GPT2)->d_mlp;
    case_say(c,
             i == 3   ? "layer 0 of tiny-gpt2"
             : i == 0 ? "one number"
                      : "%d numbers",
             i == 3   ? "tiny-gpt2 的第 0 层"
             : i == 0 ? "一个数"
                      : "%d 个数",
             n);
    c->call.function = "gelu";
    case_number(c, n);
    case_array(c, ARRAY_OUT, "out", 1, "number", n);
    float *x = case_array(c, ARRAY_IN, "x", 1, "number", n);
    case_random(c, x, (size_t) n, 2);
    for (int k = 0; i == 2 && k < n; k++) /* far out, too */
        x[k] = ((float) k - 2048) / 100;
    return i != 3 || case_value(c, MATERIAL_GPT2, "blocks.0.mlp.pre", x, err);
}

static double gelu_of(double x, int variant)
{
    double root = variant == GELU_NO_ROOT ? 1 : sqrt(2 / M_PI);
    double cube = 0.044715 * (variant == GELU_NO_CUBE ? x * x : x * x * x);
    double bracket = variant == GELU_ROOT_OF_CUBE ? root * x + cube : root * (x + cube);
    double half = variant == GELU_NO_HALF ? 1 : 0.5;

    if (variant == GELU_ERF)
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    if (variant == GELU_RELU)
        return x > 0 ? x : 0;
    if (variant == GELU_SILU)
        return x / (1 + exp(-x));
    return half * (variant == GELU_NO_X ? 1 : x) * (1 + tanh(bracket));
}

static void gelu_solve(const struct exercise_case *c, int variant, double *const out[])
{
    for (int i = 0; i < case_int(c, 0); i++)
        out[0][i] = gelu_of((double) case_in(c, 1)[i], variant);
}

/* --- mlp --- */

enum {
    MLP_NO_ACT = 1,
    MLP_ACT_LAST,
    MLP_RESIDUAL,
    MLP_NO_FC_BIAS,
    MLP_RELU,
    MLP_FIRST_TOKEN_ACT
};
static const struct mistake mlp_mistakes[] = {
    {"no-activation", "there is no activation between the two linear layers",
     "两个线性层之间没有激活函数"},
    {"activation-last", "the activation comes after proj; it belongs between fc and proj",
     "激活函数放在了 proj 之后；它应当在 fc 和 proj 之间"},
    {"residual", "x is added to the result: the residual belongs to the block, not to the MLP",
     "结果里加上了 x：残差属于块，不属于 MLP"},
    {"no-fc-bias", "the bias of fc is left out", "漏掉了 fc 的偏置"},
    {"relu", "the activation is ReLU, not GELU", "激活函数用的是 ReLU，不是 GELU"},
    {"activation-of-one-token",
     "the activation is applied to the first token only: it takes n_tokens * d_mlp numbers",
     "激活函数只作用在第一个词元上：一共有 n_tokens * d_mlp 个数"},
    {0},
};

static bool mlp_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct shape shapes[] = {
        {"one token", "一个词元", 1, 6, 24},
        {"odd sizes", "不整齐的大小", 5, 7, 13},
        {"many tokens", "很多词元", 60, 8, 32},
        {"layer 2 of tiny-gpt2", "tiny-gpt2 的第 2 层", 0, 0, 0}};
    if (i >= 4)
        return false;
    struct shape s = shapes[i];
    if (i == 3) {
        s.rows = case_tokens(c, MATERIAL_GPT2);
        s.in = case_hparams(c, MATERIAL_GPT2)->d_model;
        s.out = case_hparams(c, MATERIAL_GPT2)->d_mlp;
    }
    size_t wide = (size_t) s.in * (size_t) s.out;
    case_say(c, s.en, s.zh);
    c->call.function = "mlp";
    case_number(c, s.rows);
    case_number(c, s.in);
    case_number(c, s.out);
    case_array(c, ARRAY_OUT, "out", 2, "token", s.rows, "channel", s.in);
    float *x = case_array(c, ARRAY_IN, "x", 2, "token", s.rows, "channel", s.in);
    float *fc = case_array(c, ARRAY_IN, "fc", 2, "neuron", s.out, "channel", s.in);
    float *fc_bias = case_array(c, ARRAY_IN, "fc_bias", 1, "neuron", s.out);
    float *proj = case_array(c, ARRAY_IN, "proj", 2, "channel", s.in, "neuron", s.out);
    float *proj_bias = case_array(c, ARRAY_IN, "proj_bias", 1, "channel", s.in);
    if (i == 3) {
        case_weight(c, MATERIAL_GPT2, W_MLP_UP, 2, fc, wide);
        case_weight(c, MATERIAL_GPT2, W_MLP_UP_BIAS, 2, fc_bias, (size_t) s.out);
        case_weight(c, MATERIAL_GPT2, W_MLP_DOWN, 2, proj, wide);
        case_weight(c, MATERIAL_GPT2, W_MLP_DOWN_BIAS, 2, proj_bias, (size_t) s.in);
        return case_value(c, MATERIAL_GPT2, "blocks.2.ln2.out", x, err);
    }
    case_random(c, x, (size_t) s.rows * (size_t) s.in, 1);
    case_random(c, fc, wide, 0.5);
    case_random(c, fc_bias, (size_t) s.out, 1);
    case_random(c, proj, wide, 0.5);
    case_random(c, proj_bias, (size_t) s.in, 1);
    return true;
}

static double bend(double x, int variant)
{
    if (variant == MLP_NO_ACT || variant == MLP_ACT_LAST)
        return x;
    return gelu_of(x, variant == MLP_RELU ? GELU_RELU : 0);
}

static void mlp_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int n = case_int(c, 0), d = case_int(c, 1), d_mlp = case_int(c, 2);
    size_t narrow = (size_t) n * (size_t) d, all = (size_t) n * (size_t) d_mlp;
    double *x = xmalloc(narrow * sizeof *x), *wide = xmalloc(all * sizeof *wide);
    size_t bent = variant == MLP_FIRST_TOKEN_ACT ? (size_t) d_mlp : all;

    plain_widen(x, case_in(c, 1), narrow);
    plain_linear(wide, x, case_in(c, 2), variant == MLP_NO_FC_BIAS ? NULL : case_in(c, 3), n, d,
                 d_mlp);
    for (size_t i = 0; i < bent; i++)
        wide[i] = bend(wide[i], variant);
    plain_linear(out[0], wide, case_in(c, 4), case_in(c, 5), n, d_mlp, d);
    for (size_t i = 0; i < narrow; i++) {
        if (variant == MLP_RESIDUAL)
            out[0][i] += x[i];
        if (variant == MLP_ACT_LAST)
            out[0][i] = plain_gelu(out[0][i]);
    }
    free(x);
    free(wide);
}

static const struct checked todos[] = {
    {.todo = "linear", .make = linear_make, .solve = linear_solve, .mistakes = linear_mistakes},
    {.todo = "gelu", .make = gelu_make, .solve = gelu_solve, .mistakes = gelu_mistakes},
    {.todo = "mlp", .make = mlp_make, .solve = mlp_solve, .mistakes = mlp_mistakes},
};
extern const struct exercise_checks checks_mlp;
const struct exercise_checks checks_mlp = {"mlp", todos, sizeof todos / sizeof *todos};
