/*
 * A GGUF file (versions 2 and 3): key-value metadata and tensors, mapped and checked. Nothing
 * here is trusted: counts, lengths, offsets and types are held against the file's size before
 * use, and memory is bounded by the file's size, not by its numbers.
 */
#ifndef GPTSCOPE_MODEL_GGUF_H
#define GPTSCOPE_MODEL_GGUF_H

#include "base/err.h"
#include "tensor/dtype.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gguf;

struct gguf *gguf_open(const char *path, struct err *err);
/* The same from memory that outlives it (the built-in models); name is used in messages. */
struct gguf *gguf_open_memory(const void *data, size_t size, const char *name, struct err *err);
void gguf_free(struct gguf *g);

/* Scalars of any integer type that fits. gguf_need_* fail when the key is missing, or has
 * another type, or is out of [lo, hi]; gguf_may_* leave *v alone when it is missing. */
bool gguf_has(const struct gguf *g, const char *key);
bool gguf_need_int(const struct gguf *g, const char *key, int64_t lo, int64_t hi, int64_t *v,
                   struct err *err);
bool gguf_may_int(const struct gguf *g, const char *key, int64_t lo, int64_t hi, int64_t *v,
                  struct err *err);
bool gguf_may_float(const struct gguf *g, const char *key, double *v, struct err *err);
bool gguf_may_bool(const struct gguf *g, const char *key, bool *v, struct err *err);

struct gguf_string {
    const char *bytes; /* borrowed from the file, not NUL-terminated, any bytes */
    size_t len;
};
bool gguf_need_string(const struct gguf *g, const char *key, struct gguf_string *v,
                      struct err *err);
bool gguf_may_string(const struct gguf *g, const char *key, struct gguf_string *v,
                     struct err *err);

/* Arrays: the count is known to fit the file. *strings is yours (free). */
bool gguf_need_strings(const struct gguf *g, const char *key, struct gguf_string **strings,
                       size_t *n, struct err *err);
bool gguf_may_strings(const struct gguf *g, const char *key, struct gguf_string **strings,
                      size_t *n, struct err *err);
bool gguf_may_floats(const struct gguf *g, const char *key, float **v, size_t *n,
                     struct err *err); /* f32 arrays; *v yours; *v NULL when missing */
bool gguf_may_ints(const struct gguf *g, const char *key, int32_t **v, size_t *n,
                   struct err *err); /* i32 or u32 arrays; likewise */

/* The count of an array of any type; false, and *n alone, when there is no such array. */
bool gguf_array_count(const struct gguf *g, const char *key, uint64_t *n);

struct gguf_tensor {
    struct gguf_string name;
    enum dtype dtype;
    int n_dims;
    uint64_t dim[4]; /* dim[0] is contiguous (ggml's ne) */
    const void *data;
    uint64_t bytes, offset; /* offset in the file, for messages */
};
int gguf_n_tensors(const struct gguf *g);
const struct gguf_tensor *gguf_tensor(const struct gguf *g, int i);
const struct gguf_tensor *gguf_find_tensor(const struct gguf *g,
                                           const char *name); /* or NULL */

#endif
