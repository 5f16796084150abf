#include "ref_forward.h"

#include "base/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pass {
    struct ref *out;
    const struct model *m;
    const struct hparams *hp;
    const int32_t *ids;
    int n;     /* positions */
    int layer; /* -1 outside blocks */
    ref_change *change;
    void *user;
};

/* --- the store of named arrays --- */

struct ref_value *ref_find(const struct ref *r, const char *name)
{
    for (int i = 0; i < r->n; i++) {
        if (strcmp(r->item[i].name, name) == 0)
            return &r->item[i];
    }
    return NULL;
}

void ref_release(struct ref *r)
{
    for (int i = 0; i < r->n; i++)
        free(r->item[i].data);
    free(r->item);
    *r = (struct ref){0};
}

/* Zeros for a new value of shape [a, b, c]; c = 0: [a, b]; b = 0: [a]. */
static double *new_value(struct pass *p, const char *name, int a, int b, int c)
{
    struct ref *r = p->out;
    VEC_ROOM(r->item, r->n, r->cap);
    struct ref_value *v = &r->item[r->n++];
    *v = (struct ref_value){.shape = {a, b, c}, .n_axis = c ? 3 : b ? 2 : 1};
    v->n = (size_t) a * (size_t) (b ? b : 1) * (size_t) (c ? c : 1);
    v->data = xcalloc(v->n, sizeof *v->data);
    if (p->layer < 0)
        snprintf(v->name, sizeof v->name, "%s", name);
    else
        snprintf(v->name, sizeof v->name, "blocks.%d.%s", p->layer, name);
    return v->data;
}

/* The value is complete. */
static void made(struct pass *p, const double *data)
{
    for (int i = p->out->n - 1; p->change && i >= 0; i--) {
        if (p->out->item[i].data == data) {
            p->change(p->out, &p->out->item[i], p->user);
            return;
        }
    }
}

static double *copy_value(struct pass *p, const char *name, const double *x, int a, int b,
                          int c)
{
    double *y = new_value(p, name, a, b, c);
    memcpy(y, x, (size_t) a * (size_t) b * (size_t) (c ? c : 1) * sizeof *y);
    made(p, y);
    return y;
}

/* --- layers --- */

/* A row of a table for each position: of its token's id, or of its own number. */
static double *embed(struct pass *p, const char *name, enum weight_role role, bool by_token)
{
    const struct matrix *table = model_matrix(p->m, role, -1);
    int d = p->hp->d_model;
    float *row = xcalloc((size_t) d, sizeof *row);
    double *y = new_value(p, name, p->n, d, 0);
    for (int t = 0; t < p->n; t++) {
        matrix_row(table, by_token ? p->ids[t] : t, row);
        for (int i = 0; i < d; i++)
            y[(size_t) t * d + i] = row[i];
    }
    free(row);
    made(p, y);
    return y;
}

static double *add(struct pass *p, const char *name, const double *a, const double *b)
{
    double *y = new_value(p, name, p->n, p->hp->d_model, 0);
    for (size_t i = 0; i < (size_t) p->n * p->hp->d_model; i++)
        y[i] = a[i] + b[i];
    made(p, y);
    return y;
}

static double *norm_value(struct pass *p, const char *norm, const char *part, int width)
{
    char name[32];
    snprintf(name, sizeof name, "%s.%s", norm, part);
    return new_value(p, name, p->n, width, 0);
}

/* LayerNorm; RMSNorm is the same with nothing for the mean and no bias. */
static double *norm(struct pass *p, const char *name, const double *x, bool center,
                    enum weight_role gain_role, enum weight_role bias_role)
{
    const float *gain = model_vector(p->m, gain_role, p->layer);
    const float *bias = center ? model_vector(p->m, bias_role, p->layer) : NULL;
    int d = p->hp->d_model;
    double *mean = center ? norm_value(p, name, "mean", 1) : NULL;
    double *scale = norm_value(p, name, "scale", 1);
    double *normalized = norm_value(p, name, "normalized", d);
    double *y = norm_value(p, name, "out", d);

    for (int t = 0; t < p->n; t++) {
        const double *row = x + (size_t) t * d;
        double mu = 0, var = 0;
        for (int i = 0; center && i < d; i++)
            mu += row[i] / d;
        for (int i = 0; i < d; i++)
            var += (row[i] - mu) * (row[i] - mu) / d;
        if (center)
            mean[t] = mu;
        scale[t] = sqrt(var + (double) p->hp->norm_eps);
        for (int i = 0; i < d; i++) {
            size_t at = (size_t) t * d + i;
            normalized[at] = (row[i] - mu) / scale[t];
            y[at] = normalized[at] * gain[i] + (bias ? bias[i] : 0);
        }
    }
    made(p, y);
    return y;
}

/* y[t, o] = sum_i x[t, i] W[o, i] + bias[o], into a new value of shape [n, heads, n_out/heads]
 * (heads = 0: [n, n_out]). */
static double *linear(struct pass *p, const char *name, const double *x, int heads,
                      enum weight_role role, enum weight_role bias_role)
{
    const struct matrix *w = model_matrix(p->m, role, p->layer);
    const float *bias = bias_role == W_COUNT ? NULL : model_vector(p->m, bias_role, p->layer);
    int n_in = w->n_in, n_out = w->n_out;
    float *row = xcalloc((size_t) n_in, sizeof *row);
    double *y = heads ? new_value(p, name, p->n, heads, n_out / heads)
                      : new_value(p, name, p->n, n_out, 0);
    for (int o = 0; o < n_out; o++) {
        matrix_row(w, o, row);
        for (int t = 0; t < p->n; t++) {
            double sum = bias ? bias[o] : 0;
            for (int i = 0; i < n_in; i++)
                sum += x[(size_t) t * n_in + i] * row[i];
            y[(size_t) t * n_out + o] = sum;
        }
    }
    free(row);
    return y;
}

static double *made_linear(struct pass *p, const char *name, const double *x, int heads,
                           enum weight_role role, enum weight_role bias_role)
{
    double *y = linear(p, name, x, heads, role, bias_role);
    made(p, y);
    return y;
}

/* A q or k projection of a file that stores row 2i+b for channel i + b*rope_dim/2. */
static double *qk_linear(struct pass *p, const char *name, const double *x, int heads,
                         enum weight_role role)
{
    int d = p->hp->d_head, half = p->hp->rope_dim / 2;
    double *y = linear(p, name, x, heads, role, W_COUNT);
    double *raw = xcalloc((size_t) d, sizeof *raw);
    for (int row = 0; p->hp->qk_interleaved && row < p->n * heads; row++) {
        double *head = y + (size_t) row * d;
        memcpy(raw, head, (size_t) d * sizeof *raw);
        for (int i = 0; i < half; i++) {
            head[i] = raw[2 * i];
            head[i + half] = raw[2 * i + 1];
        }
    }
    free(raw);
    made(p, y);
    return y;
}

/* Rotate-half: the pair (x[i], x[i + half]) turns by pos * theta^(-2i / rope_dim). */
static double *rotate(struct pass *p, const char *name, const double *x, int heads)
{
    int d = p->hp->d_head, dim = p->hp->rope_dim, half = dim / 2;
    double *y = new_value(p, name, p->n, heads, d);
    memcpy(y, x, (size_t) p->n * heads * d * sizeof *y);
    for (int t = 0; t < p->n; t++)
        for (int h = 0; h < heads; h++) {
            const double *in = x + ((size_t) t * heads + h) * d;
            double *out = y + ((size_t) t * heads + h) * d;
            for (int i = 0; i < half; i++) {
                double angle = t * pow((double) p->hp->rope_theta, -2.0 * i / dim);
                out[i] = in[i] * cos(angle) - in[i + half] * sin(angle);
                out[i + half] = in[i + half] * cos(angle) + in[i] * sin(angle);
            }
        }
    made(p, y);
    return y;
}

/* --- attention --- */

static double *new_square(struct pass *p, const char *name)
{
    return new_value(p, name, p->hp->n_head, p->n, p->n);
}

/* A square computed from another, cell by cell. */
enum cell_rule { CELL_SCALE, CELL_MASK };

static double *each_cell(struct pass *p, const char *name, const double *in,
                         enum cell_rule rule)
{
    double *y = new_square(p, name), scale = 1 / sqrt((double) p->hp->d_head);
    for (int row = 0; row < p->hp->n_head * p->n; row++)
        for (int key = 0; key < p->n; key++) {
            size_t at = (size_t) row * p->n + key;
            bool hidden = key > row % p->n;
            y[at] = rule == CELL_SCALE ? in[at] * scale : hidden ? -INFINITY : in[at];
        }
    made(p, y);
    return y;
}

static double *softmax(struct pass *p, double *y, const double *x, size_t rows, int n)
{
    for (size_t row = 0; row < rows; row++) {
        const double *in = x + row * n;
        double *out = y + row * n, max = in[0], sum = 0;
        for (int i = 1; i < n; i++)
            max = fmax(max, in[i]);
        for (int i = 0; i < n; i++)
            sum += out[i] = exp(in[i] - max);
        for (int i = 0; i < n; i++)
            out[i] /= sum;
    }
    made(p, y);
    return y;
}

/* Every query with every key: head h reads the key head h / (n_head / n_kv_head). */
static double *scores(struct pass *p, const double *q, const double *k)
{
    const struct hparams *hp = p->hp;
    int d = hp->d_head, group = hp->n_head / hp->n_kv_head;
    double *y = new_square(p, "attn.scores_raw"), *at = y;
    for (int h = 0; h < hp->n_head; h++)
        for (int i = 0; i < p->n; i++)
            for (int j = 0; j < p->n; j++, at++) {
                const double *a = q + ((size_t) i * hp->n_head + h) * d;
                const double *b = k + ((size_t) j * hp->n_kv_head + h / group) * d;
                for (int c = 0; c < d; c++)
                    *at += a[c] * b[c];
            }
    made(p, y);
    return y;
}

static double *mix(struct pass *p, const double *pattern, const double *v)
{
    const struct hparams *hp = p->hp;
    int d = hp->d_head, group = hp->n_head / hp->n_kv_head;
    double *z = new_value(p, "attn.z", p->n, hp->n_head, d);
    for (int i = 0; i < p->n; i++)
        for (int h = 0; h < hp->n_head; h++)
            for (int j = 0; j < p->n; j++) {
                double weight = pattern[((size_t) h * p->n + i) * p->n + j];
                const double *from = v + ((size_t) j * hp->n_kv_head + h / group) * d;
                for (int c = 0; c < d; c++)
                    z[((size_t) i * hp->n_head + h) * d + c] += weight * from[c];
            }
    made(p, z);
    return z;
}

/* Each head's own part of the output projection: z_h W_O[:, h]. */
static void head_results(struct pass *p, const double *z)
{
    const struct matrix *w = model_matrix(p->m, W_O, p->layer);
    int heads = p->hp->n_head, d = p->hp->d_head, d_model = p->hp->d_model;
    float *row = xcalloc((size_t) w->n_in, sizeof *row);
    double *y = new_value(p, "attn.result", p->n, heads, d_model);
    for (int o = 0; o < d_model; o++) {
        matrix_row(w, o, row);
        for (int t = 0; t < p->n * heads; t++)
            for (int c = 0; c < d; c++)
                y[(size_t) t * d_model + o] += z[(size_t) t * d + c] * row[t % heads * d + c];
    }
    free(row);
    made(p, y);
}

static double *attend(struct pass *p, const double *q, const double *k, const double *v)
{
    double *raw = scores(p, q, k);
    double *scaled = each_cell(p, "attn.scores_scaled", raw, CELL_SCALE);
    double *masked = each_cell(p, "attn.scores", scaled, CELL_MASK);
    double *pattern = new_square(p, "attn.pattern");
    softmax(p, pattern, masked, (size_t) p->hp->n_head * p->n, p->n);
    double *z = mix(p, pattern, v);
    head_results(p, z);
    return z;
}

/* What a cache holds after the pass. */
static void cached(struct pass *p, const double *k, const double *v)
{
    int layer = p->layer, heads = p->hp->n_kv_head, d = p->hp->d_head;
    char name[32];
    p->layer = -1;
    snprintf(name, sizeof name, "cache.%d.k", layer);
    copy_value(p, name, k, p->n, heads, d);
    snprintf(name, sizeof name, "cache.%d.v", layer);
    copy_value(p, name, v, p->n, heads, d);
    p->layer = layer;
}

/* --- activations --- */

static double gelu(double x, enum act_kind kind)
{
    if (kind == ACT_GELU_ERF)
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

static double *activate(struct pass *p, const char *name, const double *x)
{
    double *y = new_value(p, name, p->n, p->hp->d_mlp, 0);
    for (size_t i = 0; i < (size_t) p->n * p->hp->d_mlp; i++)
        y[i] = p->hp->act == ACT_SILU ? x[i] / (1 + exp(-x[i])) : gelu(x[i], p->hp->act);
    made(p, y);
    return y;
}

static double *multiply(struct pass *p, const char *name, const double *a, const double *b)
{
    double *y = new_value(p, name, p->n, p->hp->d_mlp, 0);
    for (size_t i = 0; i < (size_t) p->n * p->hp->d_mlp; i++)
        y[i] = a[i] * b[i];
    made(p, y);
    return y;
}

/* --- the families --- */

static void head(struct pass *p, const double *x, bool center)
{
    p->layer = -1;
    double *out = norm(p, "ln_final", x, center, W_LN_FINAL_GAIN, W_LN_FINAL_BIAS);
    double *logits = made_linear(p, "logits", out, 0, W_LM_HEAD, W_COUNT);
    double *probs = new_value(p, "probs", p->n, p->hp->n_vocab, 0);
    softmax(p, probs, logits, (size_t) p->n, p->hp->n_vocab);
}

/* Radford et al. 2019: learned positions, LayerNorm before each part, biases, GELU. */
static void gpt2(struct pass *p)
{
    const struct hparams *hp = p->hp;
    double *tokens = embed(p, "embed", W_TOK_EMBD, true);
    double *positions = embed(p, "pos_embed", W_POS_EMBD, false);
    double *x = NULL;
    for (p->layer = 0; p->layer < hp->n_layer; p->layer++) {
        double *pre = x ? copy_value(p, "resid_pre", x, p->n, hp->d_model, 0)
                        : add(p, "resid_pre", tokens, positions);

        double *ln1 = norm(p, "ln1", pre, true, W_LN1_GAIN, W_LN1_BIAS);
        double *q = made_linear(p, "attn.q", ln1, hp->n_head, W_Q, W_Q_BIAS);
        double *k = made_linear(p, "attn.k", ln1, hp->n_kv_head, W_K, W_K_BIAS);
        double *v = made_linear(p, "attn.v", ln1, hp->n_kv_head, W_V, W_V_BIAS);
        cached(p, k, v);
        double *z = attend(p, q, k, v);
        double *attn_out = made_linear(p, "attn_out", z, 0, W_O, W_O_BIAS);
        double *mid = add(p, "resid_mid", pre, attn_out);

        double *ln2 = norm(p, "ln2", mid, true, W_LN2_GAIN, W_LN2_BIAS);
        double *hidden = made_linear(p, "mlp.pre", ln2, 0, W_MLP_UP, W_MLP_UP_BIAS);
        double *post = activate(p, "mlp.post", hidden);
        double *mlp_out = made_linear(p, "mlp_out", post, 0, W_MLP_DOWN, W_MLP_DOWN_BIAS);
        x = add(p, "resid_post", mid, mlp_out);
    }
    head(p, x, true);
}

/* Touvron et al. 2023: RoPE, RMSNorm, SwiGLU, grouped query heads, no biases. */
static void llama(struct pass *p)
{
    const struct hparams *hp = p->hp;
    double *x = embed(p, "embed", W_TOK_EMBD, true);
    for (p->layer = 0; p->layer < hp->n_layer; p->layer++) {
        double *pre = copy_value(p, "resid_pre", x, p->n, hp->d_model, 0);

        double *ln1 = norm(p, "ln1", pre, false, W_LN1_GAIN, W_COUNT);
        double *q = qk_linear(p, "attn.q", ln1, hp->n_head, W_Q);
        double *k = qk_linear(p, "attn.k", ln1, hp->n_kv_head, W_K);
        double *v = made_linear(p, "attn.v", ln1, hp->n_kv_head, W_V, W_COUNT);
        double *rot_q = rotate(p, "attn.rot_q", q, hp->n_head);
        double *rot_k = rotate(p, "attn.rot_k", k, hp->n_kv_head);
        cached(p, rot_k, v);
        double *z = attend(p, rot_q, rot_k, v);
        double *attn_out = made_linear(p, "attn_out", z, 0, W_O, W_COUNT);
        double *mid = add(p, "resid_mid", pre, attn_out);

        double *ln2 = norm(p, "ln2", mid, false, W_LN2_GAIN, W_COUNT);
        double *gate = made_linear(p, "mlp.pre", ln2, 0, W_MLP_GATE, W_COUNT);
        double *up = made_linear(p, "mlp.pre_linear", ln2, 0, W_MLP_UP, W_COUNT);
        double *act = activate(p, "mlp.act", gate);
        double *post = multiply(p, "mlp.post", act, up);
        double *mlp_out = made_linear(p, "mlp_out", post, 0, W_MLP_DOWN, W_COUNT);
        x = add(p, "resid_post", mid, mlp_out);
    }
    head(p, x, false);
}

void ref_forward(struct ref *r, const struct model *m, const int32_t *ids, int n,
                 ref_change *change, void *user)
{
    struct pass p = {r, m, model_hparams(m), ids, n, -1, change, user};
    ref_release(r);
    double *tokens = new_value(&p, "tokens", n, 0, 0);
    for (int t = 0; t < n; t++)
        tokens[t] = ids[t];
    if (p.hp->arch == ARCH_GPT2)
        gpt2(&p);
    else
        llama(&p);
}
