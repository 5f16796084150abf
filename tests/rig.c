#include "rig.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/synth.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void begin(struct rig *g, const struct run_options *o, struct err *err)
{
    if (!g->model)
        fail_msg("%s", err->text);
    g->compute = compute_new(2);
    g->program = program_build(g->model, err);
    if (!g->program)
        fail_msg("%s", err->text);
    rig_renew(g, o);
}

void rig_renew(struct rig *g, const struct run_options *o)
{
    struct err err = ERR_INIT;
    run_free(g->run);
    g->run = run_new(g->model, g->program, g->compute, o, &err);
    if (!g->run)
        fail_msg("%s", err.text);
}

void rig_open(struct rig *g, const char *spec, const struct run_options *o)
{
    struct err err = ERR_INIT;
    *g = (struct rig){.model = model_open(spec, &err)};
    begin(g, o, &err);
}

/* --- made-up models --- */

static void stir_vector(struct rng *rng, float *v, int n, bool gain)
{
    for (int i = 0; i < n; i++)
        v[i] = (float) ((gain ? 1 : 0) + 0.3 * rng_normal(rng));
}

/* A made-up model's weights are plain memory of its own, so a test may write to them. */
static void stir_matrix(struct rng *rng, const struct matrix *w, double scale)
{
    const struct dtype_info *info = dtype_info(w->dtype);
    size_t cols = w->in_major ? (size_t) w->n_out : (size_t) w->n_in;
    int rows = w->in_major ? w->n_in : w->n_out;
    float *row = xcalloc(cols, sizeof *row);
    for (int i = 0; i < rows; i++) {
        for (size_t j = 0; j < cols; j++)
            row[j] = (float) (scale * rng_normal(rng));
        info->narrow((char *) (uintptr_t) w->data + dtype_bytes(w->dtype, (size_t) i * w->ld),
                     row, cols);
    }
    free(row);
}

static void stir(const struct model *m, unsigned seed)
{
    struct rng rng;
    rng_seed(&rng, seed);
    for (int i = 0; i < model_n_weights(m); i++) {
        struct weight_info info = model_weight_info(m, i);
        const struct matrix *w = model_matrix(m, info.role, info.layer);
        bool gain =
            info.role == W_LN1_GAIN || info.role == W_LN2_GAIN || info.role == W_LN_FINAL_GAIN;
        bool table = info.role == W_TOK_EMBD || info.role == W_POS_EMBD;
        bool query = info.role == W_Q || info.role == W_K;
        if (w)
            stir_matrix(&rng, w, table ? 1 : (query ? 1.3 : 1) / sqrt(w->n_in));
        else
            stir_vector(&rng, (float *) (uintptr_t) model_vector(m, info.role, info.layer),
                        info.rows, gain);
    }
}

void rig_make(struct rig *g, const struct hparams *hp, enum dtype dtype,
              const struct run_options *o)
{
    struct err err = ERR_INIT;
    *g = (struct rig){.model = model_synth(hp, dtype, 1, &err)};
    if (g->model)
        stir(g->model, 17);
    begin(g, o, &err);
}

void rig_close(struct rig *g)
{
    run_free(g->run);
    program_free(g->program);
    model_free(g->model);
    compute_free(g->compute);
    *g = (struct rig){0};
}

void rig_ids(int32_t *ids, int n, int n_vocab, unsigned seed)
{
    struct rng rng;
    rng_seed(&rng, seed);
    for (int i = 0; i < n; i++)
        ids[i] = (int32_t) (rng_u64(&rng) % (uint64_t) n_vocab);
}

/* --- reading --- */

int rig_value(const struct run *r, const char *name)
{
    int value = program_find(run_program(r), name);
    if (value < 0)
        fail_msg("the program has no value %s", name);
    return value;
}

float *rig_read_value(const struct run *r, int value, size_t *n)
{
    struct err err = ERR_INIT;
    int shape[3] = {1, 1, 1};
    run_shape(r, value, shape);
    *n = (size_t) shape[0] * (size_t) shape[1] * (size_t) shape[2];
    float *out = xcalloc(*n + 1, sizeof *out);
    if (!run_read(r, value, NULL, out, &err))
        fail_msg("%s: %s", run_program(r)->value[value].name, err.text);
    return out;
}

float *rig_read(const struct run *r, const char *name, size_t *n)
{
    return rig_read_value(r, rig_value(r, name), n);
}

void rig_feed(struct run *r, const int32_t *ids, int n)
{
    struct err err = ERR_INIT;
    if (!run_feed(r, ids, n, &err))
        fail_msg("%s", err.text);
}

/* The part of an oracle's value that a run has by now: its first positions and keys. */
static double *cut_out(const struct ref_value *v, const int shape[3])
{
    int from[3] = {1, 1, 1};
    for (int i = 0; i < v->n_axis; i++)
        from[i] = v->shape[i];
    double *out =
        xcalloc((size_t) shape[0] * (size_t) shape[1] * (size_t) shape[2] + 1, sizeof *out);
    double *to = out;
    for (int i = 0; i < shape[0]; i++)
        for (int j = 0; j < shape[1]; j++)
            for (int k = 0; k < shape[2]; k++)
                *to++ = v->data[((size_t) i * from[1] + j) * from[2] + k];
    return out;
}

void rig_compare_value(const struct run *r, int value, const struct ref *ref, struct worst *w)
{
    const char *name = run_program(r)->value[value].name;
    const struct ref_value *want = ref_find(ref, name);
    int shape[3];
    size_t n;
    if (!want || run_shape(r, value, shape) != want->n_axis) {
        worst_missing(w, name, "the oracle does not have it");
        return;
    }
    for (int i = 0; i < want->n_axis; i++) {
        if (shape[i] > want->shape[i]) {
            worst_missing(w, name, "larger than the oracle's");
            return;
        }
    }
    float *got = rig_read_value(r, value, &n);
    double *expect = cut_out(want, shape);
    worst_add(w, name, got, expect, n);
    free(got);
    free(expect);
}

void rig_compare(const struct run *r, const struct ref *ref, struct worst *w)
{
    for (int i = 0; i < run_program(r)->n_values; i++)
        rig_compare_value(r, i, ref, w);
}

/* --- shapes of models --- */

void rig_gpt2(struct hparams *hp, int layers, int heads, int d_head)
{
    *hp = (struct hparams){.arch = ARCH_GPT2,
                           .n_layer = layers,
                           .d_model = heads * d_head,
                           .n_head = heads,
                           .n_kv_head = heads,
                           .d_head = d_head,
                           .d_mlp = 64,
                           .n_vocab = 61,
                           .n_ctx = 16,
                           .norm = NORM_LAYER,
                           .norm_eps = 1e-5f,
                           .act = ACT_GELU_TANH,
                           .learned_pos = true};
}

void rig_llama(struct hparams *hp, int layers, int heads, int kv_heads, int d_head)
{
    *hp = (struct hparams){.arch = ARCH_LLAMA,
                           .n_layer = layers,
                           .d_model = heads * d_head,
                           .n_head = heads,
                           .n_kv_head = kv_heads,
                           .d_head = d_head,
                           .d_mlp = 64,
                           .n_vocab = 61,
                           .n_ctx = 16,
                           .norm = NORM_RMS,
                           .norm_eps = 1e-5f,
                           .act = ACT_SILU,
                           .gated = true,
                           .rope_theta = 10000,
                           .rope_dim = d_head,
                           .qk_interleaved = true};
}
