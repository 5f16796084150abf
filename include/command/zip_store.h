/*
 * A zip archive of stored entries whose sizes are known before the first byte is written: every
 * place in it is, too, so entries can be written in any order, at the same time.
 *
 *     [header 0][data 0][header 1][data 1] ... [directory][end]
 *
 * Sizes and places beyond 4 GB, and more than 65534 entries, are written as ZIP64 (APPNOTE.TXT,
 * 4.3.14 and 4.5.3).
 */
#ifndef GPTSCOPE_COMMAND_ZIP_STORE_H
#define GPTSCOPE_COMMAND_ZIP_STORE_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

struct zip_entry {
    const char *name; /* ASCII, borrowed */
    uint64_t size;
    size_t align;          /* not 0: this many bytes into the data, a multiple of 4096 is met */
    uint32_t crc;          /* of the data; needed for headers and the directory */
    uint64_t header, data; /* places, by zip_layout */
};

/* Fills in the places; returns that of the directory, which is the end of the last data. */
uint64_t zip_layout(struct zip_entry *e, size_t n);
/* The entry's header, data - header bytes. */
void zip_header(const struct zip_entry *e, struct str *out);
/* The directory and the end of the archive; as long whatever the checksums. */
void zip_directory(const struct zip_entry *e, size_t n, uint64_t at, struct str *out);

#endif
