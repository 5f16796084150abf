/* Plain double computations: the references of several exercises are made of these. */
#include "session/exercise_case.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

void plain_widen(double *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (double) x[i];
}

void plain_linear(double *out, const double *x, const float *w, const float *bias, int rows,
                  int n_in, int n_out)
{
    for (int t = 0; t < rows; t++)
        for (int o = 0; o < n_out; o++) {
            double sum = bias ? (double) bias[o] : 0;
            for (int i = 0; i < n_in; i++)
                sum += x[t * n_in + i] * (double) w[o * n_in + i];
            out[t * n_out + o] = sum;
        }
}

double plain_gelu(double x)
{
    return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

void plain_layer_norm(double *out, const double *x, const float *gain, const float *bias,
                      int rows, int n, double eps)
{
    for (int t = 0; t < rows; t++) {
        double mean = 0, var = 0;
        for (int i = 0; i < n; i++)
            mean += x[t * n + i] / n;
        for (int i = 0; i < n; i++)
            var += (x[t * n + i] - mean) * (x[t * n + i] - mean) / n;
        for (int i = 0; i < n; i++)
            out[t * n + i] =
                (x[t * n + i] - mean) / sqrt(var + eps) * (double) gain[i] + (double) bias[i];
    }
}

static void one_query(double *out, const double *q, const double *k, const double *v,
                      int n_seen, int stride, int d_head)
{
    double *p = xmalloc((size_t) n_seen * sizeof *p), max = -INFINITY, sum = 0;

    for (int j = 0; j < n_seen; j++) {
        p[j] = 0;
        for (int c = 0; c < d_head; c++)
            p[j] += q[c] * k[j * stride + c] / sqrt(d_head);
        max = fmax(max, p[j]);
    }
    for (int j = 0; j < n_seen; j++)
        sum += p[j] = exp(p[j] - max);
    for (int c = 0; c < d_head; c++) {
        out[c] = 0;
        for (int j = 0; j < n_seen; j++)
            out[c] += p[j] / sum * v[j * stride + c];
    }
    free(p);
}

void plain_attention(double *out, const double *q, const double *k, const double *v, int n_q,
                     int n_k, int n_head, int n_kv, int d_head)
{
    for (int i = 0; i < n_q; i++)
        for (int h = 0; h < n_head; h++) {
            int at = (i * n_head + h) * d_head, kv = h / (n_head / n_kv) * d_head;
            one_query(out + at, q + at, k + kv, v + kv, n_k - n_q + i + 1, n_kv * d_head,
                      d_head);
        }
}

void plain_self_attention(double *out, const double *x, int n, const struct call_array *w,
                          int d_model, int n_head)
{
    size_t size = (size_t) n * (size_t) d_model;
    double *q = xmalloc(4 * size * sizeof *q), *k = q + size, *v = k + size, *z = v + size;

    plain_linear(q, x, w[0].x, w[1].x, n, d_model, d_model);
    plain_linear(k, x, w[2].x, w[3].x, n, d_model, d_model);
    plain_linear(v, x, w[4].x, w[5].x, n, d_model, d_model);
    plain_attention(z, q, k, v, n, n, n_head, n_head, d_model / n_head);
    plain_linear(out, z, w[6].x, w[7].x, n, d_model, d_model);
    free(q);
}

void plain_mlp(double *out, const double *x, int n, const struct call_array *w, int d_model,
               int d_mlp)
{
    size_t size = (size_t) n * (size_t) d_mlp;
    double *wide = xmalloc(size * sizeof *wide);

    plain_linear(wide, x, w[0].x, w[1].x, n, d_model, d_mlp);
    for (size_t i = 0; i < size; i++)
        wide[i] = plain_gelu(wide[i]);
    plain_linear(out, wide, w[2].x, w[3].x, n, d_mlp, d_model);
    free(wide);
}

void plain_block(double *out, const double *x, int n, const struct call_array *w, int d_model,
                 int n_head, int d_mlp, double eps)
{
    size_t size = (size_t) n * (size_t) d_model;
    double *norm = xmalloc(2 * size * sizeof *norm), *mid = norm + size;

    plain_layer_norm(norm, x, w[0].x, w[1].x, n, d_model, eps);
    plain_self_attention(mid, norm, n, w + 2, d_model, n_head);
    for (size_t i = 0; i < size; i++)
        mid[i] += x[i];
    plain_layer_norm(norm, mid, w[10].x, w[11].x, n, d_model, eps);
    plain_mlp(out, norm, n, w + 12, d_model, d_mlp);
    for (size_t i = 0; i < size; i++)
        out[i] += mid[i];
    free(norm);
}

/* --- the weights of a block as arrays of a case --- */

static void add_weight(struct exercise_case *c, int layer, enum weight_role role,
                       const char *name, int rows, int cols)
{
    size_t n = (size_t) rows * (size_t) (cols ? cols : 1);
    float *x = cols ? case_array(c, ARRAY_IN, name, 2, "output", rows, "input", cols)
                    : case_array(c, ARRAY_IN, name, 1, "channel", rows);

    if (layer >= 0)
        case_weight(c, MATERIAL_GPT2, role, layer, x, n);
    else
        case_random(c, x, n, cols ? 1 / sqrt(cols) : 0.5);
}

void case_block(struct exercise_case *c, int layer, int d_model, int n_head, int d_mlp)
{
    (void) n_head;
    add_weight(c, layer, W_LN1_GAIN, "ln1_gain", d_model, 0);
    add_weight(c, layer, W_LN1_BIAS, "ln1_bias", d_model, 0);
    add_weight(c, layer, W_Q, "attention.q", d_model, d_model);
    add_weight(c, layer, W_Q_BIAS, "attention.q_bias", d_model, 0);
    add_weight(c, layer, W_K, "attention.k", d_model, d_model);
    add_weight(c, layer, W_K_BIAS, "attention.k_bias", d_model, 0);
    add_weight(c, layer, W_V, "attention.v", d_model, d_model);
    add_weight(c, layer, W_V_BIAS, "attention.v_bias", d_model, 0);
    add_weight(c, layer, W_O, "attention.o", d_model, d_model);
    add_weight(c, layer, W_O_BIAS, "attention.o_bias", d_model, 0);
    add_weight(c, layer, W_LN2_GAIN, "ln2_gain", d_model, 0);
    add_weight(c, layer, W_LN2_BIAS, "ln2_bias", d_model, 0);
    add_weight(c, layer, W_MLP_UP, "mlp.fc", d_mlp, d_model);
    add_weight(c, layer, W_MLP_UP_BIAS, "mlp.fc_bias", d_mlp, 0);
    add_weight(c, layer, W_MLP_DOWN, "mlp.proj", d_model, d_mlp);
    add_weight(c, layer, W_MLP_DOWN_BIAS, "mlp.proj_bias", d_model, 0);
}
