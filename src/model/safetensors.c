#include "model/safetensors.h"

#include "base/cursor.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/strmap.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 *   u64 header length   header: a JSON object, spaces at its end   tensor data
 *   {"NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...,
 *    "__metadata__": {"KEY": "TEXT", ...}}
 * Offsets count from the end of the header. The tensors cover all of the data, each byte once.
 */
#define MAX_HEADER ((uint64_t) 32 << 20) /* of the largest models: about 10 MB */
#define MAX_INDEX  ((size_t) 32 << 20)

struct shard {
    struct filemap map;
    json_t *header; /* tensor names are borrowed from its keys */
};

struct safetensors {
    struct shard *shard;
    int n_shards, cap_shards;
    struct st_tensor *tensor;
    int n, cap;
    struct strmap *names;
};

/* A file being read. */
struct reading {
    struct safetensors *st;
    const char *file; /* for messages */
    const uint8_t *data;
    uint64_t size; /* of the data section */
    int first;     /* its tensors are those from here on */
};

static bool fail(const struct reading *r, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(const struct reading *r, struct err *err, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(err, "%s", text);
    return path_add(err, r->file);
}

/* --- one tensor --- */

static const struct {
    const char *name;
    unsigned bits;
    enum st_dtype dtype;
} dtypes[] = {
    {"F32", 32, ST_F32},   {"F16", 16, ST_F16},      {"BF16", 16, ST_BF16},
    {"F64", 64, ST_OTHER}, {"I64", 64, ST_OTHER},    {"I32", 32, ST_OTHER},
    {"I16", 16, ST_OTHER}, {"I8", 8, ST_OTHER},      {"U64", 64, ST_OTHER},
    {"U32", 32, ST_OTHER}, {"U16", 16, ST_OTHER},    {"U8", 8, ST_OTHER},
    {"BOOL", 8, ST_OTHER}, {"F8_E4M3", 8, ST_OTHER}, {"F8_E5M2", 8, ST_OTHER},
    {"C64", 64, ST_OTHER},
};

static bool read_dtype(const struct reading *r, const json_t *o, struct st_tensor *t,
                       unsigned *bits, struct err *err)
{
    const char *name;
    size_t i;

    if (!json_need_string(o, "dtype", &name, err)) {
        err_add(err, "tensor '%s'", t->name);
        return path_add(err, r->file);
    }
    for (i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (strcmp(dtypes[i].name, name) == 0) {
            t->dtype = dtypes[i].dtype;
            *bits = dtypes[i].bits;
            snprintf(t->dtype_name, sizeof t->dtype_name, "%s", name);
            return true;
        }
    return fail(r, err, "tensor '%s': unknown dtype '%s'", t->name, name);
}

/* A list of at most `most` whole numbers >= 0. */
static bool read_numbers(const json_t *o, const char *key, int most, int64_t *v, int *n)
{
    const json_t *list = json_object_get(o, key);
    size_t i;

    if (!json_is_array(list) || json_array_size(list) > (size_t) most)
        return false;
    *n = (int) json_array_size(list);
    for (i = 0; i < json_array_size(list); i++) {
        const json_t *x = json_array_get(list, i);
        if (!json_is_integer(x) || json_integer_value(x) < 0)
            return false;
        v[i] = json_integer_value(x);
    }
    return true;
}

static bool read_tensor(struct reading *r, const char *name, const json_t *o, struct err *err)
{
    struct st_tensor t = {.name = name};
    int64_t offsets[2], bytes = 1;
    unsigned bits = 0;
    int i, n_offsets;

    if (!json_is_object(o))
        return fail(r, err, "tensor '%s': its entry is not an object", name);
    if (!read_dtype(r, o, &t, &bits, err))
        return false;
    if (!read_numbers(o, "shape", 8, t.dim, &t.n_dims))
        return fail(r, err, "tensor '%s': 'shape' is not a list of up to 8 whole numbers",
                    name);
    if (!read_numbers(o, "data_offsets", 2, offsets, &n_offsets) || n_offsets != 2 ||
        offsets[0] > offsets[1])
        return fail(r, err, "tensor '%s': 'data_offsets' is not a pair [begin, end]", name);
    if ((uint64_t) offsets[1] > r->size)
        return fail(r, err,
                    "tensor '%s' ends at byte %" PRId64 " of %" PRIu64
                    " bytes of data; the file is cut short or damaged",
                    name, offsets[1], r->size);
    bytes = bits / 8;
    for (i = 0; i < t.n_dims; i++)
        if (__builtin_mul_overflow(bytes, t.dim[i], &bytes))
            return fail(r, err, "tensor '%s': its shape is too large", name);
    if (bytes != offsets[1] - offsets[0])
        return fail(r, err,
                    "tensor '%s': %" PRId64 " bytes of data do not fit its shape (%" PRId64 ")",
                    name, offsets[1] - offsets[0], bytes);
    t.bytes = (uint64_t) bytes;
    t.data = r->data + offsets[0];
    if (!strmap_add(r->st->names, name, strlen(name), r->st->n))
        return fail(r, err, "tensor '%s' is there twice", name);
    VEC_ROOM(r->st->tensor, r->st->n, r->st->cap);
    r->st->tensor[r->st->n++] = t;
    return true;
}

/* --- one file --- */

static int by_place(const void *a, const void *b)
{
    const struct st_tensor *x = *(const struct st_tensor *const *) a;
    const struct st_tensor *y = *(const struct st_tensor *const *) b;

    if (x->data != y->data)
        return (const uint8_t *) x->data < (const uint8_t *) y->data ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* Every byte of the data belongs to exactly one tensor. */
static bool check_cover(const struct reading *r, struct err *err)
{
    int i, n = r->st->n - r->first;
    const struct st_tensor **order = xcalloc((size_t) n + 1, sizeof *order);
    uint64_t at = 0;
    bool ok = true;

    for (i = 0; i < n; i++)
        order[i] = &r->st->tensor[r->first + i];
    if (n)
        qsort(order, (size_t) n, sizeof *order, by_place);
    for (i = 0; ok && i < n; i++) {
        uint64_t begin = (uint64_t) ((const uint8_t *) order[i]->data - r->data);
        if (begin != at)
            ok = fail(r, err, "tensor '%s' %s (data byte %" PRIu64 ")", order[i]->name,
                      begin < at ? "overlaps another one" : "leaves a hole before it", begin);
        at = begin + order[i]->bytes;
    }
    if (ok && at != r->size)
        ok = fail(r, err, "the last %" PRIu64 " bytes of the file belong to no tensor",
                  r->size - at);
    free(order);
    return ok;
}

static bool check_metadata(const struct reading *r, json_t *meta, struct err *err)
{
    const char *key;
    json_t *value;

    if (!json_is_object(meta))
        return fail(r, err, "'__metadata__' is not an object");
    json_object_foreach(meta, key, value) if (!json_is_string(value)) return fail(
        r, err, "'__metadata__': the value of '%s' is not a string", key);
    return true;
}

static bool read_header(struct reading *r, const struct shard *s, struct err *err)
{
    const char *name;
    json_t *entry;

    if (!json_is_object(s->header))
        return fail(r, err, "the header is not a JSON object");
    json_object_foreach(s->header, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0) {
            if (!check_metadata(r, entry, err))
                return false;
        } else if (!read_tensor(r, name, entry, err)) {
            return false;
        }
    }
    return check_cover(r, err);
}

static bool read_shard(struct safetensors *st, struct shard *s, const char *file,
                       struct err *err)
{
    struct reading r = {.st = st, .file = file, .first = st->n};
    struct cursor c;
    uint64_t n;
    const uint8_t *text;

    cursor_init(&c, s->map.data, s->map.size);
    if (!cursor_u64(&c, &n))
        return fail(&r, err, "not a safetensors file (shorter than 8 bytes)");
    if (n > MAX_HEADER)
        return fail(&r, err, "not a safetensors file (a header of %" PRIu64 " bytes)", n);
    if (!cursor_bytes(&c, n, &text))
        return fail(&r, err,
                    "the header (%" PRIu64
                    " bytes) reaches past the end of the file; it is cut short or damaged",
                    n);
    if (n == 0 || *text != '{')
        return fail(&r, err, "the header at byte 8 does not begin with '{'");
    s->header = json_parse((const char *) text, (size_t) n, err);
    if (!s->header) {
        err_add(err, "header");
        return path_add(err, file);
    }
    r.data = s->map.data + c.at;
    r.size = cursor_left(&c);
    return read_header(&r, s, err);
}

static struct shard *add_shard(struct safetensors *st, const char *file, struct err *err)
{
    struct shard s = {0};

    if (!filemap_open(&s.map, file, err))
        return NULL;
    VEC_ROOM(st->shard, st->n_shards, st->cap_shards);
    st->shard[st->n_shards++] = s;
    return read_shard(st, &st->shard[st->n_shards - 1], file, err)
               ? &st->shard[st->n_shards - 1]
               : NULL;
}

static struct safetensors *new_safetensors(void)
{
    struct safetensors *st = xcalloc(1, sizeof *st);

    st->names = strmap_new(256);
    return st;
}

struct safetensors *safetensors_open(const char *file, struct err *err)
{
    struct safetensors *st = new_safetensors();

    if (add_shard(st, file, err))
        return st;
    safetensors_free(st);
    return NULL;
}

/* --- shards --- */

/* A plain name inside the folder, so that an index can't reach other files. */
static bool plain_name(const char *name)
{
    return *name && *name != '.' && !strpbrk(name, "/\\");
}

/* A folder's index while it is being read. */
struct index {
    struct safetensors *st;
    const char *dir, *file;
    struct strmap *opened; /* shard name -> index in st->shard */
};

static bool open_mapped(struct index *x, const char *shard, struct err *err)
{
    char *file = file_join(x->dir, shard);
    bool ok;

    strmap_add(x->opened, shard, strlen(shard), x->st->n_shards);
    ok = add_shard(x->st, file, err) != NULL;
    free(file);
    return ok;
}

static bool read_mapped(struct index *x, const char *name, const char *shard, struct err *err)
{
    const struct st_tensor *t;
    const struct filemap *map;

    if (!shard || !plain_name(shard)) {
        err_set(err, "the shard of '%s' is not the name of a file in the folder", name);
        return path_add(err, x->file);
    }
    if (strmap_find(x->opened, shard, strlen(shard)) < 0 && !open_mapped(x, shard, err))
        return false;
    map = &x->st->shard[strmap_find(x->opened, shard, strlen(shard))].map;
    t = safetensors_find(x->st, name);
    if (t && (const uint8_t *) t->data >= map->data &&
        (const uint8_t *) t->data <= map->data + map->size)
        return true;
    err_set(err, "tensor '%s' is not in its shard '%s'", name, shard);
    return path_add(err, x->file);
}

static bool read_index(struct index *x, struct err *err)
{
    json_t *root = json_parse_file(x->file, MAX_INDEX, err), *map, *value;
    const char *name;
    bool ok = root != NULL;

    map = json_object_get(root, "weight_map");
    if (root && !json_is_object(map)) {
        err_set(err, "there is no object 'weight_map'");
        ok = path_add(err, x->file);
    }
    x->opened = strmap_new(64);
    json_object_foreach(map, name, value)
    {
        if (ok)
            ok = read_mapped(x, name, json_string_value(value), err);
    }
    strmap_free(x->opened);
    json_decref(root);
    return ok;
}

struct safetensors *safetensors_open_dir(const char *dir, struct err *err)
{
    char *file = file_join(dir, "model.safetensors");
    char *index = file_join(dir, "model.safetensors.index.json");
    struct safetensors *st = NULL;

    if (file_exists(file)) {
        st = safetensors_open(file, err);
    } else if (file_exists(index)) {
        struct index x = {.st = new_safetensors(), .dir = dir, .file = index};
        st = x.st;
        if (!read_index(&x, err)) {
            safetensors_free(st);
            st = NULL;
        }
    } else {
        err_set(err, "the folder has no model.safetensors and no model.safetensors.index.json");
        path_add(err, dir);
    }
    free(file);
    free(index);
    return st;
}

void safetensors_free(struct safetensors *st)
{
    int i;

    if (!st)
        return;
    for (i = 0; i < st->n_shards; i++) {
        json_decref(st->shard[i].header);
        filemap_release(&st->shard[i].map);
    }
    strmap_free(st->names);
    free(st->shard);
    free(st->tensor);
    free(st);
}

int safetensors_count(const struct safetensors *st)
{
    return st->n;
}

const struct st_tensor *safetensors_tensor(const struct safetensors *st, int i)
{
    return i < 0 || i >= st->n ? NULL : &st->tensor[i];
}

const struct st_tensor *safetensors_find(const struct safetensors *st, const char *name)
{
    return safetensors_tensor(st, strmap_find(st->names, name, strlen(name)));
}
