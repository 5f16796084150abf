/*
 * npz: a zip archive of npy files. libzip reads the archive; the sizes that it and the npy
 * headers claim are held against each other before anything is unpacked.
 */
#include "model/arrays_parts.h"

#include "base/interrupt.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#define MAX_ENTRIES 65536
#define PIECE       ((size_t) 1 << 20)

static bool entry_fail(struct err *err, const char *name)
{
    return err_add(err, "array '%s'", name);
}

static bool cannot_unpack(struct err *err, const char *why)
{
    return err_set(err, "it cannot be unpacked: %s", why);
}

/* At most *n bytes from the beginning of an entry; *n gets how many there were. */
static bool read_begin(zip_t *zip, zip_uint64_t entry, uint8_t *out, size_t *n, struct err *err)
{
    zip_file_t *f = zip_fopen_index(zip, entry, 0);
    zip_int64_t some = 1;
    size_t got = 0;
    if (!f)
        return cannot_unpack(err, zip_strerror(zip));
    while (some > 0 && got < *n) {
        some = zip_fread(f, out + got, *n - got);
        got += some > 0 ? (size_t) some : 0;
    }
    if (some < 0)
        cannot_unpack(err, zip_file_strerror(f));
    zip_fclose(f);
    *n = got;
    return some >= 0;
}

static bool read_header(struct arrays *a, struct array *x, struct array_place *place,
                        const zip_stat_t *st, struct err *err)
{
    size_t size = NPY_HEADER_MAX + 12;
    uint8_t *bytes = xmalloc(size);
    bool ok = read_begin(a->zip, place->entry, bytes, &size, err);
    size_t header = ok ? npy_header(x, bytes, size, err) : 0;
    free(bytes);
    if (!header)
        return false;
    place->skip = header;
    place->bytes = (uint64_t) x->count * x->item;
    if (x->item && st->size != header + place->bytes)
        return err_set(err, "%llu bytes do not fit its shape (%llu)",
                       (unsigned long long) st->size - header,
                       (unsigned long long) place->bytes);
    return true;
}

static bool add_entry(struct arrays *a, zip_uint64_t entry, struct err *err)
{
    zip_stat_t st;
    if (zip_stat_index(a->zip, entry, 0, &st) != 0 || !(st.valid & ZIP_STAT_NAME) ||
        !(st.valid & ZIP_STAT_SIZE))
        return err_set(err, "entry %llu of the archive has no name or size",
                       (unsigned long long) entry);
    size_t n = strlen(st.name);
    if (n >= 8 && strcmp(st.name + n - 8, "data.pkl") == 0)
        return err_set(err, "a PyTorch archive (a pickle, which is not opened): save the "
                            "tensors with safetensors or numpy.savez");
    if (n < 4 || strcmp(st.name + n - 4, ".npy") != 0)
        return true;
    struct array_place *place;
    struct array *x = arrays_add(a, &place);
    place->name = xstrndup(st.name, n - 4);
    place->entry = entry;
    x->name = place->name;
    return read_header(a, x, place, &st, err) || entry_fail(err, x->name);
}

bool npz_open_arrays(struct arrays *a, struct err *err)
{
    int code = 0;
    a->zip = zip_open(a->path, ZIP_RDONLY, &code);
    if (!a->zip) {
        zip_error_t error;
        zip_error_init_with_code(&error, code);
        err_set(err, "not an npz archive that can be read: %s", zip_error_strerror(&error));
        zip_error_fini(&error);
        return false;
    }
    zip_int64_t n = zip_get_num_entries(a->zip, 0);
    if (n > MAX_ENTRIES)
        return err_set(err, "the archive has more than %d entries", MAX_ENTRIES);
    for (zip_int64_t i = 0; i < n; i++)
        if (!add_entry(a, (zip_uint64_t) i, err))
            return false;
    return a->n > 0 || err_set(err, "the archive holds no npy files");
}

static bool unpack(zip_file_t *f, uint8_t *out, uint64_t n, struct err *err)
{
    for (uint64_t at = 0; at < n;) {
        size_t want = n - at < PIECE ? (size_t) (n - at) : PIECE;
        if (interrupt_pending())
            return err_set(err, "interrupted");
        zip_int64_t got = zip_fread(f, out + at, want);
        if (got <= 0)
            return cannot_unpack(err, got ? zip_file_strerror(f) : "it ends early");
        at += (uint64_t) got;
    }
    char more;
    if (zip_fread(f, &more, 1) != 0) /* the end is where the checksum is looked at */
        return cannot_unpack(err, zip_file_strerror(f));
    return true;
}

/* More than this cannot be meant: it would push everything else out of memory. */
static uint64_t most_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t) pages * (uint64_t) size / 2 : UINT64_MAX;
}

bool npz_load_array(struct arrays *a, int i, struct err *err)
{
    const struct array_place *p = &a->place[i];
    uint64_t bytes = p->skip + p->bytes;
    if (bytes > most_bytes())
        return err_set(err, "it is %llu MB unpacked, more than half of this machine's memory",
                       (unsigned long long) (bytes >> 20));
    uint8_t *block = big_alloc((size_t) bytes + 1, "an array", err);
    zip_file_t *f = block ? zip_fopen_index(a->zip, p->entry, 0) : NULL;
    bool ok = f != NULL;
    if (block && !f)
        cannot_unpack(err, zip_strerror(a->zip));
    ok = ok && unpack(f, block, bytes, err);
    if (f)
        zip_fclose(f);
    if (!ok) {
        big_free(block, (size_t) bytes + 1);
        return false;
    }
    a->block = block;
    a->block_bytes = (size_t) bytes + 1;
    a->data = block + p->skip;
    return true;
}

void npz_close(struct arrays *a)
{
    if (a->zip)
        zip_discard(a->zip);
    a->zip = NULL;
}
