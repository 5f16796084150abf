#include "plain_function.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A value of a layer (-1: outside), which must be there. */
static struct ref_value *find(struct ref *r, int layer, const char *suffix)
{
    char name[64];

    if (layer < 0)
        snprintf(name, sizeof name, "%s", suffix);
    else
        snprintf(name, sizeof name, "blocks.%d.%s", layer, suffix);
    struct ref_value *v = ref_find(r, name);
    if (!v)
        fail_msg("the oracle has no %s", name);
    return v;
}

/* --- rows of scores --- */

static void weigh(const char *name, const double *s, double *w, int n)
{
    double sum = 0;
    int seen = 0, best = 0;

    for (int j = 0; j < n; j++) {
        seen += s[j] != -INFINITY;
        sum += exp(s[j]);
        best = s[j] > s[best] ? j : best;
    }
    for (int j = 0; j < n; j++)
        w[j] = !strcmp(name, "uniform")   ? s[j] == -INFINITY ? 0 : 1.0 / seen
               : !strcmp(name, "hardmax") ? j == best
               : !strcmp(name, "sigmoid") ? 1 / (1 + exp(-s[j]))
                                          : exp(s[j]) / sum; /* no-max-subtraction */
}

static bool hidden(const struct plain_function *f, int n, int query, int key)
{
    int end = (query / f->chunk + 1) * f->chunk;

    if (!strcmp(f->name, "none"))
        return key >= (end < n ? end : n);
    return key > query || key <= query - (int) f->number;
}

static bool change_stage(struct ref *r, struct ref_value *v, const struct plain_function *f,
                         int layer, const char *suffix, int d_head)
{
    int n = v->shape[2];

    if (!strcmp(f->op, "softmax") && !strcmp(suffix, "attn.pattern")) {
        const double *s = find(r, layer, "attn.scores")->data;
        for (size_t at = 0; at < v->n; at += (size_t) n)
            weigh(f->name, s + at, v->data + at, n);
        return true;
    }
    if (!strcmp(f->op, "mask") && !strcmp(suffix, "attn.scores")) {
        const double *s = find(r, layer, "attn.scores_scaled")->data;
        for (size_t at = 0; at < v->n; at++)
            v->data[at] = hidden(f, n, (int) (at / (size_t) n) % n, (int) (at % (size_t) n))
                              ? -INFINITY
                              : s[at];
        return true;
    }
    if (!strcmp(f->op, "scale") && !strcmp(suffix, "attn.scores_scaled")) {
        const double *s = find(r, layer, "attn.scores_raw")->data;
        double by = !strcmp(f->name, "by") ? f->number : 1;
        for (size_t at = 0; at < v->n; at++)
            v->data[at] = !strcmp(f->name, "zero") ? 0 : s[at] / by;
        return true;
    }
    (void) d_head;
    return false;
}

/* --- rows of channels --- */

static double act(const char *name, double x)
{
    if (!strcmp(name, "tanh"))
        return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    if (!strcmp(name, "erf"))
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    if (!strcmp(name, "silu"))
        return x / (1 + exp(-x));
    if (!strcmp(name, "relu"))
        return x > 0 ? x : 0;
    return !strcmp(name, "identity") ? x : 0;
}

/* One of a norm's outputs, from what it reads. */
static void norm(const struct plain_function *f, const struct ref_value *in, const char *part,
                 struct ref_value *v, const float *gain, const float *bias)
{
    const struct hparams *hp = model_hparams(f->model);
    size_t n = (size_t) in->shape[1];
    bool identity = !strcmp(f->name, "identity"), center = hp->norm == NORM_LAYER;
    double eps = !strcmp(f->name, "eps") ? f->number : (double) hp->norm_eps;

    center = center && strcmp(f->name, "no-centering");
    for (size_t row = 0; row < in->n / n; row++) {
        const double *x = in->data + row * n;
        double mean = 0, squares = 0;
        for (size_t i = 0; i < n && center; i++)
            mean += x[i] / (double) n;
        for (size_t i = 0; i < n; i++)
            squares += (x[i] - mean) * (x[i] - mean) / (double) n;
        double scale = identity ? 1 : sqrt(squares + eps);
        if (identity)
            mean = 0;
        if (!strcmp(part, "mean"))
            v->data[row] = mean;
        if (!strcmp(part, "scale"))
            v->data[row] = scale;
        for (size_t i = 0; i < n; i++) {
            double y = (x[i] - mean) / scale;
            if (!strcmp(part, "normalized"))
                v->data[row * n + i] = y;
            if (!strcmp(part, "out"))
                v->data[row * n + i] =
                    identity ? y : y * (double) gain[i] + (bias ? (double) bias[i] : 0);
        }
    }
}

static bool change_norm(struct ref *r, struct ref_value *v, const struct plain_function *f,
                        int layer, const char *suffix)
{
    static const struct {
        const char *op, *in;
        enum weight_role gain, bias;
    } norms[] = {{"ln1", "resid_pre", W_LN1_GAIN, W_LN1_BIAS},
                 {"ln2", "resid_mid", W_LN2_GAIN, W_LN2_BIAS},
                 {"ln_final", "resid_post", W_LN_FINAL_GAIN, W_LN_FINAL_BIAS}};
    const struct hparams *hp = model_hparams(f->model);
    static const char *const parts[] = {"mean", "scale", "normalized", "out"};
    size_t len = strlen(f->op);
    bool center = hp->norm == NORM_LAYER;

    if (strncmp(suffix, f->op, len) || strcmp(suffix + len, ".out"))
        return false; /* the others are there by then */
    for (size_t i = 0; i < sizeof norms / sizeof *norms; i++)
        for (size_t k = 0; !strcmp(f->op, norms[i].op) && k < sizeof parts / sizeof *parts;
             k++) {
            char name[32];
            snprintf(name, sizeof name, "%s.%s", f->op, parts[k]);
            if (center || strcmp(parts[k], "mean"))
                norm(f, find(r, layer < 0 ? hp->n_layer - 1 : layer, norms[i].in), parts[k],
                     strcmp(parts[k], "out") ? find(r, layer, name) : v,
                     model_vector(f->model, norms[i].gain, layer),
                     center ? model_vector(f->model, norms[i].bias, layer) : NULL);
        }
    return true;
}

/* Rotated by another base, or not at all. */
static void turn(const struct plain_function *f, const struct ref_value *in,
                 struct ref_value *v)
{
    const struct hparams *hp = model_hparams(f->model);
    int half = hp->rope_dim / 2, d = hp->d_head, heads = in->shape[1];

    memcpy(v->data, in->data, in->n * sizeof *v->data);
    for (int at = 0; strcmp(f->name, "none") && at < in->shape[0] * heads; at++)
        for (int i = 0; i < half; i++) {
            double angle = (at / heads) * pow(f->number, -2.0 * i / hp->rope_dim);
            const double *x = in->data + (size_t) at * (size_t) d + i;
            double *y = v->data + (size_t) at * (size_t) d + i;
            y[0] = x[0] * cos(angle) - x[half] * sin(angle);
            y[half] = x[half] * cos(angle) + x[0] * sin(angle);
        }
}

static const struct {
    const char *op, *out, *in;
    enum weight_role bias;
} rows[] = {
    {"q", "attn.q", "ln1.out", W_Q_BIAS},
    {"mlp up", "mlp.pre", "ln2.out", W_MLP_UP_BIAS},
    {"out proj", "attn_out", "attn.z", W_O_BIAS},
    {"mlp down", "mlp_out", "mlp.post", W_MLP_DOWN_BIAS},
    {"gelu", "mlp.post", "mlp.pre", W_COUNT},
    {"silu", "mlp.act", "mlp.pre", W_COUNT},
    {"gate * up", "mlp.post", "mlp.act", W_COUNT},
    {"resid_post", "resid_post", "resid_mid", W_COUNT},
    {"mix", "attn.z", "attn.v", W_COUNT},
    {"pos embed", "pos_embed", "", W_COUNT},
};

/* A head's own part of what the output projection gives, when that is nothing or z itself. */
static bool change_result(struct ref *r, struct ref_value *v, const struct plain_function *f,
                          int layer)
{
    int heads = v->shape[1], dm = v->shape[2], d = dm / heads;

    if (strcmp(f->name, "zero") && strcmp(f->name, "identity"))
        return false;
    memset(v->data, 0, v->n * sizeof *v->data);
    const double *z = find(r, layer, "attn.z")->data;
    for (size_t at = 0; !strcmp(f->name, "identity") && at < v->n / (size_t) dm; at++) {
        size_t head = at % (size_t) heads;
        memcpy(v->data + at * (size_t) dm + head * (size_t) d, z + at * (size_t) d,
               (size_t) d * sizeof *z);
    }
    return true;
}

static bool change_rows(struct ref *r, struct ref_value *v, const struct plain_function *f,
                        int layer, const char *suffix)
{
    if (!strcmp(f->op, "out proj") && !strcmp(suffix, "attn.result"))
        return change_result(r, v, f, layer);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].op, f->op) || strcmp(rows[i].out, suffix))
            continue;
        bool no_bias = !strcmp(f->name, "no-bias");
        const float *bias = no_bias ? model_vector(f->model, rows[i].bias, layer) : NULL;
        const double *x = *rows[i].in && strcmp(f->name, "zero") && !no_bias
                              ? find(r, layer, rows[i].in)->data
                              : NULL;
        size_t width = v->n / (size_t) v->shape[0];
        for (size_t k = 0; k < v->n; k++)
            v->data[k] =
                no_bias ? v->data[k] - (double) bias[k % width] : act(f->name, x ? x[k] : 0);
        return true;
    }
    return false;
}

void plain_function(struct ref *r, struct ref_value *v, void *user)
{
    struct plain_function *f = user;
    const struct hparams *hp = model_hparams(f->model);
    int layer = -1, n = 0;

    if (sscanf(v->name, "blocks.%d.%n", &layer, &n) < 1)
        layer = -1;
    const char *suffix = v->name + n;
    if (f->layer >= 0 && f->layer != layer)
        return;
    bool done = change_stage(r, v, f, layer, suffix, hp->d_head) ||
                change_norm(r, v, f, layer, suffix) || change_rows(r, v, f, layer, suffix);
    if (!strncmp(f->op, "rope", 4) && strstr(suffix, "attn.rot_") == suffix &&
        (!f->op[4] || f->op[5] == suffix[9])) {
        turn(f, find(r, layer, suffix[9] == 'q' ? "attn.q" : "attn.k"), v);
        done = true;
    }
    f->calls += done;
}
