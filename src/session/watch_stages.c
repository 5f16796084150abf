/* The stages of attention with a learner's function in their place. An op holds some queries
 * and the keys up to them; the functions work on all tokens, a square for each head: the rows
 * of other queries are 0, and only the op's own are taken. */
#include "session/watch_parts.h"

#include "base/mem.h"
#include "tensor/kernels.h"

#include <stdlib.h>
#include <string.h>

static const struct hparams *hparams_of(const struct op_call *call)
{
    return &run_program(call->run)->hp;
}

/* The row of a stage of one head. */
static float *stage_row(const float *stage, const struct op_call *call, int head, int row)
{
    return (float *) stage +
           ((size_t) head * (size_t) call->rows + (size_t) row) * (size_t) call->n_key;
}

/* Tokens on a side of a square that holds the op's queries and keys. */
static int side_of(const struct op_call *call)
{
    int end = call->pos0 + call->rows;

    return call->n_key > end ? call->n_key : end;
}

/* A square for each head; with `stage`, the op's rows are filled in. */
static float *add_squares(const struct op_call *call, struct exercise_case *c,
                          enum array_role role, const char *name, const float *stage)
{
    int heads = hparams_of(call)->n_head, n = side_of(call);
    float *x = case_array(c, role, name, 3, "head", heads, "query", n, "key", n);

    for (int h = 0; stage && h < heads; h++)
        for (int i = 0; i < call->rows; i++)
            memcpy(x + ((size_t) h * (size_t) n + (size_t) (call->pos0 + i)) * (size_t) n,
                   stage_row(stage, call, h, i), (size_t) call->n_key * sizeof *x);
    return x;
}

void watch_take_square(const struct op_call *call, const struct exercise_case *c,
                       const float *got)
{
    int n = c->call.array[0].size[1];

    for (int h = 0; h < hparams_of(call)->n_head; h++)
        for (int i = 0; i < call->rows; i++)
            memcpy(stage_row(call->out[0], call, h, i),
                   got + ((size_t) h * (size_t) n + (size_t) (call->pos0 + i)) * (size_t) n,
                   (size_t) call->n_key * sizeof *got);
}

/* x[n_x][from heads][d_head] as an array [head][n][d_head], each head of keys for all that
 * share it; what is beyond n_x stays 0. */
static void add_heads(const struct op_call *call, struct exercise_case *c, const char *name,
                      const float *x, int n_x, int from, int n)
{
    const struct hparams *hp = hparams_of(call);
    int heads = hp->n_head, share = heads / from, d = hp->d_head;
    float *out = case_array(c, ARRAY_IN, name, 3, "head", heads, "token", n, "channel", d);

    for (int h = 0; h < heads; h++)
        for (int t = 0; t < n_x && t < n; t++)
            memcpy(out + ((size_t) h * (size_t) n + (size_t) t) * (size_t) d,
                   x + ((size_t) t * (size_t) from + (size_t) (h / share)) * (size_t) d,
                   (size_t) d * sizeof *out);
}

/* The values that the attention of the op's block reads: q, k and v. */
enum { Q, K, V };
static int value_of(const struct op_call *call, int which)
{
    const struct program *p = run_program(call->run);
    const struct op *scores = &p->op[program_attention(p, call->op->layer, NULL)];

    return which == V ? scores[OP_MIX - OP_SCORES].in[1] : scores->in[which];
}

/* Positions 0 to n of q, k or v: yours. */
static float *read_value(const struct op_call *call, int which, int n, struct err *err)
{
    size_t width = program_width(run_program(call->run), value_of(call, which));
    float *x = xcalloc((size_t) n * width + 1, sizeof *x);

    if (watch_read(call, value_of(call, which), n, x, err))
        return x;
    free(x);
    return NULL;
}

/* How many of n positions can be read. */
static int ready(const struct op_call *call, int which, int n)
{
    int there = run_ready(call->run, value_of(call, which));

    return there < n ? there : n;
}

static bool add_value(const struct op_call *call, struct exercise_case *c, const char *name,
                      int which, int n, struct err *err)
{
    const struct hparams *hp = hparams_of(call);
    int n_x = ready(call, which, n);
    float *x = read_value(call, which, n_x, err);

    if (!x)
        return false;
    add_heads(call, c, name, x, n_x, which == Q ? hp->n_head : hp->n_kv_head, n);
    free(x);
    return true;
}

/* --- scores, mask, softmax, mix --- */

bool watch_ask_scores(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    int n = side_of(call);

    c->call.function = "scores";
    case_number(c, n);
    case_number(c, hparams_of(call)->d_head);
    case_number(c, hparams_of(call)->n_head);
    add_squares(call, c, ARRAY_OUT, "out", NULL);
    return add_value(call, c, "q", Q, n, err) && add_value(call, c, "k", K, n, err);
}

bool watch_ask_mask(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    (void) err;
    c->call.function = "mask";
    case_number(c, side_of(call));
    case_number(c, hparams_of(call)->n_head);
    add_squares(call, c, ARRAY_INOUT, "s", call->in[0]);
    return true;
}

bool watch_ask_softmax(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    int rows = hparams_of(call)->n_head * call->rows;
    float *s;

    (void) err;
    c->call.function = "softmax";
    case_number(c, rows);
    case_number(c, call->n_key);
    s = case_array(c, ARRAY_INOUT, "s", 2, "row", rows, "column", call->n_key);
    memcpy(s, call->in[0], (size_t) rows * (size_t) call->n_key * sizeof *s);
    return true;
}

void watch_take_softmax(const struct op_call *call, const struct exercise_case *c,
                        const float *got)
{
    int heads = hparams_of(call)->n_head;

    for (int h = 0; call->lse && h < heads; h++)
        for (int i = 0; i < call->rows; i++)
            call->lse[i * heads + h] =
                logsumexp(stage_row(c->call.array[0].x, call, h, i), call->n_key);
    memcpy(call->out[0], got, call_floats(&c->call.array[0]) * sizeof *got);
}

bool watch_ask_mix(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    const struct hparams *hp = hparams_of(call);
    int n = side_of(call);

    (void) err;
    c->call.function = "mix";
    case_number(c, n);
    case_number(c, hp->d_head);
    case_number(c, hp->n_head);
    case_array(c, ARRAY_OUT, "out", 3, "head", hp->n_head, "token", n, "channel", hp->d_head);
    add_squares(call, c, ARRAY_IN, "pattern", call->in[0]);
    add_heads(call, c, "v", call->in[1], call->n_key, hp->n_kv_head, n);
    return true;
}

/* From [head][token][channel] to the op's rows [token][head][channel]. */
void watch_take_mix(const struct op_call *call, const struct exercise_case *c, const float *got)
{
    int heads = hparams_of(call)->n_head, d = hparams_of(call)->d_head;
    int n = c->call.array[0].size[1];

    for (int i = 0; i < call->rows; i++)
        for (int h = 0; h < heads; h++)
            memcpy(call->out[0] + ((size_t) i * (size_t) heads + (size_t) h) * (size_t) d,
                   got + ((size_t) h * (size_t) n + (size_t) (call->pos0 + i)) * (size_t) d,
                   (size_t) d * sizeof *got);
}

/* --- all of it at once --- */

/* An array [rows][heads * d_head] from the value's positions [first, first + rows); with
 * `share`, a head of keys for each query head. */
static bool add_flat(const struct op_call *call, struct exercise_case *c, const char *name,
                     int which, int first, int rows, int room, bool share, struct err *err)
{
    const struct hparams *hp = hparams_of(call);
    int from = which == Q ? hp->n_head : hp->n_kv_head, d = hp->d_head;
    int heads = share ? hp->n_head : from;
    float *x = read_value(call, which, first + rows, err);
    float *out;

    if (!x)
        return false;
    out = case_array(c, ARRAY_IN, name, 2, "token", room, "channel", heads * d);
    for (int t = 0; t < rows; t++)
        for (int h = 0; h < heads; h++)
            memcpy(out + (t * heads + h) * d, x + ((first + t) * from + h / (heads / from)) * d,
                   (size_t) d * sizeof *x);
    free(x);
    return true;
}

bool watch_ask_attention(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    const struct hparams *hp = hparams_of(call);
    int n = call->pos0 + call->rows;

    c->call.function = "attention";
    case_number(c, n);
    case_number(c, hp->n_head);
    case_number(c, hp->d_head);
    case_array(c, ARRAY_OUT, "out", 2, "token", n, "channel", hp->n_head * hp->d_head);
    return add_flat(call, c, "q", Q, 0, n, n, true, err) &&
           add_flat(call, c, "k", K, 0, n, n, true, err) &&
           add_flat(call, c, "v", V, 0, n, n, true, err);
}

bool watch_ask_gqa(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    const struct hparams *hp = hparams_of(call);
    int n = call->pos0 + call->rows;
    const int numbers[] = {n, hp->n_head, hp->n_kv_head, hp->d_head};

    c->call.function = "gqa";
    for (int i = 0; i < 4; i++)
        case_number(c, numbers[i]);
    case_array(c, ARRAY_OUT, "out", 2, "token", n, "channel", hp->n_head * hp->d_head);
    return add_flat(call, c, "q", Q, 0, n, n, false, err) &&
           add_flat(call, c, "k", K, 0, n, n, false, err) &&
           add_flat(call, c, "v", V, 0, n, n, false, err);
}

/* The op's rows are the new ones; those before them are in the cache. */
bool watch_ask_cached(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    const struct hparams *hp = hparams_of(call);
    int n = call->pos0 + call->rows;
    const int numbers[] = {call->rows, call->pos0, hp->n_head, hp->d_head, n};

    c->call.function = "attend";
    for (int i = 0; i < 5; i++)
        case_number(c, numbers[i]);
    case_array(c, ARRAY_OUT, "out", 2, "token", call->rows, "channel", hp->n_head * hp->d_head);
    return add_flat(call, c, "q", Q, call->pos0, call->rows, call->rows, true, err) &&
           add_flat(call, c, "cache->k", K, 0, n, n, true, err) &&
           add_flat(call, c, "cache->v", V, 0, n, n, true, err);
}
