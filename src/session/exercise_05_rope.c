/* Cases of exercise 5: rotary positions. */
#include "session/exercise_case.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* --- angles --- */

enum {
    ANGLES_SIGN = 1,
    ANGLES_NO_TWO,
    ANGLES_NO_POS,
    ANGLES_HALF,
    ANGLES_SWAPPED,
    ANGLES_FROM_ONE
};
static const struct mistake angles_mistakes[] = {
    {"exponent-sign",
     "the sign of the exponent: theta^(-2i/d), so that later pairs turn more slowly",
     "指数的符号：是 theta^(-2i/d)，越靠后的对转得越慢"},
    {"no-two", "the exponent is -i/d_head; it is -2i/d_head",
     "指数用了 -i/d_head；应为 -2i/d_head"},
    {"no-position", "the position is missing: the angle is pos * theta^(-2i/d)",
     "少了位置：角度是 pos * theta^(-2i/d)"},
    {"half-for-d", "the exponent is -2i/(d_head/2): divide by d_head",
     "指数用了 -2i/(d_head/2)：应除以 d_head"},
    {"swapped", "cosine and sine have changed places", "余弦和正弦写反了"},
    {"positions-from-1", "the angle is that of position pos + 1; positions begin at 0",
     "角度用的是位置 pos + 1；位置从 0 开始"},
    {0},
};

static bool angles_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct {
        int pos, d;
        double theta;
    } shapes[] = {
        {0, 8, 10000}, {1, 8, 10000}, {7, 6, 100}, {1000, 64, 10000}, {3, 24, 500000}};

    (void) err;
    if (i >= 5)
        return false;
    case_say(c, "position %d, d_head = %d", "位置 %d，d_head = %d", shapes[i].pos, shapes[i].d);
    c->call.function = "angles";
    case_number(c, shapes[i].pos);
    case_number(c, shapes[i].d);
    case_number(c, shapes[i].theta);
    case_array(c, ARRAY_OUT, "cosine", 1, "pair", shapes[i].d / 2);
    case_array(c, ARRAY_OUT, "sine", 1, "pair", shapes[i].d / 2);
    return true;
}

static void angles_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int pos = case_int(c, 0), d = case_int(c, 1);

    for (int i = 0; i < d / 2; i++) {
        double part =
            (variant == ANGLES_NO_TWO ? 1.0 : 2.0) * i / (variant == ANGLES_HALF ? d / 2 : d);
        double turn = pow(c->call.number[2], variant == ANGLES_SIGN ? part : -part);
        double angle = turn * (variant == ANGLES_NO_POS     ? 1
                               : variant == ANGLES_FROM_ONE ? pos + 1
                                                            : pos);
        out[variant == ANGLES_SWAPPED][i] = cos(angle);
        out[variant != ANGLES_SWAPPED][i] = sin(angle);
    }
}

/* --- rotate --- */

enum {
    ROTATE_SIGN = 1,
    ROTATE_BOTH_MINUS,
    ROTATE_BOTH_PLUS,
    ROTATE_OVERWRITTEN,
    ROTATE_INTERLEAVED,
    ROTATE_FIRST_ONLY
};
static const struct mistake rotate_mistakes[] = {
    {"rotate-half-sign",
     "the sign of rotate_half: it turns the other way. a cos - b sin comes first, b cos + a "
     "sin "
     "second",
     "rotate_half 的符号：方向转反了。前一个是 a cos - b sin，后一个是 b cos + a sin"},
    {"both-minus", "both results have a minus; the second one is b cos + a sin",
     "两个结果都是减号；第二个应为 b cos + a sin"},
    {"both-plus", "both results have a plus; the first one is a cos - b sin",
     "两个结果都是加号；第一个应为 a cos - b sin"},
    {"overwritten",
     "the second result is made from the new x[i]: keep a = x[i] before it is written over",
     "第二个结果用了新的 x[i]：覆盖之前要先存 a = x[i]"},
    {"interleaved",
     "neighbours are paired (2i with 2i + 1); the pairs are i and i + d_head / 2",
     "把相邻通道配成对了（2i 与 2i + 1）；应当是 i 与 i + d_head / 2"},
    {"second-half", "the second half stays as it is", "后一半没有改动"},
    {0},
};

static bool rotate_make(struct exercise_case *c, int i, struct err *err)
{
    static const int sizes[] = {2, 6, 64};
    const struct hparams *hp = case_hparams(c, MATERIAL_LLAMA);
    int d = i == 3 ? hp->d_head : i < 3 ? sizes[i] : 0;

    if (i >= 4)
        return false;
    case_say(c, i == 3 ? "a query of tiny-llama" : "d_head = %d",
             i == 3 ? "tiny-llama 的一个查询" : "d_head = %d", d);
    c->call.function = "rotate";
    case_number(c, d);
    float *x = case_array(c, ARRAY_INOUT, "x", 1, "channel", d);
    float *cosine = case_array(c, ARRAY_IN, "cosine", 1, "pair", d / 2);
    float *sine = case_array(c, ARRAY_IN, "sine", 1, "pair", d / 2);
    case_random(c, x, (size_t) d, 1);
    for (int k = 0; k < d / 2; k++) {
        cosine[k] = (float) cos(1 + k);
        sine[k] = (float) sin(1 + k);
    }
    if (i < 3)
        return true;
    size_t all = (size_t) case_tokens(c, MATERIAL_LLAMA) * (size_t) hp->n_head * (size_t) d;
    float *q = xmalloc(all * sizeof *q);
    bool ok = case_value(c, MATERIAL_LLAMA, "blocks.1.attn.q", q, err);
    for (int k = 0; ok && k < d; k++)
        x[k] = q[k + d];
    free(q);
    return ok;
}

/* One head in place. */
static void turn(double *x, const double *cosine, const double *sine, int d, int variant)
{
    for (int i = 0; i < d / 2; i++) {
        int at = variant == ROTATE_INTERLEAVED ? 2 * i : i;
        int to = variant == ROTATE_INTERLEAVED ? 2 * i + 1 : i + d / 2;
        double a = x[at], b = x[to];
        double first = variant == ROTATE_SIGN || variant == ROTATE_BOTH_PLUS ? 1 : -1;
        double second = variant == ROTATE_SIGN || variant == ROTATE_BOTH_MINUS ? -1 : 1;
        x[at] = a * cosine[i] + first * b * sine[i];
        if (variant == ROTATE_OVERWRITTEN)
            a = x[at];
        if (variant != ROTATE_FIRST_ONLY)
            x[to] = b * cosine[i] + second * a * sine[i];
    }
}

static void rotate_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int d = case_int(c, 0);
    double *angle = xmalloc((size_t) d * sizeof *angle);

    plain_widen(angle, case_in(c, 1), (size_t) d / 2);
    plain_widen(angle + d / 2, case_in(c, 2), (size_t) d / 2);
    turn(out[0], angle, angle + d / 2, d, variant);
    free(angle);
}

/* --- rope --- */

enum { ROPE_NO_FIRST = 1, ROPE_BY_HEAD, ROPE_ONE_POS, ROPE_FIRST_HEAD, ROPE_AS_ONE };
static const struct mistake rope_mistakes[] = {
    {"no-first", "the first token is put at position 0: it stands at `first`",
     "把第一个词元放在了位置 0：它的位置是 first"},
    {"angle-by-head", "the angle grows with the head, not with the token",
     "角度随头增大了，应当随词元增大"},
    {"one-position", "every token is turned by the angles of position `first`: first + t",
     "每个词元都用了位置 first 的角度：应为 first + t"},
    {"one-head", "only head 0 of each token is turned", "每个词元只转了第 0 个头"},
    {"one-wide-head", "a token's row is turned as one head of n_head * d_head channels",
     "把词元的一整行当成一个有 n_head * d_head 个通道的头来转了"},
    {0},
};

static bool rope_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct {
        const char *en, *zh;
        int n, heads, d, first;
    } shapes[] = {
        {"one token at position 0", "位置 0 上的一个词元", 1, 2, 4, 0},
        {"odd sizes", "不整齐的大小", 5, 3, 6, 0},
        {"one token after 9 cached ones", "缓存了 9 个之后的一个词元", 1, 2, 8, 9},
        {"many tokens after 20 cached ones", "缓存了 20 个之后的很多词元", 40, 2, 8, 20},
        {"the queries of layer 1 of tiny-llama", "tiny-llama 第 1 层的查询", 0, 0, 0, 0}};
    const struct hparams *hp = case_hparams(c, MATERIAL_LLAMA);

    if (i >= 5)
        return false;
    int n = i == 4 ? case_tokens(c, MATERIAL_LLAMA) : shapes[i].n;
    int heads = i == 4 ? hp->n_head : shapes[i].heads, d = i == 4 ? hp->d_head : shapes[i].d;
    case_say(c, shapes[i].en, shapes[i].zh);
    c->call.function = "rope";
    const int numbers[] = {n, heads, d, shapes[i].first};
    for (int k = 0; k < 4; k++)
        case_number(c, numbers[k]);
    case_number(c, (double) hp->rope_theta);
    float *x = case_array(c, ARRAY_INOUT, "x", 3, "token", n, "head", heads, "channel", d);
    case_random(c, x, (size_t) n * (size_t) heads * (size_t) d, 1);
    return i < 4 || case_value(c, MATERIAL_LLAMA, "blocks.1.attn.q", x, err);
}

static void turn_at(double *x, double pos, int d, double theta)
{
    double *angle = xmalloc((size_t) d * sizeof *angle);

    for (int i = 0; i < d / 2; i++) {
        angle[i] = cos(pos * pow(theta, -2.0 * i / d));
        angle[i + d / 2] = sin(pos * pow(theta, -2.0 * i / d));
    }
    turn(x, angle, angle + d / 2, d, 0);
    free(angle);
}

static void rope_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int n = case_int(c, 0), heads = case_int(c, 1), d = case_int(c, 2), first = case_int(c, 3);
    double theta = c->call.number[4];

    for (int t = 0; t < n; t++)
        for (int h = 0; h < heads; h++) {
            int pos = first + t;
            if (variant == ROPE_NO_FIRST)
                pos = t;
            if (variant == ROPE_BY_HEAD)
                pos = first + h;
            if (variant == ROPE_ONE_POS)
                pos = first;
            if (variant == ROPE_AS_ONE && h == 0)
                turn_at(out[0] + t * heads * d, pos, heads * d, theta);
            if (variant != ROPE_AS_ONE && (variant != ROPE_FIRST_HEAD || h == 0))
                turn_at(out[0] + (t * heads + h) * d, pos, d, theta);
        }
}

static const struct checked todos[] = {
    {.todo = "angles", .make = angles_make, .solve = angles_solve, .mistakes = angles_mistakes},
    {.todo = "rotate", .make = rotate_make, .solve = rotate_solve, .mistakes = rotate_mistakes},
    {.todo = "rope", .make = rope_make, .solve = rope_solve, .mistakes = rope_mistakes},
};
extern const struct exercise_checks checks_rope;
const struct exercise_checks checks_rope = {"rope", todos, sizeof todos / sizeof *todos};
