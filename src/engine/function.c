#include "engine/function.h"

#include "engine/run_state.h"
#include "tensor/kernels.h"

#include <math.h>
#include <string.h>

/* --- what a call is about --- */

static const struct hparams *hparams_of(const struct op_call *call)
{
    return &call->run->program->hp;
}

static size_t width_of(const struct op_call *call, int value)
{
    return program_width(call->run->program, value);
}

static bool is_stage(const struct op_call *call)
{
    return program_is_stage(call->run->program, call->op->out[0]);
}

/* Floats of the op's main output. */
static size_t floats_of(const struct op_call *call)
{
    size_t n = width_of(call, call->op->out[0]) * (size_t) call->rows;

    return is_stage(call) ? n * (size_t) call->n_key : n;
}

/* A stage's row: head after head, query after query. */
static float *stage_row(float *stage, const struct op_call *call, int head, int row)
{
    return stage + ((size_t) head * (size_t) call->rows + (size_t) row) * (size_t) call->n_key;
}

/* Calls fn for each query of each head, its scores copied to where the result goes. */
static void each_row(const struct op_call *call,
                     void (*fn)(const struct op_call *call, float *row, int pos))
{
    for (int head = 0; head < hparams_of(call)->n_head; head++)
        for (int i = 0; i < call->rows; i++) {
            float *out = stage_row(call->out[0], call, head, i);
            const float *in = call->in[0] + (out - call->out[0]);
            memmove(out, in, (size_t) call->n_key * sizeof *out);
            fn(call, out, call->pos0 + i);
        }
}

/* --- for many ops --- */

static void fill(float *x, size_t n, float with)
{
    for (size_t i = 0; x && i < n; i++)
        x[i] = with;
}

static void do_zero(const struct op_call *call, void *user)
{
    (void) user;
    fill(call->out[0], floats_of(call), 0);
    for (int i = 1; i < call->op->n_out; i++) /* of a norm: read when they are looked at */
        fill(call->out[i], width_of(call, call->op->out[i]) * (size_t) call->rows, 0);
}

static void do_identity(const struct op_call *call, void *user)
{
    enum { OUT, NORMALIZED, SCALE, MEAN };
    size_t n = floats_of(call);

    (void) user;
    if (call->out[OUT])
        memmove(call->out[OUT], call->in[0], n * sizeof(float));
    if (call->op->n_out <= SCALE)
        return;
    if (call->out[NORMALIZED])
        memcpy(call->out[NORMALIZED], call->in[0], n * sizeof(float));
    fill(call->out[SCALE], (size_t) call->rows, 1);
    fill(call->out[MEAN], (size_t) call->rows, 0);
}

static void do_no_bias(const struct op_call *call, void *user)
{
    (void) user;
    exec_product(call, NULL);
}

/* --- the scale and the mask --- */

static void do_by(const struct op_call *call, void *user)
{
    float factor = (float) (1 / call->number);

    (void) user;
    for (size_t i = 0, n = floats_of(call); i < n; i++)
        call->out[0][i] = call->in[0][i] * factor;
}

static void hide(float *row, int from, int end)
{
    for (int j = from; j < end; j++)
        row[j] = -INFINITY;
}

static void no_mask_row(const struct op_call *call, float *row, int pos)
{
    hide(row, run_pass_end(call->run, pos), call->n_key);
}

static void do_no_mask(const struct op_call *call, void *user)
{
    (void) user;
    each_row(call, no_mask_row);
}

static void window_row(const struct op_call *call, float *row, int pos)
{
    hide(row, 0, pos + 1 - (int) call->number);
    hide(row, pos + 1, call->n_key);
}

static void do_window(const struct op_call *call, void *user)
{
    (void) user;
    each_row(call, window_row);
}

/* --- the softmax of attention --- */

static void give_lse(const struct op_call *call)
{
    int n_head = hparams_of(call)->n_head;

    for (int head = 0; call->lse && head < n_head; head++)
        for (int i = 0; i < call->rows; i++)
            call->lse[i * n_head + head] =
                logsumexp(stage_row((float *) call->in[0], call, head, i), call->n_key);
}

static void uniform_row(const struct op_call *call, float *row, int pos)
{
    int n = 0;

    (void) pos;
    for (int j = 0; j < call->n_key; j++)
        n += row[j] != -INFINITY;
    for (int j = 0; j < call->n_key; j++)
        row[j] = row[j] != -INFINITY ? 1 / (float) n : 0;
}

static void do_uniform(const struct op_call *call, void *user)
{
    (void) user;
    give_lse(call); /* before the row is written over in its place */
    each_row(call, uniform_row);
}

static void hardmax_row(const struct op_call *call, float *row, int pos)
{
    int best = 0;

    (void) pos;
    for (int j = 1; j < call->n_key; j++)
        if (row[j] > row[best])
            best = j;
    bool any = row[best] != -INFINITY;
    fill(row, (size_t) call->n_key, 0);
    row[best] = any ? 1 : 0;
}

static void do_hardmax(const struct op_call *call, void *user)
{
    (void) user;
    give_lse(call);
    each_row(call, hardmax_row);
}

/* All in single precision, as a straightforward program would have it. */
static void naive_row(const struct op_call *call, float *row, int pos)
{
    float sum = 0;

    (void) pos;
    for (int j = 0; j < call->n_key; j++)
        sum += row[j] = expf(row[j]);
    for (int j = 0; j < call->n_key; j++)
        row[j] /= sum;
}

static void do_naive(const struct op_call *call, void *user)
{
    (void) user;
    give_lse(call);
    each_row(call, naive_row);
}

static void sigmoid_row(const struct op_call *call, float *row, int pos)
{
    (void) pos;
    for (int j = 0; j < call->n_key; j++)
        row[j] = 1 / (1 + expf(-row[j]));
}

static void do_sigmoid(const struct op_call *call, void *user)
{
    (void) user;
    give_lse(call);
    each_row(call, sigmoid_row);
}

/* --- activations --- */

static void do_tanh(const struct op_call *call, void *user)
{
    (void) user;
    gelu_tanh(call->out[0], call->in[0], floats_of(call));
}

static void do_erf(const struct op_call *call, void *user)
{
    (void) user;
    gelu_erf(call->out[0], call->in[0], floats_of(call));
}

static void do_silu(const struct op_call *call, void *user)
{
    (void) user;
    silu(call->out[0], call->in[0], floats_of(call));
}

static void do_relu(const struct op_call *call, void *user)
{
    (void) user;
    for (size_t i = 0, n = floats_of(call); i < n; i++)
        call->out[0][i] = call->in[0][i] > 0 ? call->in[0][i] : 0;
}

/* --- norms --- */

static void do_eps(const struct op_call *call, void *user)
{
    (void) user;
    exec_norm_with(call, (float) call->number);
}

/* The root mean square in place of the standard deviation, and nothing taken off. */
static void do_no_centering(const struct op_call *call, void *user)
{
    const struct run *r = call->run;
    const struct op *op = call->op;
    size_t n = width_of(call, op->out[0]);
    const float *bias = model_vector(r->model, op->bias, op->layer);

    (void) user;
    rmsnorm(call->out[0], call->out[1], call->out[2], call->in[0],
            model_vector(r->model, op->weight, op->layer), call->rows, (int) n,
            r->program->hp.norm_eps);
    for (int i = 0; call->out[0] && i < call->rows; i++)
        add(call->out[0] + (size_t) i * n, call->out[0] + (size_t) i * n, bias, n);
    fill(call->out[3], (size_t) call->rows, 0);
}

/* --- positions --- */

/* As rope in tensor/kernels.h, with another theta. */
static void do_base(const struct op_call *call, void *user)
{
    const struct hparams *hp = hparams_of(call);
    size_t n = width_of(call, call->op->out[0]), d = (size_t) hp->d_head;
    int half = hp->rope_dim / 2;

    (void) user;
    memcpy(call->out[0], call->in[0], floats_of(call) * sizeof(float));
    for (int i = 0; i < half; i++) {
        double turn = pow(call->number, -2.0 * i / hp->rope_dim);
        for (int row = 0; row < call->rows; row++) {
            float c = (float) cos((call->pos0 + row) * turn);
            float s = (float) sin((call->pos0 + row) * turn);
            float *x = call->out[0] + (size_t) row * n;
            for (float *a = x + i; a < x + n; a += d) {
                float a0 = a[0], b0 = a[half];
                a[0] = a0 * c - b0 * s;
                a[half] = b0 * c + a0 * s;
            }
        }
    }
}

/* --- the table --- */

#define OF        FUNCTION_OF
#define NORMS     (OF(OP_LAYERNORM) | OF(OP_RMSNORM))
#define ACTS      (OF(OP_GELU) | OF(OP_SILU))
#define ROWS      (NORMS | ACTS | OF(OP_ADD) | OF(OP_MUL) | OF(OP_LINEAR) | OF(OP_ROPE))
#define NO_NUMBER NULL, 0, 0, false

// clang-format off
const struct function function_table[] = {
    {"zero", ROWS | OF(OP_EMBED) | OF(OP_POS_EMBED) | OF(OP_SCORES) | OF(OP_SCALE) | OF(OP_MIX),
     NO_NUMBER, false, "0",
     "the op gives nothing: zero pos_embed takes word order away", do_zero},
    {"identity", ROWS | OF(OP_SCALE), NO_NUMBER, false, "x",
     "what goes in comes out, of a sum or a product the first of the two; where shapes agree",
     do_identity},
    {"none", OF(OP_SCALE) | OF(OP_ROPE), NO_NUMBER, false, "x",
     "scale: the scores as they are, so that large heads saturate; rope: nothing is turned, q k "
     "does not know the distance", do_identity},
    {"none", OF(OP_MASK), NO_NUMBER, true, "s_ij = -inf only where j is in no pass yet",
     "a token sees all of its own pass, what comes after it, too, and all before; what was "
     "computed in earlier passes does not change, so 'verify' finds that the cache disagrees",
     do_no_mask},
    {"window", OF(OP_MASK), "N", 1, 16777216, true, false, "s_ij = -inf where j > i or j <= i - N",
     "a token sees itself and the N - 1 before it", do_window},
    {"by", OF(OP_SCALE), "X", 1e-6, 1e6, false, false, "s / X",
     "the scores by X in place of sqrt(d_head); X may be d_head", do_by},
    {"uniform", OF(OP_SOFTMAX), NO_NUMBER, false, "1 / n over the n keys that the mask leaves",
     "each query takes the mean of all it sees, whatever the scores say", do_uniform},
    {"hardmax", OF(OP_SOFTMAX), NO_NUMBER, false, "1 at the largest score, 0 elsewhere",
     "each query looks at one key alone, at equal scores the first", do_hardmax},
    {"no-max-subtraction", OF(OP_SOFTMAX), NO_NUMBER, false, "exp(s) / sum exp(s)",
     "the same weights as long as exp does not overflow: from a score of 89 on they are NaN",
     do_naive},
    {"sigmoid", OF(OP_SOFTMAX), NO_NUMBER, false, "1 / (1 + exp(-s))",
     "each key for itself: the weights of a query need not sum to 1", do_sigmoid},
    {"tanh", ACTS, NO_NUMBER, false, "0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))",
     "GELU as GPT-2 has it", do_tanh},
    {"erf", ACTS, NO_NUMBER, false, "0.5 x (1 + erf(x / sqrt(2)))", "GELU, exact", do_erf},
    {"relu", ACTS, NO_NUMBER, false, "max(x, 0)", "negative numbers become 0", do_relu},
    {"silu", ACTS, NO_NUMBER, false, "x / (1 + exp(-x))", "the activation of Llama", do_silu},
    {"no-centering", OF(OP_LAYERNORM), NO_NUMBER, false, "x / sqrt(mean(x^2) + eps) * gain + bias",
     "RMSNorm in place of LayerNorm: the mean stays in", do_no_centering},
    {"eps", NORMS, "X", 0, 1e6, false, false, "the same with eps = X",
     "what keeps the division from failing where all channels are alike; a large one damps",
     do_eps},
    {"base", OF(OP_ROPE), "X", 1.001, 1e12, false, false, "turn each pair by pos * X^(-2i/d)",
     "a larger base turns more slowly, for longer contexts", do_base},
    {"no-bias", OF(OP_LINEAR), NO_NUMBER, false, "x W^T", "the product alone", do_no_bias},
    {NULL, 0, NULL, 0, 0, false, false, NULL, NULL, NULL},
};
// clang-format on

const struct function *function_find(const char *name)
{
    for (const struct function *f = function_table; f->name; f++)
        if (!strcmp(f->name, name))
            return f;
    return NULL;
}

bool function_fits(const struct function *f, const struct program *p, int op)
{
    const struct op *o = &p->op[op];
    bool last = o->last_row && (o->code == OP_LINEAR || o->code == OP_SOFTMAX);

    if (op >= p->n_steps || last || !(f->codes & FUNCTION_OF(o->code)))
        return false;
    if (f->fn == do_no_bias)
        return o->bias < W_COUNT;
    return f->fn != do_identity || program_width(p, o->in[0]) == program_width(p, o->out[0]);
}

bool function_reaches(const struct program *p, int op, int layer, const char *name)
{
    const struct op *o = &p->op[op];

    if (op >= p->n_steps || (layer >= 0 && o->layer != layer) ||
        (o->last_row && (o->code == OP_LINEAR || o->code == OP_SOFTMAX)))
        return false;
    return op_is(p, op, name) || !strcmp(op_info(o->code)->name, name);
}
