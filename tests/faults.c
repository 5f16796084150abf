#include "faults.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int layer_of(const struct ref_value *v)
{
    int layer = -1;
    return sscanf(v->name, "blocks.%d.", &layer) == 1 ? layer : -1;
}

static bool is(const struct ref_value *v, const char *suffix)
{
    const char *at = strncmp(v->name, "blocks.", 7) ? v->name : strchr(v->name + 7, '.') + 1;
    return strcmp(at, suffix) == 0;
}

/* Another value of the same block. */
static struct ref_value *beside(struct ref *r, const struct ref_value *v, const char *suffix)
{
    char name[64];
    snprintf(name, sizeof name, "blocks.%d.%s", layer_of(v), suffix);
    return ref_find(r, name);
}

static double *weights(const struct model *m, enum weight_role role, int layer, int *n_out,
                       int *n_in)
{
    const struct matrix *w = model_matrix(m, role, layer);
    float *row = xcalloc((size_t) w->n_in, sizeof *row);
    double *all = xcalloc((size_t) w->n_in * (size_t) w->n_out, sizeof *all);
    for (int o = 0; o < w->n_out; o++) {
        matrix_row(w, o, row);
        for (int i = 0; i < w->n_in; i++)
            all[(size_t) o * (size_t) w->n_in + (size_t) i] = (double) row[i];
    }
    free(row);
    *n_out = w->n_out;
    *n_in = w->n_in;
    return all;
}

/* --- the errors --- */

/* A query sees the next token, too. */
static void one_future_key(const struct model *m, struct ref *r, struct ref_value *v)
{
    (void) m;
    if (!is(v, "attn.scores"))
        return;
    const struct ref_value *s = beside(r, v, "attn.scores_scaled");
    int n = v->shape[2];
    for (int row = 0; row < v->shape[0] * v->shape[1]; row++) {
        int key = row % n + 1;
        if (key < n)
            v->data[(size_t) row * n + key] = s->data[(size_t) row * n + key];
    }
}

static void no_mask(const struct model *m, struct ref *r, struct ref_value *v)
{
    (void) m;
    if (is(v, "attn.scores"))
        memcpy(v->data, beside(r, v, "attn.scores_scaled")->data, v->n * sizeof *v->data);
}

static void no_scale(const struct model *m, struct ref *r, struct ref_value *v)
{
    (void) m;
    if (is(v, "attn.scores_scaled"))
        memcpy(v->data, beside(r, v, "attn.scores_raw")->data, v->n * sizeof *v->data);
}

/* Heads 1 and 4 change places where they are joined, in block 2. */
static void swapped_heads(const struct model *m, struct ref *r, struct ref_value *v)
{
    (void) m;
    (void) r;
    if (!is(v, "attn.z") || layer_of(v) != 2)
        return;
    for (int t = 0; t < v->shape[0]; t++)
        for (int c = 0; c < v->shape[2]; c++) {
            double *row = v->data + (size_t) t * v->shape[1] * v->shape[2];
            double x = row[v->shape[2] + c];
            row[v->shape[2] + c] = row[4 * v->shape[2] + c];
            row[4 * v->shape[2] + c] = x;
        }
}

static void keys_not_turned(const struct model *m, struct ref *r, struct ref_value *v)
{
    (void) m;
    if (is(v, "attn.rot_k"))
        memcpy(v->data, beside(r, v, "attn.k")->data, v->n * sizeof *v->data);
}

/* 1e-6, or 1e-5 where that is right. */
static void wrong_eps(const struct model *m, struct ref *r, struct ref_value *v)
{
    const float *gain = model_vector(m, W_LN1_GAIN, layer_of(v));
    double right = (double) model_hparams(m)->norm_eps, eps = right > 5e-6 ? 1e-6 : 1e-5;
    if (!is(v, "ln1.out"))
        return;
    struct ref_value *scale = beside(r, v, "ln1.scale"), *x = beside(r, v, "ln1.normalized");
    for (int t = 0; t < v->shape[0]; t++) {
        double s = sqrt(scale->data[t] * scale->data[t] - right + eps);
        for (int i = 0; i < v->shape[1]; i++) {
            size_t at = (size_t) t * v->shape[1] + i;
            double bias = v->data[at] - x->data[at] * (double) gain[i];
            x->data[at] *= scale->data[t] / s;
            v->data[at] = x->data[at] * (double) gain[i] + bias;
        }
        scale->data[t] = s;
    }
}

/* The square W_O the wrong way round, in block 1. */
static void transposed(const struct model *m, struct ref *r, struct ref_value *v)
{
    int n_out, n_in;
    if (!is(v, "attn_out") || layer_of(v) != 1)
        return;
    const float *bias = model_vector(m, W_O_BIAS, 1);
    const struct ref_value *z = beside(r, v, "attn.z");
    double *w = weights(m, W_O, 1, &n_out, &n_in);
    for (int t = 0; t < v->shape[0]; t++)
        for (int o = 0; o < n_out; o++) {
            double sum = bias ? (double) bias[o] : 0;
            for (int i = 0; i < n_in; i++)
                sum += z->data[(size_t) t * n_in + i] * w[(size_t) i * n_in + o];
            v->data[(size_t) t * n_out + o] = sum;
        }
    free(w);
}

/* Without the bias of the down projection, in the last block. */
static void no_bias(const struct model *m, struct ref *r, struct ref_value *v)
{
    int last = model_hparams(m)->n_layer - 1;
    (void) r;
    if (!is(v, "mlp_out") || layer_of(v) != last)
        return;
    const float *bias = model_vector(m, W_MLP_DOWN_BIAS, last);
    for (size_t i = 0; i < v->n; i++)
        v->data[i] -= (double) bias[i % (size_t) v->shape[1]];
}

/* The first token has position 1. */
static void positions_from_1(const struct model *m, struct ref *r, struct ref_value *v)
{
    (void) r;
    if (strcmp(v->name, "pos_embed") != 0)
        return;
    int d = v->shape[1];
    float *row = xcalloc((size_t) d, sizeof *row);
    for (int t = 0; t < v->shape[0]; t++) {
        matrix_row(model_matrix(m, W_POS_EMBD, -1), t + 1, row);
        for (int i = 0; i < d; i++)
            v->data[(size_t) t * d + i] = (double) row[i];
    }
    free(row);
}

static void other_gelu(const struct model *m, struct ref *r, struct ref_value *v)
{
    if (!is(v, "mlp.post"))
        return;
    const struct ref_value *in = beside(r, v, "mlp.pre");
    bool erf_is_right = model_hparams(m)->act == ACT_GELU_ERF;
    for (size_t i = 0; i < v->n; i++) {
        double x = in->data[i];
        v->data[i] = erf_is_right
                         ? 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)))
                         : 0.5 * x * (1 + erf(x / sqrt(2)));
    }
}

/* Head h reads key head h % n_kv in place of h / (n_head / n_kv). */
static void wrong_kv_head(const struct model *m, struct ref *r, struct ref_value *v)
{
    const struct hparams *hp = model_hparams(m);
    int d = hp->d_head, n = v->shape[1];
    if (!is(v, "attn.scores_raw"))
        return;
    const double *q = beside(r, v, "attn.rot_q")->data, *k = beside(r, v, "attn.rot_k")->data;
    for (int h = 0; h < hp->n_head; h++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int c = 0; c < d; c++)
                    sum += q[((size_t) i * hp->n_head + h) * d + c] *
                           k[((size_t) j * hp->n_kv_head + h % hp->n_kv_head) * d + c];
                v->data[((size_t) h * n + i) * n + j] = sum;
            }
}

/* Pairs (2i, 2i+1) turn together, in place of (i, i + half). */
static void neighbours_turn(const struct model *m, struct ref *r, struct ref_value *v)
{
    const struct hparams *hp = model_hparams(m);
    int d = hp->d_head, heads = v->shape[1];
    if (!is(v, "attn.rot_q") && !is(v, "attn.rot_k"))
        return;
    const double *x = beside(r, v, is(v, "attn.rot_q") ? "attn.q" : "attn.k")->data;
    for (int t = 0; t < v->shape[0]; t++)
        for (int h = 0; h < heads; h++)
            for (int i = 0; i < hp->rope_dim / 2; i++) {
                size_t at = ((size_t) t * heads + h) * d + 2 * (size_t) i;
                double angle = t * pow((double) hp->rope_theta, -2.0 * i / hp->rope_dim);
                v->data[at] = x[at] * cos(angle) - x[at + 1] * sin(angle);
                v->data[at + 1] = x[at + 1] * cos(angle) + x[at] * sin(angle);
            }
}

// clang-format off
const struct fault faults[] = {
    {"one future key",        "tiny-gpt2",  "L0.mask",     {"blocks.0.attn.scores", "blocks.0.attn.scores", "blocks.0.attn.pattern"}, one_future_key},
    {"no mask",               "tiny-llama", "L0.mask",     {"blocks.0.attn.scores", "blocks.0.attn.scores", "blocks.0.attn.pattern"}, no_mask},
    {"no 1/sqrt(d_head)",     "tiny-gpt2",  "L0.scale",    {"blocks.0.attn.scores_scaled", "blocks.0.attn.scores", "blocks.0.attn.pattern"}, no_scale},
    {"two heads swapped",     "tiny-gpt2",  "L2.mix",      {"blocks.2.attn.z", "blocks.2.attn.z", "blocks.2.attn_out"}, swapped_heads},
    {"keys without RoPE",     "tiny-llama", "L0.rope_k",   {"blocks.0.attn.rot_k", "blocks.0.attn.rot_k", "blocks.0.attn.pattern"}, keys_not_turned},
    {"wrong eps, RMSNorm",    "tiny-llama", "L0.ln1",      {"blocks.0.ln1.scale", "blocks.0.ln1.scale", "blocks.0.ln1.out"}, wrong_eps},
    {"wrong eps, LayerNorm",  "tiny-gpt2",  "L0.ln1",      {"blocks.0.ln1.scale", "blocks.0.ln1.scale", "blocks.0.ln1.out"}, wrong_eps},
    {"W_O transposed",        "tiny-gpt2",  "L1.out_proj", {"blocks.1.attn_out", "blocks.1.attn_out", "blocks.1.attn_out"}, transposed},
    {"W_O transposed",        "tiny-llama", "L1.out_proj", {"blocks.1.attn_out", "blocks.1.attn_out", "blocks.1.attn_out"}, transposed},
    {"no bias",               "tiny-gpt2",  "L3.mlp_down", {"blocks.3.mlp_out", "blocks.3.mlp_out", "blocks.3.mlp_out"}, no_bias},
    {"positions from 1",      "tiny-gpt2",  "pos_embed",   {"pos_embed", "pos_embed", "pos_embed"}, positions_from_1},
    {"erf in place of tanh",  "tiny-gpt2",  "L0.gelu",     {"blocks.0.mlp.post", "blocks.0.mlp.post", "blocks.0.mlp.post"}, other_gelu},
    {"wrong kv heads",        "tiny-llama", "L0.scores",   {"blocks.0.attn.scores_raw", "blocks.0.attn.scores", "blocks.0.attn.pattern"}, wrong_kv_head},
    {"RoPE of neighbours",    "tiny-llama", "L0.rope_q",   {"blocks.0.attn.rot_q", "blocks.0.attn.rot_q", "blocks.0.attn.pattern"}, neighbours_turn},
    {NULL, NULL, NULL, {NULL, NULL, NULL}, NULL},
};
// clang-format on

struct plan {
    const struct model *m;
    const struct fault *fault;
};

static void change(struct ref *r, struct ref_value *v, void *user)
{
    const struct plan *p = user;
    p->fault->plant(p->m, r, v);
}

void fault_forward(struct ref *r, const struct model *m, const struct fault *fault,
                   const int32_t *ids, int n)
{
    struct plan plan = {m, fault};
    ref_forward(r, m, ids, n, fault ? change : NULL, &plan);
}
