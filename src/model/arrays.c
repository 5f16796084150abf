#include "model/arrays.h"

#include "base/mem.h"
#include "base/path.h"
#include "model/arrays_parts.h"
#include "model/builtin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct array *arrays_add(struct arrays *a, struct array_place **place)
{
    if (a->n == a->cap) {
        a->cap = a->cap ? 2 * a->cap : 16;
        a->item = xrealloc(a->item, (size_t) a->cap, sizeof *a->item);
        a->place = xrealloc(a->place, (size_t) a->cap, sizeof *a->place);
    }
    memset(&a->item[a->n], 0, sizeof *a->item);
    memset(&a->place[a->n], 0, sizeof *a->place);
    *place = &a->place[a->n];
    return &a->item[a->n++];
}

/* --- safetensors --- */

static const struct {
    const char *name;
    enum array_type type;
    size_t item;
} st_types[] = {
    {"F64", ARRAY_F64, 8},   {"F32", ARRAY_F32, 4}, {"F16", ARRAY_F16, 2},
    {"BF16", ARRAY_BF16, 2}, {"I64", ARRAY_I64, 8}, {"I32", ARRAY_I32, 4},
    {"I16", ARRAY_I16, 2},   {"I8", ARRAY_I8, 1},   {"U64", ARRAY_U64, 8},
    {"U32", ARRAY_U32, 4},   {"U16", ARRAY_U16, 2}, {"U8", ARRAY_U8, 1},
    {"BOOL", ARRAY_U8, 1},
};

static void add_tensor(struct arrays *a, const struct st_tensor *t)
{
    struct array_place *place;
    struct array *x = arrays_add(a, &place);
    x->name = t->name;
    x->type = ARRAY_OTHER;
    x->refused = "numbers of a format that is not known here";
    x->count = 1;
    snprintf(x->type_name, sizeof x->type_name, "%s", t->dtype_name);
    for (size_t i = 0; i < sizeof st_types / sizeof *st_types; i++) {
        if (strcmp(st_types[i].name, t->dtype_name) == 0) {
            x->type = st_types[i].type;
            x->item = st_types[i].item;
            x->refused = NULL;
        }
    }
    x->n_dims = t->n_dims;
    for (int i = 0; i < t->n_dims; i++) {
        x->dim[i] = t->dim[i];
        x->count *= (size_t) t->dim[i]; /* held against the bytes by its reader */
    }
    place->data = t->data;
    place->bytes = t->bytes;
}

static bool open_safetensors(struct arrays *a, struct err *err)
{
    a->st = safetensors_open(a->path, err);
    if (!a->st)
        return false;
    for (int i = 0; i < safetensors_count(a->st); i++)
        add_tensor(a, safetensors_tensor(a->st, i));
    return true;
}

/* --- npy --- */

static bool open_npy(struct arrays *a, const char *name, struct err *err)
{
    if (!filemap_open(&a->map, a->path, err))
        return false;
    a->mapped = a->npy = true;
    struct array_place *place;
    struct array *x = arrays_add(a, &place);
    size_t header = npy_header(x, a->map.data, a->map.size, err);
    if (!header)
        return path_add(err, a->path);
    place->name = xstrdup(name ? name : "");
    x->name = place->name;
    place->data = a->map.data + header;
    place->bytes = (uint64_t) x->count * x->item;
    if (x->item && a->map.size - header != place->bytes) {
        err_set(err, "%zu bytes of data do not fit its shape (%llu)", a->map.size - header,
                (unsigned long long) place->bytes);
        return path_add(err, a->path);
    }
    return true;
}

/* --- what a file is --- */

enum magic { MAGIC_OTHER, MAGIC_NPY, MAGIC_ZIP, MAGIC_SAFETENSORS, MAGIC_GGUF, MAGIC_NONE };

static enum magic magic_of(const char *path, struct err *err)
{
    struct filemap map;
    enum magic magic = MAGIC_OTHER;
    if (!filemap_open(&map, path, err))
        return MAGIC_NONE;
    const uint8_t *b = map.data;
    if (map.size >= 6 && memcmp(b, "\x93NUMPY", 6) == 0)
        magic = MAGIC_NPY;
    else if (map.size >= 4 && (memcmp(b, "PK\3\4", 4) == 0 || memcmp(b, "PK\5\6", 4) == 0))
        magic = MAGIC_ZIP;
    else if (map.size >= 4 && memcmp(b, "GGUF", 4) == 0)
        magic = MAGIC_GGUF;
    else if (map.size >= 10 && b[8] == '{' && !b[6] && !b[7])
        magic = MAGIC_SAFETENSORS;
    filemap_release(&map);
    return magic;
}

static bool not_a_dump(const char *path, enum magic magic, struct err *err)
{
    if (magic == MAGIC_NONE)
        return false;
    if (magic == MAGIC_GGUF)
        err_set(err, "a GGUF file holds weights, not values of a pass");
    else
        err_set(err, "not a dump: neither npz, npy nor safetensors by its first bytes");
    return path_add(err, path);
}

struct arrays *arrays_open(const char *path, const char *npy_name, struct err *err)
{
    enum magic magic = magic_of(path, err);
    if (magic != MAGIC_NPY && magic != MAGIC_ZIP && magic != MAGIC_SAFETENSORS) {
        not_a_dump(path, magic, err);
        return NULL;
    }
    struct arrays *a = xcalloc(1, sizeof *a);
    a->path = xstrdup(path);
    a->loaded = -1;
    bool ok = magic == MAGIC_NPY   ? open_npy(a, npy_name, err)
              : magic == MAGIC_ZIP ? npz_open_arrays(a, err) || path_add(err, path)
                                   : open_safetensors(a, err);
    if (ok)
        return a;
    arrays_free(a);
    return NULL;
}

static bool holds_weights(const char *path)
{
    struct err err = ERR_INIT;
    struct safetensors *st = safetensors_open(path, &err);
    int n = st ? safetensors_count(st) : 0, weights = 0;
    for (int i = 0; i < n; i++) {
        const char *name = safetensors_tensor(st, i)->name;
        size_t len = strlen(name);
        weights += len > 7 && strcmp(name + len - 7, ".weight") == 0;
    }
    safetensors_free(st);
    return weights > 0;
}

enum file_kind arrays_kind(const char *path)
{
    struct err err = ERR_INIT;
    if (builtin_find(path) || file_is_dir(path))
        return FILE_MODEL;
    switch (magic_of(path, &err)) {
    case MAGIC_NONE:
        return file_exists(path) ? FILE_OTHER : FILE_NONE;
    case MAGIC_GGUF:
        return FILE_MODEL;
    case MAGIC_SAFETENSORS:
        return holds_weights(path) ? FILE_MODEL : FILE_DUMP;
    case MAGIC_NPY:
    case MAGIC_ZIP:
        return FILE_DUMP;
    case MAGIC_OTHER:
        break;
    }
    return FILE_OTHER;
}

/* --- the list --- */

static void unload(struct arrays *a)
{
    big_free(a->block, a->block_bytes);
    a->block = NULL;
    a->data = NULL;
    a->loaded = -1;
}

void arrays_free(struct arrays *a)
{
    if (!a)
        return;
    unload(a);
    npz_close(a);
    safetensors_free(a->st);
    if (a->mapped)
        filemap_release(&a->map);
    for (int i = 0; i < a->n; i++)
        free(a->place[i].name);
    free(a->item);
    free(a->place);
    free(a->path);
    free(a);
}

const char *arrays_path(const struct arrays *a)
{
    return a->path;
}

bool arrays_npy(const struct arrays *a)
{
    return a->npy;
}

int arrays_count(const struct arrays *a)
{
    return a->n;
}

const struct array *arrays_at(const struct arrays *a, int i)
{
    return &a->item[i];
}

int arrays_find(const struct arrays *a, const char *name)
{
    for (int i = 0; i < a->n; i++)
        if (strcmp(a->item[i].name, name) == 0)
            return i;
    return -1;
}

bool arrays_load(struct arrays *a, int i, struct err *err)
{
    const struct array *x = &a->item[i];
    if (a->loaded == i)
        return true;
    unload(a);
    bool ok = true;
    if (x->type == ARRAY_OTHER)
        ok = err_set(err, "it holds %s", x->refused);
    else if (a->zip)
        ok = npz_load_array(a, i, err);
    else
        a->data = a->place[i].data;
    if (!ok) {
        err_add(err, "array '%s'", x->name);
        return path_add(err, a->path);
    }
    a->loaded = i;
    return true;
}

void array_shape_print(const struct array *x, struct str *out)
{
    str_addc(out, '[');
    for (int i = 0; i < x->n_dims; i++)
        str_addf(out, "%s%lld", i ? ", " : "", (long long) x->dim[i]);
    str_addc(out, ']');
}
