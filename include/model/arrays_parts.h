/*
 * The insides of struct arrays, shared by its readers (src/model/arrays*.c). Nobody else
 * includes this.
 */
#ifndef GPTSCOPE_MODEL_ARRAYS_PARTS_H
#define GPTSCOPE_MODEL_ARRAYS_PARTS_H

#include "base/file.h"
#include "model/arrays.h"
#include "model/safetensors.h"

struct zip;

struct array_place {
    uint64_t entry;      /* npz: number in the archive */
    uint64_t skip;       /* npz: bytes of header before the numbers */
    const uint8_t *data; /* mapped; NULL: in the archive */
    uint64_t bytes;
    char *name; /* owned; NULL: the safetensors file's */
};

struct arrays {
    char *path;
    struct array *item;
    struct array_place *place;
    int n, cap;
    bool npy;
    struct filemap map;
    bool mapped;
    struct safetensors *st;
    struct zip *zip;
    int loaded; /* -1: none */
    const uint8_t *data;
    void *block; /* what data lies in, when it was unpacked */
    size_t block_bytes;
};

/* Room for one more, all zero. */
struct array *arrays_add(struct arrays *a, struct array_place **place);

/* arrays_npy.c: magic, version and dictionary. Returns the length of the header, 0 with err. */
size_t npy_header(struct array *x, const uint8_t *bytes, size_t n, struct err *err);
#define NPY_HEADER_MAX ((size_t) 1 << 16)

/* arrays_npz.c */
bool npz_open_arrays(struct arrays *a, struct err *err);
bool npz_load_array(struct arrays *a, int i, struct err *err);
void npz_close(struct arrays *a);

#endif
