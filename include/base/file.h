/*
 * Files: reading by mapping, writing so that a crash or a full disk leaves the old file.
 */
#ifndef GPTSCOPE_BASE_FILE_H
#define GPTSCOPE_BASE_FILE_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

/* A regular file mapped read-only. An empty file gives data "" and size 0. */
struct filemap {
    const uint8_t *data;
    size_t size;
};

/* Fails on anything but a readable regular file, and never blocks (a FIFO, a device). */
bool filemap_open(struct filemap *m, const char *path, struct err *err);
void filemap_release(struct filemap *m);

/* The whole file as text (may hold NULs; len says), at most `limit` bytes. */
bool file_read(struct str *out, const char *path, size_t limit, struct err *err);

bool file_is_dir(const char *path);
bool file_exists(const char *path);
char *file_join(const char *dir, const char *name); /* yours */

/*
 * A file being written. Bytes go to a file without a name in the same folder, or where there is
 * no such thing to one with a temporary name; commit syncs it and gives it its final name in
 * place of the old file, abort removes it. A program that is killed leaves the old file. Path
 * "-" is stdout. Errors are remembered: write freely, check at commit.
 */
struct outfile;

struct outfile *outfile_open(const char *path, struct err *err);
void outfile_write(struct outfile *f, const void *bytes, size_t n);
void outfile_printf(struct outfile *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
uint64_t outfile_at(const struct outfile *f); /* bytes written so far */
/* The file will have `size` bytes: the disk makes room for them at once, so that a full one is
 * reported before anything is computed. From then on all of it may be written with
 * outfile_patch, in any order. Does nothing for devices and "-". */
bool outfile_reserve(struct outfile *f, uint64_t size, struct err *err);
/* Writes over n bytes at an earlier place, or anywhere in what is reserved (not for "-"). */
void outfile_patch(struct outfile *f, uint64_t at, const void *bytes, size_t n);
/* The same in what is reserved; returns the bytes' checksum (base/crc.h). Several threads may
 * do so at once, to places apart, as long as nothing else is done with the file. */
uint32_t outfile_patch_sum(struct outfile *f, uint64_t at, const void *bytes, size_t n);
/* Fails, with the message that commit would give, once a write has: there is no use going on.
 */
bool outfile_check(const struct outfile *f, struct err *err);
bool outfile_commit(struct outfile *f, struct err *err); /* frees f, whatever the result */
void outfile_abort(struct outfile *f);                   /* frees f, removes the temporary */

/* A file that is never given a name, in $TMPDIR or /tmp: abort removes it. */
struct outfile *outfile_scratch(struct err *err);
/* Writes all of a scratch file; fails when that cannot be read. */
bool outfile_copy(struct outfile *to, struct outfile *from, struct err *err);

#endif
