/* Cases of exercise 3: heads split, joined, and all together. */
#include "session/exercise_heads.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

static const struct {
    const char *en, *zh;
    int n, heads, d;
} shapes[] = {{"one token", "一个词元", 1, 3, 2},
              {"odd sizes", "不整齐的大小", 5, 3, 7},
              {"one head", "一个头", 6, 1, 4},
              {"many tokens", "很多词元", 60, 4, 8},
              {"layer 2 of tiny-gpt2", "tiny-gpt2 的第 2 层", 0, 0, 0}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

/* The sizes of shape i into numbers 0, 1, 2. */
static void take_shape(struct exercise_case *c, int i)
{
    const struct hparams *hp = case_hparams(c, MATERIAL_GPT2);
    bool real = shapes[i].n == 0;

    case_say(c, shapes[i].en, shapes[i].zh);
    case_number(c, real ? case_tokens(c, MATERIAL_GPT2) : shapes[i].n);
    case_number(c, real ? hp->n_head : shapes[i].heads);
    case_number(c, real ? hp->d_head : shapes[i].d);
}

/* --- split, concat --- */

enum { SPLIT_AS_IS = 1, SPLIT_INTERLEAVED, SPLIT_SWAPPED, SPLIT_FIRST };
const struct mistake split_mistakes[] = {
    {"copied",
     "the heads are not split, the numbers are only copied: head h of token t begins at "
     "x + t * n_head * d_head + h * d_head",
     "头没有拆开，只是照抄：词元 t 的头 h 从 x + t * n_head * d_head + h * d_head 开始"},
    {"interleaved",
     "the heads are taken as interleaved (c * n_head + h); a head's channels stand together "
     "(h * d_head + c)",
     "把头当成交错排列了（c * n_head + h）；一个头的通道是连在一起的（h * d_head + c）"},
    {"channels-before-tokens", "each head has its channels before its tokens: [h][c][t]",
     "每个头里通道排在了词元前面：[h][c][t]"},
    {"first-head", "every head gets the channels of head 0: h * d_head is missing",
     "每个头拿到的都是第 0 个头的通道：少了 h * d_head"},
    {0},
};
const struct mistake concat_mistakes[] = {
    {"copied",
     "the heads are not joined, the numbers are only copied: head h of token t goes to "
     "out + t * n_head * d_head + h * d_head",
     "头没有拼接，只是照抄：词元 t 的头 h 应当写到 out + t * n_head * d_head + h * d_head"},
    {"interleaved",
     "the heads are interleaved (c * n_head + h); a head's channels stand together "
     "(h * d_head + c)",
     "把头交错排列了（c * n_head + h）；一个头的通道是连在一起的（h * d_head + c）"},
    {"channels-before-tokens", "the heads are read with channels before tokens: [h][c][t]",
     "读取每个头时把通道排在了词元前面：[h][c][t]"},
    {"first-head", "every head is taken from head 0: h * n_tokens * d_head is missing",
     "每个头都取自第 0 个头：少了 h * n_tokens * d_head"},
    {0},
};

static bool move_make(struct exercise_case *c, int i, bool split)
{
    if (i >= N_SHAPES - 1)
        return false;
    take_shape(c, i);
    int n = case_int(c, 0), heads = case_int(c, 1), d = case_int(c, 2);
    float *x;
    c->call.function = split ? "split" : "concat";
    if (split) {
        case_array(c, ARRAY_OUT, "out", 3, "head", heads, "token", n, "channel", d);
        x = case_array(c, ARRAY_IN, "x", 2, "token", n, "channel", heads * d);
    } else {
        case_array(c, ARRAY_OUT, "out", 2, "token", n, "channel", heads * d);
        x = case_array(c, ARRAY_IN, "x", 3, "head", heads, "token", n, "channel", d);
    }
    case_random(c, x, (size_t) n * (size_t) heads * (size_t) d, 1);
    return true;
}

bool split_make(struct exercise_case *c, int i, struct err *err)
{
    (void) err;
    return move_make(c, i, true);
}

bool concat_make(struct exercise_case *c, int i, struct err *err)
{
    (void) err;
    return move_make(c, i, false);
}

/* Where [h][t][a] of the heads is, and where in the rows. */
static void places(const struct exercise_case *c, int h, int t, int a, int variant, int *head,
                   int *row)
{
    int n = case_int(c, 0), heads = case_int(c, 1), d = case_int(c, 2);

    *head = (h * n + t) * d + a;
    *row = t * heads * d + h * d + a;
    if (variant == SPLIT_AS_IS)
        *row = *head;
    if (variant == SPLIT_INTERLEAVED)
        *row = t * heads * d + a * heads + h;
    if (variant == SPLIT_SWAPPED)
        *head = (h * d + a) * n + t;
}

static void move_solve(const struct exercise_case *c, int variant, double *out, bool split)
{
    const float *x = case_in(c, 1);
    int n = case_int(c, 0), heads = case_int(c, 1), d = case_int(c, 2), from_head, head, row;
    bool first = variant == SPLIT_FIRST;

    for (int h = 0; h < heads; h++)
        for (int t = 0; t < n; t++)
            for (int a = 0; a < d; a++) {
                places(c, h, t, a, variant, &head, &row);
                if (split) {
                    out[head] = (double) x[first ? row - h * d : row];
                } else {
                    from_head = first ? t * d + a : head;
                    out[row] = (double) x[from_head];
                }
            }
}

void split_solve(const struct exercise_case *c, int variant, double *const out[])
{
    move_solve(c, variant, out[0], true);
}

void concat_solve(const struct exercise_case *c, int variant, double *const out[])
{
    move_solve(c, variant, out[0], false);
}

/* --- all heads --- */

enum {
    HEADS_NO_MASK = 1,
    HEADS_ONE,
    HEADS_UNSPLIT,
    HEADS_SCALE,
    HEADS_V_OF_FIRST,
    HEADS_ZEROS
};
const struct mistake heads_mistakes[] = {
    {"no-mask", "the mask is left out: tokens look at what comes later",
     "漏掉了掩码：词元能看到后文"},
    {"one-head", "all channels are taken as one head of n_head * d_head channels",
     "把所有通道当成了一个有 n_head * d_head 个通道的头"},
    {"unsplit",
     "q, k and v are not split: h * n_tokens * d_head is where a head begins only after "
     "split_heads",
     "q、k、v 没有拆分：只有在 split_heads 之后，头才从 h * n_tokens * d_head 开始"},
    {"no-scale", "the scores are not divided by sqrt(d_head)", "分数没有除以 sqrt(d_head)"},
    {"v-of-head-0", "every head mixes the values of head 0", "每个头混合的都是第 0 个头的值"},
    {"no-concat", "the outputs of the heads are not joined: concat_heads is missing",
     "各头的输出没有拼接：少了 concat_heads"},
    {0},
};

bool heads_make(struct exercise_case *c, int i, struct err *err)
{
    static const char *const names[] = {"q", "k", "v"};
    float *x[3];

    if (i >= N_SHAPES)
        return false;
    take_shape(c, i);
    int n = case_int(c, 0), width = case_int(c, 1) * case_int(c, 2);
    c->call.function = "attention";
    case_array(c, ARRAY_OUT, "out", 2, "token", n, "channel", width);
    for (int k = 0; k < 3; k++) {
        x[k] = case_array(c, ARRAY_IN, names[k], 2, "token", n, "channel", width);
        case_random(c, x[k], (size_t) n * (size_t) width, 1);
    }
    return i < N_SHAPES - 1 || (case_value(c, MATERIAL_GPT2, "blocks.2.attn.q", x[0], err) &&
                                case_value(c, MATERIAL_GPT2, "blocks.2.attn.k", x[1], err) &&
                                case_value(c, MATERIAL_GPT2, "blocks.2.attn.v", x[2], err));
}

/* One head from rows with a stride each; causal or not. */
static void one_head(double *out, const double *q, const double *k, const double *v, int n,
                     int d, int stride, int variant)
{
    double *p = xmalloc((size_t) n * sizeof *p);

    for (int i = 0; i < n; i++) {
        int seen = variant == HEADS_NO_MASK ? n : i + 1;
        double max = -INFINITY, sum = 0;
        for (int j = 0; j < seen; j++) {
            p[j] = 0;
            for (int a = 0; a < d; a++)
                p[j] += q[i * stride + a] * k[j * stride + a];
            p[j] /= variant == HEADS_SCALE ? 1 : sqrt(d);
            max = fmax(max, p[j]);
        }
        for (int j = 0; j < seen; j++)
            sum += p[j] = exp(p[j] - max);
        for (int a = 0; a < d; a++) {
            out[i * stride + a] = 0;
            for (int j = 0; j < seen; j++)
                out[i * stride + a] += p[j] / sum * v[j * stride + a];
        }
    }
    free(p);
}

/* The heads' outputs as they lie before concat_heads. */
static void unjoin(double *out, int n, int heads, int d)
{
    size_t all = (size_t) n * (size_t) heads * (size_t) d;
    double *x = xmalloc(all * sizeof *x);

    for (int t = 0; t < n; t++)
        for (int h = 0; h < heads; h++)
            for (int a = 0; a < d; a++)
                x[(h * n + t) * d + a] = out[(t * heads + h) * d + a];
    for (size_t i = 0; i < all; i++)
        out[i] = x[i];
    free(x);
}

void heads_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int n = case_int(c, 0), heads = case_int(c, 1), d = case_int(c, 2);
    bool one = variant == HEADS_ONE, unsplit = variant == HEADS_UNSPLIT;
    size_t all = (size_t) n * (size_t) heads * (size_t) d;
    double *q = xmalloc(3 * all * sizeof *q), *k = q + all, *v = k + all;

    for (int i = 0; i < 3; i++)
        plain_widen(q + (size_t) i * all, case_in(c, i + 1), all);
    for (int h = 0; h < (one ? 1 : heads); h++) {
        int at = unsplit ? h * n * d : h * d;
        one_head(out[0] + at, q + at, k + at, v + (variant == HEADS_V_OF_FIRST ? 0 : at), n,
                 one ? heads * d : d, unsplit ? d : heads * d, variant);
    }
    if (variant == HEADS_ZEROS)
        unjoin(out[0], n, heads, d);
    free(q);
}
