#include "model/synth.h"

#include "base/mem.h"
#include "base/pool.h"
#include "base/safe.h"
#include "base/str.h"
#include "model/bind.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- shapes --- */

#define GPT2_LIKE(l, h, d, v, c)                                                               \
    {                                                                                          \
        .arch = ARCH_GPT2, .n_layer = l, .d_model = d, .n_head = h, .n_kv_head = h,            \
        .d_head = (d) / (h), .d_mlp = 4 * (d), .n_vocab = v, .n_ctx = c, .norm = NORM_LAYER,   \
        .norm_eps = 1e-5f, .act = ACT_GELU_TANH, .learned_pos = true, .tied = true             \
    }
#define LLAMA_LIKE(l, h, kv, dh, d, f, v, c, theta)                                            \
    {                                                                                          \
        .arch = ARCH_LLAMA, .n_layer = l, .d_model = d, .n_head = h, .n_kv_head = kv,          \
        .d_head = dh, .d_mlp = f, .n_vocab = v, .n_ctx = c, .norm = NORM_RMS,                  \
        .norm_eps = 1e-5f, .act = ACT_SILU, .gated = true, .rope_theta = theta,                \
        .rope_dim = dh, .tied = true                                                           \
    }

// clang-format off
const struct shape shapes[] = {
    {"gpt2",        "GPT-2 small, 124 M parameters",   GPT2_LIKE(12, 12, 768, 50257, 1024)},
    {"gpt2-medium", "GPT-2 medium, 355 M parameters",  GPT2_LIKE(24, 16, 1024, 50257, 1024)},
    {"gpt2-large",  "GPT-2 large, 774 M parameters",   GPT2_LIKE(36, 20, 1280, 50257, 1024)},
    {"gpt2-xl",     "GPT-2 XL, 1.6 G parameters",      GPT2_LIKE(48, 25, 1600, 50257, 1024)},
    {"llama-1b",    "Llama 3.2 1B, 1.2 G parameters (RoPE not scaled, so 8192 positions)",
     LLAMA_LIKE(16, 32, 8, 64, 2048, 8192, 128256, 8192, 500000)},
    {"tiny-gpt2",   "as the built-in tiny-gpt2",       GPT2_LIKE(4, 6, 192, 2048, 256)},
    {"tiny-llama",  "as the built-in tiny-llama",
     LLAMA_LIKE(4, 8, 2, 24, 192, 512, 2048, 256, 10000)},
    {0},
};

/* What may be changed after the colon. */
static const struct {
    const char *name;
    size_t offset;
} fields[] = {
    {"n_layer",   offsetof(struct hparams, n_layer)},
    {"d_model",   offsetof(struct hparams, d_model)},
    {"n_head",    offsetof(struct hparams, n_head)},
    {"n_kv_head", offsetof(struct hparams, n_kv_head)},
    {"d_head",    offsetof(struct hparams, d_head)},
    {"d_mlp",     offsetof(struct hparams, d_mlp)},
    {"n_vocab",   offsetof(struct hparams, n_vocab)},
    {"n_ctx",     offsetof(struct hparams, n_ctx)},
};
// clang-format on
#define N_FIELDS (sizeof fields / sizeof fields[0])

static const struct shape *find_shape(const char *name, size_t n)
{
    const struct shape *s;

    for (s = shapes; s->name; s++)
        if (strlen(s->name) == n && memcmp(s->name, name, n) == 0)
            return s;
    return NULL;
}

static bool no_shape(const char *spec, struct err *err)
{
    struct str names = STR_INIT;
    const struct shape *s;

    for (s = shapes; s->name; s++)
        str_addf(&names, "%s%s", s == shapes ? "" : ", ", s->name);
    err_set(err, "no shape '%s' (there are: %s)", spec, names.text);
    str_release(&names);
    return false;
}

/* One "name=number"; remembers in *changed which field it was. */
static bool change_field(struct hparams *hp, const char *item, size_t n, unsigned *changed,
                         struct err *err)
{
    const char *equals = memchr(item, '=', n);
    size_t i, name = equals ? (size_t) (equals - item) : n;
    char *end;
    long v;

    for (i = 0; i < N_FIELDS; i++)
        if (strlen(fields[i].name) == name && memcmp(fields[i].name, item, name) == 0)
            break;
    if (i == N_FIELDS || !equals)
        return err_set(err,
                       "'%.*s' is not n_layer, d_model, n_head, n_kv_head, d_head, "
                       "d_mlp, n_vocab or n_ctx with =number",
                       (int) n, item);
    errno = 0;
    v = strtol(equals + 1, &end, 10);
    if (errno || end == equals + 1 || end != item + n || v < 1 || v > 1 << 24)
        return err_set(err, "'%.*s': the value has to be a number from 1 to %d", (int) n, item,
                       1 << 24);
    *(int *) ((char *) hp + fields[i].offset) = (int) v;
    *changed |= 1u << i;
    return true;
}

/* Sizes that follow from others, unless they were given. */
static void follow(struct hparams *hp, unsigned changed)
{
    enum {
        D_MODEL = 1 << 1,
        N_HEAD = 1 << 2,
        N_KV_HEAD = 1 << 3,
        D_HEAD = 1 << 4,
        D_MLP = 1 << 5
    };

    if ((changed & (D_MODEL | N_HEAD)) && !(changed & D_HEAD))
        hp->d_head = hp->d_model / hp->n_head;
    if (hp->arch == ARCH_GPT2 && !(changed & N_KV_HEAD))
        hp->n_kv_head = hp->n_head;
    if (hp->arch == ARCH_GPT2 && !(changed & D_MLP))
        hp->d_mlp = hp->d_model > 1 << 20 ? hp->d_model : 4 * hp->d_model;
    if (!hp->learned_pos)
        hp->rope_dim = hp->d_head;
}

bool shape_parse(struct hparams *hp, const char *spec, struct err *err)
{
    size_t n = strcspn(spec, ":");
    const struct shape *shape = find_shape(spec, n);
    unsigned changed = 0;
    const char *at;

    if (!shape)
        return no_shape(spec, err);
    *hp = shape->hp;
    for (at = spec + n; *at; at += n) {
        n = strcspn(++at, ",");
        if (!change_field(hp, at, n, &changed, err))
            return err_add(err, "shape '%s'", spec);
    }
    follow(hp, changed);
    if (!hparams_check(hp, err))
        return err_add(err, "shape '%s'", spec);
    safe_copy(hp->name, sizeof hp->name, spec, strlen(spec), SAFE_SPACE_KEEP);
    return true;
}

/* --- weights --- */

/*
 * Element i of a matrix is normal[h], where h are 12 bits of a hash of (seed, matrix, i / 5):
 * 4096 quantiles of the normal distribution at equal steps of probability, which is cheap, the
 * same everywhere, and close enough (largest |x| 3.7, variance made exact).
 */
#define N_QUANTILES 4096
#define PER_HASH    5
#define CHUNK       (PER_HASH * 256) /* elements; a whole number of blocks of any dtype */
#define SPAN        ((size_t) CHUNK * 128)
#define STD         0.02
#define GOLDEN      0x9e3779b97f4a7c15u /* 2^64 divided by the golden ratio: splitmix64's step */

/* Inverse of the normal distribution function by Newton's method. */
static double quantile(double p)
{
    double x = 0, step = 1;
    int i;

    for (i = 0; i < 60 && fabs(step) > 1e-12; i++) {
        double below = 0.5 * erfc(-x / sqrt(2)), density = exp(-x * x / 2) / sqrt(8 * atan(1));
        step = (below - p) / density;
        if (step > 1)
            step = 1;
        if (step < -1)
            step = -1;
        x -= step;
    }
    return x;
}

static void fill_quantiles(float table[N_QUANTILES])
{
    double squares = 0;
    int i;

    for (i = 0; i < N_QUANTILES / 2; i++) {
        double x = quantile((i + 0.5) / N_QUANTILES);
        table[i] = (float) x;
        squares += 2 * x * x;
    }
    for (i = 0; i < N_QUANTILES / 2; i++) {
        table[i] *= (float) (STD / sqrt(squares / N_QUANTILES));
        table[N_QUANTILES - 1 - i] = -table[i];
    }
}

/* splitmix64's output function. */
static uint64_t hash64(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* A matrix being filled, in spans that threads take. */
struct filling {
    char *data;
    enum dtype dtype;
    size_t n;
    uint64_t seed;
    const float *table;
};

static void fill_span(void *arg, int span, int worker)
{
    const struct filling *f = arg;
    const struct dtype_info *info = dtype_info(f->dtype);
    size_t done = (size_t) span * SPAN, end = done + SPAN < f->n ? done + SPAN : f->n, i;
    uint64_t counter = f->seed + done / PER_HASH * GOLDEN;
    char *to = f->data + dtype_bytes(f->dtype, done);
    float chunk[CHUNK];

    (void) worker;
    for (; done < end; done += CHUNK) {
        size_t now = end - done < CHUNK ? end - done : CHUNK;
        for (i = 0; i < CHUNK; i += PER_HASH) {
            uint64_t h = hash64(counter += GOLDEN);
            chunk[i] = f->table[h & 4095];
            chunk[i + 1] = f->table[h >> 12 & 4095];
            chunk[i + 2] = f->table[h >> 24 & 4095];
            chunk[i + 3] = f->table[h >> 36 & 4095];
            chunk[i + 4] = f->table[h >> 48 & 4095];
        }
        info->narrow(to, chunk, now);
        to += dtype_bytes(f->dtype, now);
    }
}

/* --- the model --- */

struct making {
    struct model *model;
    enum dtype dtype;
    uint64_t seed;
    char *at; /* next free byte of the one block that holds all matrices */
    struct pool *pool;
    float table[N_QUANTILES];
};

#define ALIGN 64

static bool matrix_bytes(const struct model *m, enum weight_role role, enum dtype dtype,
                         size_t *bytes, struct err *err)
{
    int rows = role_dim(&m->hp, roles[role].rows), cols = role_dim(&m->hp, roles[role].cols);
    const struct dtype_info *info = dtype_info(dtype);

    if (cols % info->block)
        return err_set(err,
                       "rows of %d (%s) are not whole blocks of %d (%s); choose F16 or F32",
                       cols, dim_name(roles[role].cols), info->block, info->name);
    *bytes = dtype_bytes(dtype, (size_t) rows * (size_t) cols);
    *bytes += -*bytes & (ALIGN - 1);
    return true;
}

static bool wanted(const struct model *m, int role, int layer)
{
    return role_in((enum weight_role) role, m->hp.arch) && roles[role].global == (layer < 0) &&
           !(role == W_LM_HEAD && m->hp.tied);
}

static bool total_bytes(const struct model *m, enum dtype dtype, size_t *total, struct err *err)
{
    size_t bytes = 0;
    int role, layer;

    *total = 0;
    for (layer = -1; layer < m->hp.n_layer; layer++)
        for (role = 0; role < W_COUNT; role++) {
            if (!wanted(m, role, layer) || roles[role].vector)
                continue;
            if (!matrix_bytes(m, (enum weight_role) role, dtype, &bytes, err))
                return false;
            if (bytes > SIZE_MAX / 2 - *total)
                return err_set(err, "the model is larger than this machine can address");
            *total += bytes;
        }
    return true;
}

static void make_vector(struct making *k, enum weight_role role, int layer)
{
    int i, n = role_dim(&k->model->hp, roles[role].rows);
    bool gain = role == W_LN1_GAIN || role == W_LN2_GAIN || role == W_LN_FINAL_GAIN;
    float *v = xcalloc((size_t) n, sizeof *v);

    for (i = 0; gain && i < n; i++)
        v[i] = 1;
    model_put_vector(k->model, role, layer, v, DTYPE_F32);
}

static void make_matrix(struct making *k, enum weight_role role, int layer)
{
    struct model *m = k->model;
    int rows = role_dim(&m->hp, roles[role].rows), cols = role_dim(&m->hp, roles[role].cols);
    struct matrix w = {k->at, k->dtype, rows, cols, (size_t) cols, false};
    uint64_t which = (uint64_t) (layer + 1) * W_COUNT + role;
    size_t n = (size_t) rows * (size_t) cols, bytes = dtype_bytes(k->dtype, n);
    struct filling f = {k->at, k->dtype, n, hash64(k->seed + (which << 40)), k->table};

    pool_each(k->pool, (int) ((n + SPAN - 1) / SPAN), fill_span, &f);
    k->at += bytes + (-bytes & (ALIGN - 1));
    model_put_matrix(m, role, layer, &w);
}

static bool make_weights(struct making *k, struct err *err)
{
    struct model *m = k->model;
    size_t total;
    int role, layer;

    if (!model_prepare(m, err) || !total_bytes(m, k->dtype, &total, err))
        return false;
    k->at = model_block(m, total, "the weights", err);
    if (!k->at)
        return false;
    fill_quantiles(k->table);
    k->pool = pool_new(0);
    for (layer = -1; layer < m->hp.n_layer; layer++)
        for (role = 0; role < W_COUNT; role++) {
            if (!wanted(m, role, layer))
                continue;
            if (roles[role].vector)
                make_vector(k, (enum weight_role) role, layer);
            else
                make_matrix(k, (enum weight_role) role, layer);
        }
    pool_free(k->pool);
    if (m->hp.tied)
        model_tie(m);
    return true;
}

struct model *model_synth(const struct hparams *hp, enum dtype dtype, unsigned long long seed,
                          struct err *err)
{
    struct making k = {.dtype = dtype, .seed = hash64(seed)};

    k.model = model_new(MODEL_SYNTH, hp->name[0] ? hp->name : "synthetic");
    k.model->hp = *hp;
    if (make_weights(&k, err))
        return k.model;
    model_free(k.model);
    return NULL;
}
