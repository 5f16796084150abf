/*
 * The insides of struct model, shared by its makers (GGUF, HF, synthetic), and the one loop
 * that finds every weight of a family among the tensors of a file, checks it and places it.
 */
#ifndef GPTSCOPE_MODEL_BIND_H
#define GPTSCOPE_MODEL_BIND_H

#include "model/gguf.h"
#include "model/roles.h"
#include "model/safetensors.h"

struct weight {
    struct matrix matrix; /* data NULL when there is none */
    float *vector;        /* owned */
};

struct big_block { /* memory of big_alloc */
    void *p;
    size_t bytes;
};

struct model {
    struct hparams hp;
    char *path, *folder;
    enum model_source source;
    struct gguf *gguf;
    struct safetensors *st;
    struct weight *weight; /* [(n_layer + 1) * W_COUNT]; row 0 is the global ones */
    struct weight_info *info;
    int n_info, cap_info;
    struct big_block *block;
    int n_blocks, cap_blocks;
};

struct model *model_new(enum model_source source, const char *path);
/* "PATH: message"; always false. */
bool model_fail(const struct model *m, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
struct weight *model_slot(const struct model *m, enum weight_role role, int layer);
/* Checks m->hp, which is complete, and makes room for the weights. */
bool model_prepare(struct model *m, struct err *err);
/* Adds a weight that lies as it shall (shape checked by the caller). */
void model_put_matrix(struct model *m, enum weight_role role, int layer,
                      const struct matrix *w);
void model_put_vector(struct model *m, enum weight_role role, int layer, float *vector,
                      enum dtype stored);
/* big_alloc'ed memory that lives as long as the model; NULL with err set. */
void *model_block(struct model *m, size_t bytes, const char *what, struct err *err);
/* Makes the LM head another name of the token embedding. */
void model_tie(struct model *m);

/* A tensor as stored: C order, cols contiguous; a 1-D one has cols = 1. */
struct stored {
    const void *data;
    enum dtype dtype;
    int n_dims;
    uint64_t rows, cols;
};
/* Finds a tensor by its name in the role table: 1 found, 0 not there, -1 err is set. */
typedef int stored_find(void *file, const char *name, struct stored *s, struct err *err);

/* Every weight of m->hp.arch, from the tensors that `find` finds. */
bool model_bind(struct model *m, enum names names, stored_find *find, void *file,
                struct err *err);

struct model *model_open_gguf(const char *path, struct gguf *g, struct err *err); /* owns g */
/* file: one .safetensors file, or NULL for those of the folder. */
struct model *model_open_hf(const char *path, const char *folder, const char *file,
                            struct err *err);

#endif
