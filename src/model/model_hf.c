#include "model/bind.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/safe.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CONFIG ((size_t) 16 << 20)

/* config.json while it is being read. */
struct config {
    struct model *model;
    const json_t *o;
};

static bool need(const struct config *c, const char *key, int *v, struct err *err)
{
    int64_t n = 0;

    if (!json_need_int(c->o, key, 1, INT_MAX, &n, err))
        return false;
    *v = (int) n;
    return true;
}

static bool may(const struct config *c, const char *key, int *v, struct err *err)
{
    int64_t n = *v;

    if (!json_may_int(c->o, key, 1, INT_MAX, &n, err))
        return false;
    *v = (int) n;
    return true;
}

static bool may_real(const json_t *o, const char *key, float *v, struct err *err)
{
    double x = *v;

    if (!json_may_double(o, key, &x, err))
        return false;
    *v = (float) x;
    return true;
}

static bool may_bool(const struct config *c, const char *key, bool *v, struct err *err)
{
    return json_may_bool(c->o, key, v, err);
}

/* A switch that changes the computation in a way that the engine has not. */
static bool only(const struct config *c, const char *key, bool wanted, struct err *err)
{
    bool v = wanted;

    if (!may_bool(c, key, &v, err))
        return false;
    return v == wanted ||
           err_set(err, "'%s' is %s, which is not supported", key, v ? "true" : "false");
}

/* --- what kind of model --- */

static const struct {
    const char *type, *class;
    enum arch arch;
} families[] = {
    {"gpt2", "GPT2LMHeadModel", ARCH_GPT2},
    {"llama", "LlamaForCausalLM", ARCH_LLAMA},
};

static bool read_arch(const struct config *c, struct err *err)
{
    const char *type = NULL, *class;
    size_t i;

    if (!json_may_string(c->o, "model_type", &type, err))
        return false;
    class = json_string_value(json_array_get(json_object_get(c->o, "architectures"), 0));
    if (!type && !class)
        return err_set(err, "there is neither 'model_type' nor 'architectures'");
    for (i = 0; i < sizeof families / sizeof families[0]; i++)
        if (type ? strcmp(type, families[i].type) == 0
                 : strcmp(class, families[i].class) == 0) {
            c->model->hp.arch = families[i].arch;
            return true;
        }
    return err_set(err,
                   "model type '%s' is not supported (only gpt2, GPT2LMHeadModel, and "
                   "llama, LlamaForCausalLM, are)",
                   type ? type : class);
}

static const struct {
    const char *name;
    enum act_kind act;
} activations[] = {
    {"gelu_new", ACT_GELU_TANH},
    {"gelu_pytorch_tanh", ACT_GELU_TANH},
    {"gelu_fast", ACT_GELU_TANH},
    {"gelu", ACT_GELU_ERF},
};

static bool read_gpt2_act(const struct config *c, struct err *err)
{
    const char *name = "gelu_new";
    size_t i;

    if (!json_may_string(c->o, "activation_function", &name, err))
        return false;
    for (i = 0; i < sizeof activations / sizeof activations[0]; i++)
        if (strcmp(name, activations[i].name) == 0) {
            c->model->hp.act = activations[i].act;
            return true;
        }
    return err_set(err, "activation_function '%s' is not supported (gelu_new, gelu are)", name);
}

static bool read_gpt2(const struct config *c, struct err *err)
{
    struct hparams *hp = &c->model->hp;

    hp->norm = NORM_LAYER;
    hp->norm_eps = 1e-5f;
    hp->learned_pos = true;
    hp->tied = true;
    if (!need(c, "n_layer", &hp->n_layer, err) || !need(c, "n_embd", &hp->d_model, err) ||
        !need(c, "n_head", &hp->n_head, err) || !need(c, "vocab_size", &hp->n_vocab, err) ||
        !need(c, "n_positions", &hp->n_ctx, err))
        return false;
    hp->n_kv_head = hp->n_head;
    hp->d_head = hp->d_model / hp->n_head;
    if (hp->d_model % hp->n_head)
        return err_set(err, "'n_embd' %d is not a multiple of 'n_head' %d", hp->d_model,
                       hp->n_head);
    hp->d_mlp = hp->d_model < INT_MAX / 4 ? 4 * hp->d_model : INT_MAX;
    return may(c, "n_inner", &hp->d_mlp, err) &&
           may_real(c->o, "layer_norm_epsilon", &hp->norm_eps, err) &&
           may_bool(c, "tie_word_embeddings", &hp->tied, err) && read_gpt2_act(c, err) &&
           only(c, "scale_attn_weights", true, err) &&
           only(c, "scale_attn_by_inverse_layer_idx", false, err) &&
           only(c, "add_cross_attention", false, err);
}

/* rope_scaling, or rope_parameters of newer files: only the plain kind. */
static bool read_rope(const struct config *c, const char *key, struct err *err)
{
    const json_t *o = json_object_get(c->o, key);
    const char *type = "default";

    if (!o || json_is_null(o))
        return true;
    if (!json_is_object(o))
        return err_set(err, "'%s' is not an object", key);
    if (!json_may_string(o, "type", &type, err) || !json_may_string(o, "rope_type", &type, err))
        return err_add(err, "'%s'", key);
    if (strcmp(type, "default") != 0)
        return err_set(err, "'%s' of type '%s' (scaled RoPE) is not supported yet", key, type);
    return may_real(o, "rope_theta", &c->model->hp.rope_theta, err);
}

static bool read_llama_act(const struct config *c, struct err *err)
{
    const char *name = "silu";

    if (!json_may_string(c->o, "hidden_act", &name, err))
        return false;
    return strcmp(name, "silu") == 0 ||
           err_set(err, "hidden_act '%s' is not supported (silu is)", name);
}

static bool read_llama_heads(const struct config *c, struct err *err)
{
    struct hparams *hp = &c->model->hp;
    int d_head = 0;

    hp->n_kv_head = hp->n_head;
    if (!may(c, "num_key_value_heads", &hp->n_kv_head, err) ||
        !may(c, "head_dim", &d_head, err))
        return false;
    if (d_head == 0 && hp->d_model % hp->n_head)
        return err_set(err, "'hidden_size' %d is not a multiple of 'num_attention_heads' %d",
                       hp->d_model, hp->n_head);
    hp->d_head = d_head ? d_head : hp->d_model / hp->n_head;
    hp->rope_dim = hp->d_head;
    return true;
}

static bool read_llama(const struct config *c, struct err *err)
{
    struct hparams *hp = &c->model->hp;

    hp->norm = NORM_RMS;
    hp->norm_eps = 1e-6f;
    hp->act = ACT_SILU;
    hp->gated = true;
    hp->rope_theta = 10000;
    return need(c, "num_hidden_layers", &hp->n_layer, err) &&
           need(c, "hidden_size", &hp->d_model, err) &&
           need(c, "num_attention_heads", &hp->n_head, err) &&
           need(c, "intermediate_size", &hp->d_mlp, err) &&
           need(c, "vocab_size", &hp->n_vocab, err) &&
           need(c, "max_position_embeddings", &hp->n_ctx, err) && read_llama_heads(c, err) &&
           may_real(c->o, "rms_norm_eps", &hp->norm_eps, err) &&
           may_real(c->o, "rope_theta", &hp->rope_theta, err) &&
           may_bool(c, "tie_word_embeddings", &hp->tied, err) && read_llama_act(c, err) &&
           read_rope(c, "rope_scaling", err) && read_rope(c, "rope_parameters", err) &&
           only(c, "attention_bias", false, err) && only(c, "mlp_bias", false, err);
}

static bool has_config(const char *folder, struct err *err)
{
    char *file = file_join(folder, "config.json");
    bool ok = file_exists(file);

    free(file);
    if (ok)
        return true;
    err_set(err, "no config.json in this folder; name a folder of Hugging Face's form, or a "
                 "GGUF file");
    return path_add(err, folder);
}

static bool read_config(struct model *m, struct err *err)
{
    char *file = file_join(m->folder, "config.json");
    json_t *o = json_parse_file(file, MAX_CONFIG, err);
    struct config c = {m, o};
    bool ok = false;

    if (o && !json_is_object(o))
        err_set(err, "not a JSON object");
    else if (o)
        ok = read_arch(&c, err) &&
             (m->hp.arch == ARCH_GPT2 ? read_gpt2(&c, err) : read_llama(&c, err));
    if (o && !ok)
        path_add(err, file);
    json_decref(o);
    free(file);
    return ok;
}

/* --- tensors --- */

/* The files while their tensors are being taken. */
struct taking {
    struct model *model;
    bool *taken; /* per tensor */
};

static const char *const prefix[ARCH_COUNT] = {
    [ARCH_GPT2] = "transformer.", [ARCH_LLAMA] = "model."};

/* Tensors in such folders that are no weights: masks and tables that the code makes itself. */
static const char *const no_weights[] = {
    "h.N.attn.bias",
    "h.N.attn.masked_bias",
    "layers.N.self_attn.rotary_emb.inv_freq",
    "rotary_emb.inv_freq",
};

static bool to_dtype(enum st_dtype st, enum dtype *dtype)
{
    static const enum dtype same[] = {
        [ST_F32] = DTYPE_F32, [ST_F16] = DTYPE_F16, [ST_BF16] = DTYPE_BF16};

    if (st == ST_OTHER)
        return false;
    *dtype = same[st];
    return true;
}

/* Data may begin anywhere in the file: what is not aligned for its type is copied. */
static const void *aligned(struct model *m, const struct st_tensor *t, struct err *err)
{
    size_t size = t->dtype == ST_F32 ? 4 : 2;
    void *copy;

    if ((uintptr_t) t->data % size == 0)
        return t->data;
    copy = model_block(m, (size_t) t->bytes, "a tensor that is not aligned in its file", err);
    if (copy)
        memcpy(copy, t->data, (size_t) t->bytes);
    return copy;
}

static const struct st_tensor *find_named(const struct taking *f, const char *name)
{
    const struct st_tensor *t;
    char full[ROLE_NAME_SIZE + 16];

    snprintf(full, sizeof full, "%s%s", prefix[f->model->hp.arch], name);
    t = safetensors_find(f->model->st, full);
    return t ? t : safetensors_find(f->model->st, name);
}

static int find_tensor(void *file, const char *name, struct stored *s, struct err *err)
{
    struct taking *f = file;
    const struct st_tensor *t = find_named(f, name);

    if (!t)
        return 0;
    f->taken[t - safetensors_tensor(f->model->st, 0)] = true;
    if (!to_dtype(t->dtype, &s->dtype)) {
        model_fail(f->model, err,
                   "tensor '%s' has type %s; only F32, F16 and BF16 are supported", t->name,
                   t->dtype_name);
        return -1;
    }
    /* Zero-sized tensors are refused by their shape; others have at least one element. */
    s->n_dims = t->n_dims;
    s->rows = t->n_dims > 0 ? (uint64_t) t->dim[0] : 0;
    s->cols = t->n_dims > 1 ? (uint64_t) t->dim[1] : 1;
    s->data = t->bytes ? aligned(f->model, t, err) : t->data;
    return s->data ? 1 : -1;
}

static bool is_ignored(const struct model *m, const char *name)
{
    size_t i, n = strlen(prefix[m->hp.arch]);

    if (strncmp(name, prefix[m->hp.arch], n) == 0)
        name += n;
    if (m->hp.tied && strcmp(name, "lm_head.weight") == 0)
        return true;
    for (i = 0; i < sizeof no_weights / sizeof no_weights[0]; i++)
        if (role_name_matches(no_weights[i], name))
            return true;
    return false;
}

/* A tensor that no role names would be left out of the computation: the result would be
 * another model's. */
static bool check_taken(const struct model *m, const struct taking *f, struct err *err)
{
    int i;

    for (i = 0; i < safetensors_count(m->st); i++) {
        const char *name = safetensors_tensor(m->st, i)->name;
        if (!f->taken[i] && !is_ignored(m, name))
            return model_fail(m, err, "tensor '%s' has no place in a %s model of %d layers",
                              name, arch_name(m->hp.arch), m->hp.n_layer);
    }
    return true;
}

static bool take_tensors(struct model *m, struct err *err)
{
    struct taking f = {m, xcalloc((size_t) safetensors_count(m->st) + 1, sizeof(bool))};
    bool ok = model_bind(m, NAMES_HF, find_tensor, &f, err) && check_taken(m, &f, err);

    free(f.taken);
    return ok;
}

/* The folder's own name. */
static void read_name(struct model *m)
{
    char *path = realpath(m->folder, NULL); /* "." has a name, too */
    const char *slash = path ? strrchr(path, '/') : NULL, *name = slash ? slash + 1 : m->folder;

    safe_copy(m->hp.name, sizeof m->hp.name, name, strlen(name), SAFE_SPACE_KEEP);
    free(path);
}

struct model *model_open_hf(const char *path, const char *folder, const char *file,
                            struct err *err)
{
    struct model *m = model_new(MODEL_HF, path);

    m->folder = xstrdup(folder);
    read_name(m);
    if (has_config(folder, err) && read_config(m, err)) {
        m->st = file ? safetensors_open(file, err) : safetensors_open_dir(folder, err);
        if (m->st && model_prepare(m, err) && take_tensors(m, err))
            return m;
    }
    model_free(m);
    return NULL;
}
