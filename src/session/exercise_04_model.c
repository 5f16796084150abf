/* Cases of exercise 4: embeddings, the stack of blocks, the head. */
#include "session/exercise_case.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- embed --- */

enum {
    EMBED_NO_POS = 1,
    EMBED_FROM_ONE,
    EMBED_POS_OF_ID,
    EMBED_FIRST,
    EMBED_TIMES,
    EMBED_TOKEN_T
};
static const struct mistake embed_mistakes[] = {
    {"no-positions", "the row of the position is not added", "没有加上位置的那一行"},
    {"positions-from-1", "positions begin at 1; the first token stands at position 0",
     "位置从 1 开始了；第一个词元的位置是 0"},
    {"position-of-id",
     "the row of `positions` is chosen by the token's number (ids[t]), not by its "
     "place (t)",
     "positions 的行按词元编号（ids[t]）选了，应当按位置（t）选"},
    {"one-position", "every token gets the row of position 0", "每个词元加的都是位置 0 的行"},
    {"product", "the two rows are multiplied; they are to be added", "两行相乘了；应当相加"},
    {"token-by-place",
     "the row of `tokens` is chosen by the place (t), not by the number (ids[t])",
     "tokens 的行按位置（t）选了，应当按编号（ids[t]）选"},
    {0},
};

static bool embed_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct {
        const char *en, *zh;
        int n, d, vocab;
    } shapes[] = {{"one token", "一个词元", 1, 4, 9},
                  {"odd sizes", "不整齐的大小", 5, 7, 11},
                  {"many tokens", "很多词元", 60, 8, 100},
                  {"the sentence in tiny-gpt2", "tiny-gpt2 里的例句", 0, 0, 0}};
    const struct session *s = c->m->session[MATERIAL_GPT2];
    const struct hparams *hp = case_hparams(c, MATERIAL_GPT2);

    (void) err;
    if (i >= 4)
        return false;
    int n = i == 3 ? s->ids.n : shapes[i].n, d = i == 3 ? hp->d_model : shapes[i].d;
    int vocab = i == 3 ? hp->n_vocab : shapes[i].vocab, ctx = vocab > n ? vocab : n + 1;
    case_say(c, shapes[i].en, shapes[i].zh);
    c->call.function = "embed";
    case_number(c, n);
    case_number(c, d);
    case_array(c, ARRAY_OUT, "out", 2, "token", n, "channel", d);
    float *ids = case_array(c, ARRAY_IDS, "ids", 1, "token", n);
    float *tokens = case_array(c, ARRAY_IN, "tokens", 2, "id", ctx, "channel", d);
    float *positions = case_array(c, ARRAY_IN, "positions", 2, "position", ctx, "channel", d);
    case_random(c, tokens, (size_t) ctx * (size_t) d, 1);
    case_random(c, positions, (size_t) ctx * (size_t) d, 1);
    for (int t = 0; t < n; t++)
        ids[t] = (float) (i == 3 ? s->ids.id[t] : (t * 7 + 3) % vocab);
    if (i < 3)
        return true;
    case_weight(c, MATERIAL_GPT2, W_TOK_EMBD, -1, tokens, (size_t) vocab * (size_t) d);
    case_weight(c, MATERIAL_GPT2, W_POS_EMBD, -1, positions, (size_t) hp->n_ctx * (size_t) d);
    return true;
}

static void embed_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int n = case_int(c, 0), d = case_int(c, 1);
    const float *ids = case_in(c, 1), *tokens = case_in(c, 2), *positions = case_in(c, 3);

    for (int t = 0; t < n; t++) {
        int id = variant == EMBED_TOKEN_T ? t : (int) ids[t], at = t;
        if (variant == EMBED_FROM_ONE)
            at = t + 1;
        if (variant == EMBED_POS_OF_ID)
            at = id;
        if (variant == EMBED_FIRST)
            at = 0;
        for (int a = 0; a < d; a++) {
            double x = (double) tokens[id * d + a], p = (double) positions[at * d + a];
            out[0][t * d + a] = variant == EMBED_NO_POS  ? x
                                : variant == EMBED_TIMES ? x * p
                                                         : x + p;
        }
    }
}

/* --- blocks --- */

enum {
    BLOCKS_LAST_ONLY = 1,
    BLOCKS_FIRST_ONLY,
    BLOCKS_SAME,
    BLOCKS_SKIP_LAST,
    BLOCKS_BACKWARDS,
    BLOCKS_RESIDUAL
};
static const struct mistake blocks_mistakes[] = {
    {"not-chained", "every block reads x; it is to read what the block before it has given",
     "每个块读的都是 x；应当读前一个块的输出"},
    {"only-first", "only block 0 is run", "只运行了第 0 个块"},
    {"always-block-0", "block 0 is run again and again: &block[l], not block",
     "反复运行了第 0 个块：应当是 &block[l]，不是 block"},
    {"last-left-out", "the last block is left out: the loop ends one too early",
     "漏掉了最后一个块：循环少走了一步"},
    {"backwards", "the blocks are run in the wrong order: from 0 on",
     "块的顺序反了：要从 0 开始"},
    {"residual", "x is added again: a block already adds to the stream",
     "又加了一次 x：块里已经加过残差了"},
    {0},
};

static bool blocks_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct {
        const char *en, *zh;
        int n, d, heads, wide, layers;
    } shapes[] = {{"one layer", "一层", 3, 8, 2, 12, 1},
                  {"one token, three layers", "一个词元，三层", 1, 6, 2, 9, 3},
                  {"odd sizes", "不整齐的大小", 5, 9, 3, 7, 4},
                  {"the 4 layers of tiny-gpt2", "tiny-gpt2 的 4 层", 0, 0, 0, 0, 0}};
    const struct hparams *hp = case_hparams(c, MATERIAL_GPT2);
    struct exercise_case one = {.m = c->m};

    if (i >= 4)
        return false;
    int n = i == 3 ? case_tokens(c, MATERIAL_GPT2) : shapes[i].n;
    int d = i == 3 ? hp->d_model : shapes[i].d, heads = i == 3 ? hp->n_head : shapes[i].heads;
    int wide = i == 3 ? hp->d_mlp : shapes[i].wide;
    int layers = i == 3 ? hp->n_layer : shapes[i].layers;
    case_say(c, shapes[i].en, shapes[i].zh);
    c->call.function = "blocks";
    const int numbers[] = {n, d, heads, wide};
    for (int k = 0; k < 4; k++)
        case_number(c, numbers[k]);
    case_number(c, 1e-5);
    case_number(c, layers);
    case_array(c, ARRAY_OUT, "out", 2, "token", n, "channel", d);
    float *x = case_array(c, ARRAY_IN, "x", 2, "token", n, "channel", d);
    case_random(c, x, (size_t) n * (size_t) d, 1);
    rng_seed(&one.rng, 77);
    for (int l = 0; l < layers; l++) { /* all layers of a weight in one array */
        case_block(&one, i == 3 ? l : -1, d, heads, wide);
        for (int k = 0; k < 16; k++) {
            const struct call_array *w = &one.call.array[k];
            size_t floats = call_floats(w);
            float *all = l == 0 ? case_array(c, ARRAY_IN, w->name, 2, "layer", layers, "number",
                                             (int) floats)
                                : c->call.array[2 + k].x;
            memcpy(all + (size_t) l * floats, w->x, floats * sizeof *all);
        }
        case_release(&one);
    }
    return i != 3 || case_value(c, MATERIAL_GPT2, "blocks.0.resid_pre", x, err);
}

/* Block l of the case. */
static void run_block(const struct exercise_case *c, int l, double *out, const double *x)
{
    struct call_array w[16];

    for (int k = 0; k < 16; k++) {
        w[k] = c->call.array[2 + k];
        w[k].x += (size_t) l * (size_t) w[k].size[1];
    }
    plain_block(out, x, case_int(c, 0), w, case_int(c, 1), case_int(c, 2), case_int(c, 3),
                c->call.number[4]);
}

static void blocks_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int n = case_int(c, 0), d = case_int(c, 1), layers = case_int(c, 5);
    size_t all = (size_t) n * (size_t) d;
    double *x = xmalloc(2 * all * sizeof *x), *now = x + all;
    int end = variant == BLOCKS_SKIP_LAST    ? layers - 1
              : variant == BLOCKS_FIRST_ONLY ? 1
                                             : layers;

    plain_widen(x, case_in(c, 1), all);
    for (size_t i = 0; i < all; i++)
        now[i] = out[0][i] = x[i];
    for (int l = 0; l < end; l++) {
        int which = variant == BLOCKS_SAME        ? 0
                    : variant == BLOCKS_BACKWARDS ? layers - 1 - l
                                                  : l;
        run_block(c, which, out[0], variant == BLOCKS_LAST_ONLY ? x : now);
        for (size_t i = 0; i < all; i++) {
            out[0][i] += variant == BLOCKS_RESIDUAL ? now[i] : 0;
            now[i] = out[0][i];
        }
    }
    free(x);
}

/* --- head --- */

enum { HEAD_NO_NORM = 1, HEAD_FIRST_TOKEN, HEAD_MEAN, HEAD_TRANSPOSED, HEAD_SOFTMAX };
static const struct mistake head_mistakes[] = {
    {"no-final-norm", "the final norm is left out", "漏掉了最后的归一化"},
    {"first-token", "the row of the first token is used; the last one predicts what comes next",
     "用了第一个词元的行；应当由最后一个词元预测下一个"},
    {"mean", "the mean of all tokens is used; only the last one predicts what comes next",
     "用了所有词元的平均；只有最后一个词元预测下一个"},
    {"weights-transposed", "w is read as [d_model][n_vocab]; it has a row for each token",
     "w 被当成了 [d_model][n_vocab]；实际上每个词元占一行"},
    {"softmax", "these are probabilities; the logits come before the softmax",
     "这是概率；logits 在 softmax 之前"},
    {0},
};

static bool head_make(struct exercise_case *c, int i, struct err *err)
{
    static const struct {
        const char *en, *zh;
        int n, d, vocab;
    } shapes[] = {{"one token", "一个词元", 1, 6, 10},
                  {"odd sizes", "不整齐的大小", 5, 7, 13},
                  {"as many tokens as channels", "词表与通道一样大", 4, 8, 8},
                  {"tiny-gpt2", "tiny-gpt2", 0, 0, 0}};
    const struct hparams *hp = case_hparams(c, MATERIAL_GPT2);

    if (i >= 4)
        return false;
    int n = i == 3 ? case_tokens(c, MATERIAL_GPT2) : shapes[i].n;
    int d = i == 3 ? hp->d_model : shapes[i].d, vocab = i == 3 ? hp->n_vocab : shapes[i].vocab;
    case_say(c, shapes[i].en, shapes[i].zh);
    c->call.function = "head";
    case_number(c, n);
    case_number(c, d);
    case_number(c, vocab);
    case_number(c, 1e-5);
    case_array(c, ARRAY_OUT, "logits", 1, "token", vocab);
    float *x = case_array(c, ARRAY_IN, "x", 2, "token", n, "channel", d);
    float *gain = case_array(c, ARRAY_IN, "gain", 1, "channel", d);
    float *bias = case_array(c, ARRAY_IN, "bias", 1, "channel", d);
    float *w = case_array(c, ARRAY_IN, "w", 2, "token", vocab, "channel", d);
    case_random(c, x, (size_t) n * (size_t) d, 2);
    case_random(c, gain, (size_t) d, 1);
    case_random(c, bias, (size_t) d, 1);
    case_random(c, w, (size_t) vocab * (size_t) d, 1);
    if (i < 3)
        return true;
    case_weight(c, MATERIAL_GPT2, W_LN_FINAL_GAIN, -1, gain, (size_t) d);
    case_weight(c, MATERIAL_GPT2, W_LN_FINAL_BIAS, -1, bias, (size_t) d);
    case_weight(c, MATERIAL_GPT2, W_LM_HEAD, -1, w, (size_t) vocab * (size_t) d);
    return case_value(c, MATERIAL_GPT2, "blocks.3.resid_post", x, err);
}

/* The row that is held against the tokens. */
static void head_row(const struct exercise_case *c, int variant, double *row)
{
    int n = case_int(c, 0), d = case_int(c, 1), t = variant == HEAD_FIRST_TOKEN ? 0 : n - 1;
    double *x = xmalloc((size_t) d * sizeof *x);

    for (int a = 0; a < d; a++) {
        x[a] = (double) case_in(c, 1)[t * d + a];
        for (int k = 0; variant == HEAD_MEAN && k < n; k++)
            x[a] = (k ? x[a] : 0) + (double) case_in(c, 1)[k * d + a] / n;
    }
    plain_layer_norm(row, x, case_in(c, 2), case_in(c, 3), 1, d, c->call.number[3]);
    for (int a = 0; variant == HEAD_NO_NORM && a < d; a++)
        row[a] = x[a];
    free(x);
}

static void head_solve(const struct exercise_case *c, int variant, double *const out[])
{
    int d = case_int(c, 1), vocab = case_int(c, 2);
    double *row = xmalloc((size_t) d * sizeof *row), sum = 0;

    head_row(c, variant, row);
    for (int v = 0; v < vocab; v++) {
        out[0][v] = 0;
        for (int a = 0; a < d; a++)
            out[0][v] +=
                row[a] *
                (double) case_in(c, 4)[variant == HEAD_TRANSPOSED ? a * vocab + v : v * d + a];
    }
    for (int v = 0; variant == HEAD_SOFTMAX && v < vocab; v++)
        sum += out[0][v] = exp(out[0][v]);
    for (int v = 0; variant == HEAD_SOFTMAX && v < vocab; v++)
        out[0][v] /= sum;
    free(row);
}

static const struct checked todos[] = {
    {.todo = "embed", .make = embed_make, .solve = embed_solve, .mistakes = embed_mistakes},
    {.todo = "blocks", .make = blocks_make, .solve = blocks_solve, .mistakes = blocks_mistakes},
    {.todo = "head", .make = head_make, .solve = head_solve, .mistakes = head_mistakes},
};
extern const struct exercise_checks checks_model;
const struct exercise_checks checks_model = {"model", todos, sizeof todos / sizeof *todos};
