/*
 * What each op does with the rows of one pass, and the table that describes the ops.
 */
#include "engine/run_state.h"
#include "tensor/kernels.h"

#include <stdlib.h>
#include <string.h>

struct op_row {
    struct op_info info;
    void (*exec)(const struct op_call *call);
};

static const struct program *program_of(const struct op_call *call)
{
    return run_program(call->run);
}

static size_t width_out(const struct op_call *call)
{
    return program_width(program_of(call), call->op->out[0]);
}

struct rows_job {
    const struct op_call *call;
    row_function *fn;
    int tasks;
};

static void rows_task(void *arg, int task, float *scratch)
{
    const struct rows_job *job = arg;
    (void) scratch;
    int first = (int) ((long) job->call->rows * task / job->tasks);
    int end = (int) ((long) job->call->rows * (task + 1) / job->tasks);
    if (end > first)
        job->fn(job->call, first, end - first);
}

void exec_rows(const struct op_call *call, size_t work, row_function *fn)
{
    struct compute *c = call->run->compute;
    struct rows_job job = {call, fn, compute_threads(c) * 4};
    if (call->rows < 2 || work < 16384 || compute_threads(c) == 1) {
        fn(call, 0, call->rows);
        return;
    }
    if (job.tasks > call->rows)
        job.tasks = call->rows;
    compute_each(c, job.tasks, rows_task, &job);
}

static void exec_embed(const struct op_call *call)
{
    const struct run *r = call->run;
    const struct matrix *table = model_matrix(r->model, call->op->weight, -1);
    size_t n = width_out(call);
    for (int i = 0; i < call->rows; i++) {
        int pos = call->pos0 + i;
        int row = call->op->code == OP_EMBED ? r->tokens[pos] : pos;
        matrix_row(table, row, call->out[0] + (size_t) i * n);
    }
}

/* call->number is eps here. */
static void norm_rows(const struct op_call *call, int row, int rows)
{
    const struct run *r = call->run;
    const struct op *op = call->op;
    int n = (int) width_out(call);
    size_t at = (size_t) row * (size_t) n;
    float *out = call->out[0] ? call->out[0] + at : NULL;
    float *normalized = call->out[1] ? call->out[1] + at : NULL;
    float *scale = call->out[2] ? call->out[2] + row : NULL;
    const float *gain = model_vector(r->model, op->weight, op->layer);
    float eps = (float) call->number;
    if (op->code == OP_RMSNORM) {
        rmsnorm(out, normalized, scale, call->in[0] + at, gain, rows, n, eps);
        return;
    }
    float *mean = call->out[3] ? call->out[3] + row : NULL;
    const float *bias = model_vector(r->model, op->bias, op->layer);
    layernorm(out, normalized, mean, scale, call->in[0] + at, gain, bias, rows, n, eps);
}

void exec_norm_with(const struct op_call *call, float eps)
{
    struct op_call with = *call;

    with.number = (double) eps;
    exec_rows(&with, (size_t) call->rows * width_out(call), norm_rows);
}

static void exec_norm(const struct op_call *call)
{
    exec_norm_with(call, call->run->program->hp.norm_eps);
}

/*
 * Rows 2i and 2i+1 of a head in such a file are channels i and i + half:
 *
 *     file     0 1 2 3 4 5        (pairs that turn together lie side by side)
 *     channel  0 3 1 4 2 5        (pairs lie half a head apart)
 */
static void uninterleave_rows(const struct op_call *call, int row, int rows)
{
    const struct hparams *hp = &program_of(call)->hp;
    int n_rot = hp->rope_dim, half = n_rot / 2;
    size_t n = width_out(call), d = (size_t) hp->d_head;
    float *x = call->out[0] + (size_t) row * n, *end = x + (size_t) rows * n;
    for (; x < end; x += d) {
        for (int i = 1; i < half; i++) { /* channel i comes to its place, the rest moves up */
            float even = x[2 * i];
            memmove(x + i + 1, x + i, (size_t) i * sizeof *x);
            x[i] = even;
        }
    }
}

void exec_product(const struct op_call *call, const float *bias)
{
    const struct run *r = call->run;
    const struct op *op = call->op;
    const struct matrix *w = model_matrix(r->model, op->weight, op->layer);
    matmul(r->compute, call->out[0], (size_t) w->n_out, call->in[0], (size_t) w->n_in,
           call->rows, w, bias);
    if (r->program->hp.qk_interleaved && (op->weight == W_Q || op->weight == W_K))
        exec_rows(call, (size_t) call->rows * (size_t) w->n_out, uninterleave_rows);
}

static void exec_linear(const struct op_call *call)
{
    const struct op *op = call->op;

    exec_product(call, op->bias < W_COUNT ? model_vector(call->run->model, op->bias, op->layer)
                                          : NULL);
}

static void rope_rows(const struct op_call *call, int row, int rows)
{
    const struct hparams *hp = &program_of(call)->hp;
    size_t n = width_out(call);
    int heads = (int) (n / (size_t) hp->d_head);
    for (int i = row; i < row + rows; i++)
        rope(call->out[0] + (size_t) i * n, call->in[0] + (size_t) i * n, heads, hp->d_head,
             hp->rope_dim, call->pos0 + i, call->run->inv_freq);
}

static void exec_rope(const struct op_call *call)
{
    exec_rows(call, (size_t) call->rows * width_out(call), rope_rows);
}

static void pair_rows(const struct op_call *call, int row, int rows)
{
    size_t n = width_out(call), at = (size_t) row * n, count = (size_t) rows * n;
    float *out = call->out[0] + at;
    const float *x = call->in[0] + at, *y = call->in[1] ? call->in[1] + at : NULL;
    switch (call->op->code) {
    case OP_ADD:
        add(out, x, y, count);
        break;
    case OP_MUL:
        mul(out, x, y, count);
        break;
    case OP_GELU:
        if (program_of(call)->hp.act == ACT_GELU_ERF)
            gelu_erf(out, x, count);
        else
            gelu_tanh(out, x, count);
        break;
    default:
        silu(out, x, count);
        break;
    }
}

static void exec_elements(const struct op_call *call)
{
    exec_rows(call, (size_t) call->rows * width_out(call), pair_rows);
}

// clang-format off
static const struct op_row op_rows[OP_COUNT] = {
    [OP_EMBED] = {{"embed", "x = W_E[token]",
        "Looks up the token's row in the embedding table: d_model numbers that stand for it."}, exec_embed},
    [OP_POS_EMBED] = {{"pos embed", "p = W_P[position]",
        "Looks up the position's row: without it the model could not tell word order."}, exec_embed},
    [OP_ADD] = {{"add", "x + y",
        "Adds what a part of the model computed to the residual stream, the bus that all parts read from and write to."}, exec_elements},
    [OP_MUL] = {{"gate * up", "x * y",
        "Multiplies the gate's activation with the up projection, channel by channel: the gate decides what passes."}, exec_elements},
    [OP_LAYERNORM] = {{"layernorm", "(x - mean) / sqrt(var + eps) * gain + bias",
        "Brings each position's numbers to mean 0 and variance 1, then scales and shifts each channel by learned amounts."}, exec_norm},
    [OP_RMSNORM] = {{"rmsnorm", "x / sqrt(mean(x^2) + eps) * gain",
        "Divides each position's numbers by their root mean square, then scales each channel by a learned gain."}, exec_norm},
    [OP_LINEAR] = {{"linear", "x W^T + b",
        "A matrix product with learned weights: each output is a dot product with the input."}, exec_linear},
    [OP_ROPE] = {{"rope", "turn each pair (x_i, x_i+half) by pos * theta^(-2i/d)",
        "Turns pairs of channels by an angle that grows with the position, so that q . k depends on the distance."}, exec_rope},
    [OP_SCORES] = {{"scores", "q_i . k_j",
        "How well each query fits each key: one dot product per pair of positions and head."}, exec_scores},
    [OP_SCALE] = {{"scale", "s / sqrt(d_head)",
        "Keeps the scores' spread at about 1 whatever the head size, so that softmax does not saturate."}, exec_scale},
    [OP_MASK] = {{"mask", "s_ij = -inf where j > i",
        "Hides later positions: a token may only look at itself and what came before."}, exec_mask},
    [OP_SOFTMAX] = {{"softmax", "exp(s - max) / sum exp(s - max)",
        "Turns a row of scores into weights that are positive and sum to 1."}, exec_softmax},
    [OP_MIX] = {{"mix", "z_i = sum_j pattern_ij v_j",
        "Each query takes the weighted mean of the values it looks at."}, exec_mix},
    [OP_GELU] = {{"gelu", "0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))",
        "The MLP's activation: lets positive numbers through and damps negative ones smoothly."}, exec_elements},
    [OP_SILU] = {{"silu", "x / (1 + exp(-x))",
        "The gate's activation: lets positive numbers through and damps negative ones smoothly."}, exec_elements},
    [OP_RESULT] = {{"result", "z_h W_O[:, h]",
        "What each head alone adds to the residual stream: their sum and the bias make attn_out."}, exec_result},
};
// clang-format on

const struct op_info *op_info(enum opcode code)
{
    return &op_rows[code].info;
}

void exec_own(const struct op_call *call)
{
    op_rows[call->op->code].exec(call);
}

void exec_function(const struct run *r, const struct op_call *call)
{
    int index = (int) (call->op - r->program->op);
    struct op_call with = *call;

    with.number = r->number[index];
    if (r->replaced[index])
        r->replaced[index](&with, r->replaced_user[index]);
    else
        exec_own(call);
}

void run_own(const struct op_call *call)
{
    exec_own(call);
}

void run_apply(const struct run *r, int op, int pos0, int rows, const float *x, float *out)
{
    struct op_call call = {
        .run = r, .op = &r->program->op[op], .pos0 = pos0, .rows = rows, .in = {x}};

    call.out[0] = out;
    exec_function(r, &call);
}

void exec_op(const struct run *r, const struct op_call *call)
{
    exec_function(r, call);
    for (int i = 0; i < call->op->n_out; i++)
        if (call->out[i] && r->n_patches > 0)
            patch_apply(r, call->op->out[i], call->pos0, call->rows, call->n_key, call->out[i]);
}
