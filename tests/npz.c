#include "npz.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

/* "'shape': (6, 10, 10), }" */
static bool parse_shape(struct npz_array *a, const char *header)
{
    const char *at = strstr(header, "'shape': (");
    if (!at)
        return false;
    a->n = 1;
    for (at = strchr(at, '(') + 1; *at != ')'; at += strspn(at, ", ")) {
        char *end;
        long dim = strtol(at, &end, 10);
        if (end == at || dim < 0 || a->n_dims == 4)
            return false;
        a->shape[a->n_dims++] = (int) dim;
        a->n *= (size_t) dim;
        at = end;
    }
    return true;
}

/* magic "\x93NUMPY", version 1.0, u16 header length, a Python dict as text, data */
static bool parse_npy(struct npz_array *a, const unsigned char *bytes, size_t size)
{
    char header[512];
    if (size < 10 || memcmp(bytes, "\x93NUMPY\x01", 7) != 0)
        return false;
    size_t len = bytes[8] | (size_t) bytes[9] << 8;
    if (len >= sizeof header || 10 + len > size)
        return false;
    memcpy(header, bytes + 10, len);
    header[len] = '\0';
    const char *text = strstr(header, "'<U");
    size_t item = text ? 4 * strtoul(text + 3, NULL, 10) : 4;
    if (!strstr(header, "'fortran_order': False") || !parse_shape(a, header) ||
        size - 10 - len != a->n * item)
        return false;
    if (text)
        return true;

    void *data = xmalloc(a->n * 4 + 1);
    memcpy(data, bytes + 10 + len, a->n * 4);
    if (strstr(header, "'<f4'"))
        a->f = data;
    else if (strstr(header, "'<i4'"))
        a->i = data;
    else
        free(data);
    return a->f || a->i;
}

static bool read_entry(struct npz_array *a, zip_t *zip, zip_uint64_t i)
{
    zip_stat_t st;
    if (zip_stat_index(zip, i, 0, &st) != 0)
        return false;
    unsigned char *bytes = xmalloc(st.size + 1);
    zip_file_t *f = zip_fopen_index(zip, i, 0);
    bool ok = f && zip_fread(f, bytes, st.size) == (zip_int64_t) st.size &&
              parse_npy(a, bytes, st.size);
    snprintf(a->name, sizeof a->name, "%.*s", (int) strlen(st.name) - 4, st.name);
    if (f)
        zip_fclose(f);
    free(bytes);
    return ok;
}

bool npz_open(struct npz *z, const char *path)
{
    *z = (struct npz){0};
    zip_t *zip = zip_open(path, ZIP_RDONLY, NULL);
    zip_int64_t n = zip ? zip_get_num_entries(zip, 0) : 0;
    z->array = xcalloc((size_t) n + 1, sizeof *z->array);
    bool ok = zip != NULL;
    for (; ok && z->n < n; z->n++)
        ok = read_entry(&z->array[z->n], zip, (zip_uint64_t) z->n);
    if (zip)
        zip_discard(zip);
    if (!ok) {
        fprintf(stderr, "%s: cannot be read as npz\n", path);
        npz_release(z);
    }
    return ok;
}

void npz_release(struct npz *z)
{
    for (int i = 0; i < z->n; i++) {
        free(z->array[i].f);
        free(z->array[i].i);
    }
    free(z->array);
    *z = (struct npz){0};
}

const struct npz_array *npz_find(const struct npz *z, const char *name)
{
    for (int i = 0; i < z->n; i++) {
        if (strcmp(z->array[i].name, name) == 0)
            return &z->array[i];
    }
    return NULL;
}
