/*
 * The insides of struct gguf, shared by gguf.c (reading and checking) and gguf_get.c (typed
 * access). Nobody else includes this.
 */
#ifndef GPTSCOPE_MODEL_GGUF_FILE_H
#define GPTSCOPE_MODEL_GGUF_FILE_H

#include "base/file.h"
#include "base/strmap.h"
#include "model/gguf.h"

/* Value types, numbered as in the file. */
enum gguf_type {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_TYPES
};

struct gguf_type_info {
    const char *name;
    unsigned size; /* bytes of a scalar; 0: no scalar */
};
extern const struct gguf_type_info gguf_type_table[GGUF_TYPES];

struct gguf_kv {
    struct gguf_string key;
    enum gguf_type type, element; /* element: of an array */
    uint64_t count;               /* elements of an array, bytes of a string */
    const uint8_t *at;            /* the scalar, the string's bytes, the array's elements */
};

struct gguf {
    char *name;
    struct filemap map; /* not used when opened from memory */
    bool mapped;
    const uint8_t *data;
    size_t size;
    struct gguf_kv *kv;
    int n_kv, cap_kv;
    struct strmap *keys; /* key -> index in kv */
    struct gguf_tensor *tensor;
    int n_tensors, cap_tensors;
    struct strmap *names; /* tensor name -> index in tensor */
    uint64_t align;
};

const struct gguf_kv *gguf_find(const struct gguf *g, const char *key); /* or NULL */
/* "FILE: message"; always false. */
bool gguf_fail(const struct gguf *g, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
