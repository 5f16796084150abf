/* Cases of exercise 7: grouped-query attention. */
#include "session/exercise_case.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* --- group --- */

enum { GROUP_MODULO = 1, GROUP_TIMES, GROUP_HEAD, GROUP_ZERO, GROUP_BY_KV };
static const struct mistake group_mistakes[] = {
    {"modulo",
     "head % n_kv_head deals the heads out in turn; neighbours share: head / group size",
     "head % n_kv_head 是轮流分配；应当是相邻的头共用：head / 每组头数"},
    {"multiplied", "the group size is multiplied with; the head is divided by it",
     "乘了每组头数；应当用 head 除以它"},
    {"own-head", "each head gets its own number; several share one key-value head",
     "每个头得到的是自己的编号；应当几个头共用一个键值头"},
    {"always-0", "every head gets key-value head 0", "每个头得到的都是第 0 个键值头"},
    {"by-n-kv-head", "the head is divided by n_kv_head; a group has n_head / n_kv_head heads",
     "除以了 n_kv_head；一组有 n_head / n_kv_head 个头"},
    {0},
};

static bool group_make(struct exercise_case *c, int i, struct err *err)
{
    static const int shapes[][2] = {{8, 2}, {6, 3}, {4, 4}, {5, 1}, {32, 8}, {12, 2}};

    (void) err;
    if (i >= 6)
        return false;
    case_say(c, "%d query heads, %d key-value heads", "%d 个查询头，%d 个键值头", shapes[i][0],
             shapes[i][1]);
    c->call.function = "group";
    case_number(c, shapes[i][0]);
    case_number(c, shapes[i][1]);
    case_array(c, ARRAY_OUT, "kv_head_of", 1, "head", shapes[i][0]);
    return true;
}

static int group_of(int head, int n_head, int n_kv, int variant)
{
    int group = n_head / n_kv;

    switch (variant) {
    case GROUP_MODULO:
        return head % n_kv;
    case GROUP_TIMES:
        return head * group;
    case GROUP_HEAD:
        return head;
    case GROUP_ZERO:
        return 0;
    case GROUP_BY_KV:
        return head / n_kv;
    default:
        return head / group;
    }
}

static void group_solve(const struct exercise_case *c, int variant, double *const out[])
{
    for (int h = 0; h < case_int(c, 0); h++)
        out[0][h] = group_of(h, case_int(c, 0), case_int(c, 1), variant);
}

/* --- gqa --- */

enum { GQA_MODULO = 1, GQA_ZERO, GQA_V_ZERO, GQA_K_ZERO, GQA_Q_ZERO, GQA_BLOCK };
static const struct mistake gqa_mistakes[] = {
    {"modulo", "the heads are dealt out in turn (head % n_kv_head); neighbours share",
     "头是轮流分配的（head % n_kv_head）；应当是相邻的头共用"},
    {"always-0", "every head uses key-value head 0: kv * d_head is missing",
     "每个头用的都是第 0 个键值头：少了 kv * d_head"},
    {"v-of-head-0", "the values are always those of key-value head 0: v + kv * d_head",
     "值总是第 0 个键值头的：应为 v + kv * d_head"},
    {"k-of-head-0", "the keys are always those of key-value head 0: k + kv * d_head",
     "键总是第 0 个键值头的：应为 k + kv * d_head"},
    {"q-of-head-0", "the query is always that of head 0: q + h * d_head",
     "查询总是第 0 个头的：应为 q + h * d_head"},
    {"heads-split-wrongly",
     "the heads are taken as blocks of n_tokens rows; in each token's row they stand side by "
     "side",
     "把头当成了 n_tokens 行一块；实际上它们在每个词元的一行里并排"},
    {0},
};

static bool gqa_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct {
        const char *en, *zh;
        int n, heads, kv, d;
    } shapes[] = {{"one token", "一个词元", 1, 4, 2, 3},
                  {"6 query heads, 3 key-value heads", "6 个查询头，3 个键值头", 5, 6, 3, 4},
                  {"as many key-value heads", "键值头一样多", 4, 3, 3, 2},
                  {"one key-value head", "一个键值头", 7, 4, 1, 5},
                  {"many tokens", "很多词元", 60, 8, 2, 8},
                  {"layer 2 of tiny-llama", "tiny-llama 的第 2 层", 0, 0, 0, 0}};
    const struct hparams *hp = case_hparams(c, MATERIAL_LLAMA);
    bool real = i == 5;

    if (i >= 6)
        return false;
    int n = real ? case_tokens(c, MATERIAL_LLAMA) : shapes[i].n;
    int heads = real ? hp->n_head : shapes[i].heads, kv = real ? hp->n_kv_head : shapes[i].kv;
    int d = real ? hp->d_head : shapes[i].d;
    case_say(c, shapes[i].en, shapes[i].zh);
    c->call.function = "gqa";
    const int numbers[] = {n, heads, kv, d};
    for (int k = 0; k < 4; k++)
        case_number(c, numbers[k]);
    case_array(c, ARRAY_OUT, "out", 2, "token", n, "channel", heads * d);
    float *q = case_array(c, ARRAY_IN, "q", 2, "token", n, "channel", heads * d);
    float *k = case_array(c, ARRAY_IN, "k", 2, "token", n, "channel", kv * d);
    float *v = case_array(c, ARRAY_IN, "v", 2, "token", n, "channel", kv * d);
    case_random(c, q, (size_t) n * (size_t) heads * (size_t) d, 1);
    case_random(c, k, (size_t) n * (size_t) kv * (size_t) d, 1);
    case_random(c, v, (size_t) n * (size_t) kv * (size_t) d, 1);
    return !real || (case_value(c, MATERIAL_LLAMA, "blocks.2.attn.rot_q", q, err) &&
                     case_value(c, MATERIAL_LLAMA, "blocks.2.attn.rot_k", k, err) &&
                     case_value(c, MATERIAL_LLAMA, "blocks.2.attn.v", v, err));
}

/* One query head, rows `wide` (q, out) and `narrow` (k, v) apart. */
static void gqa_head(double *out, const float *q, const float *k, const float *v, int n, int d,
                     int wide, int narrow)
{
    size_t all = (size_t) n * (size_t) d;
    double *x = xmalloc(4 * all * sizeof *x), *keys = x + all, *values = keys + all;
    double *z = values + all;

    for (int t = 0; t < n; t++) {
        plain_widen(x + t * d, q + t * wide, (size_t) d);
        plain_widen(keys + t * d, k + t * narrow, (size_t) d);
        plain_widen(values + t * d, v + t * narrow, (size_t) d);
    }
    plain_attention(z, x, keys, values, n, n, 1, 1, d);
    for (int t = 0; t < n; t++)
        for (int a = 0; a < d; a++)
            out[t * wide + a] = z[t * d + a];
    free(x);
}

static void gqa_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int n = case_int(c, 0), heads = case_int(c, 1), n_kv = case_int(c, 2), d = case_int(c, 3);
    const float *q = case_in(c, 1), *k = case_in(c, 2), *v = case_in(c, 3);

    for (int h = 0; h < heads; h++) {
        int kv = group_of(h, heads, n_kv, variant == GQA_MODULO ? GROUP_MODULO : 0);
        int of_k = variant == GQA_ZERO || variant == GQA_K_ZERO ? 0 : kv * d;
        int of_v = variant == GQA_ZERO || variant == GQA_V_ZERO ? 0 : kv * d;
        int of_q = variant == GQA_Q_ZERO ? 0 : h * d;
        if (variant == GQA_BLOCK)
            gqa_head(out[0] + h * n * d, q + h * n * d, k + kv * n * d, v + kv * n * d, n, d, d,
                     d);
        else
            gqa_head(out[0] + h * d, q + of_q, k + of_k, v + of_v, n, d, heads * d, n_kv * d);
    }
}

static const struct checked todos[] = {
    {.todo = "group", .make = group_make, .solve = group_solve, .mistakes = group_mistakes},
    {.todo = "gqa", .make = gqa_make, .solve = gqa_solve, .mistakes = gqa_mistakes},
};
extern const struct exercise_checks checks_gqa;
const struct exercise_checks checks_gqa = {"gqa", todos, sizeof todos / sizeof *todos};
