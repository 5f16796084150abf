/*
 * Named arrays out of files that other programs wrote: numpy's .npz (compressed or not) and
 * .npy, and safetensors. What a file is, its first bytes say, not its suffix. Nothing in it is
 * executed: numpy's object arrays, which are pickles, are refused by name.
 *
 *     struct arrays *a = arrays_open("dump.npz", NULL, &err);
 *     const struct array *x = arrays_at(a, i);            // name, type, shape
 *     arrays_load(a, i, &err);                            // one array at a time
 *     arrays_read(a, 0, x->count, 1, out);                // numbers as float
 *     arrays_free(a);
 *
 * npy and safetensors are mapped; of an npz one array is in memory at a time.
 */
#ifndef GPTSCOPE_MODEL_ARRAYS_H
#define GPTSCOPE_MODEL_ARRAYS_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum array_type {
    ARRAY_F64,
    ARRAY_F32,
    ARRAY_F16,
    ARRAY_BF16, /* numpy: the void of 2 bytes that ml_dtypes makes of it */
    ARRAY_I64,
    ARRAY_I32,
    ARRAY_I16,
    ARRAY_I8,
    ARRAY_U64,
    ARRAY_U32,
    ARRAY_U16,
    ARRAY_U8,   /* and booleans */
    ARRAY_TEXT, /* numpy's 'U': UTF-32, padded with 0 */
    ARRAY_OTHER /* cannot be read: `refused` says why */
};

enum { ARRAY_DIMS = 8 };

struct array {
    const char *name; /* without ".npy"; borrowed, raw: from the file */
    enum array_type type;
    char type_name[24]; /* safe: "<f4", "BF16" */
    bool swapped;       /* big-endian */
    bool fortran;       /* the first index is contiguous */
    int n_dims;
    int64_t dim[ARRAY_DIMS];
    size_t count;        /* elements */
    size_t item;         /* bytes an element */
    const char *refused; /* "a Python object" */
};

struct arrays;

/* npy_name: what the one array of an .npy file is called, NULL: "". The message names the file
 * and what is wrong with it. */
struct arrays *arrays_open(const char *path, const char *npy_name, struct err *err);
void arrays_free(struct arrays *a); /* NULL is fine */
const char *arrays_path(const struct arrays *a);
bool arrays_npy(const struct arrays *a); /* one array, whose name was given */
int arrays_count(const struct arrays *a);
const struct array *arrays_at(const struct arrays *a, int i);
/* The array of that name, or -1. */
int arrays_find(const struct arrays *a, const char *name);

/* Makes array i the one that arrays_read reads. Fails for what cannot be read, for damage, and
 * for lack of memory. */
bool arrays_load(struct arrays *a, int i, struct err *err);
/* n elements as they lie in the file, from element `at` on, `step` apart, which must lie inside
 * the array. F64 is rounded, and what is too large for a float is infinite. */
void arrays_read(const struct arrays *a, size_t at, size_t n, ptrdiff_t step, float *out);
/* Appends element `at` of the loaded ARRAY_TEXT as UTF-8 (not made safe). */
void arrays_text(const struct arrays *a, size_t at, struct str *out);

/* "[10, 6, 32]" */
void array_shape_print(const struct array *x, struct str *out);

/* What a path holds, as far as its first bytes and tensors' names say. */
enum file_kind {
    FILE_NONE,  /* there is no such file */
    FILE_DUMP,  /* npy, npz, or safetensors whose names are not those of weights */
    FILE_MODEL, /* GGUF, a folder, or safetensors with weights */
    FILE_OTHER
};
enum file_kind arrays_kind(const char *path);

#endif
