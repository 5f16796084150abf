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
 * A file being written. Bytes go to a temporary name in the same folder; commit syncs and
 * renames it to its final name, release without commit removes it. Path "-" is stdout.
 * Errors are remembered: write freely, check at commit.
 */
struct outfile;

struct outfile *outfile_open(const char *path, struct err *err);
void outfile_write(struct outfile *f, const void *bytes, size_t n);
void outfile_printf(struct outfile *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
uint64_t outfile_at(const struct outfile *f); /* bytes written so far */
/* Writes over n bytes at an earlier place (not for "-"). */
void outfile_patch(struct outfile *f, uint64_t at, const void *bytes, size_t n);
bool outfile_commit(struct outfile *f, struct err *err); /* frees f, whatever the result */
void outfile_abort(struct outfile *f);                   /* frees f, removes the temporary */

#endif
