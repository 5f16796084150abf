/* What each TODO is in the program: the arrays of its function from what the op reads. Where a
 * function works on the whole text and the op on its last rows, the rows before them are
 * filled in, and of the result only the op's rows are taken. */
#include "session/watch_parts.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static const struct hparams *hparams_of(const struct op_call *call)
{
    return &run_program(call->run)->hp;
}

static const struct model *model_of(const struct op_call *call)
{
    return run_model(call->run);
}

static size_t width_of(const struct op_call *call, int value)
{
    return program_width(run_program(call->run), value);
}

bool watch_read(const struct op_call *call, int value, int end, float *x, struct err *err)
{
    int shape[3];
    struct region all = {{0, 0, 0}, {0, 0, 0}};

    run_shape(call->run, value, shape);
    for (int i = 0; i < 3; i++)
        all.count[i] = i == 0 ? end : shape[i];
    return run_read(call->run, value, &all, x, err);
}

/* A weight with a row for each output; a row more than there is stays 0. */
static void read_weight(const struct op_call *call, enum weight_role role, int layer, float *x,
                        size_t n)
{
    const struct matrix *w = model_matrix(model_of(call), role, layer);
    const float *v = w ? NULL : model_vector(model_of(call), role, layer);

    for (int o = 0; w && o < w->n_out && (size_t) (o + 1) * (size_t) w->n_in <= n; o++)
        matrix_row(w, o, x + (size_t) o * (size_t) w->n_in);
    if (v)
        memcpy(x, v, n * sizeof *x);
}

static void add_weight(const struct op_call *call, struct exercise_case *c,
                       enum weight_role role, int rows, int cols)
{
    float *x = cols ? case_array(c, ARRAY_IN, "w", 2, "output", rows, "input", cols)
                    : case_array(c, ARRAY_IN, "b", 1, "output", rows);

    if (role < W_COUNT)
        read_weight(call, role, call->op->layer, x, (size_t) rows * (size_t) (cols ? cols : 1));
}

/* --- rows: out[rows][n] of x[rows][n] --- */

static float *add_rows(const struct op_call *call, struct exercise_case *c,
                       const char *function, int n_out, int n_in)
{
    c->call.function = function;
    case_array(c, ARRAY_OUT, "out", 2, "token", call->rows, "channel", n_out);
    return case_array(c, ARRAY_IN, "x", 2, "token", call->rows, "channel", n_in);
}

static void take_rows(const struct op_call *call, const struct exercise_case *c,
                      const float *got)
{
    if (call->out[0])
        memcpy(call->out[0], got, call_floats(&c->call.array[0]) * sizeof *got);
}

static bool ask_linear(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    const struct matrix *w = model_matrix(model_of(call), call->op->weight, call->op->layer);
    float *x = add_rows(call, c, "linear", w->n_out, w->n_in);

    (void) err;
    case_number(c, call->rows);
    case_number(c, w->n_in);
    case_number(c, w->n_out);
    memcpy(x, call->in[0], (size_t) call->rows * (size_t) w->n_in * sizeof *x);
    add_weight(call, c, call->op->weight, w->n_out, w->n_in);
    add_weight(call, c, call->op->bias, w->n_out, 0);
    return true;
}

/* gelu and silu */
static bool ask_act(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    int n = (int) width_of(call, call->op->out[0]) * call->rows;

    (void) err;
    c->call.function = call->op->code == OP_GELU ? "gelu" : "silu";
    case_number(c, n);
    case_array(c, ARRAY_OUT, "out", 1, "number", n);
    memcpy(case_array(c, ARRAY_IN, "x", 1, "number", n), call->in[0],
           (size_t) n * sizeof(float));
    return true;
}

static bool ask_norm(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    int n = (int) width_of(call, call->op->out[0]);
    float *x = add_rows(call, c, "norm", n, n);

    (void) err;
    case_number(c, call->rows);
    case_number(c, n);
    case_number(c, (double) hparams_of(call)->norm_eps);
    memcpy(x, call->in[0], (size_t) call->rows * (size_t) n * sizeof *x);
    add_weight(call, c, call->op->weight, n, 0);
    if (call->op->code == OP_LAYERNORM)
        add_weight(call, c, call->op->bias, n, 0);
    return true;
}

/* The norm's other outputs are what its own function says. */
static void take_norm(const struct op_call *call, const struct exercise_case *c,
                      const float *got)
{
    run_own(call);
    take_rows(call, c, got);
}

/* The whole MLP, from what its first projection reads. */
static bool ask_mlp(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    const struct hparams *hp = hparams_of(call);
    const struct program *p = run_program(call->run);
    int d = hp->d_model, wide = hp->d_mlp, end = call->pos0 + call->rows;
    int from = program_value(p, call->op->layer, "ln2.out");
    float *x = add_rows(call, c, hp->gated ? "swiglu" : "mlp", d, d);
    float *all = xmalloc((size_t) end * (size_t) d * sizeof *all);
    bool ok = watch_read(call, from, end, all, err);

    case_number(c, call->rows);
    case_number(c, d);
    case_number(c, wide);
    memcpy(x, all + (size_t) call->pos0 * (size_t) d,
           (size_t) call->rows * (size_t) d * sizeof *x);
    free(all);
    if (hp->gated)
        add_weight(call, c, W_MLP_GATE, wide, d);
    add_weight(call, c, W_MLP_UP, wide, d);
    if (!hp->gated)
        add_weight(call, c, W_MLP_UP_BIAS, wide, 0);
    add_weight(call, c, W_MLP_DOWN, d, wide);
    if (!hp->gated)
        add_weight(call, c, W_MLP_DOWN_BIAS, d, 0);
    return ok;
}

/* --- blocks and the whole stack --- */

static const enum weight_role block_roles[16] = {
    W_LN1_GAIN, W_LN1_BIAS,    W_Q,        W_Q_BIAS,       W_K,        W_K_BIAS,
    W_V,        W_V_BIAS,      W_O,        W_O_BIAS,       W_LN2_GAIN, W_LN2_BIAS,
    W_MLP_UP,   W_MLP_UP_BIAS, W_MLP_DOWN, W_MLP_DOWN_BIAS};

/* The 16 arrays of `layers` blocks from `first` on. */
static void add_blocks(const struct op_call *call, struct exercise_case *c, int first,
                       int layers)
{
    int d = hparams_of(call)->d_model, wide = hparams_of(call)->d_mlp;

    for (int k = 0; k < 16; k++) {
        enum weight_role role = block_roles[k];
        bool vector = model_matrix(model_of(call), role, first) == NULL;
        int rows = role == W_MLP_UP || role == W_MLP_UP_BIAS ? wide : d;
        int cols = vector ? 1 : role == W_MLP_DOWN ? wide : d;
        float *x = case_array(c, ARRAY_IN, "w", 2, "layer", layers, "number", rows * cols);
        for (int l = 0; l < layers; l++)
            read_weight(call, role, first + l, x + (size_t) l * (size_t) rows * (size_t) cols,
                        (size_t) rows * (size_t) cols);
    }
}

static void block_numbers(const struct op_call *call, struct exercise_case *c, int n)
{
    const struct hparams *hp = hparams_of(call);
    const int numbers[] = {n, hp->d_model, hp->n_head, hp->d_mlp};

    for (int i = 0; i < 4; i++)
        case_number(c, numbers[i]);
    case_number(c, (double) hp->norm_eps);
}

/* The block of these exercises is GPT-2's. */
static bool is_gpt2(const struct op_call *call, struct err *err)
{
    return hparams_of(call)->arch == ARCH_GPT2 ||
           err_set(err, "this exercise builds the block of GPT-2; load tiny-gpt2");
}

/* All positions up to the op's last, of the stream `from`. */
static bool ask_stream(const struct op_call *call, struct exercise_case *c,
                       const char *function, int from, struct err *err)
{
    int n = call->pos0 + call->rows, d = hparams_of(call)->d_model;

    c->call.function = function;
    block_numbers(call, c, n);
    case_array(c, ARRAY_OUT, "out", 2, "token", n, "channel", d);
    float *x = case_array(c, ARRAY_IN, "x", 2, "token", n, "channel", d);
    return is_gpt2(call, err) && watch_read(call, from, n, x, err);
}

static bool ask_add_attention(const struct op_call *call, struct exercise_case *c,
                              struct err *err)
{
    int from = program_value(run_program(call->run), call->op->layer, "resid_pre");
    bool ok = ask_stream(call, c, "attention", from, err);

    if (ok)
        add_blocks(call, c, call->op->layer, 1);
    return ok;
}

static bool ask_add_mlp(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    int from = program_value(run_program(call->run), call->op->layer, "resid_mid");
    bool ok = ask_stream(call, c, "mlp", from, err);

    if (ok)
        add_blocks(call, c, call->op->layer, 1);
    return ok;
}

static bool ask_stack(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    int layers = hparams_of(call)->n_layer;
    int from = program_value(run_program(call->run), 0, "resid_pre");
    bool ok = ask_stream(call, c, "blocks", from, err);

    case_number(c, layers);
    if (ok)
        add_blocks(call, c, 0, layers);
    return ok;
}

static bool ask_embed(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    const struct hparams *hp = hparams_of(call);
    int n = call->pos0 + call->rows, d = hp->d_model;

    c->call.function = "embed";
    case_number(c, n);
    case_number(c, d);
    case_array(c, ARRAY_OUT, "out", 2, "token", n, "channel", d);
    float *ids = case_array(c, ARRAY_IDS, "ids", 1, "token", n);
    for (int t = 0; t < n; t++)
        ids[t] = (float) run_tokens(call->run)[t];
    float *w = case_array(c, ARRAY_IN, "tokens", 2, "id", hp->n_vocab, "channel", d);
    read_weight(call, W_TOK_EMBD, -1, w, (size_t) hp->n_vocab * (size_t) d);
    w = case_array(c, ARRAY_IN, "positions", 2, "position", hp->n_ctx, "channel", d);
    read_weight(call, W_POS_EMBD, -1, w, (size_t) hp->n_ctx * (size_t) d);
    return is_gpt2(call, err);
}

/* The op's rows of all positions: out[n][width]. */
static void take_last(const struct op_call *call, const struct exercise_case *c,
                      const float *got)
{
    size_t width = width_of(call, call->op->out[0]);

    (void) c;
    memcpy(call->out[0], got + (size_t) call->pos0 * width,
           (size_t) call->rows * width * sizeof *got);
}

/* --- rope --- */

static bool ask_rope(const struct op_call *call, struct exercise_case *c, struct err *err)
{
    const struct hparams *hp = hparams_of(call);
    size_t width = width_of(call, call->op->out[0]);
    int heads = (int) width / hp->d_head;
    const int numbers[] = {call->rows, heads, hp->d_head, call->pos0};

    c->call.function = "rope";
    for (int i = 0; i < 4; i++)
        case_number(c, numbers[i]);
    case_number(c, (double) hp->rope_theta);
    float *x = case_array(c, ARRAY_INOUT, "x", 3, "token", call->rows, "head", heads, "channel",
                          hp->d_head);
    memcpy(x, call->in[0], (size_t) call->rows * width * sizeof *x);
    return hp->rope_dim == hp->d_head ||
           err_set(err, "this model turns only %d of %d channels of a head", hp->rope_dim,
                   hp->d_head);
}

/* --- the rows --- */

#define EVERY WATCH_ALL, false

// clang-format off
const struct watch_row watch_rows[] = {
    {"mlp", "linear", "mlp up", OP_LINEAR, EVERY, ask_linear, take_rows},
    {"mlp", "linear", "mlp down", OP_LINEAR, EVERY, ask_linear, take_rows},
    {"mlp", "gelu", "mlp.post", OP_GELU, EVERY, ask_act, take_rows},
    {"mlp", "mlp", "mlp down", OP_LINEAR, EVERY, ask_mlp, take_rows},
    {"block", "norm", "layernorm", OP_LAYERNORM, EVERY, ask_norm, take_norm},
    {"block", "attention", "resid_mid", OP_ADD, EVERY, ask_add_attention, take_last},
    {"block", "mlp", "resid_post", OP_ADD, EVERY, ask_add_mlp, take_last},
    {"attention", "scores", "scale", OP_SCALE, EVERY, watch_ask_scores, watch_take_square},
    {"attention", "mask", "mask", OP_MASK, WATCH_ALL, true, watch_ask_mask, watch_take_square},
    {"attention", "softmax", "softmax", OP_SOFTMAX, EVERY, watch_ask_softmax, watch_take_softmax},
    {"attention", "mix", "mix", OP_MIX, EVERY, watch_ask_mix, watch_take_mix},
    {"attention", "attention", "mix", OP_MIX, EVERY, watch_ask_attention, take_last},
    {"model", "embed", "resid_pre", OP_ADD, EVERY, ask_embed, take_last},
    {"model", "blocks", "resid_post", OP_ADD, WATCH_LAST, false, ask_stack, take_last},
    {"rope", "rope", "rope", OP_ROPE, EVERY, ask_rope, take_rows},
    {"cache", "attend", "mix", OP_MIX, EVERY, watch_ask_cached, take_rows},
    {"gqa", "gqa", "mix", OP_MIX, EVERY, watch_ask_gqa, take_last},
    {"swiglu", "norm", "rmsnorm", OP_RMSNORM, EVERY, ask_norm, take_norm},
    {"swiglu", "silu", "mlp.act", OP_SILU, EVERY, ask_act, take_rows},
    {"swiglu", "swiglu", "mlp down", OP_LINEAR, EVERY, ask_mlp, take_rows},
    {NULL, NULL, NULL, OP_COUNT, EVERY, NULL, NULL},
};
// clang-format on
