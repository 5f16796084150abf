#include "model/model.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "model/bind.h"
#include "model/builtin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model *model_new(enum model_source source, const char *path)
{
    struct model *m = xcalloc(1, sizeof *m);

    m->source = source;
    m->path = xstrdup(path);
    return m;
}

void model_free(struct model *m)
{
    int i;

    if (!m)
        return;
    if (m->weight)
        for (i = 0; i < (m->hp.n_layer + 1) * W_COUNT; i++)
            free(m->weight[i].vector);
    for (i = 0; i < m->n_blocks; i++)
        big_free(m->block[i].p, m->block[i].bytes);
    free(m->block);
    free(m->weight);
    free(m->info);
    gguf_free(m->gguf);
    safetensors_free(m->st);
    free(m->folder);
    free(m->path);
    free(m);
}

bool model_fail(const struct model *m, struct err *err, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(err, "%s", text);
    return path_add(err, m->path);
}

/* --- weights --- */

struct weight *model_slot(const struct model *m, enum weight_role role, int layer)
{
    return &m->weight[(layer + 1) * W_COUNT + (int) role];
}

bool model_prepare(struct model *m, struct err *err)
{
    if (!hparams_check(&m->hp, err))
        return path_add(err, m->path);
    m->weight = xcalloc(((size_t) m->hp.n_layer + 1) * W_COUNT, sizeof *m->weight);
    return true;
}

static void add_info(struct model *m, enum weight_role role, int layer, enum dtype dtype)
{
    struct weight_info info = {
        .role = role,
        .layer = layer,
        .rows = role_dim(&m->hp, roles[role].rows),
        .cols = role_dim(&m->hp, roles[role].cols),
        .dtype = dtype,
    };

    info.bytes = (uint64_t) dtype_bytes(dtype, (size_t) info.rows * (size_t) info.cols);
    VEC_ROOM(m->info, m->n_info, m->cap_info);
    m->info[m->n_info++] = info;
}

void model_put_matrix(struct model *m, enum weight_role role, int layer, const struct matrix *w)
{
    model_slot(m, role, layer)->matrix = *w;
    add_info(m, role, layer, w->dtype);
}

void model_put_vector(struct model *m, enum weight_role role, int layer, float *vector,
                      enum dtype stored)
{
    model_slot(m, role, layer)->vector = vector;
    add_info(m, role, layer, stored);
}

void model_tie(struct model *m)
{
    model_slot(m, W_LM_HEAD, -1)->matrix = model_slot(m, W_TOK_EMBD, -1)->matrix;
}

void *model_block(struct model *m, size_t bytes, const char *what, struct err *err)
{
    void *p = big_alloc(bytes, what, err);

    if (!p)
        return NULL;
    VEC_ROOM(m->block, m->n_blocks, m->cap_blocks);
    m->block[m->n_blocks++] = (struct big_block){p, bytes};
    return p;
}

/* --- opening --- */

static bool ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s), k = strlen(suffix);

    return n >= k && strcmp(s + n - k, suffix) == 0;
}

static struct model *open_safetensors(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    char *folder =
        slash ? xstrndup(path, slash == path ? 1 : (size_t) (slash - path)) : xstrdup(".");
    struct model *m = model_open_hf(path, folder, path, err);

    free(folder);
    return m;
}

static struct model *no_such_model(const char *spec, struct err *err)
{
    struct str names = STR_INIT;
    const struct builtin *b;
    char *shown;

    for (b = builtins; b->name; b++)
        str_addf(&names, "%s%s", b == builtins ? "" : ", ", b->name);
    shown = path_shown(spec);
    err_set(err, "'%s': no such file, folder or built-in model (built in: %s)", shown,
            names.text);
    free(shown);
    str_release(&names);
    return NULL;
}

struct model *model_open(const char *spec, struct err *err)
{
    const struct builtin *b = builtin_find(spec);
    struct gguf *g;

    if (b) {
        g = builtin_open(b, err);
        return g ? model_open_gguf(spec, g, err) : NULL;
    }
    if (file_is_dir(spec))
        return model_open_hf(spec, spec, NULL, err);
    if (!file_exists(spec))
        return no_such_model(spec, err);
    if (ends_with(spec, ".safetensors"))
        return open_safetensors(spec, err);
    g = gguf_open(spec, err);
    return g ? model_open_gguf(spec, g, err) : NULL;
}

/* --- reading --- */

const struct hparams *model_hparams(const struct model *m)
{
    return &m->hp;
}

const char *model_path(const struct model *m)
{
    return m->path;
}

const char *model_folder(const struct model *m)
{
    return m->folder;
}

enum model_source model_source(const struct model *m)
{
    return m->source;
}

const struct gguf *model_gguf(const struct model *m)
{
    return m->gguf;
}

static const struct weight *find_weight(const struct model *m, enum weight_role role, int layer)
{
    if ((unsigned) role >= W_COUNT || layer < -1 || layer >= m->hp.n_layer ||
        roles[role].global != (layer < 0))
        return NULL;
    return model_slot(m, role, layer);
}

const struct matrix *model_matrix(const struct model *m, enum weight_role role, int layer)
{
    const struct weight *w = find_weight(m, role, layer);

    return w && w->matrix.data ? &w->matrix : NULL;
}

const float *model_vector(const struct model *m, enum weight_role role, int layer)
{
    const struct weight *w = find_weight(m, role, layer);

    return w ? w->vector : NULL;
}

int model_n_weights(const struct model *m)
{
    return m->n_info;
}

struct weight_info model_weight_info(const struct model *m, int i)
{
    return m->info[i];
}
