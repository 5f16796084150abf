#include "model/gguf.h"

#include "base/cursor.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/utf8.h"
#include "model/gguf_file.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 *   "GGUF" u32 version  u64 n_tensors  u64 n_kv
 *   n_kv times:      string key  u32 type  value
 *   n_tensors times: string name  u32 n_dims  u64 dim[n_dims]  u32 type  u64 offset
 *   padding to the alignment
 *   tensor data; offsets count from here
 *
 * string: u64 length, bytes. array: u32 element type, u64 count, elements.
 */
#define MAX_NESTING  4           /* arrays in arrays; no known file has any */
#define MAX_ALIGN    (1u << 20)  /* of tensor data */
#define MIN_KV       (8 + 4 + 1) /* bytes that the shortest entry takes in the file */
#define MIN_TENSOR   (8 + 4 + 8 + 4 + 8)
#define SHOWN_LENGTH 80 /* bytes of a name from the file that a message shows */

// clang-format off
const struct gguf_type_info gguf_type_table[GGUF_TYPES] = {
    [GGUF_U8]     = {"u8", 1},      [GGUF_I8]    = {"i8", 1},
    [GGUF_U16]    = {"u16", 2},     [GGUF_I16]   = {"i16", 2},
    [GGUF_U32]    = {"u32", 4},     [GGUF_I32]   = {"i32", 4},
    [GGUF_F32]    = {"f32", 4},     [GGUF_BOOL]  = {"bool", 1},
    [GGUF_STRING] = {"string", 0},  [GGUF_ARRAY] = {"array", 0},
    [GGUF_U64]    = {"u64", 8},     [GGUF_I64]   = {"i64", 8},
    [GGUF_F64]    = {"f64", 8},
};

/* Tensor types by their number in the file; those without a dtype can't be read yet. */
static const struct {
    const char *name;
    int dtype; /* -1: not supported */
} tensor_type[] = {
    [0]  = {"F32", DTYPE_F32},   [1]  = {"F16", DTYPE_F16},   [2]  = {"Q4_0", -1},
    [3]  = {"Q4_1", -1},         [6]  = {"Q5_0", -1},         [7]  = {"Q5_1", -1},
    [8]  = {"Q8_0", DTYPE_Q8_0}, [9]  = {"Q8_1", -1},         [10] = {"Q2_K", -1},
    [11] = {"Q3_K", -1},         [12] = {"Q4_K", -1},         [13] = {"Q5_K", -1},
    [14] = {"Q6_K", -1},         [15] = {"Q8_K", -1},         [16] = {"IQ2_XXS", -1},
    [17] = {"IQ2_XS", -1},       [18] = {"IQ3_XXS", -1},      [19] = {"IQ1_S", -1},
    [20] = {"IQ4_NL", -1},       [21] = {"IQ3_S", -1},        [22] = {"IQ2_S", -1},
    [23] = {"IQ4_XS", -1},       [24] = {"I8", -1},           [25] = {"I16", -1},
    [26] = {"I32", -1},          [27] = {"I64", -1},          [28] = {"F64", -1},
    [29] = {"IQ1_M", -1},        [30] = {"BF16", DTYPE_BF16}, [34] = {"TQ1_0", -1},
    [35] = {"TQ2_0", -1},        [39] = {"MXFP4", -1},
};
// clang-format on
#define N_TENSOR_TYPES (sizeof tensor_type / sizeof tensor_type[0])

bool gguf_fail(const struct gguf *g, struct err *err, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(err, "%s", text);
    return path_add(err, g->name);
}

static int shown(struct gguf_string s)
{
    return s.len < SHOWN_LENGTH ? (int) s.len : SHOWN_LENGTH;
}

static bool fail_end(const struct gguf *g, const struct cursor *c, const char *what,
                     struct err *err)
{
    return gguf_fail(g, err,
                     "%s at byte %zu reaches past the end of the file (%zu bytes); the file "
                     "is cut short or damaged",
                     what, c->at, g->size);
}

static bool read_string(struct cursor *c, struct gguf_string *s)
{
    uint64_t n;
    const uint8_t *bytes;

    if (!cursor_u64(c, &n) || !cursor_bytes(c, n, &bytes))
        return false;
    s->bytes = (const char *) bytes;
    s->len = (size_t) n;
    return true;
}

/* A key or tensor name: it is compared and shown, so it has to be plain text. */
static bool read_name(struct gguf *g, struct cursor *c, struct gguf_string *s, const char *what,
                      struct err *err)
{
    size_t at = c->at;

    if (!read_string(c, s))
        return fail_end(g, c, what, err);
    if (s->len == 0 || memchr(s->bytes, 0, s->len) || !utf8_valid(s->bytes, s->len))
        return gguf_fail(g, err, "the %s at byte %zu is empty or not UTF-8 text", what, at);
    return true;
}

/* --- metadata --- */

static bool read_array(struct gguf *g, struct cursor *c, struct gguf_kv *kv, int depth,
                       struct err *err)
{
    uint32_t element;
    uint64_t count, i;
    size_t at = c->at;
    struct gguf_string s;
    const uint8_t *bytes;

    if (!cursor_u32(c, &element) || !cursor_u64(c, &count))
        return fail_end(g, c, "an array's header", err);
    if (element >= GGUF_TYPES)
        return gguf_fail(g, err, "key '%.*s': unknown array element type %u at byte %zu",
                         shown(kv->key), kv->key.bytes, (unsigned) element, at);
    kv->element = (enum gguf_type) element;
    kv->count = count;
    kv->at = c->data + c->at;
    if (element == GGUF_STRING) {
        for (i = 0; i < count; i++)
            if (!read_string(c, &s))
                return fail_end(g, c, "a string of an array", err);
    } else if (element == GGUF_ARRAY) {
        if (depth == MAX_NESTING)
            return gguf_fail(g, err, "key '%.*s': arrays nested deeper than %d at byte %zu",
                             shown(kv->key), kv->key.bytes, MAX_NESTING, at);
        for (i = 0; i < count; i++) {
            struct gguf_kv inner = {.key = kv->key};
            if (!read_array(g, c, &inner, depth + 1, err))
                return false;
        }
    } else {
        unsigned size = gguf_type_table[element].size;
        if (count > cursor_left(c) / size || !cursor_bytes(c, count * size, &bytes))
            return fail_end(g, c, "an array", err);
    }
    return true;
}

static bool read_value(struct gguf *g, struct cursor *c, struct gguf_kv *kv, struct err *err)
{
    struct gguf_string s;

    if (kv->type == GGUF_ARRAY)
        return read_array(g, c, kv, 1, err);
    if (kv->type == GGUF_STRING) {
        if (!read_string(c, &s))
            return fail_end(g, c, "a string value", err);
        kv->at = (const uint8_t *) s.bytes;
        kv->count = s.len;
        return true;
    }
    if (!cursor_bytes(c, gguf_type_table[kv->type].size, &kv->at))
        return fail_end(g, c, "a value", err);
    if (kv->type == GGUF_BOOL && *kv->at > 1)
        return gguf_fail(g, err, "key '%.*s': a bool is %u, not 0 or 1", shown(kv->key),
                         kv->key.bytes, *kv->at);
    return true;
}

static bool read_kv(struct gguf *g, struct cursor *c, struct err *err)
{
    struct gguf_kv kv = {0};
    uint32_t type;
    size_t at;

    if (!read_name(g, c, &kv.key, "key", err))
        return false;
    at = c->at;
    if (!cursor_u32(c, &type))
        return fail_end(g, c, "a value's type", err);
    if (type >= GGUF_TYPES)
        return gguf_fail(g, err, "key '%.*s': unknown value type %u at byte %zu", shown(kv.key),
                         kv.key.bytes, (unsigned) type, at);
    kv.type = (enum gguf_type) type;
    if (!read_value(g, c, &kv, err))
        return false;
    if (!strmap_add(g->keys, kv.key.bytes, kv.key.len, g->n_kv))
        return gguf_fail(g, err, "key '%.*s' is there twice", shown(kv.key), kv.key.bytes);
    VEC_ROOM(g->kv, g->n_kv, g->cap_kv);
    g->kv[g->n_kv++] = kv;
    return true;
}

static bool read_align(struct gguf *g, struct err *err)
{
    int64_t align = 32;

    if (!gguf_may_int(g, "general.alignment", 8, MAX_ALIGN, &align, err))
        return false;
    if (align & (align - 1))
        return gguf_fail(g, err, "general.alignment is %lld, not a power of two",
                         (long long) align);
    g->align = (uint64_t) align;
    return true;
}

/* --- tensors --- */

static bool tensor_fail(const struct gguf *g, const struct gguf_tensor *t, struct err *err,
                        const char *what)
{
    return gguf_fail(g, err, "tensor '%.*s': %s", shown(t->name), t->name.bytes, what);
}

static bool read_dims(struct gguf *g, struct cursor *c, struct gguf_tensor *t, struct err *err)
{
    uint32_t n_dims;
    uint64_t n = 1;
    int i;

    if (!cursor_u32(c, &n_dims))
        return fail_end(g, c, "a tensor's number of dimensions", err);
    if (n_dims < 1 || n_dims > 4)
        return gguf_fail(g, err, "tensor '%.*s' has %u dimensions, not 1 to 4", shown(t->name),
                         t->name.bytes, (unsigned) n_dims);
    t->n_dims = (int) n_dims;
    for (i = 0; i < 4; i++)
        t->dim[i] = 1;
    for (i = 0; i < t->n_dims; i++) {
        if (!cursor_u64(c, &t->dim[i]))
            return fail_end(g, c, "a tensor's dimension", err);
        if (t->dim[i] == 0)
            return tensor_fail(g, t, err, "a dimension is 0");
        /* An element takes more than a bit, so this bound is generous and can't wrap. */
        if (t->dim[i] > (uint64_t) g->size * 8 / n)
            return tensor_fail(g, t, err, "it has more elements than the file has room for");
        n *= t->dim[i];
    }
    return true;
}

static bool read_type(struct gguf *g, struct cursor *c, struct gguf_tensor *t, struct err *err)
{
    uint32_t type;
    const struct dtype_info *info;
    uint64_t n = t->dim[0] * t->dim[1] * t->dim[2] * t->dim[3];

    if (!cursor_u32(c, &type))
        return fail_end(g, c, "a tensor's type", err);
    if (type >= N_TENSOR_TYPES || !tensor_type[type].name)
        return gguf_fail(g, err, "tensor '%.*s' has the unknown type %u", shown(t->name),
                         t->name.bytes, (unsigned) type);
    if (tensor_type[type].dtype < 0)
        return gguf_fail(g, err,
                         "tensor '%.*s' has type %s, which is not supported yet; convert the "
                         "file to F16 or Q8_0",
                         shown(t->name), t->name.bytes, tensor_type[type].name);
    t->dtype = (enum dtype) tensor_type[type].dtype;
    info = dtype_info(t->dtype);
    if (t->dim[0] % (unsigned) info->block)
        return gguf_fail(g, err, "tensor '%.*s': rows of %llu are not whole blocks of %d (%s)",
                         shown(t->name), t->name.bytes, (unsigned long long) t->dim[0],
                         info->block, info->name);
    t->bytes = n / (unsigned) info->block * (unsigned) info->bytes;
    return true;
}

static bool read_tensor(struct gguf *g, struct cursor *c, struct err *err)
{
    struct gguf_tensor t = {0};

    if (!read_name(g, c, &t.name, "tensor name", err) || !read_dims(g, c, &t, err) ||
        !read_type(g, c, &t, err))
        return false;
    if (!cursor_u64(c, &t.offset))
        return fail_end(g, c, "a tensor's offset", err);
    if (t.offset % g->align)
        return tensor_fail(g, &t, err, "its offset is not a multiple of the alignment");
    if (!strmap_add(g->names, t.name.bytes, t.name.len, g->n_tensors))
        return tensor_fail(g, &t, err, "there are two of this name");
    VEC_ROOM(g->tensor, g->n_tensors, g->cap_tensors);
    g->tensor[g->n_tensors++] = t;
    return true;
}

static int by_offset(const void *a, const void *b)
{
    const struct gguf_tensor *x = *(const struct gguf_tensor *const *) a;
    const struct gguf_tensor *y = *(const struct gguf_tensor *const *) b;

    return (x->offset > y->offset) - (x->offset < y->offset);
}

static bool check_overlap(const struct gguf *g, struct err *err)
{
    const struct gguf_tensor **order = xcalloc((size_t) g->n_tensors + 1, sizeof *order);
    bool ok = true;
    int i;

    for (i = 0; i < g->n_tensors; i++)
        order[i] = &g->tensor[i];
    if (g->n_tensors)
        qsort(order, (size_t) g->n_tensors, sizeof *order, by_offset);
    for (i = 1; ok && i < g->n_tensors; i++)
        if (order[i]->offset - order[i - 1]->offset < order[i - 1]->bytes)
            ok = gguf_fail(g, err, "tensors '%.*s' and '%.*s' overlap (byte %llu)",
                           shown(order[i - 1]->name), order[i - 1]->name.bytes,
                           shown(order[i]->name), order[i]->name.bytes,
                           (unsigned long long) order[i]->offset);
    free(order);
    return ok;
}

/* From offsets in the data section to pointers; `begin` is where that section starts. */
static bool place_tensors(struct gguf *g, size_t begin, struct err *err)
{
    size_t room;
    int i;

    if (g->n_tensors == 0)
        return true;
    begin += (size_t) (-(uint64_t) begin & (g->align - 1));
    room = begin < g->size ? g->size - begin : 0;
    for (i = 0; i < g->n_tensors; i++) {
        struct gguf_tensor *t = &g->tensor[i];
        if (t->offset > room || t->bytes > room - t->offset)
            return gguf_fail(g, err,
                             "the data of tensor '%.*s' (%llu bytes, offset %llu) reaches past "
                             "the end of the file; it is cut short or damaged",
                             shown(t->name), t->name.bytes, (unsigned long long) t->bytes,
                             (unsigned long long) t->offset);
        t->offset += begin;
        t->data = g->data + t->offset;
    }
    return check_overlap(g, err);
}

/* --- the file --- */

static bool read_version(struct gguf *g, struct cursor *c, struct err *err)
{
    const uint8_t *magic;
    uint32_t version;

    if (!cursor_bytes(c, 4, &magic) || memcmp(magic, "GGUF", 4) != 0)
        return gguf_fail(g, err, "not a GGUF file (it does not begin with \"GGUF\")");
    if (!cursor_u32(c, &version))
        return fail_end(g, c, "the version", err);
    if (version != 0 && (version & 0xffff) == 0)
        return gguf_fail(g, err, "a big-endian GGUF file, which is not supported");
    if (version < 2 || version > 3)
        return gguf_fail(g, err, "GGUF version %u is not supported, only 2 and 3",
                         (unsigned) version);
    return true;
}

static bool read_file(struct gguf *g, struct err *err)
{
    struct cursor c;
    uint64_t n_tensors, n_kv, i;

    cursor_init(&c, g->data, g->size);
    if (!read_version(g, &c, err))
        return false;
    if (!cursor_u64(&c, &n_tensors) || !cursor_u64(&c, &n_kv))
        return fail_end(g, &c, "the header", err);
    if (n_kv > cursor_left(&c) / MIN_KV || n_kv > INT_MAX)
        return gguf_fail(g, err,
                         "the header claims %llu keys, more than the file holds; it is "
                         "cut short or damaged",
                         (unsigned long long) n_kv);
    if (n_tensors > cursor_left(&c) / MIN_TENSOR || n_tensors > INT_MAX)
        return gguf_fail(g, err,
                         "the header claims %llu tensors, more than the file holds; it "
                         "is cut short or damaged",
                         (unsigned long long) n_tensors);
    g->keys = strmap_new((size_t) n_kv);
    for (i = 0; i < n_kv; i++)
        if (!read_kv(g, &c, err))
            return false;
    if (!read_align(g, err))
        return false;
    g->names = strmap_new((size_t) n_tensors);
    for (i = 0; i < n_tensors; i++)
        if (!read_tensor(g, &c, err))
            return false;
    return place_tensors(g, c.at, err);
}

static struct gguf *finish(struct gguf *g, struct err *err)
{
    if (read_file(g, err))
        return g;
    gguf_free(g);
    return NULL;
}

static struct gguf *new_gguf(const char *name)
{
    struct gguf *g = xcalloc(1, sizeof *g);

    g->name = xstrdup(name);
    return g;
}

struct gguf *gguf_open(const char *path, struct err *err)
{
    struct gguf *g = new_gguf(path);

    if (!filemap_open(&g->map, path, err)) {
        gguf_free(g);
        return NULL;
    }
    g->mapped = true;
    g->data = g->map.data;
    g->size = g->map.size;
    return finish(g, err);
}

struct gguf *gguf_open_memory(const void *data, size_t size, const char *name, struct err *err)
{
    struct gguf *g = new_gguf(name);

    g->data = data;
    g->size = size;
    return finish(g, err);
}

void gguf_free(struct gguf *g)
{
    if (!g)
        return;
    if (g->mapped)
        filemap_release(&g->map);
    strmap_free(g->keys);
    strmap_free(g->names);
    free(g->kv);
    free(g->tensor);
    free(g->name);
    free(g);
}
