#include "model/bind.h"

#include "base/mem.h"

#include <stdlib.h>

struct wanted {
    enum weight_role role;
    int layer;
    const struct role_place *at;
    char name[ROLE_NAME_SIZE];
};

/* [q; k; v] of a fused tensor: where the part begins, and the rows of all three. */
static int part_range(const struct hparams *hp, enum part part, int rows, int *first)
{
    int q = role_dim(hp, DIM_Q), kv = role_dim(hp, DIM_KV);

    *first = part == PART_K ? q : part == PART_V ? q + kv : 0;
    return part == PART_ALL ? rows : q + 2 * kv;
}

static bool wrong_shape(const struct model *m, const struct wanted *w, const struct stored *s,
                        int rows, int cols, struct err *err)
{
    const struct role *r = &roles[w->role];

    if (s->n_dims != (r->vector ? 1 : 2))
        return model_fail(m, err, "tensor '%s' has %d dimensions, not %d", w->name, s->n_dims,
                          r->vector ? 1 : 2);
    if (r->vector)
        return model_fail(m, err, "tensor '%s' has %llu elements, not %d", w->name,
                          (unsigned long long) s->rows, rows);
    return model_fail(m, err,
                      "tensor '%s' has shape [%llu, %llu], not [%d, %d] as the "
                      "hyper-parameters ask for",
                      w->name, (unsigned long long) s->rows, (unsigned long long) s->cols, rows,
                      cols);
}

static bool bind_vector(struct model *m, const struct wanted *w, const struct stored *s,
                        struct err *err)
{
    const struct dtype_info *info = dtype_info(s->dtype);
    int n = role_dim(&m->hp, roles[w->role].rows), first, total, i;
    float *all, *vector;

    total = part_range(&m->hp, w->at->part, n, &first);
    if (s->n_dims != 1 || s->rows != (uint64_t) total)
        return wrong_shape(m, w, s, total, 1, err);
    if (total % info->block)
        return model_fail(m, err, "tensor '%s' can't be stored as %s", w->name, info->name);
    all = xcalloc((size_t) total, sizeof *all);
    info->widen(all, s->data, (size_t) total);
    vector = all;
    if (total != n) {
        vector = xcalloc((size_t) n, sizeof *vector);
        for (i = 0; i < n; i++)
            vector[i] = all[first + i];
        free(all);
    }
    model_put_vector(m, w->role, w->layer, vector, s->dtype);
    return true;
}

static bool bind_matrix(struct model *m, const struct wanted *w, const struct stored *s,
                        struct err *err)
{
    int n_out = role_dim(&m->hp, roles[w->role].rows);
    int n_in = role_dim(&m->hp, roles[w->role].cols);
    int first, total = part_range(&m->hp, w->at->part, n_out, &first);
    int rows = w->at->in_major ? n_in : total, cols = w->at->in_major ? total : n_in;
    struct matrix mat = {s->data, s->dtype, total, n_in, (size_t) cols, w->at->in_major};

    if (s->n_dims != 2 || s->rows != (uint64_t) rows || s->cols != (uint64_t) cols)
        return wrong_shape(m, w, s, rows, cols, err);
    if (total != n_out)
        mat = matrix_slice(&mat, first, n_out);
    model_put_matrix(m, w->role, w->layer, &mat);
    return true;
}

static bool bind_one(struct model *m, struct wanted *w, stored_find *find, void *file,
                     struct err *err)
{
    struct stored s = {0};
    int found;

    role_tensor_name(w->at->pattern, w->layer, w->name);
    found = find(file, w->name, &s, err);
    if (found < 0)
        return false;
    if (found == 0)
        return model_fail(m, err, "tensor '%s' (%s) is missing", w->name, roles[w->role].name);
    return roles[w->role].vector ? bind_vector(m, w, &s, err) : bind_matrix(m, w, &s, err);
}

bool model_bind(struct model *m, enum names names, stored_find *find, void *file,
                struct err *err)
{
    int layer, role;

    for (layer = -1; layer < m->hp.n_layer; layer++)
        for (role = 0; role < W_COUNT; role++) {
            struct wanted w = {(enum weight_role) role, layer,
                               &roles[role].at[names][m->hp.arch], ""};
            if (roles[role].global != (layer < 0) || !w.at->pattern)
                continue;
            if (role == W_LM_HEAD && m->hp.tied)
                continue;
            if (!bind_one(m, &w, find, file, err))
                return false;
        }
    if (m->hp.tied)
        model_tie(m);
    return true;
}
