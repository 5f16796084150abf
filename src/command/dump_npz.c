/*
 * npz: a zip archive of npy files, stored without compression, so that it is written and read
 * at the speed of the disk. libzip pulls each entry through entry_call, block by block, and
 * pushes the archive through sink_call into the output file: neither is in memory as a whole.
 */
#include "command/dump_array.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

/* The archive being written. libzip goes back to fill in each entry's checksum, which a
 * pipe cannot do: then it goes to a temporary file first. */
struct sink {
    struct outfile *f;
    FILE *tmp;
    uint64_t at, end;
    zip_error_t error;
};

struct entry {
    struct dump_array *array;
    struct str header;
    size_t header_at;
    const uint8_t *data;
    size_t left;
    struct err *err; /* gets the first failure of reading */
    zip_error_t error;
};

/* --- entries --- */

static zip_int64_t entry_stat(struct entry *e, zip_stat_t *st)
{
    zip_stat_init(st);
    st->size = e->header.len + dump_array_bytes(e->array);
    st->valid = ZIP_STAT_SIZE;
    return sizeof *st;
}

static zip_int64_t entry_open(struct entry *e)
{
    e->header_at = e->left = 0;
    if (dump_array_open(e->array, e->err))
        return 0;
    zip_error_set(&e->error, ZIP_ER_MEMORY, 0);
    return -1;
}

/* At most n bytes of the header, then of the elements; 0 at the end. */
static zip_int64_t entry_read(struct entry *e, void *out, size_t n)
{
    if (e->header_at < e->header.len) {
        size_t left = e->header.len - e->header_at;
        n = n < left ? n : left;
        memcpy(out, e->header.text + e->header_at, n);
        e->header_at += n;
        return (zip_int64_t) n;
    }
    if (!e->left) {
        const void *data = NULL;
        if (!dump_array_next(e->array, &data, &e->left, e->err)) {
            zip_error_set(&e->error, ZIP_ER_READ, 0);
            return -1;
        }
        e->data = data;
    }
    n = n < e->left ? n : e->left;
    if (n)
        memcpy(out, e->data, n);
    e->data += n;
    e->left -= n;
    return (zip_int64_t) n;
}

static zip_int64_t entry_call(void *user, void *data, zip_uint64_t n, zip_source_cmd_t cmd)
{
    struct entry *e = user;
    switch (cmd) {
    case ZIP_SOURCE_OPEN:
        return entry_open(e);
    case ZIP_SOURCE_READ:
        return entry_read(e, data, n);
    case ZIP_SOURCE_CLOSE:
        dump_array_close(e->array);
        return 0;
    case ZIP_SOURCE_STAT:
        return entry_stat(e, data);
    case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&e->error, data, n);
    case ZIP_SOURCE_FREE:
        return 0;
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ,
                                              ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
                                              ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
    default:
        zip_error_set(&e->error, ZIP_ER_OPNOTSUPP, 0);
        return -1;
    }
}

/* --- the archive --- */

/* Bytes at k->at: partly over what is there, partly behind it. */
static void sink_put(struct sink *k, const uint8_t *bytes, size_t n)
{
    size_t over = k->end - k->at < n ? (size_t) (k->end - k->at) : n;
    if (over)
        outfile_patch(k->f, k->at, bytes, over);
    if (n > over)
        outfile_write(k->f, bytes + over, n - over);
}

static zip_int64_t sink_write(struct sink *k, const uint8_t *bytes, size_t n)
{
    if (!k->tmp) {
        sink_put(k, bytes, n);
    } else if (fwrite(bytes, 1, n, k->tmp) != n) {
        zip_error_set(&k->error, ZIP_ER_WRITE, errno);
        return -1;
    }
    k->at += n;
    k->end = k->at > k->end ? k->at : k->end;
    return (zip_int64_t) n;
}

static zip_int64_t sink_seek(struct sink *k, void *data, zip_uint64_t n)
{
    zip_int64_t to = zip_source_seek_compute_offset(k->at, k->end, data, n, &k->error);
    if (to < 0)
        return -1;
    if (k->tmp && fseeko(k->tmp, to, SEEK_SET) != 0) {
        zip_error_set(&k->error, ZIP_ER_SEEK, errno);
        return -1;
    }
    k->at = (uint64_t) to;
    return 0;
}

static zip_int64_t sink_stat(struct sink *k)
{
    zip_error_set(&k->error, ZIP_ER_READ, ENOENT); /* a new archive */
    return -1;
}

static zip_int64_t sink_call(void *user, void *data, zip_uint64_t n, zip_source_cmd_t cmd)
{
    struct sink *k = user;
    switch (cmd) {
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(
            ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
            ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL,
            ZIP_SOURCE_BEGIN_WRITE, ZIP_SOURCE_COMMIT_WRITE, ZIP_SOURCE_ROLLBACK_WRITE,
            ZIP_SOURCE_WRITE, ZIP_SOURCE_SEEK_WRITE, ZIP_SOURCE_TELL_WRITE, ZIP_SOURCE_REMOVE,
            -1);
    case ZIP_SOURCE_STAT:
        return sink_stat(k);
    case ZIP_SOURCE_WRITE:
        return sink_write(k, data, n);
    case ZIP_SOURCE_SEEK_WRITE:
        return sink_seek(k, data, n);
    case ZIP_SOURCE_TELL_WRITE:
        return (zip_int64_t) k->at;
    case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&k->error, data, n);
    case ZIP_SOURCE_BEGIN_WRITE:
    case ZIP_SOURCE_COMMIT_WRITE:
    case ZIP_SOURCE_ROLLBACK_WRITE:
    case ZIP_SOURCE_REMOVE:
    case ZIP_SOURCE_FREE:
        return 0;
    default:
        zip_error_set(&k->error, ZIP_ER_OPNOTSUPP, 0);
        return -1;
    }
}

static bool add_entry(zip_t *zip, struct entry *e, struct dump_array *a, struct err *err)
{
    char name[sizeof a->name + 4];
    snprintf(name, sizeof name, "%s.npy", a->name);
    *e = (struct entry){.array = a, .header = STR_INIT, .err = err};
    zip_error_init(&e->error);
    dump_npy_header(a, &e->header);
    zip_source_t *src = zip_source_function(zip, entry_call, e);
    zip_int64_t at = src ? zip_file_add(zip, name, src, ZIP_FL_ENC_UTF_8) : -1;
    if (at < 0) {
        zip_source_free(src);
        return err_set(err, "%s: %s", a->name, zip_strerror(zip));
    }
    /* The same values give the same bytes: 1 January 1980, as numpy itself writes. */
    return (zip_set_file_compression(zip, (zip_uint64_t) at, ZIP_CM_STORE, 0) == 0 &&
            zip_file_set_dostime(zip, (zip_uint64_t) at, 0, 1 << 5 | 1, 0) == 0) ||
           err_set(err, "%s: %s", a->name, zip_strerror(zip));
}

static bool write_archive(struct sink *k, struct entry *entry, const struct dump_job *job,
                          struct err *err)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *src = zip_source_function_create(sink_call, k, &error);
    zip_t *zip = src ? zip_open_from_source(src, ZIP_CREATE | ZIP_TRUNCATE, &error) : NULL;
    if (!zip) {
        zip_source_free(src);
        err_set(err, "libzip: %s", zip_error_strerror(&error));
        zip_error_fini(&error);
        return false;
    }
    bool ok = true;
    for (int i = 0; ok && i < job->n; i++)
        ok = add_entry(zip, &entry[i], &job->array[i], err);
    if (ok && zip_close(zip) == 0)
        return true;
    if (!*err->text)
        err_set(err, "libzip: %s", zip_strerror(zip));
    zip_discard(zip);
    return false;
}

static bool copy_out(FILE *tmp, struct outfile *f, struct err *err)
{
    char buf[1 << 16];
    size_t n;
    if (fflush(tmp) != 0 || fseeko(tmp, 0, SEEK_SET) != 0)
        return err_set(err, "cannot write a temporary file: %s", strerror(errno));
    while ((n = fread(buf, 1, sizeof buf, tmp)) > 0)
        outfile_write(f, buf, n);
    return !ferror(tmp) || err_set(err, "cannot read a temporary file: %s", strerror(errno));
}

bool dump_npz(const struct dump_job *job, struct outfile *f, struct err *err)
{
    struct sink k = {.f = f};
    zip_error_init(&k.error);
    if (job->stream && !(k.tmp = tmpfile()))
        return err_set(err, "cannot make a temporary file: %s", strerror(errno));
    struct entry *entry = xcalloc((size_t) job->n, sizeof *entry);
    bool ok = write_archive(&k, entry, job, err);
    for (int i = 0; i < job->n; i++) {
        if (entry[i].array)
            str_release(&entry[i].header);
    }
    free(entry);
    if (ok && k.tmp)
        ok = copy_out(k.tmp, f, err);
    if (k.tmp)
        fclose(k.tmp);
    return ok;
}
