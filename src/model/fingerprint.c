#include "model/fingerprint.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t add_hparams(uint64_t h, const struct hparams *hp)
{
    char text[512];
    int n = snprintf(text, sizeof text, "%s %d %d %d %d %d %d %d %d %d %.9g %d %d %d %.9g %d",
                     arch_name(hp->arch), hp->n_layer, hp->d_model, hp->n_head, hp->n_kv_head,
                     hp->d_head, hp->d_mlp, hp->n_vocab, (int) hp->norm, (int) hp->act,
                     (double) hp->norm_eps, hp->gated, hp->learned_pos, hp->rope_dim,
                     (double) hp->rope_theta, hp->tied);

    return hash_bytes(h, text, (size_t) n);
}

/* Rows as the file stores them lie together: one of an in-major matrix is a column of W. */
static uint64_t add_matrix(uint64_t h, const struct matrix *w)
{
    int rows = w->in_major ? w->n_in : w->n_out, cols = w->in_major ? w->n_out : w->n_in;
    const int at[] = {0, rows / 2, rows - 1};
    float *row = xcalloc((size_t) cols, sizeof *row);

    for (int i = 0; i < 3; i++) {
        if (w->in_major)
            matrix_column(w, at[i], row);
        else
            matrix_row(w, at[i], row);
        h = hash_bytes(h, row, (size_t) cols * sizeof *row);
    }
    free(row);
    return h;
}

uint64_t model_fingerprint(const struct model *m)
{
    uint64_t h = add_hparams(HASH_BEGIN, model_hparams(m));
    char text[128];

    for (int i = 0; i < model_n_weights(m); i++) {
        struct weight_info info = model_weight_info(m, i);
        const struct matrix *w = model_matrix(m, info.role, info.layer);
        const float *vector = model_vector(m, info.role, info.layer);
        int n = snprintf(text, sizeof text, "%s %d %d %d %s", weight_role_name(info.role),
                         info.layer, info.rows, info.cols, dtype_info(info.dtype)->name);
        h = hash_bytes(h, text, (size_t) n);
        if (w)
            h = add_matrix(h, w);
        else if (vector)
            h = hash_bytes(h, vector, (size_t) info.rows * (size_t) info.cols * sizeof *vector);
    }
    return h ? h : 1;
}
