/* Cases of exercise 6: the KV cache. */
#include "session/exercise_case.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

static const struct {
    const char *en, *zh;
    int n_new, n_past, heads, d;
} shapes[] = {{"one token, an empty cache", "空缓存，一个词元", 1, 0, 2, 3},
              {"a prompt of 5 tokens", "5 个词元的提示", 5, 0, 3, 4},
              {"one token after 7", "7 个之后的一个词元", 1, 7, 2, 4},
              {"3 tokens after 40", "40 个之后的 3 个词元", 3, 40, 4, 8}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

/* n_new, n_past, n_head, d_head, n_ctx */
static void take_shape(struct exercise_case *c, int i)
{
    case_say(c, shapes[i].en, shapes[i].zh);
    case_number(c, shapes[i].n_new);
    case_number(c, shapes[i].n_past);
    case_number(c, shapes[i].heads);
    case_number(c, shapes[i].d);
    case_number(c, shapes[i].n_new + shapes[i].n_past + 2);
}

static int width_of(const struct exercise_case *c)
{
    return case_int(c, 2) * case_int(c, 3);
}

/* --- append --- */

enum {
    APPEND_AT_START = 1,
    APPEND_NOT_COUNTED,
    APPEND_AFTER_COUNT,
    APPEND_ONE_ROW,
    APPEND_BYTES,
    APPEND_SAME,
    APPEND_SWAPPED
};
static const struct mistake append_mistakes[] = {
    {"not-offset",
     "the new rows are put at the beginning: they are not offset by position, n_past * width",
     "新的行放在了开头：没有按位置偏移 n_past * width"},
    {"not-counted", "n_past is not raised by n_new", "n_past 没有加上 n_new"},
    {"counted-first", "n_past is raised before it is used: the rows go n_new too far",
     "n_past 在使用之前就加了：行写得靠后了 n_new 行"},
    {"one-row", "only one row is copied; there are n_new", "只复制了一行；一共有 n_new 行"},
    {"bytes", "memcpy counts bytes: n_new * width * sizeof(float)",
     "memcpy 按字节计：n_new * width * sizeof(float)"},
    {"k-for-v", "the keys are put into both", "两处放的都是键"},
    {"counted-as-one", "n_past is raised by 1, not by n_new", "n_past 加了 1，应当加 n_new"},
    {0},
};

static bool append_make(struct exercise_case *c, int i, struct err *err)
{
    (void) err;
    if (i >= N_SHAPES)
        return false;
    take_shape(c, i);
    int width = width_of(c), ctx = case_int(c, 4) + shapes[i].n_new, n = shapes[i].n_new;
    c->call.function = "append";
    c->call.number[4] = ctx;
    float *ck = case_array(c, ARRAY_INOUT, "cache->k", 2, "position", ctx, "channel", width);
    float *cv = case_array(c, ARRAY_INOUT, "cache->v", 2, "position", ctx, "channel", width);
    case_array(c, ARRAY_OUT, "cache->n_past", 1, "number", 1);
    float *k = case_array(c, ARRAY_IN, "k", 2, "token", n, "channel", width);
    float *v = case_array(c, ARRAY_IN, "v", 2, "token", n, "channel", width);
    case_random(c, ck, (size_t) shapes[i].n_past * (size_t) width, 1);
    case_random(c, cv, (size_t) shapes[i].n_past * (size_t) width, 1);
    case_random(c, k, (size_t) n * (size_t) width, 1);
    case_random(c, v, (size_t) n * (size_t) width, 1);
    return true;
}

/* Bytes are copied where APPEND_BYTES counts them: a quarter of the floats. */
static int floats_copied(const struct exercise_case *c, int variant)
{
    int all = case_int(c, 0) * width_of(c);

    if (variant == APPEND_ONE_ROW)
        return width_of(c);
    return variant == APPEND_BYTES ? all / 4 : all;
}

static void append_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int n = case_int(c, 0), past = case_int(c, 1), width = width_of(c);
    int at = variant == APPEND_AT_START ? 0 : variant == APPEND_AFTER_COUNT ? past + n : past;

    for (int i = 0; i < floats_copied(c, variant); i++) {
        out[0][at * width + i] = (double) case_in(c, 3)[i];
        out[1][at * width + i] = (double) case_in(c, variant == APPEND_SAME ? 3 : 4)[i];
    }
    out[2][0] = past + (variant == APPEND_SWAPPED ? 1 : n);
    if (variant == APPEND_NOT_COUNTED)
        out[2][0] = (double) WORKER_UNTOUCHED;
}

/* --- attend --- */

enum {
    ATTEND_ROWS = 1,
    ATTEND_ALL,
    ATTEND_ONE_LESS,
    ATTEND_NO_SCALE,
    ATTEND_NO_HEADS,
    ATTEND_NEW_ONLY
};
static const struct mistake attend_mistakes[] = {
    {"mask-not-offset",
     "query i sees the keys 0 to i: the mask is not offset by position. It stands at n_past - "
     "n_new "
     "+ i",
     "第 i 个查询只看到键 0 到 i：掩码没有按位置偏移。它的位置是 n_past - n_new + i"},
    {"no-mask", "every query sees all of the cache, also the new tokens after it",
     "每个查询都看到整个缓存，包括排在它后面的新词元"},
    {"not-itself", "a token does not see itself: the keys go up to its own position",
     "词元看不到自己：键应当一直到它自己的位置"},
    {"no-scale", "the scores are not divided by sqrt(d_head)", "分数没有除以 sqrt(d_head)"},
    {"head-0", "every head uses the keys of head 0: h * d_head is missing",
     "每个头用的都是第 0 个头的键：少了 h * d_head"},
    {"new-only", "only the new tokens are looked at; those before them are in the cache, too",
     "只看了新的词元；前面的词元也在缓存里"},
    {0},
};

static bool attend_make(struct exercise_case *c, int i, struct err *err)
{
    (void) err;
    if (i >= N_SHAPES)
        return false;
    take_shape(c, i);
    int width = width_of(c), n = shapes[i].n_new, all = n + shapes[i].n_past;
    int ctx = case_int(c, 4);
    c->call.function = "attend";
    case_array(c, ARRAY_OUT, "out", 2, "token", n, "channel", width);
    float *q = case_array(c, ARRAY_IN, "q", 2, "token", n, "channel", width);
    float *k = case_array(c, ARRAY_IN, "cache->k", 2, "position", ctx, "channel", width);
    float *v = case_array(c, ARRAY_IN, "cache->v", 2, "position", ctx, "channel", width);
    case_random(c, q, (size_t) n * (size_t) width, 1);
    case_random(c, k, (size_t) all * (size_t) width, 1);
    case_random(c, v, (size_t) all * (size_t) width, 1);
    return true;
}

/* Which keys query i sees: from *first on, so many. */
static int keys_seen(const struct exercise_case *c, int i, int variant, int *first)
{
    int n = case_int(c, 0), past = case_int(c, 1);

    *first = variant == ATTEND_NEW_ONLY ? past : 0;
    if (variant == ATTEND_ROWS || variant == ATTEND_NEW_ONLY)
        return i + 1;
    if (variant == ATTEND_ALL)
        return past + n;
    return past + i + (variant != ATTEND_ONE_LESS);
}

static void attend_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int n = case_int(c, 0), heads = case_int(c, 2), d = case_int(c, 3), width = heads * d;
    double *p = xmalloc((size_t) case_int(c, 4) * sizeof *p);

    for (int i = 0; i < n; i++)
        for (int h = 0; h < heads; h++) {
            int first, seen = keys_seen(c, i, variant, &first);
            double sum = 0, max = -INFINITY;
            for (int j = 0; j < seen; j++) {
                const float *k = case_in(c, 2) + (first + j) * width;
                k += variant == ATTEND_NO_HEADS ? 0 : h * d;
                p[j] = 0;
                for (int a = 0; a < d; a++)
                    p[j] += (double) case_in(c, 1)[i * width + h * d + a] * (double) k[a];
                p[j] /= variant == ATTEND_NO_SCALE ? 1 : sqrt(d);
                max = fmax(max, p[j]);
            }
            for (int j = 0; j < seen; j++)
                sum += p[j] = exp(p[j] - max);
            for (int a = 0; a < d; a++) {
                double mixed = 0;
                for (int j = 0; j < seen; j++)
                    mixed += p[j] * (double) case_in(c, 3)[(first + j) * width + h * d + a];
                out[0][i * width + h * d + a] = mixed / sum;
            }
        }
    free(p);
}

/* --- step --- */

enum { STEP_NO_OUT = 1, STEP_EACH_ALONE, STEP_NO_BIAS, STEP_K_FOR_V };
static const struct mistake step_mistakes[] = {
    {"no-output-projection", "the output projection (w->o) is missing", "少了输出投影（w->o）"},
    {"nothing-kept", "each piece sees only itself: what came before it is not in the cache",
     "每一段只看到自己：前面的内容不在缓存里"},
    {"no-q-bias", "the bias of q is left out", "漏掉了 q 的偏置"},
    {"k-for-v", "the keys are appended in place of the values", "追加的值其实是键"},
    {0},
};
static const struct mistake step_again[] = {
    {"computed-again",
     "the numbers are right, but keys and values of earlier tokens are projected again: 4 rows "
     "a "
     "new token are enough, the rest is in the cache",
     "数值是对的，但把前面词元的键和值又投影了一遍：每个新词元 4 行就够了，其余的都在缓存里"},
    {0},
};

static bool step_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct {
        const char *en, *zh;
        int first, n, heads, d;
    } runs[] = {{"one token", "一个词元", 1, 1, 2, 3},
                {"one by one", "一个接一个", 1, 9, 3, 4},
                {"a prompt, then piece by piece", "先提示，再一段一段", 12, 30, 2, 4},
                {"layer 1 of tiny-gpt2", "tiny-gpt2 的第 1 层", 4, 0, 0, 0}};
    const struct hparams *hp = case_hparams(c, MATERIAL_GPT2);
    struct exercise_case block = {.m = c->m};

    if (i >= 4)
        return false;
    int n = i == 3 ? case_tokens(c, MATERIAL_GPT2) : runs[i].n;
    int heads = i == 3 ? hp->n_head : runs[i].heads, d = i == 3 ? hp->d_head : runs[i].d;
    case_say(c, runs[i].en, runs[i].zh);
    c->call.function = "step";
    const int numbers[] = {runs[i].first, n, heads, d, n + 1};
    for (int k = 0; k < 5; k++)
        case_number(c, numbers[k]);
    case_array(c, ARRAY_OUT, "out", 2, "token", n, "channel", heads * d);
    float *x = case_array(c, ARRAY_IN, "x", 2, "token", n, "channel", heads * d);
    case_random(c, x, (size_t) n * (size_t) heads * (size_t) d, 1);
    rng_seed(&block.rng, 5);
    case_block(&block, i == 3 ? 1 : -1, heads * d, heads, 4);
    for (int k = 0; k < 16; k++) { /* the attention's of it */
        if (k >= 2 && k < 10)
            c->call.array[c->call.n_arrays++] = block.call.array[k];
        else
            free(block.call.array[k].x);
    }
    return i < 3 || case_value(c, MATERIAL_GPT2, "blocks.1.ln1.out", x, err);
}

/* The pieces of the harness: where the piece that token t is in begins and ends. */
static void piece_of(const struct exercise_case *c, int t, int *begin, int *end)
{
    int n = case_int(c, 1), size = case_int(c, 0);

    *begin = 0;
    for (int i = 1; *begin + size <= t; i++) {
        *begin += size;
        size = 1 + (i - 1) % 3;
    }
    *end = *begin + size < n ? *begin + size : n;
}

static void step_attend(const struct exercise_case *c, int variant, double *z, const double *q,
                        const double *k, const double *v)
{
    int n = case_int(c, 1), heads = case_int(c, 2), d = case_int(c, 3), width = heads * d;

    for (int t = 0, begin, end; t < n && variant == STEP_EACH_ALONE; t = end) {
        piece_of(c, t, &begin, &end);
        int at = begin * width;
        plain_attention(z + at, q + at, k + at, v + at, end - begin, end - begin, heads, heads,
                        d);
    }
    if (variant != STEP_EACH_ALONE)
        plain_attention(z, q, k, variant == STEP_K_FOR_V ? k : v, n, n, heads, heads, d);
}

static void step_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int n = case_int(c, 1), width = width_of(c);
    size_t all = (size_t) n * (size_t) width;
    double *x = xmalloc(5 * all * sizeof *x), *q = x + all, *k = q + all, *v = k + all,
           *z = v + all;
    const struct call_array *w = &c->call.array[2];

    plain_widen(x, case_in(c, 1), all);
    plain_linear(q, x, w[0].x, variant == STEP_NO_BIAS ? NULL : w[1].x, n, width, width);
    plain_linear(k, x, w[2].x, w[3].x, n, width, width);
    plain_linear(v, x, w[4].x, w[5].x, n, width, width);
    step_attend(c, variant, z, q, k, v);
    plain_linear(out[0], z, w[6].x, w[7].x, n, width, width);
    for (size_t i = 0; i < all; i++)
        out[0][i] = variant == STEP_NO_OUT ? z[i] : out[0][i];
    free(x);
}

/* Four projections of each token, no more. */
static bool step_reuses(const struct exercise_case *c, const struct call_result *r,
                        const struct mistake **wrong)
{
    *wrong = step_again;
    return r->rows <= 4 * (int64_t) case_int(c, 1);
}

/* What the cache has saved: rows that were projected, and those of all tokens in every piece.
 */
static void step_saves(const struct exercise_case *c, const struct call_result *r,
                       enum lang lang, struct str *out)
{
    int n = case_int(c, 1), begin, end, all = 0;

    for (int t = 0; t < n; t = end) {
        piece_of(c, t, &begin, &end);
        all += 4 * end;
    }
    str_addf(out,
             in_lang(lang, "%d tokens piece by piece: %lld rows projected, without a cache %d",
                     "%d 个词元分段计算：投影了 %lld 行，没有缓存则是 %d 行"),
             n, (long long) r->rows, all);
}

static const struct checked todos[] = {
    {.todo = "append", .make = append_make, .solve = append_solve, .mistakes = append_mistakes},
    {.todo = "attend", .make = attend_make, .solve = attend_solve, .mistakes = attend_mistakes},
    {.todo = "step",
     .make = step_make,
     .solve = step_solve,
     .mistakes = step_mistakes,
     .also = step_reuses,
     .tell = step_saves},
};
extern const struct exercise_checks checks_cache;
const struct exercise_checks checks_cache = {"cache", todos, sizeof todos / sizeof *todos};
