/*
 * npz: a zip archive of npy files, stored without compression, so that it is written and read
 * at the speed of the disk. Every entry's size is known beforehand, so the entries of a block
 * of the model are written side by side, in the order in which their numbers are computed
 * (dump_each); libzip would ask for one whole entry after the other, and have what several of
 * them need, such as the logits for probs, computed as often.
 */
#include "command/dump_array.h"

#include "base/mem.h"
#include "command/zip_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

/* From here on the numbers of an entry begin at a multiple of the disk's blocks, so that they
 * can be written past the page cache and be mapped. */
#define LARGE ((size_t) 256 << 10)

struct npz {
    struct outfile *f;
    struct zip_entry *entry;
    struct str *header; /* npy header of each */
    char (*name)[sizeof(((struct dump_array *) 0)->name) + 4];
    uint64_t *done; /* bytes of each that are written */
    struct compute *compute;
};

static void npz_init(struct npz *z, const struct dump_job *job, struct outfile *f)
{
    size_t n = (size_t) job->n;
    *z = (struct npz){.f = f};
    z->entry = xcalloc(n, sizeof *z->entry);
    z->header = xcalloc(n, sizeof *z->header);
    z->name = xcalloc(n, sizeof *z->name);
    z->done = xcalloc(n, sizeof *z->done);
    for (int i = 0; i < job->n; i++) {
        const struct dump_array *a = &job->array[i];
        snprintf(z->name[i], sizeof z->name[i], "%s.npy", a->name);
        z->header[i] = (struct str) STR_INIT;
        dump_npy_header(a, &z->header[i]);
        z->entry[i].name = z->name[i];
        z->entry[i].size = z->header[i].len + dump_array_bytes(a);
        if (dump_array_bytes(a) >= LARGE)
            z->entry[i].align = z->header[i].len;
        if (!a->data)
            z->compute = run_compute(a->run);
    }
}

static void npz_release(struct npz *z, int n)
{
    for (int i = 0; i < n; i++)
        str_release(&z->header[i]);
    free(z->entry);
    free(z->header);
    free(z->name);
    free(z->done);
}

/* A piece of an entry, in parts: each thread takes the checksum of one and writes it. */
enum { PARTS = 64, SMALL = 128 << 10, BLOCK = 4096 };
struct piece {
    struct npz *z;
    const uint8_t *bytes;
    size_t n;
    uint64_t at;
    int parts;
    uint32_t crc[PARTS];
};

/* Parts end where blocks of the disk do. */
static size_t part_at(const struct piece *p, int part)
{
    if (part == 0)
        return 0;
    if (part == p->parts)
        return p->n;
    uint64_t to = p->at + p->n / (size_t) p->parts * (size_t) part;
    return (size_t) (to / BLOCK * BLOCK - p->at);
}

static void piece_task(void *arg, int part, float *scratch)
{
    struct piece *p = arg;
    size_t begin = part_at(p, part), n = part_at(p, part + 1) - begin;
    (void) scratch;
    p->crc[part] = outfile_patch_sum(p->z->f, p->at + begin, p->bytes + begin, n);
}

static bool put_piece(void *user, int array, const void *bytes, size_t n, struct err *err)
{
    struct npz *z = user;
    struct zip_entry *e = &z->entry[array];
    struct piece p = {.z = z, .bytes = bytes, .n = n, .at = e->data + z->done[array]};
    size_t most = z->compute ? 2 * (size_t) compute_threads(z->compute) : 1;
    most = most > PARTS ? PARTS : most;
    p.parts = n / SMALL < 1 ? 1 : n / SMALL < most ? (int) (n / SMALL) : (int) most;
    if (p.parts == 1)
        piece_task(&p, 0, NULL);
    else
        compute_each(z->compute, p.parts, piece_task, &p);
    for (int i = 0; i < p.parts; i++)
        e->crc = (uint32_t) crc32_combine(e->crc, p.crc[i],
                                          (z_off_t) (part_at(&p, i + 1) - part_at(&p, i)));
    z->done[array] += n;
    return outfile_check(z->f, err);
}

static void put_text(struct npz *z, uint64_t at, struct str *text)
{
    outfile_patch(z->f, at, text->text, text->len);
    str_clear(text);
}

static bool write_archive(struct npz *z, const struct dump_job *job, struct err *err)
{
    size_t n = (size_t) job->n;
    struct str text = STR_INIT;
    uint64_t end = zip_layout(z->entry, n);
    zip_directory(z->entry, n, end, &text);
    if (!outfile_reserve(z->f, end + text.len, err)) {
        str_release(&text);
        return false;
    }
    str_clear(&text);
    bool ok = true;
    for (int i = 0; ok && i < job->n; i++)
        ok = put_piece(z, i, z->header[i].text, z->header[i].len, err);
    ok = ok && dump_each(job, put_piece, z, err);
    for (int i = 0; ok && i < job->n; i++) {
        zip_header(&z->entry[i], &text);
        put_text(z, z->entry[i].header, &text);
    }
    zip_directory(z->entry, n, end, &text);
    if (ok)
        put_text(z, end, &text);
    str_release(&text);
    return ok;
}

static bool write_to(const struct dump_job *job, struct outfile *f, struct err *err)
{
    struct npz z;
    npz_init(&z, job, f);
    bool ok = write_archive(&z, job, err);
    npz_release(&z, job->n);
    return ok;
}

/* A pipe cannot be written out of order: the archive goes to a temporary file first. */
bool dump_npz(const struct dump_job *job, struct outfile *f, struct err *err)
{
    if (!job->stream)
        return write_to(job, f, err);
    struct outfile *scratch = outfile_scratch(err);
    bool ok = scratch && write_to(job, scratch, err) && outfile_copy(f, scratch, err);
    if (scratch)
        outfile_abort(scratch);
    return ok;
}
