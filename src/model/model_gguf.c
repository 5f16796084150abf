#include "model/bind.h"

#include "base/mem.h"
#include "base/safe.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A GGUF container while its tensors are being taken. */
struct taking {
    const struct gguf *gguf;
    bool *taken; /* per tensor */
};

#define KEY_SIZE 96

/* "llama.block_count" */
static const char *key_of(const struct hparams *hp, const char *suffix, char buf[KEY_SIZE])
{
    snprintf(buf, KEY_SIZE, "%s.%s", arch_name(hp->arch), suffix);
    return buf;
}

static bool need_int(const struct model *m, const char *suffix, int *v, struct err *err)
{
    char key[KEY_SIZE];
    int64_t n = 0;

    if (!gguf_need_int(m->gguf, key_of(&m->hp, suffix, key), 1, INT_MAX, &n, err))
        return false;
    *v = (int) n;
    return true;
}

static bool may_int(const struct model *m, const char *suffix, int *v, struct err *err)
{
    char key[KEY_SIZE];
    int64_t n = *v;

    if (!gguf_may_int(m->gguf, key_of(&m->hp, suffix, key), 1, INT_MAX, &n, err))
        return false;
    *v = (int) n;
    return true;
}

static bool may_float(const struct model *m, const char *suffix, float *v, struct err *err)
{
    char key[KEY_SIZE];
    double x = *v;

    if (!gguf_may_float(m->gguf, key_of(&m->hp, suffix, key), &x, err))
        return false;
    *v = (float) x;
    return true;
}

static bool refuse_split(const struct model *m, struct err *err)
{
    int64_t n = 1;

    if (!gguf_may_int(m->gguf, "split.count", 0, INT_MAX, &n, err))
        return false;
    return n <= 1 || model_fail(m, err,
                                "one of %lld parts of a split model; join them first "
                                "(llama-gguf-split --merge)",
                                (long long) n);
}

static bool read_arch(struct model *m, struct err *err)
{
    struct gguf_string s;
    char shown[64];
    int i;

    if (!gguf_need_string(m->gguf, "general.architecture", &s, err))
        return false;
    for (i = 0; i < ARCH_COUNT; i++)
        if (s.len == strlen(arch_name((enum arch) i)) &&
            memcmp(s.bytes, arch_name((enum arch) i), s.len) == 0) {
            m->hp.arch = (enum arch) i;
            return true;
        }
    safe_copy(shown, sizeof shown, s.bytes, s.len, SAFE_SPACE_KEEP);
    return model_fail(m, err, "architecture '%s' is not supported (only gpt2 and llama are)",
                      shown);
}

static void read_name(struct model *m)
{
    const char *base = strrchr(m->path, '/');
    struct gguf_string s = {0};
    struct err ignored = ERR_INIT;

    base = base ? base + 1 : m->path;
    gguf_may_string(m->gguf, "general.name", &s, &ignored);
    if (s.len == 0)
        s = (struct gguf_string){base, strlen(base)};
    safe_copy(m->hp.name, sizeof m->hp.name, s.bytes, s.len, SAFE_SPACE_KEEP);
}

/* The tokens' count; files without a vocabulary say it in a key or by the embedding's rows. */
static bool read_vocab(struct model *m, struct err *err)
{
    const struct gguf_tensor *t = gguf_find_tensor(m->gguf, "token_embd.weight");
    uint64_t n = t ? t->dim[1] : 0;

    if (!gguf_array_count(m->gguf, "tokenizer.ggml.tokens", &n)) {
        if (n > INT_MAX)
            n = INT_MAX;
        m->hp.n_vocab = (int) n;
        return may_int(m, "vocab_size", &m->hp.n_vocab, err);
    }
    m->hp.n_vocab = n < INT_MAX ? (int) n : INT_MAX;
    return true;
}

static bool read_sizes(struct model *m, struct err *err)
{
    struct hparams *hp = &m->hp;
    char key[KEY_SIZE];
    int d_value;

    if (!need_int(m, "block_count", &hp->n_layer, err) ||
        !need_int(m, "embedding_length", &hp->d_model, err) ||
        !need_int(m, "attention.head_count", &hp->n_head, err) ||
        !need_int(m, "feed_forward_length", &hp->d_mlp, err) ||
        !need_int(m, "context_length", &hp->n_ctx, err))
        return false;
    if (hp->d_model % hp->n_head && !gguf_has(m->gguf, key_of(hp, "attention.key_length", key)))
        return model_fail(m, err, "embedding_length %d is not a multiple of head_count %d",
                          hp->d_model, hp->n_head);
    hp->n_kv_head = hp->n_head;
    hp->d_head = hp->d_model / hp->n_head;
    if (!may_int(m, "attention.head_count_kv", &hp->n_kv_head, err) ||
        !may_int(m, "attention.key_length", &hp->d_head, err))
        return false;
    d_value = hp->d_head;
    if (!may_int(m, "attention.value_length", &d_value, err))
        return false;
    if (d_value != hp->d_head)
        return model_fail(m, err, "attention.value_length %d differs from the key length %d",
                          d_value, hp->d_head);
    return read_vocab(m, err);
}

static bool read_gpt2(struct model *m, struct err *err)
{
    struct hparams *hp = &m->hp;

    hp->norm = NORM_LAYER;
    hp->norm_eps = 1e-5f;
    hp->act = ACT_GELU_TANH;
    hp->learned_pos = true;
    return may_float(m, "attention.layer_norm_epsilon", &hp->norm_eps, err);
}

/* Things that would change the result if they were passed over. */
static bool refuse_variants(const struct model *m, struct err *err)
{
    struct gguf_string scaling = {"none", 4};
    double scale = 1;
    int64_t n = 0;

    if (!gguf_may_string(m->gguf, "llama.rope.scaling.type", &scaling, err) ||
        !gguf_may_float(m->gguf, "llama.rope.scale_linear", &scale, err))
        return false;
    if (scaling.len != 4 || memcmp(scaling.bytes, "none", 4) != 0 || scale != 1 ||
        gguf_find_tensor(m->gguf, "rope_freqs.weight"))
        return model_fail(m, err,
                          "scaled RoPE (rope_freqs or rope.scaling) is not supported "
                          "yet");
    if (!gguf_may_int(m->gguf, "llama.expert_count", 0, INT_MAX, &n, err))
        return false;
    if (n > 0)
        return model_fail(m, err, "a mixture of %lld experts is not supported", (long long) n);
    if (!gguf_may_int(m->gguf, "llama.attention.sliding_window", 0, INT_MAX, &n, err))
        return false;
    return n == 0 || model_fail(m, err, "sliding-window attention is not supported yet");
}

static bool read_llama(struct model *m, struct err *err)
{
    struct hparams *hp = &m->hp;

    hp->norm = NORM_RMS;
    hp->norm_eps = 1e-5f;
    hp->act = ACT_SILU;
    hp->gated = true;
    hp->rope_theta = 10000;
    hp->rope_dim = hp->d_head;
    hp->qk_interleaved = true;
    return refuse_variants(m, err) &&
           may_float(m, "attention.layer_norm_rms_epsilon", &hp->norm_eps, err) &&
           may_float(m, "rope.freq_base", &hp->rope_theta, err) &&
           may_int(m, "rope.dimension_count", &hp->rope_dim, err);
}

/* No LM head of its own, or one that repeats the token embedding byte for byte. */
static bool is_tied(const struct gguf *g)
{
    const struct gguf_tensor *e = gguf_find_tensor(g, "token_embd.weight");
    const struct gguf_tensor *h = gguf_find_tensor(g, "output.weight");

    if (!h)
        return true;
    return e && e->dtype == h->dtype && e->n_dims == h->n_dims && e->dim[0] == h->dim[0] &&
           e->bytes == h->bytes && memcmp(e->data, h->data, (size_t) e->bytes) == 0;
}

/* --- tensors --- */

static int find_tensor(void *file, const char *name, struct stored *s, struct err *err)
{
    struct taking *f = file;
    const struct gguf_tensor *t = gguf_find_tensor(f->gguf, name);

    (void) err;
    if (!t)
        return 0;
    f->taken[t - gguf_tensor(f->gguf, 0)] = true;
    *s = (struct stored){t->data, t->dtype, t->n_dims, t->dim[1], t->dim[0]};
    if (t->n_dims == 1) {
        s->rows = t->dim[0];
        s->cols = 1;
    }
    return 1;
}

/* A tensor that no role names would be left out of the computation: the result would be
 * another model's. */
static bool check_taken(const struct model *m, const struct taking *f, struct err *err)
{
    char name[ROLE_NAME_SIZE];
    int i;

    for (i = 0; i < gguf_n_tensors(m->gguf); i++) {
        const struct gguf_string *s = &gguf_tensor(m->gguf, i)->name;
        safe_copy(name, sizeof name, s->bytes, s->len, SAFE_SPACE_KEEP);
        if (f->taken[i] || (m->hp.tied && strcmp(name, "output.weight") == 0))
            continue;
        return model_fail(m, err, "tensor '%s' has no place in a %s model of %d layers", name,
                          arch_name(m->hp.arch), m->hp.n_layer);
    }
    return true;
}

static bool take_tensors(struct model *m, struct err *err)
{
    struct taking f = {m->gguf, xcalloc((size_t) gguf_n_tensors(m->gguf) + 1, sizeof(bool))};
    bool ok;

    m->hp.tied = is_tied(m->gguf);
    ok = model_bind(m, NAMES_GGUF, find_tensor, &f, err) && check_taken(m, &f, err);
    free(f.taken);
    return ok;
}

struct model *model_open_gguf(const char *path, struct gguf *g, struct err *err)
{
    struct model *m = model_new(MODEL_GGUF, path);
    bool ok;

    m->gguf = g;
    if (gguf_n_tensors(g) == 0)
        ok = model_fail(m, err, "the file holds no tensors, only a vocabulary");
    else
        ok = read_arch(m, err) && refuse_split(m, err) && read_sizes(m, err) &&
             (m->hp.arch == ARCH_GPT2 ? read_gpt2(m, err) : read_llama(m, err));
    if (ok) {
        read_name(m);
        ok = model_prepare(m, err) && take_tensors(m, err);
    }
    if (ok)
        return m;
    model_free(m);
    return NULL;
}
