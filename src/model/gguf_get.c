#include "model/gguf_file.h"

#include "base/cursor.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

const struct gguf_kv *gguf_find(const struct gguf *g, const char *key)
{
    int i = strmap_find(g->keys, key, strlen(key));

    return i < 0 ? NULL : &g->kv[i];
}

bool gguf_has(const struct gguf *g, const char *key)
{
    return gguf_find(g, key) != NULL;
}

static bool missing(const struct gguf *g, const char *key, struct err *err)
{
    return gguf_fail(g, err, "key '%s' is missing", key);
}

static bool wrong_type(const struct gguf *g, const char *key, const struct gguf_kv *kv,
                       const char *wanted, struct err *err)
{
    bool array = kv->type == GGUF_ARRAY;

    return gguf_fail(g, err, "key '%s' has type %s%s, not %s", key, array ? "array of " : "",
                     gguf_type_table[array ? kv->element : kv->type].name, wanted);
}

/* The little-endian bytes of a scalar as an unsigned number. */
static uint64_t raw_bits(const uint8_t *at, unsigned size)
{
    uint64_t v = 0;
    unsigned i;

    for (i = 0; i < size; i++)
        v |= (uint64_t) at[i] << (8 * i);
    return v;
}

static float f32_at(const uint8_t *at)
{
    uint32_t bits = (uint32_t) raw_bits(at, 4);
    float v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static double f64_at(const uint8_t *at)
{
    uint64_t bits = raw_bits(at, 8);
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static bool is_signed(enum gguf_type type)
{
    return type == GGUF_I8 || type == GGUF_I16 || type == GGUF_I32 || type == GGUF_I64;
}

static bool is_unsigned(enum gguf_type type)
{
    return type == GGUF_U8 || type == GGUF_U16 || type == GGUF_U32 || type == GGUF_U64;
}

static bool int_of(const struct gguf *g, const char *key, const struct gguf_kv *kv, int64_t lo,
                   int64_t hi, int64_t *v, struct err *err)
{
    unsigned size = gguf_type_table[kv->type].size;
    uint64_t bits;
    int64_t n;

    if (!is_signed(kv->type) && !is_unsigned(kv->type))
        return wrong_type(g, key, kv, "an integer", err);
    bits = raw_bits(kv->at, size);
    if (is_signed(kv->type)) {
        /* Sign extension without shifting a negative number. */
        uint64_t sign = (uint64_t) 1 << (8 * size - 1);
        n = (int64_t) ((bits ^ sign) - sign);
    } else if (bits > INT64_MAX) {
        return gguf_fail(g, err, "key '%s' is %llu, not in %lld..%lld", key,
                         (unsigned long long) bits, (long long) lo, (long long) hi);
    } else {
        n = (int64_t) bits;
    }
    if (n < lo || n > hi)
        return gguf_fail(g, err, "key '%s' is %lld, not in %lld..%lld", key, (long long) n,
                         (long long) lo, (long long) hi);
    *v = n;
    return true;
}

bool gguf_may_int(const struct gguf *g, const char *key, int64_t lo, int64_t hi, int64_t *v,
                  struct err *err)
{
    const struct gguf_kv *kv = gguf_find(g, key);

    return !kv || int_of(g, key, kv, lo, hi, v, err);
}

bool gguf_need_int(const struct gguf *g, const char *key, int64_t lo, int64_t hi, int64_t *v,
                   struct err *err)
{
    if (!gguf_has(g, key))
        return missing(g, key, err);
    return gguf_may_int(g, key, lo, hi, v, err);
}

bool gguf_may_float(const struct gguf *g, const char *key, double *v, struct err *err)
{
    const struct gguf_kv *kv = gguf_find(g, key);

    if (!kv)
        return true;
    if (kv->type == GGUF_F32)
        *v = f32_at(kv->at);
    else if (kv->type == GGUF_F64)
        *v = f64_at(kv->at);
    else
        return wrong_type(g, key, kv, "f32 or f64", err);
    return true;
}

bool gguf_may_bool(const struct gguf *g, const char *key, bool *v, struct err *err)
{
    const struct gguf_kv *kv = gguf_find(g, key);

    if (!kv)
        return true;
    if (kv->type != GGUF_BOOL)
        return wrong_type(g, key, kv, "bool", err);
    *v = *kv->at != 0;
    return true;
}

bool gguf_may_string(const struct gguf *g, const char *key, struct gguf_string *v,
                     struct err *err)
{
    const struct gguf_kv *kv = gguf_find(g, key);

    if (!kv)
        return true;
    if (kv->type != GGUF_STRING)
        return wrong_type(g, key, kv, "string", err);
    v->bytes = (const char *) kv->at;
    v->len = (size_t) kv->count;
    return true;
}

bool gguf_need_string(const struct gguf *g, const char *key, struct gguf_string *v,
                      struct err *err)
{
    if (!gguf_has(g, key))
        return missing(g, key, err);
    return gguf_may_string(g, key, v, err);
}

bool gguf_array_count(const struct gguf *g, const char *key, uint64_t *n)
{
    const struct gguf_kv *kv = gguf_find(g, key);

    if (!kv || kv->type != GGUF_ARRAY)
        return false;
    *n = kv->count;
    return true;
}

bool gguf_may_strings(const struct gguf *g, const char *key, struct gguf_string **strings,
                      size_t *n, struct err *err)
{
    const struct gguf_kv *kv = gguf_find(g, key);
    struct cursor c;
    size_t i;

    *strings = NULL;
    *n = 0;
    if (!kv)
        return true;
    if (kv->type != GGUF_ARRAY || kv->element != GGUF_STRING)
        return wrong_type(g, key, kv, "array of string", err);
    *n = (size_t) kv->count;
    *strings = xcalloc(*n + 1, sizeof **strings);
    cursor_init(&c, kv->at, (size_t) (g->data + g->size - kv->at));
    for (i = 0; i < *n; i++) {
        struct gguf_string *s = &(*strings)[i];
        uint64_t len = 0;
        const uint8_t *bytes = NULL;

        cursor_u64(&c, &len); /* all were read once, when the file was opened */
        cursor_bytes(&c, len, &bytes);
        s->bytes = (const char *) bytes;
        s->len = (size_t) len;
    }
    return true;
}

bool gguf_need_strings(const struct gguf *g, const char *key, struct gguf_string **strings,
                       size_t *n, struct err *err)
{
    *strings = NULL;
    *n = 0;
    if (!gguf_has(g, key))
        return missing(g, key, err);
    return gguf_may_strings(g, key, strings, n, err);
}

bool gguf_may_floats(const struct gguf *g, const char *key, float **v, size_t *n,
                     struct err *err)
{
    const struct gguf_kv *kv = gguf_find(g, key);
    size_t i;

    *v = NULL;
    *n = 0;
    if (!kv)
        return true;
    if (kv->type != GGUF_ARRAY || kv->element != GGUF_F32)
        return wrong_type(g, key, kv, "array of f32", err);
    *n = (size_t) kv->count;
    *v = xcalloc(*n + 1, sizeof **v);
    for (i = 0; i < *n; i++)
        (*v)[i] = f32_at(kv->at + 4 * i);
    return true;
}

bool gguf_may_ints(const struct gguf *g, const char *key, int32_t **v, size_t *n,
                   struct err *err)
{
    const struct gguf_kv *kv = gguf_find(g, key);
    size_t i;

    *v = NULL;
    *n = 0;
    if (!kv)
        return true;
    if (kv->type != GGUF_ARRAY || (kv->element != GGUF_I32 && kv->element != GGUF_U32))
        return wrong_type(g, key, kv, "array of i32 or u32", err);
    *v = xcalloc((size_t) kv->count + 1, sizeof **v);
    for (i = 0; i < kv->count; i++) {
        uint32_t bits = (uint32_t) raw_bits(kv->at + 4 * i, 4);
        if (kv->element == GGUF_U32 && bits > INT32_MAX) {
            free(*v);
            *v = NULL;
            return gguf_fail(g, err, "key '%s': element %zu is %u, too large", key, i,
                             (unsigned) bits);
        }
        memcpy(&(*v)[i], &bits, sizeof bits);
    }
    *n = (size_t) kv->count;
    return true;
}

int gguf_n_tensors(const struct gguf *g)
{
    return g->n_tensors;
}

const struct gguf_tensor *gguf_tensor(const struct gguf *g, int i)
{
    return i < 0 || i >= g->n_tensors ? NULL : &g->tensor[i];
}

const struct gguf_tensor *gguf_find_tensor(const struct gguf *g, const char *name)
{
    return gguf_tensor(g, strmap_find(g->names, name, strlen(name)));
}
