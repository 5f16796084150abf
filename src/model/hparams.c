#include "model/hparams.h"

#include <math.h>
#include <stddef.h>

/*
 * Bounds well above any real model and low enough that a product of any two fits an int64 and
 * the sizes of one row (n_head * d_head, 3 * d_model) fit an int.
 */
static const struct {
    const char *name;
    size_t offset;
    int most;
} bounds[] = {
    {"n_layer", offsetof(struct hparams, n_layer), 1 << 12},
    {"d_model", offsetof(struct hparams, d_model), 1 << 20},
    {"n_head", offsetof(struct hparams, n_head), 1 << 14},
    {"n_kv_head", offsetof(struct hparams, n_kv_head), 1 << 14},
    {"d_head", offsetof(struct hparams, d_head), 1 << 14},
    {"d_mlp", offsetof(struct hparams, d_mlp), 1 << 22},
    {"n_vocab", offsetof(struct hparams, n_vocab), 1 << 24},
    {"n_ctx", offsetof(struct hparams, n_ctx), 1 << 24},
};

static const char *const arch_names[ARCH_COUNT] = {
    [ARCH_GPT2] = "gpt2", [ARCH_LLAMA] = "llama"};

const char *arch_name(enum arch arch)
{
    return arch_names[arch];
}

static bool check_bounds(const struct hparams *hp, struct err *err)
{
    size_t i;

    for (i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        int v = *(const int *) ((const char *) hp + bounds[i].offset);
        if (v < 1 || v > bounds[i].most)
            return err_set(err, "%s is %d, not in 1..%d", bounds[i].name, v, bounds[i].most);
    }
    return true;
}

static bool check_heads(const struct hparams *hp, struct err *err)
{
    if ((long long) hp->n_head * hp->d_head > 1 << 20)
        return err_set(err, "n_head %d times d_head %d is more than %d", hp->n_head, hp->d_head,
                       1 << 20);
    if (hp->n_head % hp->n_kv_head)
        return err_set(err, "n_head %d is not a multiple of n_kv_head %d", hp->n_head,
                       hp->n_kv_head);
    if (hp->arch == ARCH_GPT2 &&
        (hp->n_kv_head != hp->n_head || hp->n_head * hp->d_head != hp->d_model))
        return err_set(err, "d_model %d is not n_head %d times d_head %d", hp->d_model,
                       hp->n_head, hp->d_head);
    return true;
}

static bool check_positions(const struct hparams *hp, struct err *err)
{
    if (hp->learned_pos)
        return hp->rope_dim == 0 ||
               err_set(err, "rope_dim is %d in a model with learned positions", hp->rope_dim);
    if (hp->rope_dim < 2 || hp->rope_dim % 2 || hp->rope_dim > hp->d_head)
        return err_set(err, "rope_dim is %d, not an even number in 2..%d (d_head)",
                       hp->rope_dim, hp->d_head);
    if (!isfinite(hp->rope_theta) || hp->rope_theta <= 0)
        return err_set(err, "rope_theta is %g, not a positive number", (double) hp->rope_theta);
    return true;
}

bool hparams_check(const struct hparams *hp, struct err *err)
{
    if (!check_bounds(hp, err) || !check_heads(hp, err) || !check_positions(hp, err))
        return false;
    if (!isfinite(hp->norm_eps) || hp->norm_eps <= 0)
        return err_set(err, "norm_eps is %g, not a positive number", (double) hp->norm_eps);
    return true;
}
